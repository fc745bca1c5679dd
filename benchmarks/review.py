"""What a review's statistics are worth, by simulation with planted truth; and how fast ballots are written.

`python -m benchmarks.review`, about a minute and a half on one core. A vote for the first answer has the chance Phi(m + prompt + rater):
prompts and raters have normal effects, crossed (SPREADS, on the probit scale), so the true rate over new prompts and raters is Phi(m /
sqrt(1 + prompts^2 + raters^2)). A fifth of the votes is "same" or "can't tell". Effects, sizes and goals were fixed before they were first
run; the sizes with 7 and 13 questions and the sign-flip tests came later, since a review of the code found that few questions were called
established too often. 500 reviews a cell, since fewer hardly tell whether the worst cell misses its goal. The goal for power follows what
the studio says that its rule needs. Everything is counted by the studio's own functions: "established" is what `conclusions` says.

1. No true preference: how often is a difference established, and how often would the exact binomial test alone find one?
2. True rates of .50 and .70: how often does the 95% interval hold the truth, clustered and exact?
3. A true rate of .70, independent votes, as many as `votes_needed` says for the exact test and `rule_needs` for the rule, alone and as
   one of three tests of which the others find nothing: how often is it found, by the test alone and by the rule?
4. Ballots through `Box.vote`, each on the disk before it counts: one rater after another, and 30 who all press at once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import report
from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.paths import Paths
from pipelines.records import Answer, Stamp
from pipelines.review import intervals
from pipelines.review.ballots import Box, Vote
from pipelines.review.design import ASKED, Design
from pipelines.review.protocol import Protocol, freeze, shown
from pipelines.review.results import ALPHA, Rate, conclusions, win_rates

SEED, REVIEWS = 20240412, 500
SPREADS = {"none": (0.0, 0.0), "some": (0.5, 0.3), "much": (1.0, 0.6)}  # SD of prompts' and of raters' effects
# raters and prompts: a default review, a small, a large one, a class, and few prompts
SIZES = ((3, 20), (5, 20), (10, 40), (30, 10), (10, 7), (10, 13))
NULL, TRUE = 0.5, 0.7
SAME, UNSURE = 0.15, 0.05
TESTS = 3  # a review that asks three things of two columns
COVERED, FOUND = 0.9, 0.75
CLASS, PROMPTS, EACH = 30, 40, 20
GOAL = (
    f"false positives at most {ALPHA:g} and two standard errors, and clustered intervals that hold the truth in {COVERED:.0%} or more, in every "
    f"cell; power {FOUND:g} or more by the exact test and by the studio's rule, each with the votes that it is said to need"
)


@dataclass(frozen=True)
class Cell:
    """Shares of simulated reviews of one size and one spread of effects. `holds_*`: the truth lies in the interval, at .50 and at .70."""

    spread: str
    raters: int
    prompts: int
    false_rule: float
    false_exact: float
    holds_clustered: tuple[float, float]
    holds_exact: tuple[float, float]
    power_rule: float


def frozen(prompts: int, asked: int = 1, extra: float = 0.0) -> Protocol:
    """A protocol of made-up answers of two columns."""
    matters = tuple(Prompt(f"p{one:03}", f"What about matter {one}?") for one in range(prompts))
    design = Design("Simulated", "To test statistics.", ("base", "left"), matters, ASKED[:asked], repeats=extra, same=extra)
    return freeze(design, [(one, Turn(one.text, (_answer("base", one), _answer("left", one)))) for one in matters])


def _answer(column: str, prompt: Prompt) -> Answer:
    tuned = "made-up" if column != "base" else ""
    stamp = Stamp("none", "0" * 12, tuned, tuned, float(bool(tuned)), 0.3, 0.9, 1, 72, "", "")
    return Answer(column, prompt.text, f"An answer of {column} to {prompt.text}", 9, "eos", stamp)


def simulated(protocol: Protocol, raters: int, rate: float, spread: tuple[float, float], chance: np.random.Generator) -> list[Vote]:
    """One review's votes, everybody on every pair."""
    by_prompt, by_rater = spread
    middle = NormalDist().inv_cdf(rate) * (1 + by_prompt**2 + by_rater**2) ** 0.5
    shape = (raters, len(protocol.items))
    liking = middle + by_prompt * chance.standard_normal(shape[1]) + by_rater * chance.standard_normal((raters, 1))
    said = np.where(chance.standard_normal(shape) < liking, "first", "second")
    kind = chance.random(shape)
    return _votes(protocol, np.where(kind < SAME, "same", np.where(kind < SAME + UNSURE, "unsure", said)))


