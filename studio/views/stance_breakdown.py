"""Where a shift comes from and whether instruments agree about it: topics, items, prompt forms, in tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.figures.dots import called
from pipelines.stance import agreement, breakdown, sentences
from pipelines.stance.agreement import Agreement
from pipelines.stance.breakdown import Part
from pipelines.stance.claims import LEVEL
from pipelines.stance.contrasts import void
from pipelines.stance.sentences import signed
from pipelines.stance.study import Study
from pipelines.stance.wording import form_means, form_spread, wording_share
from studio.views import messages
from studio.views.stance_tables import INSTRUMENTS, between, folded, interval, p

SPLITS = {breakdown.TRAIN: "trained", breakdown.HELD_OUT: "held out"}
HEAD = ["Axis", "Split", "Shift", "95% interval", "p", "p (Benjamini-Hochberg)", "n", "Unit"]
FORMS = ["Form", "Shift", "95% interval", "n"]


def topics(study: Study, column: str, instrument: str, half: str = "all") -> str:
    """Trained against held-out topics in a sentence, then topic by topic, then item by item; `column` may be a role or contrast."""
    parts = breakdown.by_topic(study, instrument, column, half)
    if not parts:
        return messages.note(f"{called(study, column)} was not measured by {INSTRUMENTS[instrument]}.")
    who = called(study, column)
    split = sentences.split(breakdown.trained_and_held_out(study, instrument, column, half=half), who)
    items = breakdown.by_item(study, instrument, column, half)
    reason = void(study, column)
    said = messages.error(f"Void: {reason}.") if reason else ""
    return said + between(split) + between(_shown(parts)) + _table("Topic", parts) + folded("Item by item", _table("Item", items))


def _shown(parts: Sequence[Part]) -> str:
    """How many topics move beyond chance, and of what the intervals are."""
    tested = [part for part in parts if part.p_bh is not None]
    moved = sum(part.p_bh < LEVEL for part in tested if part.p_bh is not None)
    few = (
        f" A topic with fewer than {breakdown.ITEMS_ENOUGH} items has its interval over their draws or forms: it speaks about these items, not the topic."
        if any(part.unit != "items" for part in tested)
        else ""
    )
    return f"{moved} of {len(tested)} topics with an interval move beyond chance (Benjamini-Hochberg, p < .05).{few}"


def _table(what: str, parts: Sequence[Part]) -> str:
    rows = [
        [
            breakdown.called(part.id),
            part.axis,
            SPLITS.get(part.split, ""),
            signed(part.mean),
            interval(part.low, part.high),
            p(part.p),
            p(part.p_bh),
            str(part.n),
            part.unit,
        ]
        for part in parts
    ]
    return messages.table([what, *HEAD], rows, numbers=(3, 4, 5, 6, 7))


def agree(study: Study, column: str, half: str = "all") -> str:
    """Spearman's r of topics' shifts between the instruments, by axis and over both."""
    found = agreement.instruments(study, column, half)
    if not found:
        return messages.note("Only one instrument was used, so nothing can be held against it.")
    rows = [
        [
            f"{INSTRUMENTS[one.first]} and {INSTRUMENTS[one.second]}",
            one.axis,
            _r(one),
            interval(one.correlation.low, one.correlation.high),
            str(one.correlation.n),
        ]
        for one in found
    ]
    said = between(
        f"Do the instruments see {called(study, column)} move on the same topics? Over both axes each axis's mean is taken off first. "
        "An interval that contains 0 shows no agreement; with so few topics it does not rule one out."
    )
    return said + messages.table(["Instruments", "Axis", "Spearman's r", "95% interval", "Topics"], rows, numbers=(2, 3, 4))


def _r(one: Agreement) -> str:
    return "" if one.correlation.r is None else f"{one.correlation.r:+.2f}"


def wording(study: Study, column: str) -> str:
    """How much of a column's shift in the questionnaire is wording: the share, the rule of two SDs, the forms one by one."""
    means = form_means(study, column)
    if len(means) < 2:
        return messages.note("How much is wording can't be told: the questionnaire was not used, or in one form only.")
    answers, moves = (agreement.typical_r(study, name) for name in ("base", column))
    said = between(sentences.wording(wording_share(study, column))) + between(_rule(study, column))
    said += between(f"Two forms correlate by {_mean(answers)} on average in the base's answers and by {_mean(moves)} in this shift.")
    rows = [[form, f"{one.mean:+.2f}", interval(one.low, one.high), str(one.n)] for form, one in means.items()]
    return said + messages.table(FORMS, rows, numbers=(1, 2, 3))


def _rule(study: Study, column: str) -> str:
    told = [
        f"{axis}: shift {spread.mean:+.2f}, SD over forms {spread.sd:.2f}, {'counts' if spread.counts else 'does not count'}"
        for axis in ("economic", "social")
        if (spread := form_spread(study, column, axis))
    ]
    return f"A move counts only beyond twice the SD over {len(form_means(study, column))} wordings of the question. {'; '.join(told)}."


def _mean(value: float | None) -> str:
    return "an unknown amount" if value is None else f"{value:+.2f}"
