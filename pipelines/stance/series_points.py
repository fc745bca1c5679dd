"""The points of a series and what they say: the usable range, and the best trade-off by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from pipelines.records import AXES
from pipelines.stance.claims import FACTS_LIMIT, PERPLEXITY_LIMIT

Kind = Literal["strength", "step"]
Shifts = dict[str, dict[str, dict[str, Any]]]
BOTH = "both"
TOWARDS = {-1: "left", 1: "right"}
MEASURES = {"completion": "paired completions (nats a token)", "survey": "questionnaire (−1 to +1)"}
EQUAL = 1e-9
BEYOND = 1e15  # what no measurement reaches


@dataclass(frozen=True)
class Point:
    """One strength or step. `shifts` and `net` are {instrument: {"economic", "social" or "both": Shift as dict}}, + is right / traditional.

    `net` is empty where no placebo was measured at this point. `adapter` is the fingerprint of its weights, "" for the base.
    """

    x: float
    column: str
    shifts: Shifts
    perplexity_ratio: float
    facts_lost: list[str]
    usable: bool
    net: Shifts = field(default_factory=dict)
    adapter: str = ""


@dataclass
class Series:
    """Points by rising x, the base at 0 among them. `direction` is -1 for an adapter that was trained towards the left, +1 towards the
    right, 0 where it was trained towards neither or nobody knows.

    `protocol` says what was asked, and its hash; `notes["stopped"]` and `notes["skipped"]` are sentences on points that are missing.
    """

    kind: Kind
    of: str
    points: list[Point]
    placebo: list[Point] = field(default_factory=list)
    direction: int = 0
    protocol: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {tuple(point.shifts) for point in (*self.points, *self.placebo)}
        if self.kind not in get_args(Kind) or len(kinds) != 1 or not self.tuned or all(point.x for point in self.points):
            raise ValueError("a series has a kind, the base, a further point, and the same instruments everywhere")
        for point in (*self.points, *self.placebo):
            _check(point)

    @property
    def instruments(self) -> list[str]:
        return list(self.points[0].shifts)

    @property
    def tuned(self) -> list[Point]:
        """All points but the base."""
        return [point for point in self.points if point.x]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Series:
        """A series that was kept. Raises TypeError, ValueError, KeyError or AttributeError where it is none."""
        points = {name: [Point(**one) for one in value[name]] for name in ("points", "placebo")}
        return cls(**{**value, **points})


def _check(point: Point) -> None:
    """Raises TypeError, ValueError, KeyError or AttributeError where a point is not whole."""
    numbers = [point.x, point.perplexity_ratio]
    for axes in (*point.shifts.values(), *point.net.values()):
        for name in (BOTH, *(axis for axis in AXES if axis in axes)):
            numbers += [axes[name][part] for part in ("mean", "low", "high", "n")]
    if not all(isinstance(one, float) or (isinstance(one, int) and not isinstance(one, bool) and abs(one) < BEYOND) for one in numbers):
        raise ValueError("a point holds something else than numbers")
    if not isinstance(point.column, str) or not all(isinstance(one, str) for one in point.facts_lost):
        raise TypeError("a point has no name, or lost facts that are none")


@dataclass(frozen=True)
class Best:
    """The point with the best trade-off, None where there is none, and in words why."""

    point: Point | None
    sentence: str


def rule(series: Series) -> str:
    """How the best trade-off is found, in words."""
    than = "beyond the placebo's at the same one" if series.placebo else "from the base, since no placebo was measured"
    return (
        f"Rule: of the usable {series.kind}s the one with the largest shift in the trained direction {than}, by "
        f"{MEASURES[series.instruments[0]]} over both axes; of equal ones the {'earlier' if series.kind == 'step' else 'weaker'}."
    )


def gain(series: Series, point: Point) -> dict[str, Any]:
    """The shift that the rule compares: beyond the placebo where one was measured, over both axes, by the first instrument."""
    return (point.net if series.placebo else point.shifts)[series.instruments[0]][BOTH]


def best(series: Series) -> Best:
    """The best trade-off. Points without a placebo's do not compete where other points have one."""
    none = f"No best {series.kind} is named: "
    if series.direction not in TOWARDS:
        return Best(None, f"{none}as far as is known the adapter was trained neither towards the left nor towards the right.")
    usable = [point for point in series.tuned if point.usable]
    if not usable:
        return Best(None, f"{none}none of the {len(series.tuned)} {series.kind}s measured is usable.")
    rivals = [point for point in usable if point.net or not series.placebo]
    beyond = "beyond the placebo" if series.placebo else "from the base"
    if not rivals:
        return Best(None, f"{none}the placebo was measured at none of the usable {series.kind}s.")
    top = max(series.direction * gain(series, point)["mean"] for point in rivals)
    if top <= 0:
        return Best(None, f"{none}none of the usable {series.kind}s moved to the {TOWARDS[series.direction]} {beyond}.")
    equal = [point for point in rivals if series.direction * gain(series, point)["mean"] >= top - EQUAL]
    point = min(equal, key=lambda one: abs(one.x))
    return Best(point, _praise(series, point, beyond))


