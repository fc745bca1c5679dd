"""Stage 6: the checks before training, as lights with a sentence, and a button that mends."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import drafts, labels
from pipelines.corpus.checks import lights
from pipelines.corpus.checks.records import Light
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.mending import Mend
from studio.tabs.curating.desk import PRESSED, Desk, picking
from studio.telling import told
from studio.views import corpus as view
from studio.views import messages

MOST_ROWS, GOOD_SIDES = 20_000, 0.8


def build(desk: Desk) -> None:
    """Lays out one line a light, with its mend as a button."""
    text = "Does anything but the opinion tell chosen from rejected? Whatever does, the model learns as well. Check before you tune."
    gr.HTML(messages.note(text), padding=False)
    check = gr.Button("Check", variant="primary", elem_id="check")
    shown = gr.HTML(elem_id="lights", padding=False, js_on_load=PRESSED)
    pressed = gr.State("")
    waiting = check.click(lambda: messages.note("Checking …"), None, shown, queue=False, show_progress="hidden", api_visibility="private")
    waiting.then(
        lambda draft_id: _check(desk, desk.find(draft_id)),
        desk.draft,
        shown,
        concurrency_id="curation",
        show_progress="hidden",
        api_name="check",
    )
    desk.act(picking(shown, pressed), _mend, [pressed], "mend")
    desk.watch(lambda draft: (_ahead(draft),), [shown])
    desk.watch_slowly(lambda draft: _again(desk, draft), shown)


def _ahead(draft: Draft | None) -> str:
    if draft is not None and draft.kind == "posts":
        return messages.note("Checks look at preference pairs. Make pairs from the posts first.")
    return messages.note("Checking …") if _wanted(draft) else ""


def _wanted(draft: Draft | None) -> bool:
    """After a match or a mend the lights are shown at once; after other steps they wait for the button."""
    return bool(draft and draft.kind != "posts" and (draft.has("mend") or draft.has("match")))


def _again(desk: Desk, draft: Draft | None) -> Any:
    return _check(desk, draft) if _wanted(draft) else gr.skip()


def _check(desk: Desk, draft: Draft | None) -> str:
    if draft is None or draft.kind == "posts":
        return messages.info("There are no pairs to check yet. Open some, or make them from posts.")
    if len(draft.rows) > MOST_ROWS:
        return messages.info(f"The checks look at up to {MOST_ROWS:,} pairs; here are {len(draft.rows):,}. Select fewer first.")
    try:
        rows = {row["id"]: row for row in draft.rows.rows()}
        found = lights.check(list(rows.values()), draft.kind, desk.services.ruler.embedder)  # type: ignore[arg-type]
    except Exception as error:
        return told(error)
    found += _sides(draft)
    counts = {state: sum(one.state == state for one in found) for state in ("red", "amber", "green")}
    words = f"{counts['red']} to mend, {counts['amber']} to look at, {counts['green']} fine, over {len(draft.rows):,} rows."
    return messages.note(words) + "".join(view.light(one, rows) for one in found)


def _sides(draft: Draft) -> list[Light]:
    """Matched pairs take their sides from scores: how often that is right is known where the posts carry labels, else it is not."""
    if not draft.has("match"):
        return []
    known = labels.of_pairs(draft)
    if known is None:
        words = "The sides come from scores, not from readers, and offline scores are often wrong. Read twenty rows before you tune."
        return [Light("sides", "Sides of matched pairs", "amber", words)]
    right, wrong, total = known
    state: Any = "green" if right >= GOOD_SIDES * total else "amber" if right > wrong + total / 2 else "red"
    words = (
        f"By the labels, {right} of {total} pairs join a left and a right post as they say, {wrong} are the wrong way round, and the rest hold one side "
        "twice or a post without a side. The scores alone can't tell; read the rows and drop or edit what is wrong."
    )
    return [Light("sides", "Sides of matched pairs", state, words)]


def _mend(draft: Draft, tools: Tools, key: str) -> tuple[Draft, str]:
    before = len(draft.rows)
    draft = drafts.apply(draft, Mend(key), tools)
    result = draft.steps[-1].result
    return draft, f"Mended: {result.changed:,} rows changed, {before - len(draft.rows):,} dropped. “Undo” takes it back."
