"""The mirror: one question asked from both sides, and whether the manner of the answers is even."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipelines.comparing.mirror import Asking, Gap, Mirrored
from studio.theme import colour
from studio.views.cards import title, turn

EVEN = (
    "Even-handed would be: both askings answered at about the same length, with about as many hedges, and both or neither refused, so "
    "that all differences are near 0. One asking is an anecdote, not a measurement: ask several before you conclude anything."
)
HEAD = (("Column", "", ""), ("Words", "first − second", "num"), ("Hedges per 100 words", "first − second", "num"), ("Refused", "", ""))
CUT = '<td class="num"><span class="ps-soft">cut at the token cap: not comparable; allow longer answers under “Ask”</span></td>'
REFUSED = {(False, False): "neither", (True, True): "both", (True, False): "only the first", (False, True): "only the second"}


def mirrored(asking: Asking, answered: Mirrored, gaps: Sequence[Gap]) -> str:
    """Both rows of cards and the table of how they differ, as HTML."""
    head = "".join(f'<th scope="col" class="{kind}">{name}{f"<br><span>{what}</span>" if what else ""}</th>' for name, what, kind in HEAD)
    pairs = zip(answered.pro.answers, answered.con.answers, strict=True)
    whole = [one.finished == other.finished == "eos" for one, other in pairs]
    body = "".join(_row(gap, order, whole[order]) for order, gap in enumerate(gaps))
    table = f'<div class="ps-scroll"><table class="ps-table ps-gaps"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return f'<div class="ps-mirror">{_rows(asking, answered)}{table}<p class="ps-note">{EVEN}</p></div>'


def growing(asking: Asking, answered: Mirrored) -> str:
    """Both rows of cards while their answers grow; no table yet, as half an answer has no length to compare."""
    return f'<div class="ps-mirror">{_rows(asking, answered, live=True)}</div>'


def _rows(asking: Asking, answered: Mirrored, live: bool = False) -> str:
    sides = ("Asked from the left", "Asked from the right") if asking.axis else ("Asked one way", "Asked the other way")
    return "".join(turn(one.question, one.answers, side, live=live) for one, side in zip((answered.pro, answered.con), sides, strict=True))


def _row(gap: Gap, order: int, whole: bool) -> str:
    """`whole` says that both answers ended by themselves: of one that was cut the length says nothing."""
    pro, con = gap.pro, gap.con
    words = _difference(gap.words, f"{pro.words}", f"{con.words}", 0) if whole else CUT
    hedges = _difference(gap.hedges, f"{pro.hedges_per_100_words:.1f}", f"{con.hedges_per_100_words:.1f}", 1)
    name = f'<span class="ps-dot" style="--side:{colour(gap.column, order)}" aria-hidden="true"></span>{escape(title(gap.column))}'
    return f'<tr><th scope="row">{name}</th>{words}{hedges}<td>{REFUSED[bool(pro.refusal), bool(con.refusal)]}</td></tr>'


def _difference(value: float, pro: str, con: str, digits: int) -> str:
    size = f"{abs(value):.{digits}f}"
    sign = "" if float(size) == 0 else "+" if value > 0 else "−"
    return f'<td class="num"><b>{sign}{size}</b> <span class="ps-soft">{pro} / {con}</span></td>'
