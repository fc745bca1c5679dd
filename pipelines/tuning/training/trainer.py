"""The training process of one run: `python -m pipelines.tuning.training.trainer RUN_FOLDER`.

Reads job.json and data.jsonl, writes progress as it goes, goes on from the last checkpoint where there is one, and
ends with adapter/, metrics.json and card.md - or with a sentence in state.json that says why not. Then it starts the
next run of the queue.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.models import catalog, cores, prepare
from pipelines.models.cores import Cores
from pipelines.models.loading import Base
from pipelines.models.template import ask, render, template_hash
from pipelines.paths import Paths, file_hash, write_json, write_text
from pipelines.records import Pair
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler
from pipelines.tuning import parts, runs
from pipelines.tuning.parts import Part
from pipelines.tuning.quick import install as quick
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run, reserve, write_state
from pipelines.tuning.sharing import card
from pipelines.tuning.training import engines, failures, guard, journal
from pipelines.tuning.training.journal import Journal
from pipelines.tuning.training.probe import Probe
from pipelines.tuning.training.processes import is_main, shared, world_size
from pipelines.tuning.training.watcher import Watch, callback

POLITE = 10  # of 19: beside a page that wants the cores, about a tenth of them


def main(folder: str) -> int:
    """Trains one run, then lets the queue go on; the exit code is 0 where an adapter was saved."""
    run, paths = Run(Path(folder)), Paths.from_environment()
    try:
        return guarded(run, paths)
    finally:
        runs.advance(paths)


def guarded(run: Run, paths: Paths) -> int:
    """Trains one run; whatever ends it is noted in its state. 0 where an adapter was saved. One process alone may write into a folder."""
    from filelock import FileLock, Timeout

    alone = FileLock(run.folder / ".training.lock") if is_main() else nullcontext()
    try:
        with alone.acquire(timeout=0) if isinstance(alone, FileLock) else alone:
            return _guarded(run, paths)
    except Timeout:
        print("Another process trains this run already.", flush=True)
        return 1


def _guarded(run: Run, paths: Paths) -> int:
    try:
        if is_main():
            write_state(run, "starting")
            reserve(run)
        train(run, paths)
        return 0
    except Exception as error:  # the last words of a process whose only reader is state.json
        code = "" if isinstance(error, StudioError) else incidents.note(error, "training")
        if is_main():
            write_state(run, "failed", str(failures.explain(error, code)))
    return 1


@dataclass
class Material:
    """What a run works with once it is loaded."""

    source: catalog.Source
    base: Base
    pairs: list[Pair]
    too_long: int
    tokens_a_row: float


def train(run: Run, paths: Paths) -> None:
    """Runs the whole job. Raises StudioError where the data or the base can't be used."""
    recipe = Recipe.from_dict(run.job["recipe"])
    log = Journal(run)
    log.write(event="stage", text="Loading the model")
    material = _load(run, recipe, paths)
    log.write(event="data", rows=len(material.pairs), too_long=material.too_long)
    plan = parts.plan(recipe, len(material.pairs))
    total = sum(part.steps for part in plan)
    watch = Watch(
        run, log, _probe(run, recipe, material, log, paths), recipe, total, material.source.public_id, Cores(paths.root, "training")
    )
    with watch.cores.held():
        _train(run, recipe, material, plan, watch, log)
    if is_main():
        finish(run, recipe, material, watch)


def _train(run: Run, recipe: Recipe, material: Material, plan: list[Part], watch: Watch, log: Journal) -> None:
    """All parts that are not done yet, and the looks before and after."""
    _first_look(watch, material)
    watch.ending = shared(_decided(run, log))
    model = None
    for part in plan:
        if watch.ending:
            break
        if part.last_step not in shared(journal.kept_steps(run)):
            model = None  # two bases at once would double the memory
            model = _train_part(run, part, plan, recipe, material, watch, log)
    _last_look(run, watch, model, recipe, material)


