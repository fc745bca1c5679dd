"""Where a shift comes from: topic by topic and item by item, and whether topics that were trained on moved more than held-out ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from pipelines import bundled
from pipelines.records import Shift
from pipelines.stance.contrasts import item_values, on_axis, repeat_values
from pipelines.stance.statistics import apart, benjamini_hochberg, shift, t_shift
from pipelines.stance.study import Study
from pipelines.stance.values import REPEATS, Place, places

TRAIN, HELD_OUT = "train", "held_out"
Topic = tuple[str, str]  # axis and topic
ITEMS_ENOUGH = 3  # with fewer items in a topic the draws or forms within them are the unit


@dataclass(frozen=True)
class Part:
    """The mean shift of one topic or item from the base.

    `unit` says of what the interval and p are: "items", or "draws" or "forms" of these very items, which then speak about these items
    and not about the topic. `n` counts that unit and `items` the items. `low`, `high`, `p` and `p_bh` are None with one of them only.
    """

    id: str
    axis: str
    split: str
    mean: float
    low: float | None
    high: float | None
    p: float | None
    n: int
    unit: str
    items: int
    p_bh: float | None = None


@dataclass(frozen=True)
class Split:
    """Topics that were trained on against held-out ones; the topic is the unit. `difference` is trained minus held out."""

    trained: Shift
    held_out: Shift
    difference: Shift


def by_topic(study: Study, instrument: str, name: str, half: str = "all", axis: str | None = None) -> list[Part]:
    """The shift of a column, role or contrast by topic, lowest first, with Student's t interval and p, adjusted over the topics.

    p is Benjamini-Hochberg-adjusted over all topics listed. See Part for the unit.
    """
    return _parts(study, instrument, name, half, axis, by="topic")


def by_item(study: Study, instrument: str, name: str, half: str = "all", axis: str | None = None) -> list[Part]:
    """The same by question, completion or statement; the unit is its draws or forms, a completion has no interval."""
    return _parts(study, instrument, name, half, axis, by="item")


def trained_and_held_out(study: Study, instrument: str, name: str, axis: str | None = None, half: str = "all") -> Split | None:
    """Mean shifts over trained and held-out topics and their difference (Welch's interval, permutation p); None without two of each.

    A topic was trained on or not, so it is the unit: its items are averaged first.
    """
    topics = topic_means(study, instrument, name, axis, half)
    splits = {(place.axis, place.topic): place.split for place in places(study, instrument).values()}
    trained, held_out = ([mean for topic, mean in topics.items() if splits[topic] == one] for one in (TRAIN, HELD_OUT))
    if min(len(trained), len(held_out)) < 2:
        return None
    return Split(shift(trained), shift(held_out), apart(trained, held_out))


def topic_means(study: Study, instrument: str, name: str, axis: str | None = None, half: str = "all") -> dict[Topic, float]:
    """The mean shift by axis and topic: own statements may use a topic's name on both axes."""
    where = places(study, instrument)
    found: dict[Topic, list[float]] = {}
    for item, value in on_axis(study, instrument, item_values(study, instrument, name, half), axis).items():
        found.setdefault((where[item].axis, where[item].topic), []).append(value)
    return {topic: fmean(values) for topic, values in found.items()}


def called(part_id: str) -> str:
    """A topic's name, an item's own words, the id where neither is known, "no topic" for ""."""
    known = bundled.topics().get(part_id)
    return known.name if known else _texts().get(part_id, part_id) or "no topic"


def _texts() -> dict[str, str]:
    statements = {one.id: one.text for one in bundled.items("proposition")}
    return statements | {one.id: one.text for one in bundled.questions()} | {one.id: f"{one.stem} …" for one in bundled.completions()}


def _parts(study: Study, instrument: str, name: str, half: str, axis: str | None, by: str) -> list[Part]:
    where = places(study, instrument)
    values = on_axis(study, instrument, item_values(study, instrument, name, half), axis)
    repeats = repeat_values(study, instrument, name, half)
    members: dict[Topic, list[str]] = {}
    for item in values:
        members.setdefault((where[item].axis, where[item].topic if by == "topic" else item), []).append(item)
    found = [_part(key[1], some, values, repeats, where[some[0]], REPEATS[instrument]) for key, some in members.items()]
    return sorted(_adjusted(found), key=lambda part: part.mean)


def _part(
    key: str, items: Sequence[str], values: Mapping[str, float], repeats: Mapping[str, Mapping[str, float]], where: Place, repeated: str
) -> Part:
    shared = [repeat for repeat in repeats[items[0]] if all(repeat in repeats[item] for item in items)]
    within = len(items) < ITEMS_ENOUGH and len(shared) > len(items)
    units = [fmean(repeats[item][repeat] for item in items) for repeat in shared] if within else [values[item] for item in items]
    tested = t_shift(units) if len(units) > 1 else None
    low, high, p = (tested.low, tested.high, tested.p) if tested else (None, None, None)
    return Part(key, where.axis, where.split, fmean(units), low, high, p, len(units), repeated if within else "items", len(items))


def _adjusted(parts: Sequence[Part]) -> list[Part]:
    adjusted = iter(benjamini_hochberg([part.p for part in parts if part.p is not None]))
    return [part if part.p is None else replace(part, p_bh=next(adjusted)) for part in parts]
