"""How well the steps do against our own labels. The labels of the bundled posts are read here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.corpus.drafts import Draft
from pipelines.corpus.shards import Shards
from pipelines.corpus.steps.scoring import side_of

MEANT = {
    "language": ("foreign",),
    "length": ("short",),
    "near": ("near_duplicate",),
    "spam": ("spam",),
    "weak": ("off_topic", "spam", "short"),
}
SIDES = ("left", "neutral", "right")
KNOWN = frozenset([*SIDES, *(label for meant in MEANT.values() for label in meant)])
LOOKED_AT = 100


@dataclass(frozen=True)
class Score:
    """Precision: how many of the dropped rows were meant. Recall: how many of those meant that came so far were dropped."""

    step: str
    right: int
    dropped: int
    there: int

    @property
    def precision(self) -> float | None:
        return self.right / self.dropped if self.dropped else None

    @property
    def recall(self) -> float | None:
        return self.right / self.there if self.there else None


def labelled(draft: Draft) -> bool:
    """Whether the opened rows carry labels that mean what ours do."""
    return any(row.get("own_label") in KNOWN for row in draft.after(0).slice(0, LOOKED_AT))


def of_steps(draft: Draft) -> list[Score]:
    """One score for each step that is meant to find one kind of post, where such posts were among those opened."""
    scores = []
    there = set(_labels(draft.after(0)))
    for number, step in enumerate(draft.steps):
        meant = MEANT.get(step.key, ())
        if there.isdisjoint(meant):
            continue
        before, dropped = _labels(draft.after(number)), _labels(draft.dropped(number))
        scores.append(Score(step.label, sum(one in meant for one in dropped), len(dropped), sum(one in meant for one in before)))
    return scores


def _labels(rows: Shards) -> list[str]:
    return [row.get("own_label") or "" for row in rows.rows(["own_label"])]


@dataclass(frozen=True)
class Sides:
    """The scores against the labels: `table[own][found]` counts posts by own side and found side; topics likewise."""

    table: dict[str, dict[str, int]]
    topics_right: int
    topics: int

    @property
    def agreement(self) -> tuple[int, int]:
        """Of the posts that we label left or right and that got a side: how many got the right one."""
        pairs = [
            (own, found, count) for own, row in self.table.items() for found, count in row.items() if own != "neutral" and found != "none"
        ]
        return sum(count for own, found, count in pairs if own == found), sum(count for *_, count in pairs)


def of_sides(draft: Draft) -> Sides | None:
    """How the annotator's sides and topics compare with ours, over the posts it scored; None before scoring."""
    place = draft.place("annotate")
    if place is None:
        return None
    table = {own: {"left": 0, "none": 0, "right": 0} for own in SIDES}
    right = total = 0
    for row in draft.after(place + 1).rows(["own_label", "own_topic", "topic", "economic", "social"]):
        if row.get("own_label") not in table:
            continue
        table[row["own_label"]][side_of(row) or "none"] += 1
        if row.get("own_topic"):
            total += 1
            right += row["topic"] == row["own_topic"]
    return Sides(table, right, total)


def of_pairs(draft: Draft) -> tuple[int, int, int] | None:
    """Of the pairs matched from posts: how many join a left and a right post as they say, how many the wrong way round, and all.

    None where there are no matched pairs, or the posts carry no labels.
    """
    rows = [row for row in draft.rows.rows(["chosen_from", "rejected_from", "left", "score", "made"]) if row.get("made") == "matched"]
    if not rows or not labelled(draft):
        return None
    own = {row["id"]: row.get("own_label") for row in draft.after(0).rows(["id", "own_label"])}
    match = next(step for step in draft.steps if step.key == "match")
    first = "right" if match.settings["towards"] == "right" else "left"
    other = "left" if first == "right" else "right"
    sides = [(own.get(row["chosen_from"]), own.get(row["rejected_from"])) for row in rows]
    return sum(one == (first, other) for one in sides), sum(one == (other, first) for one in sides), len(sides)
