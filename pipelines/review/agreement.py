"""How far ballots can be relied on: do raters agree, do they agree with themselves, and how often do they see a difference where none is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import StudioError
from pipelines.review.ballots import Vote
from pipelines.review.intervals import LEVEL, RESAMPLES, SEED, counted, exact, percent, spread
from pipelines.review.protocol import Item, Protocol

NOBODY = "nobody has judged anything yet"
FEWEST = 5  # groups: draws from fewer are nearly all alike, and their interval looks surer than it is
ENOUGH, TENTATIVE = 0.8, 0.667  # Krippendorff 2018: rely on data from .8, draw tentative conclusions from .667
DEFINED = 0.5  # the share of resamples in which alpha must exist for an interval to mean anything
Ratings = Mapping[Hashable, str]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval and what it rests on; None where it can't be told, and `sentence` says why in any case.

    `n` counts items (alpha) or votes (shares). `sentence` is whole, with number, interval and n.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    raters: int
    sentence: str


def krippendorff_alpha(
    units: Mapping[str, Ratings], groups: Mapping[str, str] | None = None, what: str = "item", left_out: str = ""
) -> Estimate:
    """Krippendorff's alpha for nominal values with a bootstrap interval; `units` is unit -> rater -> value, a missing rating is absent.

    alpha = 1 - observed / expected disagreement (Krippendorff 2018, chapter 12; 1 is perfect, 0 is chance, below it is worse), by
    evalica. Its own bootstrap draws single pairs of ratings; here whole units are drawn, and units of one group (a prompt that several
    column pairs share) together, so that the interval speaks for other units. Percentiles of `RESAMPLES` draws. `left_out` says which
    ratings are not among the units, if there are any.
    """
    paired = {unit: dict(ratings) for unit, ratings in units.items() if len(ratings) > 1}
    raters = len({rater for ratings in units.values() for rater in ratings})
    if not paired:
        why = f"no {what} has two ratings, {left_out}" if left_out else f"no {what} was judged by two raters" if raters else NOBODY
        return Estimate(None, None, None, 0, raters, f"Agreement can't be told: {why}.")
    raters = len({rater for ratings in paired.values() for rater in ratings})
    values = sorted({value for ratings in paired.values() for value in ratings.values()})
    if len(values) == 1:
        said = f"all ratings of {counted(len(paired), what)} are the same, so agreement can't be told apart from chance"
        return Estimate(None, None, None, len(paired), raters, f"Agreement can't be told: {said}.")
    alpha, interval = _alpha(paired, values), _interval(paired, values, groups or {})
    sentence = _alpha_sentence(alpha, interval, counted(len(paired), what), counted(raters, "rater"))
    low, high = interval or (None, None)
    return Estimate(alpha, low, high, len(paired), raters, sentence)


def _alpha(units: Mapping[str, Ratings], values: Sequence[str]) -> float:
    import pandas as pd
    from evalica import alpha

    code = {value: float(number) for number, value in enumerate(values)}
    table = pd.DataFrame({unit: {rater: code[value] for rater, value in ratings.items()} for unit, ratings in units.items()})
    return float(alpha(table, distance="nominal").alpha)


def _interval(units: Mapping[str, Ratings], values: Sequence[str], groups: Mapping[str, str]) -> tuple[float, float] | None:
    """None for fewer groups than FEWEST, for perfect agreement (no draw could differ) and where alpha is mostly undefined."""
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(values)))
    apart: dict[str, float] = defaultdict(float)
    for unit, ratings in units.items():
        each = np.array([sum(value == given for given in ratings.values()) for value in values], dtype=float)
        group = groups.get(unit, unit)
        counts[group] += each
        apart[group] += float((each * (each.sum() - each)).sum() / (each.sum() - 1))
    if len(counts) < FEWEST or not any(apart.values()):
        return None
    alphas = resampled_alphas(np.array([counts[group] for group in counts]), np.array([apart[group] for group in counts]))
    if len(alphas) < DEFINED * RESAMPLES:
        return None
    low, high = np.quantile(alphas, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def resampled_alphas(counts: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Nominal alpha in each resample of groups, from (groups, values) counts and (groups,) disagreements.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: with n values in all and n_c of each,
    alpha = 1 - (n - 1) O / (n^2 - sum n_c^2), O the sum over units of disagreeing ordered pairs divided by the unit's values less one.
    Resamples with a single value are left out, since alpha is 0 / 0 there.
    """
    groups = len(counts)
    drawn = np.random.default_rng(SEED).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    each, observed = drawn @ counts, drawn @ apart
    total = each.sum(axis=1)
    expected = total**2 - (each**2).sum(axis=1)
    told = expected > 1e-9
    return 1 - (total[told] - 1) * observed[told] / expected[told]


def _alpha_sentence(alpha: float, interval: tuple[float, float] | None, items: str, raters: str) -> str:
    if interval is None:
        why = (
            "there is no disagreement from which an interval could be drawn"
            if alpha > 0.999
            else "there are too few of them, or they vary too little, for an interval"
        )
        return f"Krippendorff's alpha {alpha:.2f} over {items} and {raters}; {why}, so how far it holds beyond them is not established."
    low, high = interval
    if low <= 0:
        verdict = "Not established: that raters agree more than by chance."
    elif low >= ENOUGH:
        verdict = "Raters agree well enough to rely on."
    elif low >= TENTATIVE:
        verdict = "Raters agree enough for tentative conclusions."
    elif high < TENTATIVE:
        verdict = "Raters agree more than by chance, but too little to rely on."
    else:
        verdict = f"Raters agree more than by chance; not established: that they agree enough to rely on (from {TENTATIVE:.2f} on)."
    return f"{verdict} Krippendorff's alpha {alpha:.2f} (95% interval {low:.2f} to {high:.2f}) over {items} and {raters}."


