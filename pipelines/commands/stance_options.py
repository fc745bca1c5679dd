"""The options of `stance` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.commands import audit, series, stance
from pipelines.paths import Paths

Command = Callable[[str, Callable[[argparse.Namespace, Paths], Any], str], argparse.ArgumentParser]


def add(command: Command) -> None:
    """Adds every action of `stance` with its options."""
    _add_run(command("run", stance.run, "measure columns with all instruments; Ctrl+C keeps what was answered"))
    score = command("score", stance.score, "place any texts with the ruler")
    score.add_argument("--input", type=Path, help='a JSONL file with {"text": ...} a line')
    ruler = command("ruler", stance.ruler, "how far the ruler can be trusted, for one or several embedding models")
    ruler.add_argument("--embedder", action="append", metavar="MODEL", help="a sentence-transformers folder or Hub id; may be given again")
    compare = command("compare", stance.compare, "two studies of other data or other recipes against each other, in numbers and in a plot")
    compare.add_argument("first", type=Path, metavar="FIRST.json", help="a study, or the word recorded")
    compare.add_argument("second", type=Path, metavar="SECOND.json")
    compare.add_argument("--plot", type=Path, metavar="FILE.html", help="write the plot there")
    series.add(command)
    report = command("report", audit.run_command, "write the audit report of a study as one HTML file, and beside it as JSON")
    report.add_argument(
        "--study", type=Path, required=True, metavar="FILE.json", help="as stance run --output wrote it, or the word recorded"
    )
    report.add_argument("--output", type=Path, metavar="FILE.html", help="default: report.html here")
    report.add_argument("--review", metavar="ID", help="add the results of a human review")


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--columns", metavar="A,B", help=f"such as base,left,run:ID (default: {stance.USUAL_COLUMNS})")
    run.add_argument("--group", metavar="ID", help="all runs of a group, with its roles and seeds")
    run.add_argument("--profile", choices=("quick", "full", "robust"), default="full", help="how much is asked (default: full)")
    run.add_argument("--half", choices=("all", "development", "confirmation"), default="all", help="which open questions")
    run.add_argument("--items", type=Path, metavar="FILE.csv", help="your own statements: text, opposite, axis, key, topic")
    run.add_argument("--generated", action="store_true", help="also let every statement be answered in words, 0 to 3")
    run.add_argument("--fresh", action="store_true", help="ask everything anew instead of reading what was kept")
    run.add_argument("--output", type=Path, metavar="FILE.json", help="write the whole study there")
