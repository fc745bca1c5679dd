"""What curation did: the flow of steps with counts, reasons, scores against our labels, lights, and the training text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from pipelines.corpus.browse import Found
from pipelines.corpus.drafts import Draft
from pipelines.corpus.labels import Score, Sides
from pipelines.corpus.preview import Formatted
from pipelines.corpus.steps.scoring import score_of
from studio.views import messages

KIND_NAMES = {"posts": "posts", "pairs": "preference pairs", "mirrored": "mirrored rows"}
OURS = {"bundled": "Our mirrored pairs", "bundled-posts": "Our raw posts", "bundled-confounded": "Our set with hidden faults"}
SHORT, WHICH, LONGEST_TOPIC = 400, 12, 60


def roles(draft: Draft) -> str:
    """Which column plays which part."""
    return ", ".join(f"{role} = “{column}”" for role, column in draft.roles.columns.items())


def opened(draft: Draft | None) -> str:
    """What is open, in one sentence, with what was noticed while reading."""
    if draft is None:
        return messages.info("Nothing is open yet. Start with the raw posts.")
    about = draft.opened
    encoding = f" (encoding {about['encoding']})" if about.get("encoding") else ""
    name = OURS.get(about["source"], about["source"])
    text = f"<b>{escape(name)}</b>{escape(encoding)}: {draft.count:,} {KIND_NAMES[draft.roles.kind]} opened, <b>{len(draft.rows):,} {KIND_NAMES[draft.kind]}</b> now."
    remarks = [*([draft.roles.remark] if draft.roles.remark else []), *about.get("notes", [])[:8]]
    notes = "".join(f"<br>{escape(note)}" for note in remarks)
    return f'<div class="ps-info">{text}{notes}</div>'


def flow(draft: Draft | None) -> str:
    """The steps as a row of cards: what is left after each, what it dropped and changed."""
    if draft is None:
        return ""
    cards = [_card("Opened", draft.count, draft.count, 0, 0, "")]
    for step in draft.steps:
        reasons = "; ".join(f"{count} {reason}" for reason, count in step.result.reasons.items())
        cards.append(_card(step.label, step.result.after, draft.count, step.result.dropped, step.result.changed, reasons))
    return f'<div class="ps-flow" role="list" aria-label="Steps so far">{"".join(cards)}</div>'


def _card(label: str, left: int, total: int, dropped: int, changed: int, reasons: str) -> str:
    less = f'<span class="ps-less">−{dropped:,}</span>' if dropped else ""
    other = f"{changed:,} changed" if changed else ""
    share = 100 * left / max(1, total)
    return (
        f'<div class="ps-step" role="listitem" title="{escape(reasons)}"><div class="ps-step-name">{escape(label)}</div>'
        f'<div class="ps-step-count">{left:,} {less}</div><div class="ps-step-bar"><span style="width:{share:.0f}%"></span></div>'
        f'<div class="ps-step-note">{other}&nbsp;</div></div>'
    )


def reasons(draft: Draft | None) -> str:
    """Every step's reasons for dropping rows, with counts."""
    rows = [[step.label, reason, f"{count:,}"] for step in (draft.steps if draft else ()) for reason, count in step.result.reasons.items()]
    return (
        messages.table(["Step", "Why rows were dropped", "Rows"], rows, numbers=(2,))
        if rows
        else messages.note("No row was dropped so far.")
    )


def labels(scores: Sequence[Score], sides: Sides | None, ours: bool) -> str:
    """Precision and recall of the steps, and the annotator's sides, against the labels that the rows carry."""
    if not scores and sides is None:
        return ""
    body = [[s.step, f"{s.dropped}", _percent(s.precision, s.right, s.dropped), _percent(s.recall, s.right, s.there)] for s in scores]
    whose = "our own labels (the rules for spam were improved on these very posts)" if ours else "the labels in your file"
    html = messages.note(f"Against {whose}. The steps never see them; they are read for this table only.")
    html += messages.table(
        ["Step", "Dropped", "Precision: dropped ones that were meant", "Recall: meant ones that were dropped"], body, numbers=(1, 2, 3)
    )
    return html + (_sides(sides) if sides else "")


def _percent(share: float | None, right: int, of: int) -> str:
    return "–" if share is None else f"{share:.0%} ({right} of {of})"


def _sides(sides: Sides) -> str:
    head = ["Label", "scored left / progressive", "no stance", "scored right / traditional"]
    table = messages.table(
        head, [[own, *(str(row[found]) for found in ("left", "none", "right"))] for own, row in sides.table.items()], numbers=(1, 2, 3)
    )
    good, total = sides.agreement
    topics = f" The topic agrees in {sides.topics_right} of {sides.topics}." if sides.topics else ""
    return table + messages.note(
        f"Of the posts with a side on both lists the side agrees in {good} of {total}; guessing gives half.{topics}"
    )


