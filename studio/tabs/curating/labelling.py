"""People as annotators: twenty posts by a short guideline, and how far people, rules and our own labels agree."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from pipelines.corpus.annotate import people
from pipelines.corpus.annotate.annotation import QUALITY_LIMIT, SCORE_LIMIT
from pipelines.corpus.drafts import Draft
from pipelines.corpus.shards import Row
from pipelines.entries import number
from pipelines.errors import StudioError
from studio.tabs.curating.desk import Desk
from studio.telling import told
from studio.views import messages

AXES = [("the economy", "economic"), ("how people live together", "social")]
COLUMNS = ("id", "text", "topic", "economic", "social", "quality", "problem", "annotator", "own_label")
OWN = {"left": -1.0, "right": 1.0, "neutral": 0.0}


def build(desk: Desk) -> None:
    """One post at a time; what was said is stored at once."""
    with gr.Accordion("Score twenty posts yourself, and see how far you agree with the rules", open=False, elem_id="labelling"):
        gr.Markdown(people.GUIDELINE)
        with gr.Row():
            rater = gr.Textbox(label="Your initials", max_length=20, elem_id="rater", min_width=120, scale=1)
            begin = gr.Button("Start, or go on", variant="primary", elem_id="label-start", min_width=140, scale=1)
        here = gr.State("")
        said = gr.HTML(padding=False, elem_id="label-said")
        with gr.Column(visible=False) as panel:
            post = gr.HTML(elem_id="label-post", padding=False)
            with gr.Row():
                axis = gr.Radio(AXES, value="economic", label="It is mainly about", min_width=200)
                stance = gr.Slider(
                    -10, 10, 0, step=1, label="Stance: -10 left, progressive … 10 right, traditional", elem_id="label-stance", min_width=240
                )
                quality = gr.Slider(0, 10, 5, step=1, label="Quality", min_width=160)
            with gr.Row():
                give = gr.Button("Store and next", variant="primary", elem_id="label-give", min_width=120)
                none = gr.Button("It takes no stance", elem_id="label-none", min_width=120)
                skip = gr.Button("Skip", min_width=80)
        table = gr.HTML(elem_id="agreement", padding=False)
    outputs = [here, said, panel, post, axis, stance, quality, table]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    skipped = gr.State([])
    begin.click(lambda draft_id, who: _next(desk, draft_id, who, set()), [desk.draft, rater], outputs, **quiet)
    desk.watch(lambda draft: ("", "", gr.update(visible=False), "", []), [here, said, panel, table, skipped])
    inputs = [desk.draft, rater, here, axis, stance, quality, skipped]
    for button, what in ((give, "stance"), (none, "none"), (skip, "skip")):
        button.click(lambda *values, what=what: _give(desk, what, *values), inputs, [*outputs, skipped], **quiet)


def _give(
    desk: Desk, what: str, draft_id: str, who: str, row_id: str, axis: str, stance: float, quality: float, skipped: list[str]
) -> tuple[Any, ...]:
    """Stores one label and shows the next post."""
    try:
        draft = desk.find(draft_id)
        if draft is None or not row_id:
            raise StudioError("There is no post to label.", "Press “Start”.")
        folder = draft.folder / "labels"
        if what == "skip":
            skipped = [*skipped, row_id]
        else:
            value = number(stance, "The stance", -SCORE_LIMIT, SCORE_LIMIT) if what == "stance" else None
            label = {"economic": None, "social": None, "quality": number(quality, "The quality", 0, QUALITY_LIMIT), axis: value}
            people.save_labels(folder, who, {**people.load_labels(folder, who), row_id: label})
    except Exception as error:
        return gr.skip(), told(error), *[gr.skip()] * 6, skipped
    return *_next(desk, draft_id, who, set(skipped)), skipped


def _next(desk: Desk, draft_id: str, who: str, skipped: set[str]) -> tuple[Any, ...]:
    """The next post without a label of this rater, with the agreement so far."""
    try:
        draft = desk.find(draft_id)
        if draft is None or not draft.scored:
            raise StudioError(
                "There are no scored posts.", "Open, clean and score posts first; the sample takes some from each part of the scale."
            )
        rows = _scored(draft)
        labels = people.load_labels(draft.folder / "labels", who or "")
        sample = people.sample(rows)
        left = [row for row in sample if row["id"] not in labels and row["id"] not in skipped]
        table = "" if left else _agreement(draft, rows)
    except Exception as error:
        return "", told(error), gr.update(visible=False), *[gr.skip()] * 5
    if not left:
        return "", messages.good(f"All {len(sample)} posts are done. Thank you."), gr.update(visible=False), "", gr.skip(), 0, 5, table
    row = left[0]
    said = messages.note(f"Post {len(sample) - len(left) + 1} of {len(sample)}. How far you agree with others is shown at the end.")
    return row["id"], said, gr.update(visible=True), f'<div class="ps-format">{escape(row["text"])}</div>', gr.skip(), 0, 5, table


def _scored(draft: Draft) -> list[Row]:
    """The posts right after scoring and dropping the weak ones, as everybody labels the same whatever is selected later."""
    scored = [number for number, step in enumerate(draft.steps, 1) if step.key in ("annotate", "weak")]
    return list(draft.after(max(scored, default=0)).rows(COLUMNS))


def _agreement(draft: Draft, rows: list[Row]) -> str:
    """Every two annotators: people, the annotator that scored, and our own labels where there are some."""
    raters = {f"you ({who})": people.sides(labels) for who, labels in people.all_labels(draft.folder / "labels").items()}
    if not raters:
        return ""
    labelled = {row_id for one in raters.values() for row_id in one}
    chosen = {row["id"]: row for row in rows if row["id"] in labelled}
    raters[next(iter(chosen.values()))["annotator"] if chosen else "offline"] = people.sides(chosen)
    own = {row_id: {"economic": OWN[row["own_label"]]} for row_id, row in chosen.items() if row.get("own_label") in OWN}
    if own:
        raters["label in the file"] = people.sides(own)
    names = list(raters)
    lines = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            found = people.agreement({one: raters[one], other: raters[other]}, "nominal")
            interval = "–" if found.alpha is None else f"{found.alpha:.2f} [{found.low:.2f}, {found.high:.2f}]"
            lines.append([one, other, str(found.rows), interval])
    head = ["Annotator", "and", "Posts", "Krippendorff's alpha for left / none / right, 95% interval"]
    return messages.table(head, lines, numbers=(2,)) + messages.note(
        "1 is perfect, 0 is chance; rely on labels from .80, be tentative from .67."
    )
