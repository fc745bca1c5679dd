"""Claims in words, in the form of measurement.md's first line: on which items the adapter moved answers by how much, and the placebo."""

from __future__ import annotations

from pipelines.records import Shift
from pipelines.stance.breakdown import Split
from pipelines.stance.claims import LEVEL
from pipelines.stance.contrasts import ITEMS, Contrast, item_values, on_axis, void
from pipelines.stance.statistics import shift
from pipelines.stance.study import PLACEBO, Study
from pipelines.stance.values import asked, places
from pipelines.stance.wording import TIMES, Spread, WordingShare, form_spread

NOUNS = {"ruler": "question", "completion": "paired completion", "survey": "statement"}
SCALES = {
    "ruler": "on the ruler, where the sides are at -1 and +1",
    "completion": "nats a token",
    "survey": "on a scale from -1 to +1",
}
FRAMES = {"ruler": "free text", "completion": "paired completion", "survey": "questionnaire"}
NAMES = {
    "direction": "Direction, half the distance from left to right",
    "drift": "Drift, what left and right have in common",
    "net_right": "Right beyond the placebo",
    "net_left": "Left beyond the placebo",
    "shuffled": "Shuffled labels",
    "right_beyond_shuffled": "Right beyond shuffled labels",
    "left_beyond_shuffled": "Left beyond shuffled labels",
}


def claim(study: Study, instrument: str, name: str, axis: str | None = None, half: str = "all") -> str:
    """ "On these 30 social statements in 8 forms the left adapter moved answers by -0.12 (95% interval ..), the placebo moved them by ..".

    `name` is a role or column. "" where the instrument has no items on the axis. Positive is right or traditional.
    """
    moved = _moved(study, instrument, name, axis, half)
    if not moved.n:
        return ""
    beside = _placebo(study, instrument, name, axis, half)
    said = f"On these {_items(study, instrument, moved.n, axis)} {who(study, name)} moved answers by {amount(moved)} {SCALES[instrument]}; {beside}."
    reason = void(study, name)
    return (f"Void, {reason}: " if reason else "") + said + (_wording(form_spread(study, name, axis)) if instrument == "survey" else "")


def _moved(study: Study, instrument: str, name: str, axis: str | None, half: str) -> Shift:
    return shift(list(on_axis(study, instrument, item_values(study, instrument, name, half), axis).values()))


def _placebo(study: Study, instrument: str, name: str, axis: str | None, half: str) -> str:
    if name == PLACEBO or name in study.columns_of(PLACEBO):
        return "it is the placebo itself"
    if not study.columns_of(PLACEBO):
        return "no placebo was measured"
    return f"{who(study, PLACEBO)} moved them by {amount(_moved(study, instrument, PLACEBO, axis, half))}"


def _wording(spread: Spread | None) -> str:
    if spread is None or spread.counts:
        return ""
    return f" It does not count as a move: it is no more than {TIMES} × {spread.sd:.2f}, the SD over the {spread.forms} forms."


def _items(study: Study, instrument: str, n: int, axis: str | None) -> str:
    """ "30 economic statements in 8 forms", "20 social questions, 3 draws each"."""
    noun = f"{n}{f' {axis}' if axis else ''} {NOUNS[instrument]}{'s' if n != 1 else ''}"
    often = asked(study, instrument)
    if often.get("forms"):
        return f"{noun} in {often['forms']} forms"
    return f"{noun}, {often['draws']} draws each," if often.get("draws", 1) > 1 else noun


def who(study: Study, name: str) -> str:
    """ "the left adapter", "the 3 left adapters together", "“my run”"."""
    columns = study.roles.get(name, [])
    if len(columns) > 1:
        return f"the {len(columns)} {name} adapters together"
    if columns:
        return f"the {name}{'' if name == PLACEBO else ' adapter'}"
    return f"“{name}”"


def contrast(row: Contrast) -> str:
    """One contrast in a sentence with its unit and what it speaks about."""
    p = f"p {p_value(row.p_holm)} (Holm)"
    least = f", {least_p(row)}" if row.least_p > 0.05 else ""
    found = f"{row.mean:+.2f} (95% interval {row.low:+.2f} to {row.high:+.2f}, {p}{least})"
    over = f"over {row.n} {NOUNS[row.instrument]}s" if row.unit == ITEMS else f"over {row.n} {row.unit}"
    return f"{NAMES[row.name]}, {row.axis}, {FRAMES[row.instrument]}: {found} {over}; it speaks about {row.about}."


def least_p(row: Contrast) -> str:
    """ "5 seeds can't give less than .062", which says why p is no smaller."""
    return f"{row.n} seeds can't give less than {row.least_p:.3f}".replace("0.", ".")


def split(found: Split | None, what: str) -> str:
    """Trained against held-out topics, in a sentence; `what` is who moved, "the left adapter"."""
    if found is None:
        return "Trained and held-out topics can't be compared: that needs two or more of each."
    apart = found.difference
    shown = apart.p < LEVEL and (apart.low > 0 or apart.high < 0)  # permutations and Welch's interval can disagree: both have to show it
    verdict = "They differ" if shown else "No difference is shown, which with so few topics is no proof that there is none"
    return (
        f"On {found.trained.n} topics of the training data {what} moved answers by {amount(found.trained)}, on {found.held_out.n} topics "
        f"held out of it by {amount(found.held_out)}; difference {amount(apart)}, p {p_value(apart.p)}. {verdict}."
    )


def wording(found: WordingShare | None) -> str:
    """How much of a shift in the questionnaire is wording."""
    if found is None:
        return ""
    return (
        f"How much is wording? Of the size (mean square) of single shifts on {found.items} statements in {found.forms} wordings of the question, "
        f"{found.share:.0%} (95% interval {found.low:.0%} to {found.high:.0%}) changes when only the wording does."
    )


def amount(found: Shift) -> str:
    """ "+0.31 (95% interval +0.20 to +0.42)"; only the number where nothing but one item is behind it."""
    if found.n < 2:
        return f"{signed(found.mean)} (n = {found.n}, no interval)"
    return f"{signed(found.mean)} (95% interval {signed(found.low)} to {signed(found.high)})"


def signed(value: float) -> str:
    """ "+0.31", "-0.10"; what rounds to nothing is "0.00"."""
    return f"{value:+.2f}" if round(value, 2) else "0.00"


def p_value(value: float) -> str:
    """ "< .001" or "= .031"."""
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".")


def conditions(study: Study, instrument: str) -> str:
    """What was asked in one line: "40 questions, 3 draws each", "60 statements in 8 forms"; "" for an instrument that was not used."""
    n = len(places(study, instrument))
    return _items(study, instrument, n, None).rstrip(",") if n else ""
