"""What a run did and what it was made of: figures and looks step by step, its checkpoints, and in what two runs differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.records import AXES
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import reading
from pipelines.tuning.shelf.about import shown_title
from pipelines.tuning.shelf.reading import mapping, tried
from pipelines.tuning.training import journal
from pipelines.tuning.training.journal import CONFIG, WEIGHTS

MISSING, LONGEST_SHOWN = "-", 80
FIGURES = ("perplexity", "perplexity_ratio", "repetition", "chosen", "rejected", "elapsed")
LABELS = {
    "side": "Side",
    "base": "Base model",
    "base_fingerprint": "Base weights",
    "group": "Group",
    "data.name": "Data",
    "data.hash": "Data hash",
    "data.rows": "Rows",
    **{lever.name: lever.metadata["label"] for lever in fields(Recipe) if lever.name != "base"},
}


@dataclass(frozen=True)
class Difference:
    """A setting in which two runs differ, in words: "-" where a run does not say."""

    name: str
    label: str
    first: str
    second: str


def differences(first: Run, second: Run) -> list[Difference]:
    """In what two runs differ: data, base, settings with the seed, versions and group; nothing that is equal."""
    one, other = _facts(first), _facts(second)
    pairs = [(name, *(_words(name, facts.get(name)) for facts in (one, other))) for name in {**one, **other}]
    return [Difference(name, _label(name), a[:LONGEST_SHOWN], b[:LONGEST_SHOWN]) for name, a, b in pairs if a != b]


def _facts(run: Run) -> dict[str, Any]:
    """All that is compared, by name, in the order in which it is shown; the names are the same for every run."""
    job, metrics = reading.job(run), reading.metrics(run)
    data, recipe, group = (mapping(job.get(name)) for name in ("data", "recipe", "group"))
    facts = {
        "side": job.get("side"),
        **{f"data.{name}": data.get(name) for name in ("name", "hash", "rows")},
        "base": job.get("base") or recipe.get("base"),
        "base_fingerprint": metrics.get("base_fingerprint"),
        "group": group.get("name") or group.get("id"),
    }
    settings = {**{lever.name: recipe.get(lever.name) for lever in fields(Recipe)}, **recipe}
    versions = {f"versions.{name}": value for name, value in mapping(job.get("versions")).items()}
    return {**facts, **{name: value for name, value in {**settings, **versions}.items() if name not in facts}}


def _label(name: str) -> str:
    return LABELS.get(name) or name.removeprefix("versions.").replace("_", " ")


def _words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}" if abs(value) < 1e15 else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or ("every linear layer" if name == "modules" else "none")
    return MISSING if value is None or value == "" else str(value)


@dataclass(frozen=True)
class Checkpoint:
    """An adapter of a run: after `step` steps, in `folder`. `is_kept` marks the one that the run ended with."""

    step: int
    folder: Path
    is_kept: bool


def checkpoints(run: Run) -> list[Checkpoint]:
    """The complete ones by step, one a step; the adapter that the run ended with stands for the checkpoint of its step."""
    found = {}
    for step in tried(partial(journal.kept_steps, run), []):
        if _is_complete(folder := journal.folder_of(run, step)):
            found[step] = Checkpoint(step, folder, False)
    if _is_complete(run.adapter):
        step = _kept_step(run)
        found[step] = Checkpoint(step, run.adapter, True)
    return [found[step] for step in sorted(found)]


def checkpoint(run: Run, step: int) -> Checkpoint:
    """The checkpoint of that step. Raises StudioError where there is none."""
    found = checkpoints(run)
    there = ", ".join(str(one.step) for one in found)
    chosen = next((one for one in found if one.step == step), None)
    if chosen is None:
        raise StudioError(f"“{shown_title(run)}” has no checkpoint of step {step}.", f"It has {there}." if there else "It has none yet.")
    return chosen


def _is_complete(folder: Path) -> bool:
    """Both files, not empty, and no links: what is offered for publishing must not lead out of the run."""
    files = [folder / name for name in (CONFIG, WEIGHTS)]
    return not any(f.is_symlink() for f in (folder, *files)) and all(f.is_file() and f.stat().st_size for f in files)


def _kept_step(run: Run) -> int:
    """The step of the adapter that was kept; older runs kept the last one."""
    metrics = reading.metrics(run)
    said = [metrics[name] for name in ("kept_step", "steps") if _is_step(metrics.get(name))]
    return said[0] if said else max((line["step"] for line in curves(run)), default=0)


def curves(run: Run) -> list[dict[str, Any]]:
    """One object a step, in order, as in progress.jsonl, with its numbers only."""
    lines = {line["step"]: line for line in _events(run, "step")}
    return [{name: value for name, value in lines[step].items() if name == "event" or _is_number(value)} for step in sorted(lines)]


def probes(run: Run) -> list[dict[str, Any]]:
    """One object a probed step, in order: step, answers (list of {question, text}), shift or None, and figures or None.

    The samples of older runs are probes with one answer and no figures.
    """
    lines = {line["step"]: line for line in _events(run, "probe", "sample")}
    question = reading.job(run).get("sample_question", "")
    return [_probe(lines[step], question) for step in sorted(lines)]


def alarms(run: Run) -> list[dict[str, Any]]:
    """What the guard said, by step: step, kind, text; one a step and kind."""
    lines = {(line["step"], str(line.get("kind", ""))): str(line.get("text", "")) for line in _events(run, "guard")}
    return [{"step": step, "kind": kind, "text": lines[step, kind]} for step, kind in sorted(lines)]


def _events(run: Run, *kinds: str) -> list[dict[str, Any]]:
    """Progress lines of these kinds that have a step, without those that a run took back when it went on from an earlier step."""
    found: list[dict[str, Any]] = []
    for line in tried(run.progress, []):
        if not _is_step(line.get("step")):
            continue
        if line.get("event") == "begin":
            found = [earlier for earlier in found if earlier["step"] <= line["step"]]
        elif line.get("event") in kinds:
            found.append(line)
    return found


def _probe(line: dict[str, Any], question: str) -> dict[str, Any]:
    answers = line.get("answers") if line["event"] == "probe" else [{"question": question, "text": line.get("text", "")}]
    listed = [answer for answer in answers if isinstance(answer, dict)] if isinstance(answers, list) else []
    shift = mapping(line.get("shift"))
    return {
        "step": line["step"],
        "answers": [{name: str(answer.get(name, "")) for name in ("question", "text")} for answer in listed],
        "shift": {axis: shift[axis] for axis in AXES} if all(_is_number(shift.get(axis)) for axis in AXES) else None,
        **{name: line[name] if _is_number(line.get(name)) else None for name in FIGURES},
    }


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
