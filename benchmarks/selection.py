"""Does it matter which posts are selected? Two selections, five training seeds each, judged by paired completion.

`python -m benchmarks.selection`, about ten minutes on two cores; ended early, it goes on where it was. Everything but
the selection is the same: the pool (bundled posts, default steps, those that can be paired offline), number of rows,
recipe and steps. A random selection is drawn anew for each seed. Judged by paired completion, not by the ruler that
scored the posts. The unit is the training seed; the one primary outcome, fixed beforehand, is the shift from the base
towards the selected side, averaged over both axes; Welch's t interval of the difference between the selections.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.tuned import finished
from pipelines import bundled
from pipelines.corpus import engine, shards
from pipelines.corpus.picked import compare
from pipelines.corpus.selection import COLUMNS, STRATEGIES, WITH_VECTORS, Candidates, choose
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.steps import registry
from pipelines.corpus.versions import Dataset
from pipelines.models.host import ModelHost
from pipelines.paths import Paths, content_hash, file_hash, read_json, write_json
from pipelines.records import AXES, Column
from pipelines.stance.completion import completion_scores
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run

GOAL = "the difference between the two selections with its interval from at least 5 training seeds each, said whatever it is"
POSTS = bundled.DATA / "posts.jsonl"
SEEDS = 5
NEVER = 10_000
MATCHING = {"ratio": 10.0}  # supervised tuning never reads the opposite post, so its length need not fit
DEFAULT_STEPS = (*registry.CLEANING["posts"], *registry.SCORING)


@dataclass(frozen=True)
class Plan:
    """What is the same for all trainings."""

    posts: Path
    side: str
    rows: int
    steps: int

    def recipe(self, seed: int) -> Recipe:
        """The classroom recipe with fewer steps; nothing is sampled or checkpointed on the way."""
        return Recipe(
            max_steps=self.steps, warmup_steps=min(3, self.steps - 1), sample_every=NEVER, sample_tokens=1, save_every=NEVER, seed=seed
        )

    def folder(self, paths: Paths) -> Path:
        """Named by the hash of all that a result depends on, so that other settings never mix with it."""
        steps = [[key, engine.settings(registry.make(key))] for key in DEFAULT_STEPS]
        facts = [
            file_hash(self.posts),
            self.side,
            self.rows,
            self.recipe(0).as_dict(),
            steps,
            MATCHING,
            sorted(bundled.checksums().items()),
        ]
        return paths.results / f"selection-{content_hash(facts)[:10]}"


def curate(plan: Plan, folder: Path, tools: engine.Tools) -> Shards:
    """The posts after the default steps; each step's result lies in a folder of its own and is not computed twice."""
    source = folder / "posts" / "00-source"
    source.mkdir(parents=True, exist_ok=True)
    rows = [{"id": row.get("id") or f"post-{n}", "text": row["text"]} for n, row in enumerate(bundled.json_lines(plan.posts), 1)]
    shards.write(shards.path_of(source, "kept", 0), rows)
    current = Shards(source)
    for number, key in enumerate(DEFAULT_STEPS, 1):
        target = folder / "posts" / f"{number:02d}-{key}"
        result = engine.run(registry.make(key), current, target, tools)
        print(f"{key}: {result.before} -> {result.after} {result.reasons or ''}", flush=True)
        current = Shards(target)
    return current


def pool(plan: Plan, folder: Path, tools: engine.Tools) -> tuple[Candidates, list[Row]]:
    """The posts of the side that can be paired, and their pairs in the same order.

    Pairs are made before anything is selected: so both selections choose from the same pairs and have equally many.
    """
    posts = curate(plan, folder, tools)
    target = folder / "posts" / "99-match"
    engine.run(registry.make("match", {"towards": plan.side, **MATCHING}), posts, target, tools)
    pairs = {row["chosen_from"]: row for row in Shards(target).rows()}
    rows = [row for row in posts.rows(COLUMNS) if row["id"] in pairs]
    if len(rows) < plan.rows:
        raise SystemExit(f"Only {len(rows)} posts on the {plan.side} can be paired; {plan.rows} are wanted (--rows).")
    return Candidates.from_batches([rows]), [pairs[row["id"]] for row in rows]


def train(plan: Plan, arm: str, seed: int, rows: list[Row], folder: Path, paths: Paths) -> Run:
    """One adapter; one that was interrupted goes on."""
    plain = tuple({name: row[name] for name in ("id", "topic", "prompt", "chosen", "rejected")} for row in rows)
    dataset = Dataset(f"selection-{arm}", "pairs", plain)
    return finished(Run(folder / f"run-{arm}-{seed}"), dataset, "chosen", plan.recipe(seed), paths)


def judge(host: ModelHost, run: Run, side: str, base: list[float]) -> dict[str, float]:
    """Mean shift from the base by axis, nats a token, positive towards the side."""
    scores = completion_scores(host, Column(run.id, run.adapter), bundled.completions())
    sign = 1 if side == "right" else -1
    moved: dict[str, list[float]] = {axis: [] for axis in AXES}
    for completion, score, before in zip(bundled.completions(), scores, base, strict=True):
        moved[completion.axis].append(sign * (score - before))
    return {axis: float(np.mean(values)) for axis, values in moved.items()}


