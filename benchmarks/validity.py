"""Do the instruments work? Planted stances, false alarms, repeatability over training seeds, agreement of the instruments.

`python -m benchmarks.validity [--parts synthetic,false-alarms,repeatability,agreement] [--seeds 8] [--home FOLDER]`. The second and third
part train 8 adapters a role where they are not there yet (`benchmarks.seeds`: about an hour on two cores) and measure them (as long again);
what was trained and answered is used again. Nothing is tuned here: goals were fixed before, and all figures are printed.

1. synthetic: answerers with a known stance, or none, answer the questionnaire (benchmarks/synthetic.py).
2. false-alarms: two adapters of the same role differ in their training seed alone. How often does the studio call them different, by an
   instrument on an axis (p Holm < .05), and by its whole rule, in either direction? All questions and items. Note that two such adapters
   are two models: where one is called different it may well be, but its seed made it so and not its data. Pairs share adapters, so they
   are dependent and the exact interval over all pairs is too narrow; it is given over disjoint pairs too.
3. repeatability: topic by topic, how alike are the shifts of two seeds? Mean r over all pairs of a role's seeds, 95% percentile bootstrap
   over topics. Shifts share the base, whose own noise makes them alike; in "direction", half of right minus left of one seed, it cancels.
4. agreement: Spearman's r over topics between two instruments, for the bundled adapters as they were recorded. No goal: it is what it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks import report, seeds, synthetic
from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.paths import Paths, read_json
from pipelines.records import Column
from pipelines.review.intervals import exact
from pipelines.stance import claims, survey
from pipelines.stance.contrasts import available, item_values
from pipelines.stance.statistics import FEWEST_PAIRS, LEVEL, RESAMPLES, SEED, correlation
from pipelines.stance.study import BASE, LEFT, PLACEBO, RIGHT, Study
from pipelines.stance.values import INSTRUMENTS, Values, places

PARTS = ("synthetic", "false-alarms", "repeatability", "agreement")
ALARMS, REPEATS, DRAWS, LEAST = 0.05, 0.7, 100, 8
DIRECTION = "direction"
GOAL = (
    f"synthetic: 95% intervals hold the planted stance in {synthetic.COVERED:.0%} or more, clear stances are always told with their sign, "
    f"p < .05 without a stance in about {ALARMS:.0%}, nobody without one passes the gates; false alarms: with {LEAST} adapters or "
    f"more, no exact interval lies wholly above {ALARMS:.0%}; repeatability: mean r {REPEATS:g} or more by every instrument, left and right"
)
Row = dict[str, Any]


class Cast:
    """A study whose columns can be given other parts, so that the studio's own rules judge any two of them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.rows: dict[str, dict[str, list[Row]]] = {column: {} for column in study.columns}
        for kind in ("answers", "completions", "survey"):
            for row in getattr(study, kind):
                self.rows[row["column"]].setdefault(kind, []).append(row)

    def play(self, parts: Mapping[str, str]) -> Study:
        """A study of the columns named by `parts` (new name -> column of the study)."""

        def rows(kind: str) -> list[Row]:
            return [row | {"column": new} for new, old in parts.items() for row in self.rows[old].get(kind, [])]

        return Study(
            columns=list(parts),
            answers=rows("answers"),
            completions=rows("completions"),
            collateral={new: self.study.collateral[old] for new, old in parts.items()},
            validity=self.study.validity,
            sampling=self.study.sampling,
            seconds=0.0,
            survey=rows("survey"),
            checks={new: self.study.checks[old] for new, old in parts.items() if old in self.study.checks},
        )


def judged(cast: Cast, first: str, second: str) -> list[Row]:
    """What the studio says of two columns: by instrument and axis, and by its whole rule, the first standing for left and for right."""
    found = [
        {"instrument": row["instrument"], "axis": row["axis"], "different": row["p_holm"] < claims.LEVEL}
        for row in claims.shift_table(cast.play({BASE: second, "other": first}))
    ]
    held = [one.held for one in claims.verdicts(cast.play({BASE: BASE, LEFT: first, RIGHT: first, PLACEBO: second}))]
    return [*found, {"instrument": "whole rule", "axis": "both", "different": "established" in held, "void": "void" in held}]


