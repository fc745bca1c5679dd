"""The same work without a browser: prepare, curate, tune, runs, adapters, ask, compare, stance, review, lesson, deploy,
doctor, backup, restore.
Each takes --json."""

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

from pipelines.commands import adapters as adapter_commands
from pipelines.commands import compare as compare_commands
from pipelines.commands import data as data_commands
from pipelines.commands import deploy as deploy_commands
from pipelines.commands import keeping, stance_options
from pipelines.commands import lesson as lesson_commands
from pipelines.commands import models as commands
from pipelines.commands import orders as tuning_orders
from pipelines.commands import review as review_commands
from pipelines.commands import runs as run_commands
from pipelines.commands import tune as tuning_commands
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.records import Sampling
from pipelines.tuning import presets
from pipelines.tuning.groups import MAX_SEEDS
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.remote.plan import JobOptions
from pipelines.tuning.training.processes import is_main

Command = Callable[[str, Callable[[argparse.Namespace, Paths], Any], str], argparse.ArgumentParser]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 where it worked, 1 where what it looked at is bad or a run failed, 2 where a person has to mend something,
    130 on Ctrl+C."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options, Paths.from_environment()) or 0)
    except StudioError as error:
        return _refused(options, error.message, error.hint)
    except OSError as error:
        what = f"{error.filename or 'A file'} can't be used ({error.strerror or error})."
        return _refused(options, what, "Check the path, its rights and the room on the disk.")
    except KeyboardInterrupt:
        return 130


