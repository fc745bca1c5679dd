"""Stage 4: which posts the model will learn from; all strategies side by side before one is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from pipelines.corpus import drafts, picked
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.selection import STRATEGIES, Candidates
from pipelines.corpus.steps.selecting import Select
from pipelines.errors import StudioError
from studio.tabs.curating import forms
from studio.tabs.curating.desk import Desk
from studio.telling import told
from studio.views import messages
from studio.views import selection as view

FIRST: dict[str, Any] = {"strategy": "balanced", "side": "both", "count": 96}


def build(desk: Desk) -> None:
    """Lays out the stage."""
    gr.HTML(
        messages.note(
            "What is selected is what the model becomes. Compare the strategies on the same posts, then use one. One run shows nothing about a selection; benchmarks/selection.py trains several."
        ),
        padding=False,
    )
    with gr.Row():
        strategy = gr.Dropdown(
            [(one.label, key) for key, one in STRATEGIES.items()],
            value=FIRST["strategy"],
            label="Strategy",
            info=STRATEGIES["balanced"].sentence,
            elem_id="strategy",
            scale=2,
            min_width=220,
        )
        side, count, seed, cutoff, seeds = forms.build(Select, without=("strategy",))
    side.value, count.value = FIRST["side"], FIRST["count"]
    form = [strategy, side, count, seed, cutoff, seeds]
    with gr.Row():
        compare = gr.Button("Compare all strategies", elem_id="compare-strategies")
        use = gr.Button("Use this selection", variant="primary", elem_id="select")
    table = gr.HTML(elem_id="strategies", padding=False)
    with gr.Row():
        with gr.Column(min_width=360):
            topics = gr.Plot(visible=False, show_label=False)
        with gr.Column(min_width=360):
            maps = gr.Plot(visible=False, show_label=False, elem_id="selection-map")
    strip = gr.Plot(visible=False, show_label=False)
    outputs = [table, topics, maps, strip]
    strategy.change(
        lambda key: gr.update(info=STRATEGIES[key].sentence), strategy, strategy, show_progress="hidden", api_visibility="private"
    )
    waiting = compare.click(
        lambda: messages.note("Picking with each strategy, and drawing the map …"),
        None,
        table,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    waiting.then(
        _comparer(desk),
        [desk.draft, *form],
        outputs,
        concurrency_id="curation",
        show_progress="hidden",
        api_name="compare_selections",
    )
    desk.act(use.click, _use, form, "select")
    desk.watch(lambda draft: ("", *[gr.update(visible=False)] * 3), outputs)


def _use(draft: Draft, tools: Tools, *values: Any) -> tuple[Draft, str]:
    step = forms.read(Select, values)
    place, gone = draft.place("select"), ""
    if place is not None and any(one.key == "hand" for one in draft.steps[place:]):
        raise StudioError(
            "Your changes by hand after the earlier selection would be lost.", "If you want that, go back to before “Select” first."
        )
    if place is not None:  # a selection picks from the same posts as the comparison shows
        gone = f" Taken back before: {', '.join(one.label for one in draft.steps[place:])}."
        draft = replace(draft, steps=draft.steps[:place])
    draft = drafts.apply(draft, step, tools)
    return draft, f"{len(draft.rows):,} posts selected. Next: make pairs from them.{gone}"


def _comparer(desk: Desk) -> Any:
    def compare(request: gr.Request, draft_id: str, *values: Any) -> tuple[Any, ...]:
        return _compare(desk, f"compare-{request.session_hash}", draft_id, *values)

    return compare


def _compare(desk: Desk, name: str, draft_id: str, *values: Any) -> tuple[Any, ...]:
    hidden = [gr.update(visible=False)] * 3
    try:
        draft = desk.find(draft_id)
        if draft is None or not draft.scored:
            raise StudioError("There are no scored posts yet.", "Open posts, clean and score them first.")
        step: Any = forms.read(Select, values)
        rows, tools = draft.rows if draft.pool is None else draft.pool, desk.tools(name)
        candidates = replace(step, strategy="diverse").candidates(tools, rows)
        picks = {key: part for key in STRATEGIES if (part := _pick(replace(step, strategy=key), candidates, tools))}
        if not picks:
            leaning = "either side" if step.side == "both" else f"the {step.side}"
            raise StudioError(f"No scored post leans to {leaning}.", "Choose another side, or look at the scores.")
        compared = picked.compare(candidates, picks)
        drawn = picked.project(candidates, picks)
        texts = _texts(rows, {candidates.ids[n] for n in drawn.positions})
    except Exception as error:
        return (told(error), *hidden)
    skipped = messages.note("“Nearest to seed statements” joins in once you write some.") if "seeds" not in picks else ""
    supply = sum(len(candidates.of_side(name)) for name in (("left", "right") if step.side == "both" else (step.side,)))
    if supply <= step.count:
        skipped += messages.info(
            f"Only {supply:,} posts lean that way, and {step.count:,} are wanted: strategies that take all pick the same. Want fewer to see a difference."
        )
    chosen = step.strategy if step.strategy in picks else "random"
    figures = [
        view.topics(compared),
        view.maps(candidates, picks, drawn, texts, width=900),
        view.strip(candidates, picks[chosen], drawn.positions, texts, chosen),
    ]
    return (view.table(compared) + view.overlaps(compared) + skipped, *[gr.update(value=figure, visible=True) for figure in figures])


def _pick(step: Any, candidates: Candidates, tools: Tools) -> list[int]:
    """A strategy's picks; none where it needs seed statements and there are none, or nothing reaches its cut-off."""
    if step.strategy == "seeds" and not step.seeds.strip():
        return []
    return step.pick(candidates, tools)


def _texts(rows: Any, wanted: set[str]) -> dict[str, str]:
    return {row["id"]: row["text"] for row in rows.rows(["id", "text"]) if row["id"] in wanted}