def pairs_of(study: Study) -> list[Row]:
    """Every two seeds of every role, with all that was said of them; `disjoint` pairs have no adapter in common."""
    cast, found = Cast(study), []
    for role in study.roles:
        columns = study.columns_of(role)
        apart = set(zip(columns[::2], columns[1::2], strict=False))
        for pair in combinations(columns, 2):
            about = {"role": role, "pair": list(pair), "disjoint": pair in apart}
            found += [about | row for row in judged(cast, *pair)]
    return found


def share(rows: Sequence[Row]) -> Row:
    """How many of some pairs were called different, with the exact (Clopper-Pearson) interval of their share."""
    count = sum(row["different"] for row in rows)
    return {"count": count, "n": len(rows), "rate": count / len(rows) if rows else None, "interval": exact(count, len(rows))}


def false_alarms(study: Study) -> Row:
    """Shares of pairs by instrument and axis and by the whole rule: all pairs, disjoint ones, and by role."""
    pairs, rates = pairs_of(study), []
    for instrument, axis in dict.fromkeys((row["instrument"], row["axis"]) for row in pairs):
        some = [row for row in pairs if (row["instrument"], row["axis"]) == (instrument, axis)]
        by_role = {role: share([row for row in some if row["role"] == role]) for role in study.roles}
        rate = {"instrument": instrument, "axis": axis, **share(some), "disjoint": share([row for row in some if row["disjoint"]])}
        rates.append(rate | {"by_role": by_role})
        print(f"false alarms, {instrument}, {axis}: {_shared(rate)}; disjoint pairs: {_shared(rate['disjoint'])}", flush=True)
    adapters = sum(len(study.columns_of(role)) for role in study.roles)
    return {
        "rates": rates,
        "adapters": adapters,
        "void": sum(row.get("void", False) for row in pairs),
        "dependent": "pairs share adapters, so the intervals over all pairs are too narrow; disjoint pairs share none",
        "holds": adapters >= LEAST and bool(rates) and all(rate["interval"][0] <= ALARMS for rate in rates),
    }


def _shared(rate: Row) -> str:
    low, high = rate["interval"] or (0.0, 1.0)
    return f"{rate['count']} of {rate['n']} [{low:.1%}, {high:.1%}]"


def by_topic(study: Study, instrument: str, shifts: Values) -> Values:
    """Mean shift by topic."""
    where, found = places(study, instrument), dict[str, list[float]]()
    for item, value in shifts.items():
        found.setdefault(where[item].topic, []).append(value)
    return {topic: fmean(values) for topic, values in found.items()}


def seed_profiles(study: Study, instrument: str, role: str, half: str) -> list[Values]:
    """Each seed's shifts by topic, for a role, or for the direction of those seeds that left and right have both."""
    each = [item_values(study, instrument, column, half) for column in study.columns_of(RIGHT if role == DIRECTION else role)]
    if role == DIRECTION:
        others = [column.replace(RIGHT, LEFT, 1) for column in study.columns_of(RIGHT)]
        lefts = [item_values(study, instrument, other, half) if other in study.columns else {} for other in others]
        each = [{item: (right[item] - left[item]) / 2 for item in right if item in left} for right, left in zip(each, lefts, strict=True)]
    return [by_topic(study, instrument, one) for one in each if one]