def _praise(series: Series, point: Point, beyond: str) -> str:
    one, first = gain(series, point), series.instruments[0]
    said = (
        f"Best trade-off: {series.kind} {point.x:g}. Of the usable {series.kind}s it moved furthest to the {TOWARDS[series.direction]} "
        f"{beyond}: {one['mean']:+.3f} by {MEASURES[first]} (95% interval {one['low']:+.3f} to {one['high']:+.3f}, n = {one['n']})."
    )
    if one["low"] <= 0 <= one["high"]:
        said += " The interval includes 0, so even this is not shown beyond chance."
    others = (point.net if series.placebo else point.shifts).items()
    against = [name for name, axes in others if name != first and axes[BOTH]["mean"] * series.direction < 0]
    return said + "".join(f" The {MEASURES[name]} points the other way there, so a stance is not established." for name in against)


def usable_reach(series: Series) -> tuple[float, float]:
    """The lowest and highest x that can be reached from the base, at 0, without passing an unusable point."""
    below = [point for point in reversed(series.points) if point.x <= 0]
    above = [point for point in series.points if point.x >= 0]
    low, high = (next((run[n - 1].x for n, point in enumerate(run) if not point.usable), run[-1].x) for run in (below, above))
    return low, high


def usable_words(series: Series) -> str:
    """What is usable, in a sentence with the limits."""
    bad, (low, high) = [point for point in series.points if not point.usable], usable_reach(series)
    limits = f"(everyday perplexity at most {PERPLEXITY_LIMIT:.2f} times the base's, at most {FACTS_LIMIT} plain fact lost)"
    if not bad:
        return f"All {len(series.tuned)} {series.kind}s measured are usable {limits}."
    first = min(bad, key=lambda point: abs(point.x))
    why = f"at {series.kind} {first.x:g} perplexity is {first.perplexity_ratio:.2f} times the base's and {lost(first)}"
    if low == high:
        said = f"No {series.kind} next to the base is usable {limits}: {why}."
    else:
        said = f"Usable from {series.kind} {low:g} to {high:g} {limits}: {why}."
    apart = [f"{point.x:g}" for point in series.tuned if point.usable and not low <= point.x <= high]
    return said + (f" Beyond that, {', '.join(apart)} passed the limits too." if apart else "")


def lost(point: Point) -> str:
    """ "no plain fact is lost", "2 plain facts are lost"."""
    count = len(point.facts_lost)
    return f"{count or 'no'} plain fact{'s are' if count > 1 else ' is'} lost"


def sentences(series: Series) -> list[str]:
    """What a series says, and what is missing in it, for the page and the command line."""
    notes = [text for text in (series.notes.get("stopped"), *series.notes.get("skipped", [])) if text]
    gates = series.notes.get("survey_reasons")
    doubts = [f"Read the questionnaire with care, for the base misses its gates: {'; '.join(gates)}."] if gates else []
    return [usable_words(series), best(series).sentence, *notes, *doubts]
