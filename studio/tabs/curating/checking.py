"""Stage 6: the checks before training, as lights with a sentence, and a button that mends."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import drafts
from pipelines.corpus.checks import lights
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.mending import Mend
from studio.tabs.curating.desk import PRESSED, Desk, picking, told
from studio.views import corpus as view
from studio.views import messages

MOST_ROWS = 20_000


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
        found = lights.check(list(draft.rows.rows()), draft.kind, desk.services.ruler.embedder)  # type: ignore[arg-type]
    except Exception as error:
        return told(error)
    counts = {state: sum(one.state == state for one in found) for state in ("red", "amber", "green")}
    words = f"{counts['red']} to mend, {counts['amber']} to look at, {counts['green']} fine, over {len(draft.rows):,} rows."
    return messages.note(words) + "".join(map(view.light, found))


def _mend(draft: Draft, tools: Tools, key: str) -> tuple[Draft, str]:
    before = len(draft.rows)
    draft = drafts.apply(draft, Mend(key), tools)
    result = draft.steps[-1].result
    return draft, f"Mended: {result.changed:,} rows changed, {before - len(draft.rows):,} dropped. “Undo” takes it back."