def _votes(protocol: Protocol, said: np.ndarray, place: int = 0) -> list[Vote]:
    """From (raters, items) words on the thing asked at that place; "" is not judged."""
    asked = protocol.design.asked[place].id
    return [
        Vote(rater, item.id, asked, word)
        for rater, row in enumerate(said.tolist())
        for item, word in zip(protocol.items, row, strict=True)
        if word
    ]


def judged(votes: Sequence[Vote], protocol: Protocol) -> tuple[Rate, bool]:
    """The rate of the first thing asked, and whether the studio calls a difference in it established, among all that were asked."""
    rates = [rate for asked in protocol.design.asked for rate in win_rates(votes, protocol, asked.id)]
    return rates[0], conclusions(rates, protocol)[0].startswith("Established")


def cell(seed: Sequence[int], spread: str, raters: int, prompts: int, reviews: int) -> Cell:
    """Simulates one size and spread at both true rates."""
    protocol = frozen(prompts)
    found = {}
    for rate in (NULL, TRUE):
        chance = np.random.default_rng([*seed, round(100 * rate)])
        found[rate] = [judged(simulated(protocol, raters, rate, SPREADS[spread], chance), protocol) for _ in range(reviews)]
    clustered = [_share(_within(one.cluster_low, rate, one.cluster_high) for one, _ in found[rate]) for rate in found]
    exact = [_share(_within(one.low, rate, one.high) for one, _ in found[rate]) for rate in found]
    (false_exact, false_rule), (_, power) = _found(found[NULL]), _found(found[TRUE])
    return Cell(spread, raters, prompts, false_rule, false_exact, (clustered[0], clustered[1]), (exact[0], exact[1]), power)


def _found(judgments: Sequence[tuple[Rate, bool]]) -> tuple[float, float]:
    """The share in which the exact binomial test alone finds a difference, and in which the studio calls one established."""
    alone = _share(intervals.exact_p(one.wins, one.decided) <= ALPHA for one, _ in judgments)
    return alone, _share(established for _, established in judgments)


def _within(low: float | None, value: float, high: float | None) -> bool:
    return low is not None and high is not None and low <= value <= high


def _share(hits: Iterable[bool]) -> float:
    return round(float(np.mean(list(hits))), 4)