def one(plan: Plan, arm: str, seed: int, found: tuple[Candidates, list[Row]], folder: Path, host: ModelHost) -> dict[str, Any]:
    """Selects, trains and judges one arm with one seed; a result that is there already is only read."""
    file = folder / f"{arm}-{seed}.json"
    if file.is_file():
        return read_json(file)
    candidates, pairs = found
    picks = choose(candidates, arm, plan.side, plan.rows, seed)
    run = train(plan, arm, seed, [pairs[n] for n in picks], folder, host.paths)
    axes = judge(host, run, plan.side, _base(host, folder))
    metrics = {name: run.metrics[name] for name in ("rows", "rows_too_long", "steps", "seconds", "last_loss")}
    about = {
        "arm": arm,
        "seed": seed,
        **axes,
        "both": float(np.mean(list(axes.values()))),
        **metrics,
        "picked": [candidates.ids[n] for n in picks],
    }
    write_json(file, about)
    return about


def _base(host: ModelHost, folder: Path) -> list[float]:
    file = folder / "base.json"
    if not file.is_file():
        write_json(file, completion_scores(host, Column("base"), bundled.completions()))
    return read_json(file)


def difference(results: list[dict[str, Any]], first: str, second: str, outcome: str) -> dict[str, Any]:
    """Mean of the second arm minus the first over training seeds, 95% Welch t interval and p (SciPy); None with one run an arm."""
    from scipy import stats

    a, b = ([one[outcome] for one in results if one["arm"] == arm] for arm in (first, second))
    about: dict[str, Any] = {"mean": float(np.mean(b) - np.mean(a)), "low": None, "high": None, "p": None, "seeds": [len(a), len(b)]}
    if min(len(a), len(b)) > 1:
        test = stats.ttest_ind(b, a, equal_var=False)
        interval = test.confidence_interval(0.95)
        about.update(low=float(interval.low), high=float(interval.high), p=float(test.pvalue))
    return about


def describe(plan: Plan, arms: list[str], found: tuple[Candidates, list[Row]]) -> dict[str, Any]:
    """What the arms' selections are like (first seed), and the share of their posts that our own labels put on the side."""
    candidates, _ = found
    own = {row.get("id"): row.get("label") for row in bundled.json_lines(plan.posts)}
    picks = {arm: choose(candidates, arm, plan.side, plan.rows, 1) for arm in arms}
    compared, about = compare(candidates, picks), {}
    for arm, picked in compared.picks.items():
        right = float(np.mean([own.get(candidates.ids[n]) == plan.side for n in picks[arm]]))
        shared = compared.overlap[arms[0], arm].shared
        about[arm] = {
            "strength": picked.strength,
            "topics": picked.covered,
            "words": picked.words,
            "own_label_agrees": right,
            "shared_with_first": shared,
        }
        print(f"{arm}: {picked.rows} of {len(candidates)} posts that can be paired: {about[arm]}", flush=True)
    return about


def summary(results: list[dict[str, Any]], arms: list[str]) -> dict[str, Any]:
    """Each arm's mean shift, and each other arm's difference from the first: primary over both axes, secondary by axis."""
    means = {arm: {name: float(np.mean([r[name] for r in results if r["arm"] == arm])) for name in ("both", *AXES)} for arm in arms}
    primary = {f"{arm}_minus_{arms[0]}": difference(results, arms[0], arm, "both") for arm in arms[1:]}
    by_axis = {f"{arm}_minus_{arms[0]}": {axis: difference(results, arms[0], arm, axis) for axis in AXES} for arm in arms[1:]}
    return {"arms": means, "difference": primary, "by_axis": by_axis}


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usable = [name for name in STRATEGIES if name not in WITH_VECTORS]
    parser.add_argument(
        "--arms", nargs="+", choices=usable, default=["random", "extreme"], help="the first is what the others are compared with"
    )
    parser.add_argument("--side", choices=("left", "right"), default="right")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="training seeds an arm")
    parser.add_argument("--rows", type=int, default=24, help="posts in a selection")
    parser.add_argument("--steps", type=int, default=20, help="training steps of 8 rows")
    parser.add_argument("--posts", type=Path, default=POSTS, help="a JSONL file of posts")
    parser.add_argument("--only-pool", action="store_true", help="curate and describe the selections; train nothing")
    return parser.parse_args()


def main() -> None:
    """All arms and seeds, then one JSON line."""
    chosen = options()
    plan, paths = Plan(chosen.posts, chosen.side, chosen.rows, chosen.steps), Paths.from_environment()
    folder = plan.folder(paths)
    found = pool(plan, folder, engine.Tools(paths, ruler=Ruler(Embedder(paths))))
    selections = describe(plan, chosen.arms, found)
    if chosen.only_pool:
        return
    host, results = ModelHost(paths), []
    for seed in range(1, chosen.seeds + 1):
        for arm in chosen.arms:
            result = one(plan, arm, seed, found, folder, host)
            results.append(result)
            count = f"{len(results)}/{chosen.seeds * len(chosen.arms)}"
            print(
                f"[{count}] {arm}, seed {seed}: towards the {plan.side} {result['both']:+.3f} nats a token ({result['seconds']} s)",
                flush=True,
            )
    figures = summary(results, chosen.arms)
    if chosen.seeds < 2:
        print("One run, no evidence about selection.")
    write_json(folder / "summary.json", figures)
    enough = all(
        min(d["seeds"]) >= SEEDS and d["low"] is not None and np.isfinite([d["low"], d["high"]]).all()
        for d in figures["difference"].values()
    )
    report.finish("selection", GOAL, enough, **figures, selections=selections, side=plan.side, rows=plan.rows, steps=plan.steps)


if __name__ == "__main__":
    main()
