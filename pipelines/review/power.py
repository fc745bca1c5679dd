"""What a review's votes can find, by the studio's rule and by the exact test alone, said before and after they are cast."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.review.design import Design
from pipelines.review.intervals import clusters_needed, counted, detectable, rule_detects, rule_needs, votes_needed

PLANNED_RATES = (0.6, 0.65, 0.7)
MORE = "more with few questions or raters, or where votes on one question or of one rater are alike"


@dataclass(frozen=True)
class Power:
    """How far votes go. `needed` and `still` by true rate, and `detectable`: by the exact test of independent votes, which is the least.

    `rule_needed`, `rule_still` and `rule_detects`: about the same by the studio's rule, with `tests` corrected together.
    """

    decided: int
    needed: dict[float, int]
    still: dict[float, int]
    detectable: float | None
    tests: int
    rule_needed: dict[float, int]
    rule_still: dict[float, int]
    rule_detects: float | None
    sentence: str


def power_so_far(decided: int, tests: int = 1) -> Power:
    """What `decided` votes on one pair of columns and one question can find, and what is missing for the rates that were planned with.

    `tests` are those that are corrected together (see `tests_of`). The rates are fixed beforehand: power at the rate that was found says
    nothing that its p does not (Hoenig and Heisey 2001).
    """
    needed = {rate: votes_needed(rate) or 0 for rate in PLANNED_RATES}
    by_rule = {rate: rule_needs(rate, tests) or 0 for rate in PLANNED_RATES}
    still, missing = ({rate: max(0, count - decided) for rate, count in each.items()} for each in (needed, by_rule))
    found = rule_detects(decided, tests)
    sentence = f"{counted(decided, 'decided vote')} {_able(found)}. {_missing(missing, tests)} {_least(needed)}"
    return Power(decided, needed, still, detectable(decided), tests, by_rule, missing, found, sentence)


def _able(found: float | None) -> str:
    if found is None:
        return "are too few to establish any true rate"
    return f"can at best establish a true rate of {found:.0%} or more in four of five reviews"


def _missing(missing: dict[float, int], tests: int) -> str:
    listed = ", ".join(f"{count:,} for {rate:.0%}" for rate, count in missing.items() if count).replace(" for ", " for a true rate of ", 1)
    return f"Still needed for 80% power{_among(tests)}: {f'about {listed}' if listed else 'none at the planned rates'}; {MORE}."


def _least(needed: dict[float, int]) -> str:
    *most, last = (f"{count:,}" for count in needed.values())
    return f"An exact test alone takes at least {', '.join(most)} and {last}."


def _among(tests: int) -> str:
    return f" with {tests} tests" if tests > 1 else ""


def tests_of(design: Design) -> int:
    """How many win rates are tested, and corrected, together."""
    return len(design.asked) * len(design.pairs)


def out_of_reach(prompts: int, tests: int) -> str:
    """Why nothing can be established with so few questions, however alike the votes; "" where something can.

    For tests that all have so few: under Holm's correction one with few could still follow others that have more.
    """
    least = clusters_needed(tests)
    if prompts < least:
        return f"{counted(prompts, 'question is', 'questions are')} too few to establish anything{_among(tests)}: it takes {least}."
    return ""
