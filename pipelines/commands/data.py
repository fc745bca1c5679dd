"""The data commands of the command line: curate, check, diff, push."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.commands.console import out, progress
from pipelines.errors import StudioError
from pipelines.paths import Paths

STAGES = ("clean", "score", "pairs")
OURS = ".command-line"


def curate(options: argparse.Namespace, paths: Paths) -> None:
    """Opens data, applies steps and saves a version; Ctrl+C keeps the draft, and --resume goes on with it."""
    from pipelines.corpus import drafts
    from pipelines.corpus.engine import Tools

    values = parse_settings(options.set or [])
    tools = Tools(paths, _ruler(paths), _host(paths), _client(options, paths), progress=progress)
    with drafts.working(_open(options, paths, tools).id, paths) as draft:
        try:
            for step in _steps(steps_of(options.steps, draft.roles.kind), values, {one.key for one in draft.steps}):
                draft = drafts.apply(draft, step, tools, _engine(options.engine))
            folder = _saved(draft, options, paths)
        except (KeyboardInterrupt, StudioError) as stopped:
            if isinstance(stopped, StudioError) and not draft.steps and not options.resume:
                drafts.forget(draft)
            else:
                print(f"What is done so far is kept. Go on with: {_again(draft.id, options)}", file=sys.stderr)
            raise
        out(options, _described(draft, folder), "\n".join([*_lines(draft), f"Saved in {folder}"]))
    if (draft.folder / OURS).is_file():  # a draft of the page stays
        drafts.forget(draft)


def _saved(draft: Any, options: argparse.Namespace, paths: Paths) -> Path:
    from pipelines.corpus import drafts

    if not options.output:
        return drafts.save(draft, options.name or "", paths)
    drafts.export(draft, options.output, options.name or "", paths)
    return Path(options.output)


def _again(draft_id: str, options: argparse.Namespace) -> str:
    """The command that goes on with a draft, with all that was asked for."""
    given = {name: getattr(options, name) for name in ("steps", "engine", "endpoint", "model", "name", "output") if getattr(options, name)}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    words += [word for one in options.set or [] for word in ("--set", one)] + ["--json"] * options.json
    return shlex.join(["python", "-m", "pipelines", "curate", "--resume", draft_id, *words])


def _open(options: argparse.Namespace, paths: Paths, tools: Any) -> Any:
    """The draft to go on with, or a new one that is marked as the command line's own."""
    from pipelines.corpus import drafts, versions
    from pipelines.corpus.sources import open_source

    if options.resume:
        return drafts.load(options.resume, paths)
    if not options.input:
        raise StudioError("No data was chosen.", "Give --input FILE, folder, Hub id, bundled or bundled-posts.")
    if options.input in versions.available(paths)[1:]:
        draft = drafts.from_version(versions.load(options.input, paths), paths)
    else:
        source = open_source(options.input, options.split, options.config, options.revision, max_bytes=None)
        draft = drafts.create(source, paths, tools=tools)
    (draft.folder / OURS).touch()
    return draft


def steps_of(wanted: str, kind: str) -> list[str]:
    """The keys for "clean", "score", "pairs" (each with those before it), or a comma-separated list of keys."""
    from pipelines.corpus.steps.registry import CLEANING, SCORING

    if wanted not in STAGES:
        return [key.strip() for key in wanted.split(",") if key.strip()]
    keys = list(CLEANING[kind])
    if kind == "posts" and wanted in ("score", "pairs"):
        keys += SCORING
    if kind == "posts" and wanted == "pairs":
        keys += ["select", "match"]
    return keys