def _load(run: Run, recipe: Recipe, paths: Paths) -> Material:
    from pipelines.models.loading import load_base

    source = catalog.find(recipe.base, paths)
    base = load_base(prepare.ensure(source, paths), recipe.precision, recipe.quantize, recipe.template)
    _prepare(base, recipe)
    pairs, too_long, tokens = fitting(run.pairs(), recipe, base.tokenizer)
    if not pairs:
        raise StudioError(
            f"Every row is longer than {recipe.max_tokens} tokens.", "Raise “Longest row” (max_tokens) or use shorter answers."
        )
    return Material(source, base, pairs, too_long, tokens / len(pairs))


def _prepare(base: Base, recipe: Recipe) -> None:
    """Packs the base for one process alone: several share out TRL's own passes, which read its weights."""
    if world_size() == 1:
        quick.prepare(base, recipe.top_layers)


def fitting(pairs: list[Pair], recipe: Recipe, tokenizer: Any) -> tuple[list[Pair], int, int]:
    """The rows that fit into `max_tokens`, how many do not (TRL would drop them silently), and the tokens of those that do."""
    kept, tokens = [], 0
    for pair in pairs:
        answers = (pair.chosen, pair.rejected) if recipe.prefers else (pair.chosen,)
        texts = [render(tokenizer, [*ask(pair.prompt), {"role": "assistant", "content": answer}], for_answer=False) for answer in answers]
        lengths = [len(tokenizer(text, add_special_tokens=False).input_ids) for text in texts]
        if max(lengths) <= recipe.max_tokens:
            kept.append(pair)
            tokens += sum(lengths)
    return kept, len(pairs) - len(kept), tokens


def _probe(run: Run, recipe: Recipe, material: Material, log: Journal, paths: Paths) -> Probe:
    ruler = None
    if recipe.ruler and is_main():
        log.write(event="stage", text="Making the ruler ready")
        ruler = Ruler(Embedder(paths))
    return Probe(material.base, recipe, material.pairs, run.job["sample_question"], ruler)


def _first_look(watch: Watch, material: Material) -> None:
    """How the base answers; where a run goes on, what was seen before the first step still counts."""
    seen = shared(watch.log.probes())
    if seen:
        watch.probe.remember(seen[0])
    else:
        watch.log.write(event="stage", text="Asking the base the sample questions")
        watch.look(material.base.model, 0)
        if not shared(math.isfinite(watch.probe.first_perplexity or math.nan)):
            raise StudioError("The base gives no numbers for plain text.", "Its weights are damaged: use another copy of the model.")


def _decided(run: Run, log: Journal) -> str:
    """Why an earlier process had ended the training, where it could not finish; "" where it had not."""
    ends = [line for line in journal.standing(run.progress()) if line.get("event") == "end"]
    return str(ends[-1]["why"]) if ends and ends[-1]["step"] in journal.kept_steps(run) else ""


def _train_part(run: Run, part: Part, plan: list[Part], recipe: Recipe, material: Material, watch: Watch, log: Journal) -> Any:
    """Trains one part, from its last checkpoint where there is one, and returns the model."""
    model = material.base.model if part.number == 1 else _with_adapter(run, part.offset, material, recipe)
    folder = run.folder / "resume" / f"part-{part.number}"
    log.write(event="stage", text="Preparing the rows")
    trainer = engines.build(recipe, part, model, material.base.tokenizer, material.pairs, folder, [callback(watch, part)])
    checkpoint = journal.latest(folder)
    begun = part.offset + (int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0)
    if is_main():
        journal.forget_after(run, begun)
    log.write(event="begin", step=begun, total=watch.total, phases=[{"method": one.method, "steps": one.steps} for one in plan])
    if is_main():
        write_state(run, "training")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer.model


def _last_look(run: Run, watch: Watch, model: Any, recipe: Recipe, material: Material) -> None:
    """How the model answers in the end; where an earlier process did the last step, its adapter is loaded for that."""
    steps, seen = shared((journal.kept_steps(run), watch.log.probes()))
    if steps and seen[-1]["step"] != steps[-1]:
        watch.look(_with_adapter(run, steps[-1], material, recipe) if model is None else model, steps[-1])


