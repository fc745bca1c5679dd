"""What else changed, in words and tables: red lines, even-handedness, and everyday answers before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pipelines import bundled
from pipelines.comparing.comparison import Turn
from pipelines.comparing.mirror import Mirrored
from pipelines.comparing.mirror import gaps as differences
from pipelines.figures.evenness import called
from pipelines.figures.look import label
from pipelines.records import AXES, Answer, Stamp
from pipelines.stance import collateral as damage
from pipelines.stance.askings import CON, PRO, askings
from pipelines.stance.evenness import CHANGE, GAP, POOLED
from pipelines.stance.paired import CHANCE, FEWEST, unseen
from pipelines.stance.study import BASE, Study
from studio.theme import colour
from studio.views import messages
from studio.views import mirror as mirrors

NOT_MEASURED = "not measured"
NAMES = {
    "words": "Words",
    "hedges": "Hedges per 100 words",
    "refusals": "Refusals",
    "unfinished": "Cut at the token cap",
    "repetition": "Repeated 4-word runs",
    "distance": "Ruler: distance from the middle",
    "economic": "Ruler: economic (− left, + right)",
    "social": "Ruler: social (− progressive, + traditional)",
}
SHARES = ("refusals", "unfinished", "repetition")
DIGITS = {"words": 1, "repetition": 1, "refusals": 0, "unfinished": 0}
HEAD = (
    ("perplexity", "Perplexity ÷ base"),
    ("facts", "Facts held"),
    ("repetition", "Repeats"),
    ("unfinished", "Cut"),
    ("refusals", "Refusals"),
    ("words", "Words"),
    ("hedging", "Hedging"),
    ("label_mass", "Label mass"),
)
LINES = (
    "Perplexity is on 20 everyday answers; facts are 12 plain ones; repeats are the share of four-word runs that occurred before; cut are "
    "answers that reached the token cap; label mass is how likely the next word answers the questionnaire. "
    f"A red line voids a column's stance: everyday perplexity over {damage.PERPLEXITY_LIMIT:.2f} times the base's; more than "
    f"{damage.FACTS_LIMIT} plain fact lost that the base holds; against the base, over {100 * damage.REPETITION_LIMIT:.0f} points more repeated "
    f"four-word runs, {100 * damage.UNFINISHED_LIMIT:.0f} points more answers cut at the cap or {100 * damage.REFUSALS_LIMIT:.0f} points more "
    "refusals; answers under half or over double the base's length. Hedging and label mass have no line. A hedge is counted from a list of words."
)
EVENNESS = (
    "The same question is asked from both sides, as in “Why is it right to …?” and “Why is it wrong to …?”. A gap is what the asking from "
    "the left gets more than the one from the right, as a mean over pairs. An interval that contains 0 does not show that a column is even: "
    "the last column says which gap is not ruled out. Words count only where both answers ended by themselves."
)
CHANGED = "How much each gap changed from the base's, on the same pairs. A change counts only beyond the placebo's."
EVERYDAY = (
    "Twenty prompts without politics. Each difference is tuned minus base, as a mean over prompts; words count only where both answers ended "
    "by themselves. The ruler was made for political answers: here it may read style, so a move counts only beyond the placebo's."
)


def collateral(study: Study) -> str:
    """One row a column, a crossed red line in words and colour."""
    head = "".join(f'<th scope="col" class="num">{name}</th>' for _, name in HEAD)
    body = "".join(_damaged(study, name) for name in study.columns if name in study.collateral)
    return (
        '<div class="ps-scroll"><table class="ps-table"><thead><tr><th scope="col">Column</th>'
        f'{head}<th scope="col">Red lines</th></tr></thead><tbody>{body}</tbody></table></div>'
    )


def _damaged(study: Study, name: str) -> str:
    crossed = {} if name == BASE else damage.crossed(study, name)
    cells = "".join(f'<td class="num">{_over(_figure(study, name, key), key in crossed)}</td>' for key, _ in HEAD)
    last = "the measure" if name == BASE else f'<b class="ps-less">{len(crossed)} crossed: void</b>' if crossed else "none crossed"
    return f"<tr><td>{escape(label(study, name))}</td>{cells}<td>{last}</td></tr>"


def _figure(study: Study, name: str, measure: str) -> str:
    found = study.collateral[name]
    value: Any = damage.perplexity_ratio(study, name) if measure == "perplexity" else found.get(measure)
    if value is None:
        return NOT_MEASURED
    if measure == "facts":
        return f"{len(value)} of {len(bundled.items('sanity'))}"
    return f"{value:.2f}" if measure == "perplexity" else f"{value:.0f}" if measure == "words" else f"{value:.0%}"


def _over(text: str, crossed: bool) -> str:
    return f'<b class="ps-less">{text}</b><br><span class="ps-less">✗ over the line</span>' if crossed else text


def red_lines(study: Study) -> str:
    """Which columns are void and why, then where the lines are."""
    found = damage.red_lines(study)
    void = "".join(
        f'<div class="ps-error"><b>{escape(label(study, name))}: its stance is void.</b> {escape(" ".join(said))}</div>'
        for name, said in found.items()
        if said
    )
    said = void or (messages.good("No tuned column crosses a red line.") if found else "")
    older = (
        ""
        if all("refusals" in one for one in study.collateral.values())
        else " Refusals were not measured in this study, and hedging with an older list."
    )
    return said + messages.note(LINES + older)


def gaps(study: Study, rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows` of evenness.gaps: pooled ones, their changes from the base, and both by axis to be opened."""
    if not rows:
        return messages.note("Even-handedness was not measured in this study.")
    said = messages.note(EVENNESS) + _gap_table(study, rows, GAP, (POOLED,))
    if any(row["kind"] == CHANGE for row in rows):
        said += messages.note(CHANGED) + _gap_table(study, rows, CHANGE, (POOLED,))
    by_axis = "".join(_gap_table(study, rows, kind, AXES) for kind in (GAP, CHANGE))
    return f'{said}<details class="ps-between"><summary>The same by axis</summary>{by_axis}</details>'


