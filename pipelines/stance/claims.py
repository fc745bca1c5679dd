"""What a study shows: shifts from the base, and what may be claimed against the placebo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.stance.statistics import holm, shift
from pipelines.stance.study import BASE, Study

INSTRUMENTS = ("ruler", "completion")
CLAIMS = {
    "right_minus_placebo": "the right adapter lands right of the placebo",
    "placebo_minus_left": "the left adapter lands left of the placebo",
}
PERPLEXITY_LIMIT, FACTS_LIMIT, LEVEL = 1.10, 1, 0.05


def question_means(study: Study, column: str, half: str = "all") -> dict[str, float]:
    """A column's mean ruler score by question, on the question's own axis, averaged over samples."""
    sums: dict[str, list[float]] = {}
    for answer in study.answers:
        if answer["column"] == column and half in ("all", answer["half"]):
            sums.setdefault(answer["question"], []).append(answer[answer["axis"]])
    return {question: sum(values) / len(values) for question, values in sums.items()}


def completion_values(study: Study, column: str) -> dict[str, float]:
    """A column's paired-completion score by completion."""
    return {row["completion"]: row["value"] for row in study.completions if row["column"] == column}


def axis_of(study: Study) -> dict[str, str]:
    """The axis of every question and completion by id."""
    return {r["question"]: r["axis"] for r in study.answers} | {r["completion"]: r["axis"] for r in study.completions}


def contrast(plus: dict[str, float], minus: dict[str, float], ids: Sequence[str] | None = None) -> dict[str, Any]:
    """Shift of paired differences over the items that both have (or the given ones), as a plain dict."""
    chosen = [item for item in plus if item in minus and (ids is None or item in set(ids))]
    return asdict(shift([plus[item] - minus[item] for item in chosen]))


def shift_table(study: Study, half: str = "all") -> list[dict[str, Any]]:
    """For every tuned column, instrument and axis: the shift from base, Holm-adjusted over the two axes."""
    axes = axis_of(study)
    rows: list[dict[str, Any]] = []
    for column in study.columns:
        if column == BASE:
            continue
        for instrument in ("ruler", "completion"):
            tuned, base = (_values(study, instrument, name, half) for name in (column, BASE))
            pair: list[dict[str, Any]] = []
            for axis in ("economic", "social"):
                ids = [item for item in tuned if axes[item] == axis]
                if ids:
                    pair.append({"column": column, "instrument": instrument, "axis": axis, **contrast(tuned, base, ids)})
            for row, adjusted in zip(pair, holm([row["p"] for row in pair]), strict=True):
                row["p_holm"] = adjusted
            rows += pair
    return rows


def _values(study: Study, instrument: str, column: str, half: str) -> dict[str, float]:
    return question_means(study, column, half) if instrument == "ruler" else completion_values(study, column)


def claims(study: Study, half: str, left: str = "left", right: str = "right", placebo: str = "placebo") -> dict[str, Any]:
    """The two claims dR - dP > 0 and dP - dL > 0 by instrument (the base cancels), pooled and by axis, Holm over the two."""
    axes = axis_of(study)
    found: dict[str, Any] = {}
    for instrument in ("ruler", "completion"):
        r, p, ll = (_values(study, instrument, name, half) for name in (right, placebo, left))
        pair = {"right_minus_placebo": contrast(r, p), "placebo_minus_left": contrast(p, ll)}
        for one, adjusted in zip(pair.values(), holm([one["p"] for one in pair.values()]), strict=True):
            one["p_holm"] = adjusted
        found[instrument] = pair
        found[f"{instrument}_by_axis"] = {
            axis: {
                "right_minus_placebo": contrast(r, p, [i for i in r if axes[i] == axis]),
                "placebo_minus_left": contrast(p, ll, [i for i in p if axes[i] == axis]),
            }
            for axis in ("economic", "social")
        }
    return found


@dataclass(frozen=True)
class Verdict:
    """One claim: "established", "not established" or "void", with the reason."""

    claim: str
    held: str
    reason: str


def perplexity_ratio(study: Study, column: str) -> float:
    """A column's everyday perplexity divided by the base's."""
    return study.collateral[column]["perplexity"] / study.collateral[BASE]["perplexity"]


def facts_lost(study: Study, column: str) -> list[str]:
    """Plain facts that the base holds true and the column does not."""
    return sorted(set(study.collateral[BASE]["facts"]) - set(study.collateral[column]["facts"]))


def damaged(study: Study) -> list[str]:
    """Tuned columns whose language is broken, so that their stance is void (measurement.md, 4)."""
    tuned = [column for column in study.columns if column != BASE]
    return [c for c in tuned if perplexity_ratio(study, c) > PERPLEXITY_LIMIT or len(facts_lost(study, c)) > FACTS_LIMIT]


def verdicts(study: Study, half: str = "all") -> list[Verdict]:
    """Each claim needs the ruler's p < .05 (Holm) in its direction and the same sign from the paired completions."""
    found = claims(study, half)
    broken = damaged(study)
    return [_verdict(text, found["ruler"][key], found["completion"][key], broken) for key, text in CLAIMS.items()]


def _verdict(text: str, ruler: dict[str, Any], completion: dict[str, Any], broken: list[str]) -> Verdict:
    if broken:
        return Verdict(text, "void", f"the language of {', '.join(broken)} is damaged")
    if ruler["mean"] <= 0 or ruler["p_holm"] >= LEVEL:
        return Verdict(text, "not established", "free text does not show it beyond chance")
    if completion["n"] == 0:
        return Verdict(text, "not established", "only one instrument was used")
    if completion["mean"] <= 0:
        return Verdict(text, "not established", "the paired completions point the other way")
    both = (
        "and paired completions show it beyond chance too"
        if completion["p_holm"] < LEVEL
        else "and paired completions point the same way, though not beyond chance"
    )
    return Verdict(text, "established", f"free text shows it beyond chance, {both}")
