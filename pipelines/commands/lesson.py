"""`lesson` of the command line: the plans, and the handouts for printing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pipelines.commands.console import out
from pipelines.errors import StudioError
from pipelines.lesson import handout as handouts
from pipelines.lesson.plan import Plan, plan, plans
from pipelines.lesson.translated import languages
from pipelines.paths import Paths

DEFAULT_MINUTES, DEFAULT_READER = 45, "student"


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds both actions and their options; `command` adds one by name, function and help."""
    command("plans", list_plans, "list the plans with their steps and minutes")
    one = command("handout", handout, "write a handout to print, for students or for the teacher")
    one.add_argument("--plan", type=int, default=DEFAULT_MINUTES, metavar="MINUTES", help=f"of a plan (default {DEFAULT_MINUTES})")
    one.add_argument("--for", dest="reader", choices=tuple(handouts.READERS), default=DEFAULT_READER, help=f"default: {DEFAULT_READER}")
    known = [code for _, code in languages()]
    one.add_argument("--language", choices=known, default=known[0], help=f"default: {known[0]}")
    one.add_argument("--output", type=Path, metavar="FILE", help="a .pdf or .html file (default: lesson-MINUTES-READER.pdf here)")


def list_plans(options: argparse.Namespace, paths: Paths) -> None:
    """Prints the plans with their steps and minutes."""
    found = list(plans().values())
    value = [
        {
            "minutes": one.minutes, "name": one.name, "taught": one.taught,
            "steps": [{"id": timed.step.id, "begins": timed.begins, "minutes": timed.minutes} for timed in one.steps],
        }
        for one in found
    ]  # fmt: skip
    out(options, value, "\n".join(map(_line, found)))


def _line(one: Plan) -> str:
    steps = ", ".join(f"{timed.step.name.lower()} {timed.minutes}" for timed in one.steps)
    return f"{one.minutes:3} minutes  {one.name}{f' ({one.remark})' if one.remark else ''}: {steps}"


def handout(options: argparse.Namespace, paths: Paths) -> None:
    """Writes a handout as .pdf or .html, as the file's name ends. Raises StudioError for another ending, plan or reader."""
    chosen = plan(options.plan)
    target: Path = options.output or Path(f"lesson-{chosen.minutes}-{options.reader}.pdf")
    if target.is_dir():
        raise StudioError(f"{target} is a folder, so it can't hold the handout.", "Give a file that ends in .pdf or .html.")
    made = handouts.handout(chosen, options.reader, target.suffix.lower().removeprefix("."), options.language)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(made)
    value = {"output": str(target), "plan": chosen.minutes, "for": options.reader, "bytes": len(made)}
    out(options, value, f"The handout is in {target}.")
