"""Stage 7: the rows, in pages - filter, read, edit, drop, star, note - with the exact training text of the row in hand."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import browse, drafts, preview
from pipelines.corpus.browse import Wanted
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.shards import Row
from pipelines.corpus.steps.hand import edit
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from studio.tabs.curating.desk import PRESSED, Desk, picking
from studio.views import corpus as view
from studio.views import messages

TEXTS = ("text", "prompt", "chosen", "rejected", "left", "right", "neutral")
KEYS_JS = """() => {
  if (window.psRow) return;
  const rows = () => [...document.querySelectorAll("#rows tr[data-pick]")];
  const mark = at => rows().forEach((row, n) => row.setAttribute("aria-selected", n === at));
  let at = -1, id = "";
  window.psRow = by => {
    const all = rows();
    if (!all.length) return;
    const gone = at >= 0 && all[at]?.dataset.pick !== id;
    at = Math.max(0, Math.min(all.length - 1, gone ? at : at + by));
    all[at].click();
    all[at].focus({preventScroll: true});
    all[at].scrollIntoView({block: "nearest"});
  };
  new MutationObserver(() => {
    const found = rows().findIndex(row => row.dataset.pick === id);
    if (found >= 0 && rows()[found].getAttribute("aria-selected") !== "true") { at = found; mark(found); }
  }).observe(document.body, {childList: true, subtree: true});
  document.addEventListener("click", event => {
    const row = event.target.closest("#rows tr[data-pick]");
    if (row) { at = rows().indexOf(row); id = row.dataset.pick; mark(at); }
  });
  const press = {s: "row-star", x: "row-drop", u: "undo"};
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
    if (!document.getElementById("rows")?.offsetParent) return;
    if (event.key === "j" || event.key === "k") { event.preventDefault(); window.psRow(event.key === "j" ? 1 : -1); }
    const button = press[event.key] && document.getElementById(press[event.key]);
    if (button) { event.preventDefault(); button.click(); }
  });
}"""


def build(desk: Desk) -> None:
    """Lays out filters, the table with its pages, and the row in hand."""
    with gr.Row():
        step = gr.Dropdown([("Rows kept", -1)], value=-1, label="Show", elem_id="show-step", min_width=170)
        topic = gr.Dropdown([("all topics", "")], value="", label="Topic", min_width=130)
        side = gr.Dropdown([("any side", ""), "left", "right", ("no stance", "none")], value="", label="Scored", min_width=120)
        strongest = gr.Slider(0, 10, 0, step=0.5, label="Strength", min_width=200)
        words = gr.Textbox(label="Words", placeholder="search …", min_width=120, elem_id="find-words")
        starred = gr.Checkbox(False, label="★ only", min_width=80)
    filters = [step, topic, side, strongest, words, starred]
    page = gr.State(1)
    hand = gr.State("")
    count = gr.HTML(elem_id="row-count", padding=False)
    table = gr.HTML(elem_id="rows", padding=False, js_on_load=PRESSED)
    with gr.Row():
        back_page = gr.Button("← Page", size="sm", min_width=80)
        next_page = gr.Button("Page →", size="sm", min_width=80)
    with gr.Column(visible=False, elem_id="row-in-hand") as panel:
        title = gr.HTML(padding=False)
        boxes = {name: gr.Textbox(label=name.capitalize(), lines=2, max_lines=10, visible=False, elem_id=f"edit-{name}") for name in TEXTS}
        note = gr.Textbox(label="Note", lines=1)
        with gr.Row():
            save = gr.Button("Save changes", variant="primary", size="sm", elem_id="row-save", min_width=110)
            star = gr.Button("★ Star (s)", size="sm", elem_id="row-star", min_width=90)
            drop = gr.Button("Drop (x)", size="sm", elem_id="row-drop", min_width=90)
            back = gr.Button("← Row (k)", size="sm", elem_id="row-back", min_width=90)
            forth = gr.Button("Row → (j)", size="sm", elem_id="row-next", min_width=90)
        training = gr.HTML(elem_id="formatted", padding=False)
    listing = [table, count, page]
    in_hand = [hand, panel, title, *boxes.values(), note, training]

    def look(draft_id: str, number: int, *values: Any) -> tuple[Any, ...]:
        return _list(desk.find(draft_id), number, *values)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    for part in filters:
        part.input(
            lambda draft_id, *values: look(draft_id, 1, *values), [desk.draft, *filters], listing, trigger_mode="always_last", **quiet
        )
    for button, by in ((back_page, -1), (next_page, 1)):
        button.click(lambda draft_id, number, *v, by=by: look(draft_id, number + by, *v), [desk.draft, page, *filters], listing, **quiet)
    pressed, warned = gr.State(""), gr.State("")

    def take(draft_id: str, *values: Any) -> tuple[Any, ...]:
        return _take(desk, draft_id, *values)

    picking(table, pressed)(take, [desk.draft, pressed, warned, hand, step, note, *boxes.values()], [*in_hand, warned], **quiet)
    back.click(None, js="() => window.psRow(-1)")
    forth.click(None, js="() => window.psRow(1)")
    typed = [hand, step, note, *boxes.values()]
    desk.act(save.click, _save, typed, "edit_row")
    desk.act(star.click, _star, typed, "star_row")
    desk.act(drop.click, _drop, [hand, step], "drop_row")
    seen = gr.State("")

    def follow(draft: Draft | None, *values: Any) -> tuple[Any, ...]:
        return _follow(desk, draft, *values)

    desk.watch(follow, [seen, *filters, *listing, *in_hand], [seen, page, hand, *filters])


START = (-1, "", "", 0.0, "", False)


def _follow(desk: Desk, draft: Draft | None, seen: str, number: int, hand: str, *filters: Any) -> tuple[Any, ...]:
    """The same view of the changed draft; another draft is looked at from the start."""
    if draft is None or draft.id != seen:
        number, hand, filters = 1, "", START
    step, topic, side, *rest = filters
    steps = draft.steps if draft else ()
    shown = [(f"Dropped by {one.label} ({one.result.dropped:,})", n) for n, one in enumerate(steps) if one.result.dropped]
    step = step if step in [n for _, n in shown] else -1
    topics = [(f"{name} ({count})", name) for name, count in browse.topics(draft, step) if name] if draft else []
    topic = topic if topic in [name for _, name in topics] else ""
    updates = [
        gr.update(choices=[("Rows kept", -1), *shown], value=step),
        gr.update(choices=[("all topics", ""), *topics], value=topic),
        gr.update(value=side, visible=bool(draft and draft.kind == "posts")),
        *rest,
    ]
    listing = _list(draft, number, step, topic, side, *rest)
    return (draft.id if draft else "", *updates, *listing, *_in_hand(desk, draft.id if draft else "", hand, step))


def _list(draft: Draft | None, number: int, step: Any, topic: Any, side: Any, strongest: Any, words: Any, starred: Any) -> tuple[Any, ...]:
    if draft is None:
        return "", "", 1
    wanted = Wanted(-1 if step is None else int(step), topic or "", (words or "").strip(), side or "", float(strongest or 0), bool(starred))
    found = browse.find(draft, wanted, number)
    many = f"{len(found.rows)} shown of {found.matching:,}" + (f" that match, of {found.total:,}" if found.matching != found.total else "")
    text = messages.note(
        f"{many} · page {found.page} of {found.pages}. Press a row to read and edit it; keys: j next, k previous, s star, x drop, u undo."
    )
    return view.row_table(found, draft.kind, wanted.step >= 0), text, found.page


def _take(desk: Desk, draft_id: str, pressed: str, warned: str, hand: str, step: int, note: str, *texts: str) -> tuple[Any, ...]:
    """Takes the pressed row into the hand; changes typed over the last one are lost only at a second press."""
    draft = desk.find(draft_id)
    row = browse.row(draft, hand) if draft and hand and hand != pressed and int(step or 0) < 0 else None
    if row is not None and warned != pressed:
        typed = dict(zip(TEXTS, texts, strict=True)) | {"note": note or ""}
        if any(name in row and row[name] is not None and typed[name] != row[name] for name in TEXTS) or typed["note"] != (
            row.get("note") or ""
        ):
            words = StudioError(f"Row {hand} has changes that are not saved.", "Save them, or press the other row once more to leave them.")
            return (gr.skip(), gr.skip(), messages.error(words), *[gr.skip()] * (len(TEXTS) + 2), pressed)
    return (*_in_hand(desk, draft_id, pressed, step), "")


def _in_hand(desk: Desk, draft_id: str, row_id: str, step: int) -> tuple[Any, ...]:
    draft = desk.find(draft_id)
    row = browse.row(draft, row_id, int(step if step is not None else -1)) if draft and row_id else None
    if draft is None or row is None:
        return ("", gr.update(visible=False), "", *[gr.update(visible=False)] * len(TEXTS), "", "")
    boxes = [gr.update(value=row.get(name) or "", visible=row.get(name) is not None) for name in TEXTS]
    why = f" Dropped: {row['reason']}{': ' + row['detail'] if row.get('detail') else ''}." if row.get("reason") else ""
    star = "★ " if row.get("star") else ""
    title = messages.note(f"{star}Row {row['id']}{', topic ' + row['topic'] if row.get('topic') else ''}.{why}")
    return (row_id, gr.update(visible=True), title, *boxes, row.get("note") or "", _training(desk, draft, row))


def _training(desk: Desk, draft: Draft, row: Row) -> str:
    """The exact text that a model would be trained on, for rows that are pairs."""
    kind: Any = "mirrored" if row.get("left") else "pairs" if row.get("chosen") else "posts"
    if kind == "posts":
        return messages.note("Posts have no answers yet, so there is no training text to show.")
    try:
        from pipelines.models.loading import load_tokenizer
        from pipelines.models.prepare import ensure

        tokenizer = load_tokenizer(ensure(desk.services.host.source, desk.services.paths))
        data = Dataset(draft.name, kind, (row,))
        return messages.note("What the model reads and learns:") + "".join(
            view.formatted(preview.formatted(data.pairs(side)[0], tokenizer)) for side in data.sides[:1]
        )
    except StudioError as error:
        return messages.error(error)


def _editable(hand: str, step: int) -> None:
    if not hand:
        raise StudioError("No row is in hand.", "Press one in the table first.")
    if step is not None and int(step) >= 0:
        raise StudioError("This row was dropped by a step.", "Undo that step to bring it back; rows that are left can be edited.")


def _needed(draft: Draft, hand: str) -> Row:
    row = browse.row(draft, hand)
    if row is None:
        raise StudioError(f"Row {hand} is not among the rows that are left.", "Choose another row.")
    return row


def _typed(draft: Draft, hand: str, note: str, texts: tuple[str, ...]) -> tuple[Row, list[dict[str, Any]]]:
    """The row in hand, and what was typed over it. Raises StudioError where the row is not there any more."""
    row = _needed(draft, hand)
    edits = [edit(hand, name, value) for name, value in zip(TEXTS, texts, strict=True) if row.get(name) is not None and value != row[name]]
    return row, edits + ([edit(hand, "note", note)] if (note or "") != (row.get("note") or "") else [])


def _save(draft: Draft, tools: Tools, hand: str, step: int, note: str, *texts: str) -> tuple[Draft, str]:
    _editable(hand, step)
    row, edits = _typed(draft, hand, note, texts)
    if not edits:
        return draft, "Nothing was changed."
    again = " Its scores are gone with the old text." if row.get("annotator") and any(one["field"] == "text" for one in edits) else ""
    return drafts.change(draft, edits, tools), f"Row {hand} saved.{again}"


def _star(draft: Draft, tools: Tools, hand: str, step: int, note: str, *texts: str) -> tuple[Draft, str]:
    """Stars or unstars a row; what was typed meanwhile is saved with it."""
    _editable(hand, step)
    row, edits = _typed(draft, hand, note, texts)
    return drafts.change(draft, [*edits, edit(hand, "star", not row.get("star"))], tools), ""


def _drop(draft: Draft, tools: Tools, hand: str, step: int) -> tuple[Draft, str]:
    _editable(hand, step)
    _needed(draft, hand)
    return drafts.change(draft, [edit(hand, "dropped", True)], tools), f"Row {hand} dropped. “Undo” brings it back."
