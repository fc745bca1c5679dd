"""How a run ends: the best kept adapter in its place, then metrics, card and the state that says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import cores
from pipelines.models.template import template_hash
from pipelines.paths import file_hash, write_json, write_text
from pipelines.tuning.quick import install as quick
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.sharing import card
from pipelines.tuning.training import guard, journal
from pipelines.tuning.training.material import Material
from pipelines.tuning.training.processes import world_size
from pipelines.tuning.training.watcher import Watch


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