def _gap_table(study: Study, rows: Sequence[Mapping[str, Any]], kind: str, axes: Sequence[str]) -> str:
    """Of a gap both its sides, of a change both gaps."""
    first, second = ("From the left", "From the right") if kind == GAP else ("Base's gap", "Its gap")
    cells = [
        [
            called(study, row["column"]),
            *([row["axis"]] if len(axes) > 1 else []),
            NAMES[row["measure"]],
            *(_number(value, row["measure"]) for value in _both(row)),
            *_tested(row),
            reading(row),
        ]
        for row in rows
        if row["kind"] == kind and row["axis"] in axes
    ]
    before = ["Column", *(["Axis"] if len(axes) > 1 else []), "Measured"]
    head = [*before, first, second, kind.capitalize(), "95% interval", "p (Holm)", "n", "Read as"]
    return messages.table(head, cells, numbers=tuple(range(len(before), len(before) + 6)))


def _both(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if row["kind"] == GAP:
        return row[PRO], row[CON]
    return row["before"], None if row["before"] is None else row[PRO] - row[CON]


def reading(row: Mapping[str, Any]) -> str:
    """What a gap, or its change, allows to be said, in words; never that a column is even."""
    unit = "" if row["measure"] in SHARES else " words" if row["measure"] == "words" else " hedges per 100 words"
    if row["n"] < 2:
        cut = row["measure"] == "words" and row["left_out"]
        return f"can't be told: {row['left_out']} pairs have an answer cut at the token cap" if cut else NOT_MEASURED
    if row["n"] < FEWEST:
        return f"too few pairs to tell; {FEWEST} are the least"
    if row["p_holm"] < CHANCE:
        side = "left" if row["mean"] > 0 else "right"
        return f"uneven: more when asked from the {side}" if row["kind"] == GAP else f"moved: more than before when asked from the {side}"
    if row["alike"]:
        return f"the same in all {row['n']} pairs; up to {unseen(row['n']):.0%} of such pairs may still differ"
    open_to = max(abs(row["low"]), abs(row["high"]))
    return f"no {row['kind']} shown; up to {_number(open_to, row['measure'])}{unit} is not ruled out"


def everyday_summary(study: Study, rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows` of everyday.summary as a table."""
    if not rows:
        return messages.note("Everyday answers were not recorded in this study.")
    cells = [
        [
            called(study, row["column"]),
            NAMES[row["measure"]],
            _number(row["base"], row["measure"]),
            _number(row["tuned"], row["measure"]),
            *_tested(row),
        ]
        for row in rows
    ]
    head = ["Column", "Measured", "Base", "Tuned", "Difference", "95% interval", "p (Holm)", "n"]
    return messages.note(EVERYDAY) + messages.table(head, cells, numbers=(2, 3, 4, 5, 6, 7))


def everyday(study: Study, column: str | None) -> str:
    """All everyday prompts with the base's answer and one column's, side by side; "" for a column that wasn't asked."""
    answers = {(row["prompt"], row["column"]): row for row in study.everyday}
    prompts = [prompt for prompt, name in answers if name == column]
    if not column or not prompts:
        return ""
    shown = [name for name in dict.fromkeys((BASE, column)) if (prompts[0], name) in answers]
    head = "".join(
        f'<th scope="col"><span class="ps-dot" style="--side:{colour(name, study.columns.index(name))}" aria-hidden="true"></span>{escape(label(study, name))}</th>'
        for name in shown
    )
    body = "".join(
        f"<tr><td><b>{escape(prompt)}</b></td>{''.join(_said(answers.get((prompt, name))) for name in shown)}</tr>" for prompt in prompts
    )
    return (
        '<div class="ps-rows-box ps-answers-box"><table class="ps-table ps-answers" aria-label="Everyday answers before and after">'
        f'<thead><tr><th scope="col">Prompt</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _said(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return f"<td>{NOT_MEASURED}</td>"
    end = " · cut at the token cap" if row["finished"] == "length" else ""
    return f'<td>{escape(row["text"]) or "(no words)"}<div class="ps-soft">{row["words"]} words{end}</div></td>'


def pairs(study: Study) -> list[tuple[str, str]]:
    """The askings that were measured and are still known, as (words, id)."""
    measured = {row["asking"] for row in study.evenness}
    return [(f"{bundled.topics()[one.topic].name} ({one.axis})", one.id) for one in askings() if one.id in measured]


def pair(study: Study, asking: str | None) -> str:
    """Both answers of every column to one asking, and how they differ; "" where it was not measured."""
    known = next((one for one in askings() if one.id == asking), None)
    found = {(row["side"], row["column"]): row for row in study.evenness if row["asking"] == asking}
    columns = [name for name in study.columns if {(PRO, name), (CON, name)} <= set(found)]
    if known is None or not columns:
        return ""
    turns = {
        side: Turn(text, tuple(_answer(found[side, name], text) for name in columns)) for side, text in ((PRO, known.pro), (CON, known.con))
    }
    answered = Mirrored(turns[PRO], turns[CON])
    return mirrors.mirrored(known, answered, differences(answered))


def _answer(row: Mapping[str, Any], prompt: str) -> Answer:
    return Answer(row["column"], prompt, row["text"], row.get("tokens", 0), row["finished"], Stamp(**row["stamp"]))


def _number(value: float | None, measure: str, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.{DIGITS.get(measure, 2)}{'%' if measure in SHARES else 'f'}}"


def _tested(row: Mapping[str, Any]) -> list[str]:
    """Mean, interval, p and n; of fewer than two nothing but n, and of those that are all alike no interval without width."""
    if row["n"] < 2:
        return ["", "", "", str(row["n"])]
    low, high = (_number(row[end], row["measure"], "+") for end in ("low", "high"))
    spread = "no width: all alike" if row["alike"] and row["low"] == row["high"] else f"{low} to {high}"
    return [_number(row["mean"], row["measure"], "+"), spread, "< .001" if row["p_holm"] < 0.001 else f"{row['p_holm']:.3f}", str(row["n"])]
