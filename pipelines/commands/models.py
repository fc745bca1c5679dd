"""What each command of the command line does: options and paths in, text or one JSON value out."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from pipelines import bundled
from pipelines.commands.console import out, progress
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import Column, Sampling

BASE = "base"


def prepare(options: argparse.Namespace, paths: Paths) -> None:
    """Converts the embedded model once."""
    from pipelines.models import catalog, prepare

    folder = prepare.ensure(catalog.find(LANGUAGE_MODEL.name, paths), paths, progress)
    out(options, {"model": str(folder)}, f"The embedded model is ready in {folder}")


def readme(options: argparse.Namespace, paths: Paths) -> None:
    """Writes the Space's block on top of README.md."""
    from pipelines.deploying import readme as space

    changed = space.update_readme()
    out(options, {"changed": changed}, "README.md was updated." if changed else "README.md is up to date.")


def doctor(options: argparse.Namespace, paths: Paths) -> int:
    """Prints what was looked at, with --repair after mending it; 1 where something is (still) wrong."""
    from pipelines import health

    done = health.repair(paths) if options.repair else []
    rows = health.examine(paths)
    lines = [f"{'ok  ' if row['ok'] else 'BAD '} {row['what']}: {row['found']}" + _remedy(row["repair"]) for row in rows]
    out(options, {"repaired": done, "rows": rows} if options.repair else rows, "\n".join([*(f"done {one}" for one in done), *lines]))
    return 0 if all(row["ok"] for row in rows) else 1


def _remedy(repair: str) -> str:
    return f"\n     --repair {repair}" if repair else ""


def _columns(names: str, strength: float, paths: Paths) -> list[Column]:
    from pipelines.tuning import runs

    columns = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name == BASE:
            columns.append(Column(BASE))
        elif name in bundled.BUNDLED_SIDES:
            columns.append(Column(name, bundled.ADAPTERS / name, strength))
        elif Path(name).is_dir():
            columns.append(Column(Path(name).name, Path(name), strength))
        else:
            columns.append(Column(name, runs.find(name, paths).folder, strength))
    return columns


def ask(options: argparse.Namespace, paths: Paths) -> None:
    """Answers of all columns to one question."""
    from pipelines.models import template
    from pipelines.models.host import ModelHost, Row

    if not options.question.strip():
        raise StudioError("The question is empty.", "Give one in quotes.")
    host = ModelHost(paths)
    host.load(progress)
    sampling = Sampling(**{lever.name: getattr(options, lever.name) for lever in fields(Sampling)})
    rows = [Row(column, template.ask(options.question), sampling.seed) for column in _columns(options.columns, options.strength, paths)]
    answers = host.answer_all(rows, sampling)
    out(options, [answer.as_dict() for answer in answers], "\n\n".join(f"[{a.column}] {a.text}" for a in answers))