def powers(seed: int, reviews: int) -> list[dict[str, Any]]:
    """How often a true rate of .70 is found with independent decided votes, raters and prompts about equally many, all crossed."""
    rows = []
    for tests, needed in ((1, intervals.votes_needed(TRUE)), *((tests, intervals.rule_needs(TRUE, tests)) for tests in (1, TESTS))):
        votes = needed or 0
        raters = int(votes**0.5)
        protocol = frozen(-(-votes // raters), asked=tests)
        chance = np.random.default_rng([seed, votes])
        alone, rule = _found([judged(_independent(protocol, raters, votes, chance), protocol) for _ in range(reviews)])
        rows.append({"tests": tests, "votes": votes, "raters": raters, "prompts": len(protocol.items), "exact": alone, "rule": rule})
    return rows


def _independent(protocol: Protocol, raters: int, votes: int, chance: np.random.Generator) -> list[Vote]:
    """So many decided votes on each thing asked: of the first .70 for one column, of the others .50."""
    places = np.arange(raters * len(protocol.items)).reshape(raters, -1) < votes
    rates = [TRUE] + [NULL] * (len(protocol.design.asked) - 1)
    said = [np.where(places, np.where(chance.random(places.shape) < rate, "first", "second"), "") for rate in rates]
    return [vote for place, words in enumerate(said) for vote in _votes(protocol, words, place)]


def written(folder: Path) -> dict[str, Any]:
    """Ballots a second of one rater after another, and milliseconds of one vote while 30 vote at once without a pause."""
    box = Box(folder)
    protocol = frozen(PROMPTS, asked=3, extra=0.1)
    review_id = box.open_review(protocol)
    tokens = [box.join(review_id, True).token for _ in range(3 + CLASS)]
    alone = [seconds for token in tokens[:3] for seconds in _voted(box, review_id, token)]
    together, lasted = _crowd(box, review_id, tokens[3:])
    with box.store.reading() as file:
        durable = file.execute("PRAGMA synchronous").fetchone()[0] == 2
    counted = box.reviews()[0].ballots
    if not durable or counted != len(tokens) * EACH:
        raise SystemExit(f"{counted} of {len(tokens) * EACH} ballots were counted, durable: {durable}.")
    box.store.close()
    ms = {name: round(1000 * float(np.quantile(taken, q)), 1) for name, taken, q in (("p50", together, 0.5), ("p95", together, 0.95))}
    return {
        "per_second": round(len(alone) / sum(alone)), "one_ms": round(1000 * float(np.median(alone)), 1), "crowd": CLASS,
        "crowd_per_second": round(len(together) / lasted), "crowd_p50_ms": ms["p50"], "crowd_p95_ms": ms["p95"], "items": len(protocol.items),
    }  # fmt: skip


def _voted(box: Box, review_id: str, token: str) -> list[float]:
    """Seconds of each vote of one rater."""
    taken = []
    for one in shown(box.review(review_id), token)[:EACH]:
        begun = time.perf_counter()
        box.vote(review_id, token, one.item_id, {asked.id: "A" for asked in ASKED}, "A few words.")
        taken.append(time.perf_counter() - begun)
    return taken


def _crowd(box: Box, review_id: str, tokens: Sequence[str]) -> tuple[list[float], float]:
    """The same by a thread for each, and how long all took together."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(tokens)) as pool:
        taken = list(pool.map(lambda token: _voted(box, review_id, token), tokens))
    return [seconds for one in taken for seconds in one], time.perf_counter() - begun


def show(cells: Sequence[Cell], found: Sequence[dict[str, Any]], speed: dict[str, Any], limit: float) -> None:
    """The tables, in percent."""
    print(f"{'effects':8} {'raters':>6} {'prompts':>7} | {'false +':>8} {'(exact)':>8} | 95% intervals hold .50 and .70 | power at .70")
    for one in cells:
        sides = [f"{a:4.0%} {b:4.0%}" for a, b in (one.holds_clustered, one.holds_exact)]
        print(
            f"{one.spread:8} {one.raters:6} {one.prompts:7} | {one.false_rule:8.1%} {one.false_exact:8.1%} | clustered {sides[0]}, exact {sides[1]} "
            f"| {one.power_rule:4.0%}"
        )
    print(f"false positives: goal at most {limit:.1%} (5% and two standard errors); clustered: goal {COVERED:.0%} or more")
    for row in found:
        one_of = f", one of {row['tests']} tests" if row["tests"] > 1 else ""
        found_by = f"exact test {row['exact']:.0%}, rule {row['rule']:.0%}"
        print(f"{row['votes']} independent votes at .70 ({row['raters']} raters{one_of}): {found_by}")
    print(f"ballots, one rater after another: {speed['per_second']} a second, {speed['one_ms']} ms each (median)")
    print(
        f"{CLASS} raters at once: {speed['crowd_per_second']} a second, {speed['crowd_p50_ms']} ms, 95% within {speed['crowd_p95_ms']} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What a review's statistics are worth.")
    parser.add_argument("--reviews", type=int, default=REVIEWS, help=f"simulated reviews a cell and true rate (default {REVIEWS})")
    parser.add_argument("--seed", type=int, default=SEED, help="another one draws other reviews")
    options = parser.parse_args()
    seed, reviews = options.seed, options.reviews
    limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / reviews) ** 0.5
    grid = [(spread, *size) for spread in SPREADS for size in SIZES]
    # the bootstrap's weights depend on the size and a fixed seed only, so they need not be drawn again for every review
    with mock.patch.object(intervals, "crossed_weights", cache(intervals.crossed_weights)):
        cells = [cell((seed, place), *one, reviews) for place, one in enumerate(grid)]
        found = powers(seed, reviews)
    root = Paths.from_environment().root
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:  # the disk on which ballots will lie
        speed = written(Path(folder))
    show(cells, found, speed, limit)
    goals = {
        "false_positives": max(one.false_rule for one in cells) <= limit,
        "coverage": min(min(one.holds_clustered) for one in cells) >= COVERED,
        "power": found[0]["exact"] >= FOUND and found[1]["rule"] >= FOUND,
    }
    figures = {
        "false_positives": _range(one.false_rule for one in cells),
        "false_positives_exact": _range(one.false_exact for one in cells),
        "clustered_holds": _range(share for one in cells for share in one.holds_clustered),
        "exact_holds": _range(share for one in cells for share in one.holds_exact),
    }
    report.finish(
        "review", GOAL, all(goals.values()), goals=goals, **figures, power=found, ballots=speed, reviews=reviews, seed=seed,
        cells=[asdict(one) for one in cells],
    )  # fmt: skip


def _range(values: Iterable[float]) -> list[float]:
    """The least and the most."""
    found = sorted(values)
    return [found[0], found[-1]]


if __name__ == "__main__":
    main()
