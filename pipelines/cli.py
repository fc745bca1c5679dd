"""The same work without a browser: prepare, curate, tune, ask, stance, runs, doctor. Each takes --json."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipelines import commands, data_commands
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import Sampling


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
    except OSError as error:
        print(
            f"{error.filename or 'A file'} can't be used ({error.strerror or error}). Check the path, its rights and the room on the disk.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description="PoliTune Studio without a browser.")
    names = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace, Paths], Any], help_text: str) -> argparse.ArgumentParser:
        made = names.add_parser(name, help=help_text, description=help_text)
        made.add_argument("--json", action="store_true", help="print one JSON value instead of text")
        made.set_defaults(run=run)
        return made

    command("prepare", commands.prepare, "convert the embedded model once")
    command("readme", commands.readme, "write the Space's block on top of README.md from spaces.yaml")
    command("doctor", commands.doctor, "show where models come from and whether their weights are the recorded ones")
    _add_data(command)
    _add_tune(command("tune", commands.tune, "train an adapter; Ctrl+C keeps what was learned"))
    ask = command("ask", commands.ask, "ask the base and adapters one question, side by side")
    ask.add_argument("question")
    ask.add_argument(
        "--columns", default="base,left,right,placebo", help="comma-separated: base, a bundled side, a run id or an adapter folder"
    )
    ask.add_argument("--strength", type=float, default=1.0, help="0 is the base, 1 the adapter as trained")
    for lever in fields(Sampling):
        ask.add_argument(f"--{lever.name.replace('_', '-')}", type=type(lever.default), default=lever.default, help=lever.metadata["hint"])
    _add_stance(command)
    runs = command("runs", commands.runs, "list the runs, or show one")
    runs.add_argument("id", nargs="?")
    return parser


def _add_data(command: Any) -> None:
    curate = command("curate", data_commands.curate, "open data, apply curation steps and save a version")
    curate.add_argument(
        "--input", help="a file, a folder in the Hub's format, a Hub id, a saved version, bundled, bundled-posts or bundled-confounded"
    )
    curate.add_argument("--config", default="", help="configuration of a Hub data set")
    curate.add_argument("--split", default="train")
    curate.add_argument("--revision", default="", help="revision of a Hub data set")
    curate.add_argument("--steps", default="clean", help="clean, score, pairs, or a list of steps such as normalize,mask,exact")
    curate.add_argument(
        "--set", action="append", metavar="STEP.SETTING=VALUE", help="a step's setting, for example select.count=100; may be repeated"
    )
    curate.add_argument("--engine", choices=("local", "ray"), default="local", help="ray spreads the per-row steps over a Ray cluster")
    curate.add_argument("--endpoint", help="address of an OpenAI-compatible server, for annotate.annotator=endpoint and synthesize")
    curate.add_argument("--model", help="the model's name there; the key comes from STUDIO_ENDPOINT_KEY")
    curate.add_argument("--resume", metavar="DRAFT", help="go on with a draft that was stopped")
    curate.add_argument("--name", help="name of the version")
    curate.add_argument("--output", type=Path, help="folder to write (default: a version below STUDIO_HOME/datasets)")
    check = command("check", data_commands.check, "show the checks before training; exit code 1 where one is red")
    check.add_argument("--data", default="bundled", help="bundled, or the name of a saved version")
    diff = command("diff", data_commands.diff, "show what differs between two versions")
    diff.add_argument("first")
    diff.add_argument("second")
    push = command("push", data_commands.push, "send a version to the Hub, private by default")
    push.add_argument("data", help="the name of a saved version")
    push.add_argument("repository", help="owner/name")
    push.add_argument("--public", action="store_true")
    push.add_argument("--dry-run", action="store_true", help="only say what would be sent")


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


def _add_stance(command: Any) -> None:
    stance = command("stance", commands.stance, "measure where answers land; `score` places any texts with the ruler")
    stance.add_argument("action", nargs="?", choices=("measure", "score"), default="measure")
    stance.add_argument("--input", type=Path, help='score: a JSONL file with {"text": ...} a line')
    stance.add_argument("--columns", default="base,left,right,placebo")
    stance.add_argument("--half", choices=("all", "development", "confirmation"), default="all")
    stance.add_argument("--samples", type=int, default=3)
    stance.add_argument("--questions", type=int, default=0, help="only the first N questions; 0 means all")
    stance.add_argument("--output", type=Path, help="write the whole study as JSON")
