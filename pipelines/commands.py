"""What each command of the command line does: options and paths in, text or one JSON value out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.console import out, progress
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import AXES, Column, Sampling

BASE = "base"


def prepare(options: argparse.Namespace, paths: Paths) -> None:
    """Converts the embedded model once."""
    from pipelines.models import catalog, prepare

    folder = prepare.ensure(catalog.find(LANGUAGE_MODEL.name, paths), paths, progress)
    out(options, {"model": str(folder)}, f"The embedded model is ready in {folder}")


def readme(options: argparse.Namespace, paths: Paths) -> None:
    """Writes the Space's block on top of README.md."""
    from pipelines.export import space

    changed = space.update_readme()
    out(options, {"changed": changed}, "README.md was updated." if changed else "README.md is up to date.")


def doctor(options: argparse.Namespace, paths: Paths) -> int:
    """Prints what was looked at; 1 where something is wrong."""
    from pipelines import health

    rows = health.examine(paths)
    out(options, rows, "\n".join(f"{'ok  ' if row['ok'] else 'BAD '} {row['what']}: {row['found']}" for row in rows))
    return 0 if all(row["ok"] for row in rows) else 1


def tune(options: argparse.Namespace, paths: Paths) -> int:
    """Trains in a process of its own and follows it."""
    from pipelines.corpus import versions
    from pipelines.tuning import runs
    from pipelines.tuning.recipe import Recipe

    if options.resume:
        run = runs.find(options.resume, paths)
    else:
        recipe = Recipe.from_yaml(options.recipe) if options.recipe else Recipe()
        given = {lever.name: getattr(options, lever.name) for lever in fields(Recipe) if getattr(options, lever.name) is not None}
        if "modules" in given:
            given["modules"] = given["modules"].split(",")
        runs.refuse_if_busy(paths)
        run = runs.create(
            versions.load(options.data, paths),
            options.side,
            Recipe.from_dict({**recipe.as_dict(), **given}),
            paths,
            options.base,
            target=options.output,
        )
    process = runs.launch(run, paths)
    _follow(run, process)
    out(
        options,
        {"run": run.id, "folder": str(run.folder), "state": run.state, "message": run.message, **run.metrics},
        f"{run.state}: {run.folder} {run.message}",
    )
    return 0 if run.state in runs.USABLE else 1


def _follow(run: Any, process: Any) -> None:
    """Prints progress until the trainer ends; Ctrl+C asks it to stop and to keep what was learned."""
    seen = 0
    while True:
        try:
            ended = process.poll() is not None
            lines = run.progress()
            for line in lines[seen:]:
                print(_progress_line(line), file=sys.stderr, flush=True)
            seen = len(lines)
            if ended:
                return
            time.sleep(0.5)
        except KeyboardInterrupt:
            print("Stopping after this step; what was learned is kept.", file=sys.stderr)
            run.request_stop()


def _progress_line(line: dict[str, Any]) -> str:
    match line["event"]:
        case "step":
            return f"step {line['step']}/{line['total']}  loss {line['loss']:.3f}  {line['remaining']:.0f} s left"
        case "sample":
            return f"sample at step {line['step']}: {line['text']}"
        case "data":
            return f"{line['rows']} rows, {line['too_long']} too long and left out"
        case _:
            return str(line.get("text", line["event"]))


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
        raise StudioError("There is no question.", "Give one in quotes.")
    host = ModelHost(paths)
    host.load(progress)
    sampling = Sampling(**{lever.name: getattr(options, lever.name) for lever in fields(Sampling)})
    rows = [Row(column, template.ask(options.question), sampling.seed) for column in _columns(options.columns, options.strength, paths)]
    answers = host.answer_all(rows, sampling)
    out(options, [answer.as_dict() for answer in answers], "\n\n".join(f"[{a.column}] {a.text}" for a in answers))


def stance(options: argparse.Namespace, paths: Paths) -> None:
    """Measures columns, or scores texts."""
    from pipelines.stance.embedding import Embedder
    from pipelines.stance.ruler import Ruler

    ruler = Ruler(Embedder(paths))
    if options.action == "score":
        _score(options, ruler)
    else:
        _measure(options, paths, ruler)


def _score(options: argparse.Namespace, ruler: Any) -> None:
    if options.input is None:
        raise StudioError("There is nothing to score.", 'Give --input FILE.jsonl with a {"text": ...} on every line.')
    from pipelines.corpus.sources import open_source

    texts = []
    rows = (row for batch in open_source(str(options.input)).batches() for row in batch)
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get("text"), str):
            raise StudioError(f"Row {number} of {options.input.name} has no text.", 'Every line must look like {"text": "..."}.')
        texts.append(row["text"])
    scores = ruler.score(texts)
    if options.json:
        print(json.dumps(scores))
        return
    for score in scores:
        print(json.dumps({axis: round(score[axis], 4) for axis in AXES}))


def _measure(options: argparse.Namespace, paths: Paths, ruler: Any) -> None:
    from pipelines.models.host import ModelHost
    from pipelines.paths import write_json
    from pipelines.stance import claims, study

    questions = bundled.questions(options.half)
    plan = study.Plan(
        tuple(_columns(options.columns, 1.0, paths)),
        questions[: options.questions or len(questions)],
        bundled.completions(),
        options.samples,
    )
    result = study.run(plan, ModelHost(paths), ruler, progress)
    if options.output:
        write_json(options.output, result.as_dict())
    rows = claims.shift_table(result)
    lines = [
        f"{r['column']:10} {r['instrument']:10} {r['axis']:9} {r['mean']:+.3f} [{r['low']:+.3f}, {r['high']:+.3f}] p={r['p_holm']:.3f} n={r['n']}"
        for r in rows
    ]
    out(
        options, {"shifts": rows, "validity": result.validity, "collateral": result.collateral, "seconds": result.seconds}, "\n".join(lines)
    )


def runs(options: argparse.Namespace, paths: Paths) -> None:
    """Lists runs."""
    from pipelines.tuning import runs

    found = [runs.find(options.id, paths)] if options.id else runs.list_runs(paths)
    rows = [
        {"id": run.id, "title": run.title, "state": run.state, "message": run.message, "folder": str(run.folder), **run.metrics}
        for run in found
    ]
    out(
        options,
        rows,
        "\n".join(f"{row['id']}  {row['state']:11}  {row['title']}  {row['message']}" for row in rows) or "There are no runs yet.",
    )
