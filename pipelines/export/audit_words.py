"""What an audit says in words: its limits, and which of its figures speak to each heading of the 2026 audit, or that none does.

The headings are those of "A Multi-Dimensional Audit of Politically Aligned Large Language Models" (Korver, Mostagir, Reda, arXiv
2604.24429, 2026). What stands under them is ours: its measures are not repeated here, and no figure of it is quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.export.audit_found import BEYOND, TOPIC_AND_WORDING, VOID, named
from pipelines.review.intervals import counted
from pipelines.stance import claims
from pipelines.stance.contrasts import ENOUGH_SEEDS
from pipelines.stance.evenness import CHANGE, POOLED
from pipelines.stance.study import BASE, PLACEBO, Study

Row = dict[str, Any]
HEADINGS = ("Effectiveness", "Fairness", "Truthfulness", "Persuasiveness")
FEW_ITEMS = 30  # of one axis; so many detect dz of at least .53 with 80% power
PERSUASION = (
    "Nothing was measured. Whether these answers change anyone's mind would need people who are asked before and after reading, and their "
    "consent; no figure of this report stands in for that, the review's votes included."
)


def headings(report: Mapping[str, Any]) -> list[Row]:
    """The four headings: `speaks`, sentences on our figures, and `missing`, what none of them tells. `report` is what an audit has so far."""
    return [
        {"heading": HEADINGS[0], "speaks": list(_effectiveness(report)), "missing": list(_effectiveness_missing(report))},
        {"heading": HEADINGS[1], "speaks": list(_fairness(report)), "missing": list(_fairness_missing(report))},
        {"heading": HEADINGS[2], "speaks": list(_truthfulness(report)), "missing": [
            "No benchmark of truthfulness was run, and nobody checked whether what the political answers claim is true.",
        ]},
        {"heading": HEADINGS[3], "speaks": [], "missing": [PERSUASION]},
    ]  # fmt: skip


def _effectiveness(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"The claims: {report['result']['headline']}"
    shifts = [row for row in report["shifts"] if row["column"] != PLACEBO]
    beyond = [row for row in shifts if row["held"] == BEYOND]
    yield f"Shifts from the base, the placebo's apart: {len(beyond)} of {len(shifts)} (column, instrument and axis) lie beyond chance{_void(shifts)}."
    held_out = [row for row in report["splits"] if row["split"] == "held_out" and row["column"] != PLACEBO]
    if held_out:
        beyond = [row for row in held_out if row["held"] == BEYOND]
        yield f"Topics that were not in the training data: {len(beyond)} of {len(held_out)} shifts (column and instrument) lie beyond chance, without a correction{_void(held_out)}."


def _void(rows: Sequence[Mapping[str, Any]]) -> str:
    """ ", 4 are void, since the language is damaged"; nothing where none is."""
    count = sum(row["held"] == VOID for row in rows)
    return f", {count} {'is' if count == 1 else 'are'} void, since the language is damaged" if count else ""


def _effectiveness_missing(report: Mapping[str, Any]) -> Iterator[str]:
    if not report["result"]["verdicts"]:
        yield "There is no complete set of left, right and placebo, so no effect of a side was tested."
    unused = [row["instrument"].lower() for row in report["instruments"][:5] if not row["used"]]
    if unused:
        yield f"Instruments that were not used in this study: {', '.join(unused)}."


def _fairness(report: Mapping[str, Any]) -> Iterator[str]:
    found = [row for row in report["evenness"] if row["kind"] == CHANGE and row["axis"] == POOLED]
    if found:
        beyond = [row for row in found if row["p_holm"] < claims.LEVEL]
        yield (
            f"Even-handedness: in {len(beyond)} of {len(found)} comparisons (column and measure, both axes together) the gap between left- and "
            "right-presuming questions differs from the base's beyond chance, corrected over the three measures (Holm)."
        )


def _fairness_missing(report: Mapping[str, Any]) -> Iterator[str]:
    if not report["evenness"]:
        yield "Even-handedness between left- and right-presuming questions was not measured in this study."
    yield "Nothing was measured about how groups of people are spoken of or treated. A smaller gap is not fairness, and the middle is not neutral."


def _truthfulness(report: Mapping[str, Any]) -> Iterator[str]:
    for row in report["collateral"]:
        facts = row["facts"]
        lost = f", lost against the base: {len(facts['lost'])}" if row["column"] != BASE else ""
        yield f"Plain facts held by {row['name']}: {facts['held']} of {facts['n']} ({facts['low']:.0%} to {facts['high']:.0%}){lost}."


def limits(study: Study, report: Mapping[str, Any]) -> list[str]:
    """What the figures do not show, in sentences."""
    return list(_limits(study, report))


def _limits(study: Study, report: Mapping[str, Any]) -> Iterator[str]:
    base = report["versions"]["base"] or "a base that its answers do not name"
    yield f"The model is {base}, altered by small adapters on purpose. Nothing here speaks about other models, and least of all about commercial assistants."
    if "Q4_1" in base:
        yield "Its weights come from a Q4_1 file (four bits a weight, turned into floats): on the published weights answers and shifts may differ."
    yield "A model this small follows instructions badly and holds no opinions. What is measured is which words a selection of data made likelier."
    if not study.validity.get("measures_stance"):
        yield TOPIC_AND_WORDING
    yield "The ruler was fitted on texts of the bundled data, from which the bundled adapters learned too; it scores an answer only by fits that never saw its topic."
    if claims.can_claim(study):
        yield _seeds(study)
    yield from _sizes(study)
    yield "p values of claims are corrected over the two claims of an instrument, those of shifts over the two axes (Holm); no correction joins instruments or columns."
    cut = [column for column in study.columns if study.collateral[column]["unfinished"] > 0.5]
    if cut:
        yield f"More than half of the answers of {', '.join(named(study, one) for one in cut)} were cut at the token cap: what they would have come to is not known."
    unknown = [named(study, row["column"]) for row in report["data"] if not row["found"]]
    if unknown:
        yield f"No run on this machine has the weights of {', '.join(unknown)}: their data and recipe are not known here."


def _seeds(study: Study) -> str:
    fewest = min(claims.seeds_a_side(study))
    if fewest >= ENOUGH_SEEDS:
        return f"It rests on {fewest} training seeds a side."
    return f"It rests on {counted(fewest, 'training seed')} a side; {ENOUGH_SEEDS} or more are needed before anything is said about the recipe."


def _sizes(study: Study) -> Iterator[str]:
    questions = {row["question"]: row["axis"] for row in study.answers}
    fewest = min((list(questions.values()).count(axis) for axis in set(questions.values())), default=0)
    if 0 < fewest < FEW_ITEMS:
        yield (
            f"An axis rests on as few as {counted(fewest, 'question')}: with fewer than {FEW_ITEMS} only large moves are found, and an "
            "interval that includes zero does not show that there is no move."
        )
