"""A run as people follow it: where it stands, how long it still takes, and how its sample answer changes."""

from __future__ import annotations

from html import escape
from typing import Any

from pipelines.tuning.runs import ACTIVE, Run
from studio.views import messages

STATES = {
    "waiting": "Waiting to be started",
    "starting": "Starting: loading the libraries and the model (about 15 seconds)",
    "training": "Training",
    "finished": "Finished",
    "stopped": "Stopped; what was learned until then is kept",
    "failed": "Failed",
    "interrupted": "Interrupted: the training process is gone. Press “Go on” to continue from the last checkpoint",
}


def status(run: Run, progress: list[dict[str, Any]]) -> str:
    """State, step and remaining time."""
    state = run.state
    steps = [line for line in progress if line.get("event") == "step"]
    if state == "failed":
        return messages.error(f"{STATES[state]}. {run.message}")
    if state in ACTIVE:
        if not steps:
            return messages.bar(0.02, STATES["starting"])
        last = steps[-1]
        left = messages.duration(last["remaining"])
        return messages.bar(
            last["step"] / max(1, last["total"]),
            f"Training · step {last['step']} of {last['total']} · loss {last['loss']:.2f} · about {left} left",
        )
    if state in ("finished", "stopped"):
        facts = run.metrics
        dropped = f" {facts['rows_too_long']} rows were too long and left out." if facts.get("rows_too_long") else ""
        return messages.good(
            f"{STATES[state]}: {facts['steps']} steps on {facts['rows']} rows in {messages.duration(facts['seconds'])}.{dropped}"
        )
    return messages.info(STATES[state])


def samples(run: Run, progress: list[dict[str, Any]]) -> str:
    """The sample question and its answers over time, newest last."""
    found = [line for line in progress if line.get("event") == "sample"]
    if not found:
        return messages.note("The answer to the sample question appears here before the first step, and again while the model learns.")
    question = escape(run.job["sample_question"])
    body = "".join(f"<div><b>step {line['step']}</b><br>{escape(line['text'])}</div>" for line in found)
    return f'<div class="ps-question">{question}</div><div class="ps-timeline">{body}</div>'


def facts(run: Run) -> str:
    """What the run is made of, in one line."""
    job = run.job
    recipe = job["recipe"]
    return messages.note(
        f"{job['data']['name']} towards “{job['side']}” · {job['data']['rows']} rows (hash {job['data']['hash'][:8]}) · {recipe['method'].upper()} · "
        f"LoRA rank {recipe['lora_rank']} in the last {recipe['top_layers'] or 'all'} layers · learning rate {recipe['learning_rate']:g} · run {run.id}"
    )
