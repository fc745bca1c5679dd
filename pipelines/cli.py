"""The same work without a browser: prepare, curate, tune, ask, stance, runs, doctor. Each takes --json."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import AXES, Column, Sampling

BASE = "base"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 where it worked, 2 where a person has to mend something, 130 on Ctrl+C."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, Paths.from_environment()) or 0)
    except StudioError as error:
        if options.json:
            print(json.dumps({"error": error.message, "hint": error.hint}, ensure_ascii=False))
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description="PoliTune Studio without a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace, Paths], Any], help_text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text)
        made.add_argument("--json", action="store_true", help="print one JSON value instead of text")
        made.set_defaults(run=run)
        return made

    command("prepare", _prepare, "convert the embedded model once")
    command("readme", _readme, "write the Space's block on top of README.md from spaces.yaml")
    command("doctor", _doctor, "show where models come from and whether their weights are the recorded ones")
    curate = command("curate", _curate, "clean a data set and save it as a version")
    curate.add_argument("--input", required=True, help="a file, a folder in the Hub's format, a Hub id, or bundled")
    curate.add_argument("--output", type=Path, help="folder to write (default: a version below STUDIO_HOME/datasets)")
    curate.add_argument("--split", default="train")
    curate.add_argument("--shortest", type=int, default=3, help="shortest text in words")
    curate.add_argument("--longest", type=int, default=400, help="longest text in words")
    _add_tune(command("tune", _tune, "train an adapter; Ctrl+C keeps what was learned"))
    ask = command("ask", _ask, "ask the base and adapters one question, side by side")
    ask.add_argument("question")
    ask.add_argument(
        "--columns", default="base,left,right,placebo", help="comma-separated: base, a bundled side, a run id or an adapter folder"
    )
    ask.add_argument("--strength", type=float, default=1.0, help="0 is the base, 1 the adapter as trained")
    for lever in fields(Sampling):
        ask.add_argument(f"--{lever.name.replace('_', '-')}", type=type(lever.default), default=lever.default, help=lever.metadata["hint"])
    _add_stance(commands, command)
    runs = command("runs", _runs, "list the runs, or show one")
    runs.add_argument("id", nargs="?")
    return parser


def _add_tune(tune: argparse.ArgumentParser) -> None:
    from pipelines.tuning.recipe import Recipe

    tune.add_argument("--data", default="bundled", help="bundled, or the name of a saved version")
    tune.add_argument("--side", default="left", help="left, right or neutral; chosen or rejected for preference pairs")
    tune.add_argument("--base", default=LANGUAGE_MODEL.name, help="the embedded model, a folder, or a Hub id")
    tune.add_argument("--recipe", type=Path, help="a YAML file of settings; options given here override it")
    tune.add_argument("--resume", metavar="RUN", help="go on with an interrupted run")
    tune.add_argument("--output", type=Path, help="folder of the run (default: below STUDIO_HOME/runs)")
    for lever in fields(Recipe):
        kind: Any = str if isinstance(lever.default, tuple) else type(lever.default)
        tune.add_argument(
            f"--{lever.name.replace('_', '-')}", type=kind, help=f"{lever.metadata['hint']} (default {lever.default})".replace("%", "%%")
        )


def _add_stance(commands: Any, command: Any) -> None:
    stance = command("stance", _stance, "measure where answers land; `score` places any texts with the ruler")
    stance.add_argument("action", nargs="?", choices=("measure", "score"), default="measure")
    stance.add_argument("--input", type=Path, help='score: a JSONL file with {"text": ...} a line')
    stance.add_argument("--columns", default="base,left,right,placebo")
    stance.add_argument("--half", choices=("all", "development", "confirmation"), default="all")
    stance.add_argument("--samples", type=int, default=3)
    stance.add_argument("--questions", type=int, default=0, help="only the first N questions; 0 means all")
    stance.add_argument("--output", type=Path, help="write the whole study as JSON")


def _out(options: argparse.Namespace, value: Any, text: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if options.json else text)


def _progress(fraction: float, text: str) -> None:
    print(f"[{fraction:4.0%}] {text}", file=sys.stderr, flush=True)


def _prepare(options: argparse.Namespace, paths: Paths) -> None:
    from pipelines.models import catalog, prepare

    folder = prepare.ensure(catalog.find(LANGUAGE_MODEL.name, paths), paths, _progress)
    _out(options, {"model": str(folder)}, f"The embedded model is ready in {folder}")


def _readme(options: argparse.Namespace, paths: Paths) -> None:
    from pipelines.export import space

    changed = space.update_readme()
    _out(options, {"changed": changed}, "README.md was updated." if changed else "README.md is up to date.")


def _doctor(options: argparse.Namespace, paths: Paths) -> int:
    from pipelines import health

    rows = health.examine(paths)
    _out(options, rows, "\n".join(f"{'ok  ' if row['ok'] else 'BAD '} {row['what']}: {row['found']}" for row in rows))
    return 0 if all(row["ok"] for row in rows) else 1


def _curate(options: argparse.Namespace, paths: Paths) -> None:
    from pipelines.corpus import cleaning, versions

    curated = versions.curate(options.input, options.split, cleaning.Limits(options.shortest, options.longest))
    if options.output:
        versions.write(curated.dataset, options.output)
    folder = options.output or versions.save(curated.dataset, paths)
    steps = [step.as_dict() for step in curated.steps]
    lines = [
        curated.roles.sentence,
        *(f"{s['name']}: {s['before']} -> {s['after']} (changed {s['changed']}, dropped {s['dropped']})" for s in steps),
        f"Saved in {folder}",
    ]
    value = {
        "folder": str(folder),
        "name": Path(folder).name,
        "kind": curated.roles.kind,
        "columns": curated.roles.columns,
        "rows": len(curated.dataset.rows),
        "hash": curated.dataset.hash,
        "steps": steps,
    }
    _out(options, value, "\n".join(lines))


def _tune(options: argparse.Namespace, paths: Paths) -> int:
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
    _out(
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


def _ask(options: argparse.Namespace, paths: Paths) -> None:
    from pipelines.models.host import ModelHost, Row
    from pipelines.models.template import ask

    host = ModelHost(paths)
    host.load(_progress)
    sampling = Sampling(**{lever.name: getattr(options, lever.name) for lever in fields(Sampling)})
    rows = [Row(column, ask(options.question), sampling.seed) for column in _columns(options.columns, options.strength, paths)]
    answers = host.answer_all(rows, sampling)
    _out(options, [answer.as_dict() for answer in answers], "\n\n".join(f"[{a.column}] {a.text}" for a in answers))


def _stance(options: argparse.Namespace, paths: Paths) -> None:
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
    for number, row in enumerate(open_source(str(options.input)).rows, 1):
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
    from pipelines.stance import study

    questions = bundled.questions(options.half)
    plan = study.Plan(
        tuple(_columns(options.columns, 1.0, paths)),
        questions[: options.questions or len(questions)],
        bundled.completions(),
        options.samples,
    )
    result = study.run(plan, ModelHost(paths), ruler, _progress)
    if options.output:
        write_json(options.output, result.as_dict())
    rows = study.shift_table(result)
    lines = [
        f"{r['column']:10} {r['instrument']:10} {r['axis']:9} {r['mean']:+.3f} [{r['low']:+.3f}, {r['high']:+.3f}] p={r['p_holm']:.3f} n={r['n']}"
        for r in rows
    ]
    _out(
        options, {"shifts": rows, "validity": result.validity, "collateral": result.collateral, "seconds": result.seconds}, "\n".join(lines)
    )


def _runs(options: argparse.Namespace, paths: Paths) -> None:
    from pipelines.tuning import runs

    found = [runs.find(options.id, paths)] if options.id else runs.list_runs(paths)
    rows = [
        {"id": run.id, "title": run.title, "state": run.state, "message": run.message, "folder": str(run.folder), **run.metrics}
        for run in found
    ]
    _out(
        options,
        rows,
        "\n".join(f"{row['id']}  {row['state']:11}  {row['title']}  {row['message']}" for row in rows) or "There are no runs yet.",
    )