def row_table(found: Found, kind: str, dropped: bool) -> str:
    """A page of rows; each can be pressed (its id is in `data-pick`)."""
    if not found.rows:
        return messages.note("No row is here.")
    fields = fields_of(kind) if fields_of(kind)[0] in found.rows[0] else fields_of(_kind_of(found.rows))
    fields = tuple(name for name in fields if any(row.get(name) for row in found.rows))
    head = [
        "Row",
        "Score" if "text" in fields else "Strength",
        *(name.capitalize() for name in fields),
        "Why it was dropped" if dropped else "Note",
    ]
    body = "".join(_table_row(row, fields, dropped) for row in found.rows)
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return f'<div class="ps-rows-box"><table class="ps-table ps-rows"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _table_row(row: dict[str, Any], fields: Sequence[str], dropped: bool) -> str:
    star = '<span class="ps-star" title="starred">★</span> ' if row.get("star") else ""
    topic = str(row.get("topic") or "")
    topic = topic if len(topic) <= LONGEST_TOPIC else topic[: LONGEST_TOPIC - 1] + "…"
    first = f'{star}{escape(row["id"])}<br><span class="ps-soft">{escape(topic)}</span>'
    texts = "".join(f'<td><div class="ps-clip">{escape(_short(row.get(name)))}</div></td>' for name in fields)
    return f'<tr tabindex="0" data-pick="{escape(row["id"])}"><td{messages.long(row["id"], topic)}>{first}</td><td class="num">{_score(row)}</td>{texts}<td>{escape(_why(row, dropped))}</td></tr>'


def fields_of(kind: str) -> tuple[str, ...]:
    """The texts of a kind of row, as columns."""
    return {"posts": ("text",), "pairs": ("prompt", "chosen", "rejected"), "mirrored": ("prompt", "left", "right", "neutral")}[kind]


def _kind_of(rows: Sequence[dict[str, Any]]) -> str:
    first = rows[0] if rows else {}
    return "posts" if "text" in first else "mirrored" if "left" in first else "pairs"


def _score(row: dict[str, Any]) -> str:
    score = score_of(row) if row.get("score") is None else row["score"]
    return "" if score is None else f"{score:+.1f}" if row.get("score") is None else f"{score:.1f}"


def _short(text: Any, most: int = SHORT) -> str:
    text = str(text or "")
    return text if len(text) <= most else text[: most - 1] + "…"


def _why(row: dict[str, Any], dropped: bool) -> str:
    if not dropped:
        return str(row.get("note") or "")
    return f"{row.get('reason') or ''}{': ' if row.get('detail') else ''}{row.get('detail') or ''}"


LIGHT_WORDS = {"green": "fine", "amber": "look at it", "red": "mend it", "grey": "not checked"}


def light(one: Any, rows: dict[str, dict[str, Any]]) -> str:
    """One check as a light with its sentence and the rows it means; the state is said in words as well as by colour and shape."""
    mend = f'<button class="ps-mend" data-pick="{escape(one.key)}">{escape(one.mend_label or "Mend")}</button>' if one.mend else ""
    return (
        f'<div class="ps-light ps-{one.state}" data-light="{escape(one.key)}"><span class="ps-lamp" aria-hidden="true"></span>'
        f'<div class="ps-light-words"><b>{escape(one.title)}</b> <span class="ps-state">{LIGHT_WORDS[one.state]}</span><br>{escape(one.sentence)}</div>{mend}{_which(one.rows, rows)}</div>'
    )


def _which(ids: Sequence[str], rows: dict[str, dict[str, Any]]) -> str:
    """The first rows that a check means, to be read before anything is dropped."""
    known = [rows[one] for one in ids if one in rows]
    if not known:
        return ""
    lines = "".join(
        f"<p><b>{escape(row['id'])}</b> {escape(' / '.join(_short(row[n], 160) for n in fields_of(_kind_of([row])) if row.get(n)))}</p>"
        for row in known[:WHICH]
    )
    return f'<details class="ps-which"><summary>Show {min(WHICH, len(known))} of {len(known)} rows</summary>{lines}</details>'


def formatted(text: Formatted) -> str:
    """The training text with its trained part marked."""
    return (
        f'<div class="ps-format"><span class="ps-read">{escape(text.read)}</span><span class="ps-trained">{escape(text.trained)}</span></div>'
        + messages.note(f"{text.tokens} tokens. Grey: read, but not learned. Green: what the model learns to write.")
    )