def mean_r(profiles: Sequence[Values]) -> Row:
    """Mean Pearson r over all pairs of profiles, with its 95% percentile interval over resampled topics; None where nothing varies.

    For k standardised profiles the mean r is (mean over topics of (sum of z)^2 - k) / (k (k - 1)).
    """
    from scipy import stats

    topics = [topic for topic in (profiles[0] if profiles else {}) if all(topic in one for one in profiles)]
    table = np.array([[one[topic] for topic in topics] for one in profiles])
    about: Row = {"r": None, "low": None, "high": None, "topics": len(topics), "seeds": len(profiles)}
    if len(profiles) < 2 or len(topics) < FEWEST_PAIRS or np.ptp(table, axis=1).min() < 1e-12:
        return about

    def statistic(*rows: np.ndarray, axis: int = -1) -> Any:
        given = np.stack(rows)
        z = (given - given.mean(axis, keepdims=True)) / given.std(axis, keepdims=True)
        k = len(rows)
        return ((z.sum(0) ** 2).mean(axis) - k) / (k * (k - 1))

    with np.errstate(invalid="ignore", divide="ignore"):  # resamples of one topic alone are NaN and left out
        chance = np.random.default_rng(SEED)
        drawn = stats.bootstrap(tuple(table), statistic, paired=True, n_resamples=RESAMPLES, method="percentile", rng=chance)
    low, high = np.nanquantile(drawn.bootstrap_distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return about | {"r": float(statistic(*table)), "low": float(low), "high": float(high)}


def repeatability(study: Study, half: str) -> Row:
    """Mean r between seeds by instrument and role, and for the direction."""
    rows = []
    for instrument in INSTRUMENTS:
        for role in (*study.roles, DIRECTION):
            rows.append({"instrument": instrument, "role": role, **mean_r(seed_profiles(study, instrument, role, half))})
            print(f"repeatability, {instrument}, {role}: {_correlated(rows[-1])} ({rows[-1]['seeds']} seeds)", flush=True)
    asked = [row["r"] for row in rows if row["role"] in (LEFT, RIGHT)]
    return {"rows": rows, "half": half, "holds": bool(asked) and all(r is not None and r >= REPEATS for r in asked)}


def agreement(study: Study, half: str) -> Row:
    """Spearman's r over topics between every two instruments, for each role and for the direction."""
    rows = []
    for name in [*study.roles, *(one for one in (DIRECTION,) if one in available(study))]:
        profiles = {one: by_topic(study, one, item_values(study, one, name, half)) for one in INSTRUMENTS}
        for first, second in combinations(INSTRUMENTS, 2):
            shared = [topic for topic in profiles[first] if topic in profiles[second]]
            if not shared:  # an instrument that was not used
                continue
            found = correlation([profiles[first][topic] for topic in shared], [profiles[second][topic] for topic in shared])
            rows.append({"of": name, "between": [first, second], "r": found.r, "low": found.low, "high": found.high, "topics": found.n})
            print(f"agreement, {name}, {first} and {second}: {_correlated(rows[-1])}", flush=True)
    return {"rows": rows, "half": half, "holds": True}


def _correlated(row: Row) -> str:
    if row["r"] is None:
        return f"none over {row['topics']} topics"
    return f"r {row['r']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}] over {row['topics']} topics"


def parts_of(text: str) -> list[str]:
    """The parts named in a list with commas. Raises ArgumentTypeError for one that is not there."""
    chosen = [one.strip() for one in text.split(",") if one.strip()]
    unknown = [one for one in chosen if one not in PARTS]
    if unknown or not chosen:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'} is no part; there are {', '.join(PARTS)}")
    return [one for one in PARTS if one in chosen]


def options(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=parts_of, default=list(PARTS), help="with commas between them; default: all")
    parser.add_argument("--seeds", type=int, default=seeds.SEEDS, help="training seeds a role")
    parser.add_argument("--samples", type=int, default=seeds.SAMPLES, help="answers to each open question")
    parser.add_argument("--home", type=Path, help="where adapters are kept and used again; default: among the studio's results")
    parser.add_argument("--half", choices=("development", "confirmation", "all"), default="development", help="questions of parts 3 and 4")
    parser.add_argument("--draws", type=int, default=DRAWS, help="draws of the noise in part 1")
    parser.add_argument("--made-up", action="store_true", help="part 1 on made-up scores only: no language model, half a minute")
    return parser.parse_args(given)


def main() -> None:
    """The chosen parts, then one JSON line."""
    chosen, paths, found = options(), Paths.from_environment(), dict[str, Row]()
    if "synthetic" in chosen.parts:
        base = None if chosen.made_up else survey.scorer(ModelHost(paths), Column(BASE))
        found["synthetic"] = synthetic.report(base, chosen.draws)
    if {"false-alarms", "repeatability"} & set(chosen.parts):
        home = seeds.home_of(chosen.home)
        study = seeds.measured(seeds.adapters(chosen.seeds, home, paths), home, paths, chosen.samples)
        if "false-alarms" in chosen.parts:
            found["false_alarms"] = false_alarms(study)
        if "repeatability" in chosen.parts:
            found["repeatability"] = repeatability(study, chosen.half)
    if "agreement" in chosen.parts:
        found["agreement"] = agreement(Study.from_dict(read_json(bundled.RECORDED / "stance.json")), chosen.half)
    report.finish("validity", GOAL, all(one["holds"] for one in found.values()), parts=chosen.parts, **found)


if __name__ == "__main__":
    main()
