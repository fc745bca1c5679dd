"""Made-up studies with all three instruments on the bundled topics: who moves by how much is chosen, the rest is small fixed noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import tanh
from typing import Any

import numpy as np

from pipelines import bundled
from pipelines.records import Topic
from pipelines.stance.study import Study

MOVES = {"base": 0.0, "left": -1.0, "right": 1.2, "placebo": 0.1}
FORMS = ("plain, agree or disagree", "survey, disagree or agree")
VALIDITY = {
    "auc": {"economic": 0.8, "social": 0.8},
    "pairwise": {},
    "neutral": {"economic": 0.1, "social": 0.1},
    "flip": 0.2,
    "negation": 0.1,
    "measures_stance": False,
}
Gain = Callable[[Topic], float]


def everywhere(topic: Topic) -> float:
    return 1.0


def measured(
    moves: Mapping[str, float] = MOVES,
    gain: Gain = everywhere,
    wording: float = 0.05,
    noise: float = 0.1,
    passed: bool = True,
    roles: dict[str, list[str]] | None = None,
    instruments: tuple[str, ...] = ("ruler", "completion", "survey"),
    survey_sign: int = 1,
) -> Study:
    """A column moves by its amount times the topic's gain on every instrument; `wording` is the SD of what a form adds to a log-odds shift."""
    random = np.random.default_rng(7)
    rows: dict[str, list[dict[str, Any]]] = {"ruler": [], "completion": [], "survey": []}
    for place, topic in enumerate(bundled.topics().values()):
        where = {"axis": topic.axis, "topic": topic.id}
        for column, move in moves.items():
            moved = move * gain(topic)
            for sample in range(3):
                rows["ruler"].append(_answer(where, topic, place, sample, column, moved + noise * random.normal()))
            rows["completion"].append(
                {"completion": f"c-{topic.id}", **where, "column": column, "value": moved / 5 + noise / 5 * random.normal()}
            )
            for n in (1, 2):
                x = {form: (n - 1.5) / 2 + survey_sign * moved / 2 + wording * random.normal() * (column != "base") for form in FORMS}
                mean = sum(x.values()) / len(x) + noise / 5 * random.normal()
                rows["survey"].append(
                    {"item": f"s-{topic.id}-{n}", **where, "topic_split": topic.split, "column": column, "x": mean, "q": 0.0, "s": tanh(mean / 2), "forms": x}
                )  # fmt: skip
    damage = {
        name: {"perplexity": 20.0, "facts": ["a", "b"], "repetition": 0.0, "hedging": 0.1, "unfinished": 0.2, "words": 40.0}
        for name in moves
    }
    kept = {name: some if name in instruments else [] for name, some in rows.items()}
    checks = {name: check(passed) for name in moves} if "survey" in instruments else {}
    return Study(
        list(moves), kept["ruler"], kept["completion"], damage, VALIDITY, {"max_new_tokens": 64, "temperature": 0.3}, 1.0,
        roles=roles or {}, survey=kept["survey"], checks=checks, protocol={"hash": "one"},
    )  # fmt: skip


def _answer(where: dict[str, str], topic: Topic, place: int, sample: int, column: str, score: float) -> dict[str, Any]:
    stamp = {"base": "b", "base_fingerprint": "f"}
    return {
        "question": f"q-{topic.id}", **where, "topic_split": topic.split, "half": "development" if place % 2 else "confirmation", "sample": sample,
        "column": column, "text": "words", "finished": "eos", "economic": 9.0, "social": 9.0, "stamp": stamp, topic.axis: score,
    }  # fmt: skip


def check(passed: bool) -> dict[str, Any]:
    """A questionnaire's gates, passed or missed."""
    return {
        "label_mass": 0.5 if passed else 0.01, "facts": 12, "of_facts": 12, "consistent": 60, "items": 64, "needed": 39, "acquiescence": 0.1,
        "position": {"economic": 3.0, "social": 0.5}, "ring": {"economic": 1.5, "social": 1.5}, "passed": passed,
        "reasons": [] if passed else ["only 1.0% of its next words are one of the two labels (at least 5% are needed)"],
    }  # fmt: skip


def seeded(shifts: Mapping[str, list[float]], **options: Any) -> Study:
    """A study in which each role was trained with several seeds, from 7 on: one column a seed, moved by the given amount."""
    moves = {f"{role} (seed {n})": move for role, moved in shifts.items() for n, move in enumerate(moved, 7)}
    roles = {role: [f"{role} (seed {n})" for n in range(7, 7 + len(moved))] for role, moved in shifts.items()}
    return measured({"base": 0.0, **moves}, roles=roles, **options)
