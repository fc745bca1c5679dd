"""`stance dose` and `stance course` of the command line: one adapter at several strengths, one run at its kept steps."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.compare import INTERRUPTED, interruptible
from pipelines.commands.console import out, progress
from pipelines.paths import Paths, write_json

if TYPE_CHECKING:
    from pipelines.comparing.series import Wanted
    from pipelines.stance.series_points import Point, Series

Command = Callable[[str, Callable[[argparse.Namespace, Paths], Any], str], argparse.ArgumentParser]
USUAL_STRENGTHS = "0,0.25,0.5,0.75,1,1.25,1.5,2"


def add(command: Command) -> None:
    """Adds both actions with their options. `--run` is kept as `run_id`, since `run` is what carries a command out."""
    one = command("dose", dose, "how far an adapter moves answers at several strengths, and where its language breaks")
    one.add_argument("--column", default="left", metavar="KEY", help="such as left, run:ID or adapter:NAME (default: left)")
    one.add_argument("--strengths", default=USUAL_STRENGTHS, metavar="A,B", help=f"default: {USUAL_STRENGTHS}")
    other = command("course", course, "how far a run had moved answers at every step that it kept")
    other.add_argument("--run", dest="run_id", required=True, metavar="RUN", help="the id of a run")
    for each in (one, other):
        each.add_argument("--no-placebo", action="store_true", help="leave out the placebo that belongs to it")
        each.add_argument("--questionnaire", action="store_true", help="ask the questionnaire too, which takes longer")
        each.add_argument("--output", type=Path, metavar="FILE.json", help="also write the whole series there")


def dose(options: argparse.Namespace, paths: Paths) -> int:
    """Measures by strength; 130 where Ctrl+C stopped it, which keeps the points that were measured."""
    from pipelines.comparing.series import Wanted
    from pipelines.stance.series import parsed

    return _run(options, paths, Wanted(options.column, False, parsed(options.strengths), not options.no_placebo, options.questionnaire))


def course(options: argparse.Namespace, paths: Paths) -> int:
    """Measures by step; 130 where Ctrl+C stopped it, which keeps the points that were measured."""
    from pipelines.comparing.series import RUN, Wanted

    key = RUN + options.run_id.removeprefix(RUN)
    return _run(options, paths, Wanted(key, True, (), not options.no_placebo, options.questionnaire))


def _run(options: argparse.Namespace, paths: Paths, wanted: Wanted) -> int:
    from pipelines.comparing.columns import catalog
    from pipelines.comparing.fitting import loaded
    from pipelines.comparing.series import plan_of
    from pipelines.models.host import ModelHost
    from pipelines.stance import series
    from pipelines.stance.kept import Kept
    from pipelines.stance.series_file import keep

    host = ModelHost(paths)
    plan = plan_of(catalog(paths, loaded(host)), wanted, paths)
    with interruptible() as stop:
        found = series.measure(host, plan, progress, stop, Kept(paths.measured))
    found.notes["computed"] = datetime.now().isoformat(" ", "minutes")
    kept = keep(found, paths)
    print(f"Kept as {kept}", file=sys.stderr, flush=True)
    if options.output:
        write_json(options.output, found.as_dict())
    out(options, summary(found), "\n".join(lines(found)))
    return INTERRUPTED if "stopped" in found.notes else 0


def summary(found: Series) -> dict[str, Any]:
    """The series with its usable range and best trade-off, as one JSON value."""
    from pipelines.stance.series_points import best, rule, sentences, usable_reach

    top = best(found).point
    return {
        **found.as_dict(),
        "usable": list(usable_reach(found)),
        "best": top.x if top else None,
        "rule": rule(found),
        "sentences": sentences(found),
    }


def lines(found: Series) -> list[str]:
    """One line a point and instrument, then what the series says."""
    from pipelines.stance.series_points import sentences

    named = [(found.of, point) for point in found.points] + [("placebo", point) for point in found.placebo]
    return [line for name, point in named for line in _lines(name, point, found.kind)] + sentences(found)


def _lines(name: str, point: Point, kind: str) -> list[str]:
    damage = f"perplexity x{point.perplexity_ratio:.2f} facts lost {len(point.facts_lost)}{'' if point.usable else '  UNUSABLE'}"
    return [
        f"{name:10} {kind} {point.x:<5g} {instrument:10} {axis:9} {one['mean']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}] n={one['n']}  {damage}"
        for instrument, axes in point.shifts.items()
        for axis, one in axes.items()
    ]