def alpha_of(votes: Sequence[Vote], protocol: Protocol, asked_id: str) -> Estimate:
    """Alpha of one question that was asked, over the pairs alone: what comes again and what meets itself is left out.

    The values are "first", "second" (as the columns stand in the protocol) and "same"; "unsure" is a judgment that was not given, hence
    missing. Columns' names would not do: with three columns no item can get all of them, so chance agreement would be underrated and
    guessing would reach .25. Resamples draw prompts, with all their pairs.
    """
    units: dict[str, dict[Hashable, str]] = {}
    found = cast(votes, protocol, asked_id, "pair")
    unsure = sum(vote.vote_in_columns == "unsure" for vote, _ in found)
    for vote, item in found:
        if vote.vote_in_columns != "unsure":
            units.setdefault(item.id, {})[vote.rater_number] = vote.vote_in_columns
    left_out = f"“can't tell” ({counted(unsure, 'vote')}) left out" if unsure else ""
    return krippendorff_alpha(units, {item.id: item.prompt_id for item in protocol.items}, "pair", left_out)


def by_question(votes: Sequence[Vote], protocol: Protocol) -> dict[str, Estimate]:
    """Alpha of every question that was asked, by its id, in the design's order."""
    return {asked.id: alpha_of(votes, protocol, asked.id) for asked in protocol.design.asked}


def by_code(
    units: Mapping[str, Mapping[Hashable, Collection[str]]], codes: Sequence[str], groups: Mapping[str, str] | None = None
) -> dict[str, Estimate]:
    """Alpha of every code, given or not given: `units` is answer -> rater -> the codes that this rater gave it.

    A rater who read an answer and gave it no code has an empty collection; one who has not read it is absent. `groups` as above.
    """
    return {
        code: krippendorff_alpha(
            {unit: {rater: "given" if code in given else "not given" for rater, given in raters.items()} for unit, raters in units.items()},
            groups,
            "answer",
        )
        for code in codes
    }


def self_consistency(votes: Sequence[Vote], protocol: Protocol, asked_id: str) -> Estimate:
    """The share of repeated pairs, sides swapped, at which a rater voted as at the first time (columns, not sides); exact interval.

    "Same" twice and "unsure" twice are consistent. `n` counts repetitions that were judged both times.
    """
    earlier = {(vote.rater_number, item.id): vote.vote_in_columns for vote, item in cast(votes, protocol, asked_id, "pair")}
    again = [
        (vote.rater_number, vote.vote_in_columns == earlier[vote.rater_number, item.of])
        for vote, item in cast(votes, protocol, asked_id, "repeat")
        if (vote.rater_number, item.of) in earlier
    ]
    return _share(
        again,
        "Self-consistency can't be told: no pair was judged twice by the same rater.",
        "Self-consistency: {share} of {n} that came again with swapped sides got the same vote (95% interval {interval}, {raters}).",
        ("repeated pair", "repeated pairs"),
    )


def false_alarms(votes: Sequence[Vote], protocol: Protocol, asked_id: str) -> Estimate:
    """The share of votes that chose an answer where one model met itself, out of all votes there; exact interval.

    Such a choice answers to chance alone: the model is the same, at most the draw of the answer differs.
    """
    found = cast(votes, protocol, asked_id, "same")
    alike = sum(item.texts[0] == item.texts[1] for _, item in found)
    note = (
        f" {counted(alike, 'of these votes was', 'of these votes were')} on the same words twice, which only carelessness tells apart."
        if alike
        else ""
    )
    return _share(
        [(vote.rater_number, vote.vote_in_columns in ("first", "second")) for vote, _ in found],
        "False alarms can't be told: no pair of one model against itself was judged.",
        "False alarms: where one model met itself, {share} of {n} still chose an answer (95% interval {interval}, {raters})." + note,
        ("vote", "votes"),
    )


def _share(found: Sequence[tuple[int, bool]], none: str, form: str, unit: tuple[str, str]) -> Estimate:
    count, n, raters = sum(hit for _, hit in found), len(found), len({rater for rater, _ in found})
    interval = exact(count, n)
    if interval is None:
        return Estimate(None, None, None, 0, 0, none)
    said = form.format(share=percent(count / n), n=counted(n, *unit), interval=spread(interval), raters=counted(raters, "rater"))
    return Estimate(count / n, *interval, n, raters, said)


def cast(votes: Sequence[Vote], protocol: Protocol, asked_id: str, kind: str) -> list[tuple[Vote, Item]]:
    """The votes on one question asked, at items of one kind, with their items. Raises StudioError where it was not asked."""
    if asked_id not in {asked.id for asked in protocol.design.asked}:
        raise StudioError(f"This review does not ask “{asked_id[:40]}”.", "Choose one of the questions in its protocol.")
    items = {item.id: item for item in protocol.items if item.kind == kind}
    return [(vote, items[vote.item_id]) for vote in votes if vote.asked_id == asked_id and vote.item_id in items]