def parse_settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`step.setting=value` options as settings by step; values are read as JSON where they are JSON, else as text.

    Raises StudioError for another form.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in given:
        name, sign, text = one.partition("=")
        step, dot, setting = name.strip().partition(".")
        if not (sign and dot and step and setting):
            raise StudioError(f"“{one}” is not a setting.", "Write step.setting=value, for example select.count=100.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found.setdefault(step, {})[setting] = value
    return found


def _steps(keys: Sequence[str], values: dict[str, dict[str, Any]], done: set[str]) -> list[Any]:
    from pipelines.corpus.steps import registry

    unused = set(values) - set(keys) - done
    if unused:
        raise StudioError(
            f"There are settings for {', '.join(sorted(unused))}, which is not among the steps.", f"The steps are {', '.join(keys)}."
        )
    return [registry.make(key, values.get(key)) for key in keys if key not in done]


def _engine(name: str) -> Any:
    if name == "ray":
        from pipelines.corpus.distributed import run_on_ray

        return run_on_ray
    from pipelines.corpus.engine import run

    return run


def _ruler(paths: Paths) -> Any:
    from pipelines.stance.embedding import Embedder
    from pipelines.stance.ruler import Ruler

    return Ruler(Embedder(paths))


def _host(paths: Paths) -> Any:
    from pipelines.models.host import ModelHost

    return ModelHost(paths)


def _client(options: argparse.Namespace, paths: Paths) -> Any:
    if not options.endpoint:
        return None
    from pipelines.endpoints.chat import ChatClient

    return ChatClient(options.endpoint, options.model or "", cache_folder=paths.replies)


def _lines(draft: Any) -> list[str]:
    lines = [draft.roles.sentence, *draft.opened.get("notes", [])]
    for step in draft.steps:
        reasons = "; ".join(f"{count} {reason}" for reason, count in step.result.reasons.items())
        lines.append(
            f"{step.label}: {step.result.before} -> {step.result.after} (changed {step.result.changed}){': ' if reasons else ''}{reasons}"
        )
    return lines


def _described(draft: Any, folder: Path) -> dict[str, Any]:
    from pipelines.corpus.description import read_description

    about = read_description(Path(folder))
    return {
        "folder": str(folder),
        "name": Path(folder).name,
        "kind": draft.kind,
        "columns": draft.roles.columns,
        "rows": len(draft.rows),
        "hash": about.get("hash", ""),
        "steps": [step.as_dict() for step in draft.steps],
    }


def check(options: argparse.Namespace, paths: Paths) -> int:
    """Prints the lights of a data set; 1 where one is red."""
    from pipelines.corpus import versions
    from pipelines.corpus.checks import lights

    dataset = versions.load(options.data, paths)
    if dataset.kind == "posts":
        raise StudioError(f"{dataset.name} holds posts.", "Checks look at preference pairs; curate with --steps pairs first.")
    found = lights.check(list(dataset.rows), dataset.kind, _ruler(paths).embedder)
    out(options, [asdict(one) for one in found], "\n".join(f"{one.state:5}  {one.title}: {one.sentence}" for one in found))
    return int(any(one.state == "red" for one in found))


def diff(options: argparse.Namespace, paths: Paths) -> None:
    """Prints what differs between two versions."""
    from pipelines.corpus import versions
    from pipelines.corpus.diff import diff as compare

    found = compare(versions.load(options.first, paths), versions.load(options.second, paths))
    counts = ", ".join(f"{count:,} {what}" for what, count in found.counts.items())
    lines = [counts, *(f"step {one.label}: {one.where} {one.settings or ''} {one.counts or ''}" for one in found.steps)]
    lines += [f"changed {one.id}: {', '.join(one.fields)}" for one in found.changed[:20]]
    out(
        options,
        {"counts": found.counts, "steps": [asdict(one) for one in found.steps], "changed": [one.id for one in found.changed]},
        "\n".join(lines),
    )


def push(options: argparse.Namespace, paths: Paths) -> None:
    """Sends a version to the Hub, private unless --public; --dry-run only says what would be sent."""
    from pipelines.corpus import versions
    from pipelines.corpus.push import push as send

    folder = paths.datasets / options.data
    if options.data not in versions.available(paths):
        raise StudioError(
            f"There is no data set version called “{options.data}”.",
            f"There are: {', '.join(versions.available(paths)[1:]) or 'none yet'}.",
        )
    done = send(folder, options.repository, private=not options.public, dry_run=options.dry_run)
    what = f"Sent to {done.repo_id}." if done.url else f"Nothing was sent; to {done.repo_id} would go:"
    out(options, asdict(done), "\n".join([what, *(f"  {name}  {size:,} bytes" for name, size in done.files.items())]))