def _with_adapter(run: Run, step: int, material: Material, recipe: Recipe) -> Any:
    """A fresh base with the adapter of a step: the same whether or not this process trained it. The old base makes room."""
    import gc

    from peft import PeftModel

    from pipelines.models.loading import load_base

    material.base.model = None
    gc.collect()
    fresh = load_base(material.base.folder, recipe.precision, recipe.quantize, recipe.template)
    _prepare(fresh, recipe)
    return PeftModel.from_pretrained(fresh.model, str(journal.folder_of(run, step)), is_trainable=True)


def finish(run: Run, recipe: Recipe, material: Material, watch: Watch) -> None:
    """Puts the best kept adapter in its place, whole or not at all, then metrics and card, then says that it is finished."""
    probes = watch.log.probes()
    steps = journal.kept_steps(run)
    guarding = recipe.guard != "off"
    kept = guard.best_step(probes if guarding else [], steps)
    if kept is None:
        raise StudioError("The run was stopped before its first step ended.", "Nothing was learned; start it again.")
    journal.copy_adapter(journal.folder_of(run, kept), run.adapter, material.source.public_id)
    metrics = _metrics(run, recipe, material, watch, kept, next((p for p in probes if p["step"] == kept), None))
    write_json(run.folder / "metrics.json", metrics, settled=True)
    write_text(run.folder / "card.md", card.text(run.job, metrics))
    write_state(run, "stopped" if watch.ending else "finished", _why(run, watch, kept, steps[-1]))
    shutil.rmtree(run.folder / "resume", ignore_errors=True)


def _why(run: Run, watch: Watch, kept: int, last: int) -> str:
    """What the collapse guard did, with the step at which it first gave an alarm; empty where it did nothing."""
    if kept == last and watch.ending != "guard":
        return ""
    ended = "The collapse guard ended the run" if watch.ending == "guard" else "The collapse guard fired"
    fired = next((line["step"] for line in journal.standing(run.progress()) if line.get("event") == "guard"), last)
    return f"{ended} (step {fired}): the adapter of step {kept} is used; the others are kept and can be compared."


def _metrics(run: Run, recipe: Recipe, material: Material, watch: Watch, kept: int, probe: dict[str, Any] | None) -> dict[str, Any]:
    figures = {line["step"]: line for line in journal.standing(run.progress()) if line.get("event") == "step"}
    last_part = figures[max(figures)]["part"] if figures else 0
    losses = [figures[step]["loss"] for step in sorted(figures) if figures[step]["part"] == last_part]
    sizes = recipe.batch_size * recipe.accumulation
    return {
        "steps": max(figures, default=0),
        "kept_step": kept,
        "rows": len(material.pairs),
        "rows_too_long": material.too_long,
        "stopped_early": bool(watch.ending),
        "first_loss": losses[0] if losses else None,
        "last_loss": sum(losses[-5:]) / len(losses[-5:]) if losses else None,
        "final_loss": losses[-1] if losses else None,
        "seconds": journal.elapsed(),
        "seconds_a_step": watch.seconds_a_step,
        "tokens_a_step": round(material.tokens_a_row * sizes),
        "peak_memory": _peak_memory(),
        "threads": cores.total(),
        "processes": world_size(),
        "engine": quick.ENGINE,
        "base": material.source.public_id,
        "base_title": material.source.title,
        "base_fingerprint": material.base.fingerprint,
        "template_hash": template_hash(material.base.tokenizer),
        "adapter_fingerprint": file_hash(run.adapter / journal.WEIGHTS)[:12],
        "guard": [line for line in journal.standing(run.progress()) if line.get("event") == "guard"],
        "shift": probe.get("shift") if probe else None,
        "collateral": {name: probe[name] for name in ("perplexity_ratio", "repetition")} if probe else None,
    }


def _peak_memory() -> int | None:
    """Bytes of memory that this process held at most; None where the system does not tell. (getrusage counts the parent's too.)"""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def give_way() -> None:
    """Lets whoever looks at a page, or asks a model, go first; absolute, since one trainer starts the next one."""
    if hasattr(os, "nice"):
        os.nice(max(0, POLITE - os.nice(0)))


if __name__ == "__main__":
    give_way()
    sys.exit(main(sys.argv[1]))