def _refused(options: argparse.Namespace, what: str, hint: str) -> int:
    """Says what is wrong; of several processes only the first one writes to standard output."""
    if options.json and is_main():
        print(json.dumps({"error": what, "hint": hint}, ensure_ascii=False))
    print(f"{what} {hint}".strip(), file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    made = argparse.ArgumentParser(prog="python -m pipelines", description="PoliTune Studio without a browser.")
    names = made.add_subparsers(required=True, metavar="COMMAND")
    command = _adder(names)
    command("prepare", commands.prepare, "convert the embedded model once")
    command("readme", commands.readme, "write the Space's block on top of README.md from spaces.yaml")
    deploy_commands.options(
        command("deploy", deploy_commands.deploy, "make or update a Hugging Face Space; --dry-run prints all and sends nothing")
    )
    _add_keeping(command)
    _add_data(command)
    _add_tune(command("tune", tuning_commands.tune, "train an adapter, or one for each side; Ctrl+C keeps what was learned"))
    ask = command("ask", commands.ask, "ask the base and adapters one question, side by side")
    ask.add_argument("question")
    ask.add_argument(
        "--columns", default="base,left,right,placebo", help="comma-separated: base, a bundled side, a run id or an adapter folder"
    )
    ask.add_argument("--strength", type=float, default=1.0, help="0 is the base, 1 the adapter as trained")
    for lever in fields(Sampling):
        ask.add_argument(f"--{lever.name.replace('_', '-')}", type=type(lever.default), default=lever.default, help=lever.metadata["hint"])
    _add_compare(command("compare", compare_commands.compare, "ask a whole prompt set of several columns; Ctrl+C keeps what was answered"))
    stance = names.add_parser("stance", help="measure where answers land: run, score, ruler, compare, dose, course, report")
    stance_options.add(_adder(stance.add_subparsers(required=True, metavar="ACTION")))
    review = names.add_parser("review", help="human reviews: list, show and close them, write reports, delete what is over")
    _add_review(_adder(review.add_subparsers(required=True, metavar="ACTION")))
    lesson = names.add_parser("lesson", help="a lesson for a class: its plans, and handouts to print")
    lesson_commands.add(_adder(lesson.add_subparsers(required=True, metavar="ACTION")))
    _add_runs(command("runs", run_commands.runs, "list runs or find them by words; show, name, compare or delete them"))
    adapters = names.add_parser("adapters", help="adapters leave as zip files or to the Hub, and come in from elsewhere")
    _add_adapters(_adder(adapters.add_subparsers(required=True, metavar="ACTION")))
    return made


def _adder(names: Any) -> Command:
    """What adds a command with its --json to a parser's subparsers."""

    def command(name: str, run: Callable[[argparse.Namespace, Paths], Any], help_text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = names.add_parser(name, help=help_text, description=help_text)
        made.add_argument("--json", action="store_true", help="print one JSON value instead of text")
        made.set_defaults(run=run)
        return made

    return command


def _add_keeping(command: Command) -> None:
    doctor = command("doctor", commands.doctor, "look at models and at all that the studio keeps; exit code 1 where something is damaged")
    doctor.add_argument(
        "--repair", action="store_true", help="mend what is damaged or move it into STUDIO_HOME/quarantine; nothing is deleted"
    )
    backup = command("backup", keeping.backup, "write all that the studio can't make again into one zip file, also while it runs")
    backup.add_argument("--output", type=Path, metavar="FILE", help="the zip file (default: politune-backup-TIME.zip here)")
    restore = command("restore", keeping.restore, "put a backup of your own into an empty folder; nothing is overwritten")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--into", type=Path, metavar="FOLDER", help="default: STUDIO_HOME")


def _add_data(command: Command) -> None:
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
    """Defaults are filled in where the options are read: an option that was given can be told from one that was not."""
    tune.add_argument("--data", help="bundled, or the name of a saved version (default: bundled)")
    tune.add_argument("--side", help="left, right, neutral or shuffled; chosen or rejected for preference pairs (default: left)")
    tune.add_argument("--sample", metavar="QUESTION", help="asked again and again while it trains")
    tune.add_argument("--preset", metavar="NAME", help=f"a ready recipe: {', '.join(presets.NAMES)}")
    tune.add_argument("--recipe", type=Path, help="a YAML file of settings; overrides the preset, and options given here override it")
    tune.add_argument("--output", type=Path, help="folder of the run (default: below STUDIO_HOME/runs)")
    tune.add_argument("--resume", metavar="RUN", help="go on with an interrupted run, or with following one that was sent away")
    tune.add_argument("--replay", metavar="RUN", help="a run's rows and recipe once more; tells whether the adapter has the same bytes")
    tune.add_argument("--dry-run", action="store_true", help="only say what it takes, or with --where hf-job what would be sent")
    tune.add_argument("--show-recipe", action="store_true", help="only print the recipe as YAML")
    group = tune.add_argument_group("a run group")
    group.add_argument("--both-sides", action="store_true", help="train left, right and the placebo one after another")
    group.add_argument("--seeds", type=int, help=f"each with so many seeds, 1 to {MAX_SEEDS} (default: 1)")
    group.add_argument("--shuffled", action="store_true", help="the placebo learns a mixture of both sides, not neutral answers")
    group.add_argument("--group-name", help="what the group is called")
    where = tune.add_argument_group("where")
    where.add_argument(
        "--where", choices=(tuning_orders.LOCAL, tuning_orders.RENTED), help="here (the default), or rented; the token is HF_TOKEN"
    )
    for lever in fields(JobOptions):
        if lever.name in tuning_orders.MACHINE:
            where.add_argument(f"--{lever.name}", help=_help(lever))
    headings = {lever.metadata["group"]: tune.add_argument_group(f"recipe: {lever.metadata['group'].lower()}") for lever in fields(Recipe)}
    for lever in fields(Recipe):
        _add_setting(headings[lever.metadata["group"]], lever)


def _add_setting(group: Any, lever: Any) -> None:
    name, kind = f"--{lever.name.replace('_', '-')}", type(lever.default)
    if kind is bool:
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=None, help=_help(lever))
    else:
        mark = {int: "N", float: "X", str: "WORD", tuple: "A,B"}[kind]
        group.add_argument(name, type=str if kind is tuple else kind, metavar=mark, help=_help(lever))


def _help(lever: Any) -> str:
    default = ",".join(lever.default) if isinstance(lever.default, tuple) else lever.default
    choices = f"one of {', '.join(lever.metadata['choices'])}; " if lever.metadata["choices"] else ""
    return f"{lever.metadata['hint']} ({choices}default {default if default != '' else 'none'})".replace("%", "%%")


def _add_runs(runs: argparse.ArgumentParser) -> None:
    uses = "; ".join(run_commands.USES.values())
    runs.add_argument("words", nargs="*", metavar="WORD", help=f"words to find runs by, the id of one, or one of: {uses}")
    runs.add_argument("--id", metavar="RUN", help="show this run")
    runs.add_argument("--groups", action="store_true", help="list run groups")
    runs.add_argument("--yes", action="store_true", help="delete: really do it")


def _add_adapters(command: Command) -> None:
    export = command("export", adapter_commands.export, "write the adapter of a run as a zip file that plain PEFT loads")
    export.add_argument("id", metavar="RUN")
    export.add_argument("--output", type=Path, default=Path(), help="the zip file, or a folder for it (default: here)")
    export.add_argument("--step", type=int, help="the adapter of this step instead of the kept one")
    bring_in = command("import", adapter_commands.bring_in, "bring in an adapter from elsewhere, if it can do no harm")
    bring_in.add_argument("source", type=Path, metavar="FILE_OR_FOLDER")
    bring_in.add_argument("--base", default=LANGUAGE_MODEL.name, help="the base that it is compared with (default: the embedded model)")
    push = command("push", adapter_commands.push, "send a run's adapter to the Hub, private by default")
    push.add_argument("id", metavar="RUN")
    push.add_argument("repository", nargs="?", metavar="owner/name")
    push.add_argument("--public", action="store_true")
    push.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    command("list", adapter_commands.imported, "list the adapters from elsewhere")
    command("forget", adapter_commands.forget, "delete an adapter from elsewhere").add_argument("name")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    """Defaults are filled in where the options are read: a batch that goes on takes none of them."""
    compare.add_argument("--questions", metavar="FILE", help="opinion, everyday, paper, or a .csv, .tsv or .txt file of questions")
    compare.add_argument(
        "--columns", metavar="A,B", help=f"such as base,left*0.5,left*0.5+right*0.5,run:ID@20 (default: {compare_commands.USUAL_COLUMNS})"
    )
    compare.add_argument("--strength", type=float, metavar="X", help="of columns without one of their own; 0 is the base (default 1)")
    compare.add_argument("--title", help="what the batch is called (default: like its questions)")
    for lever in fields(Sampling):
        _add_setting(compare, lever)
    compare.add_argument("--resume", metavar="BATCH", help="go on with a batch that was stopped; shows or exports one that is finished")
    compare.add_argument("--list", action="store_true", help="list all batches")
    compare.add_argument("--delete", metavar="BATCH", help="delete a batch for good")
    compare.add_argument("--output", type=Path, metavar="FILE", help=f"write the answers there: {', '.join(compare_commands.FORMATS)}")


def _add_review(command: Command) -> None:
    command("list", review_commands.reviews, "list reviews with their raters and ballots")
    show = command("show", review_commands.show, "show what was frozen: purpose, questions, planned tests, items")
    show.add_argument("id", metavar="REVIEW")
    show.add_argument("--unblind", action="store_true", help="also columns and hash while a research review is open")
    close = command("close", review_commands.close, "end voting and coding for good; columns and results are shown from then on")
    close.add_argument("id", metavar="REVIEW")
    close.add_argument("--yes", action="store_true", help="really do it")
    report = command("report", review_commands.report, "write the report: totals with the frozen protocol")
    report.add_argument("id", metavar="REVIEW")
    report.add_argument("--format", choices=("html", "csv", "json"), help="default: as the file's ending says, else html")
    report.add_argument("--output", type=Path, metavar="FILE", help="default: review-REVIEW.html here")
    expire = command("expire", review_commands.expire, "delete everything of raters whose time is over")
    expire.add_argument("--yes", action="store_true", help="also after the clock has jumped: today's date is right")
