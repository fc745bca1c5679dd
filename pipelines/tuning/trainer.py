"""The training process of one run: `python -m pipelines.tuning.trainer RUN_FOLDER`.

Reads job.json and data.jsonl, writes progress as it goes, resumes from the last checkpoint where there is one, and
ends with adapter/, metrics.json and card.md - or with a sentence in state.json that says why not.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import catalog, prepare
from pipelines.models.template import ask, render
from pipelines.paths import Paths, atomic_folder, file_hash, write_json, write_text
from pipelines.records import Pair
from pipelines.tuning import card, engines
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.runs import Run, write_state

STARTED = time.monotonic()


def main(folder: str) -> int:
    """Trains one run; the exit code is 0 where an adapter was saved."""
    run = Run(Path(folder))
    try:
        write_state(run, "starting")
        train(run, Paths.from_environment())
        return 0
    except StudioError as error:
        write_state(run, "failed", str(error))
    except Exception as error:  # the last words of a process whose only reader is state.json
        traceback.print_exc()
        write_state(
            run, "failed", f"Training ended with {type(error).__name__}: {str(error)[:200]}. The folder's trainer.log has the details."
        )
    return 1


def train(run: Run, paths: Paths) -> None:
    """Runs the whole job. Raises StudioError where the data or the base can't be used."""
    from pipelines.models.loading import load_base

    job = run.job
    recipe = Recipe.from_dict(job["recipe"])
    log = ProgressLog(run)
    log.write(event="stage", text="Loading the model")
    source = catalog.find(job["base"], paths)
    base = load_base(prepare.ensure(source, paths))
    pairs, too_long = fitting(run.pairs(), recipe, base.tokenizer)
    if not pairs:
        raise StudioError(f"Every row is longer than {recipe.max_tokens} tokens.", "Raise max_tokens or use shorter answers.")
    log.write(event="data", rows=len(pairs), too_long=too_long)
    sampler = Sampler(base.tokenizer, job["sample_question"], recipe.sample_tokens)
    log.write(event="sample", step=0, text=sampler.answer(base.model))
    watcher = _watcher(run, log, sampler, recipe)
    trainer = engines.build(recipe, base.model, base.tokenizer, pairs, str(run.folder / "checkpoints"), [watcher])
    write_state(run, "training")
    checkpoint = latest_checkpoint(run.folder / "checkpoints")
    if checkpoint:
        log.write(event="stage", text=f"Going on from step {checkpoint.name.rpartition('-')[2]}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finish(run, source, base, trainer, len(pairs), too_long, (run.folder / "stop").exists())


def fitting(pairs: list[Pair], recipe: Recipe, tokenizer: Any) -> tuple[list[Pair], int]:
    """The rows that fit into `max_tokens`, and how many do not (TRL would drop them silently)."""
    kept = []
    for pair in pairs:
        answers = (pair.chosen, pair.rejected) if recipe.method == "dpo" else (pair.chosen,)
        texts = [render(tokenizer, [*ask(pair.prompt), {"role": "assistant", "content": answer}], for_answer=False) for answer in answers]
        if all(len(tokenizer(text, add_special_tokens=False).input_ids) <= recipe.max_tokens for text in texts):
            kept.append(pair)
    return kept, len(pairs) - len(kept)


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint (one with a trainer_state.json), or None."""
    found = [f for f in folder.glob("checkpoint-*") if (f / "trainer_state.json").is_file()]
    return max(found, key=lambda f: int(f.name.rpartition("-")[2]), default=None)


def finish(run: Run, source: catalog.Source, base: Any, trainer: Any, rows: int, too_long: int, stopped: bool) -> None:
    """Saves the adapter whole or not at all, then metrics and card, then says that it is finished."""
    with atomic_folder(run.adapter) as folder:
        trainer.model.save_pretrained(folder, safe_serialization=True)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = source.public_id
        write_json(folder / "adapter_config.json", config)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    metrics = {
        "steps": trainer.state.global_step,
        "rows": rows,
        "rows_too_long": too_long,
        "stopped_early": stopped,
        "first_loss": losses[0] if losses else None,
        "last_loss": sum(losses[-5:]) / len(losses[-5:]) if losses else None,
        "seconds": round(time.monotonic() - STARTED, 1),
        "base": source.public_id,
        "base_title": source.title,
        "base_fingerprint": base.fingerprint,
        "adapter_fingerprint": file_hash(run.adapter / "adapter_model.safetensors")[:12],
    }
    write_json(run.folder / "metrics.json", metrics)
    write_text(run.folder / "card.md", card.text(run.job, metrics))
    write_state(run, "stopped" if stopped else "finished")


class ProgressLog:
    """Appends one JSON object a line to progress.jsonl, with the seconds since the process began."""

    def __init__(self, run: Run) -> None:
        self.file = run.folder / "progress.jsonl"
        if self.file.is_file() and not self.file.read_bytes().endswith(b"\n"):
            with self.file.open("ab") as handle:  # a process died in the middle of a line
                handle.write(b"\n")

    def write(self, **values: Any) -> None:
        line = json.dumps({**values, "elapsed": round(time.monotonic() - STARTED, 2)}, ensure_ascii=False)
        with self.file.open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")


class Sampler:
    """Asks one question again and again, greedily, so that people see the answer change."""

    def __init__(self, tokenizer: Any, question: str, tokens: int) -> None:
        self.tokenizer, self.tokens = tokenizer, tokens
        self.inputs = tokenizer([render(tokenizer, ask(question))], return_tensors="pt", add_special_tokens=False)

    def answer(self, model: Any) -> str:
        import torch

        was_training = model.training
        model.eval()
        inputs = self.inputs.to(model.device)
        with torch.inference_mode():
            tokens = model.generate(**inputs, max_new_tokens=self.tokens, do_sample=False, use_cache=True)
        model.train(was_training)
        return self.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def _watcher(run: Run, log: ProgressLog, sampler: Sampler, recipe: Recipe) -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        """Writes every step's figures, asks the sample question, and obeys the stop file."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.begun, self.first = time.monotonic(), state.global_step
            log.write(event="begin", step=state.global_step, total=state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if not logs or "loss" not in logs:
                return
            done = state.global_step - self.first
            remaining = (time.monotonic() - self.begun) / max(1, done) * (state.max_steps - state.global_step)
            wanted = ("loss", "learning_rate", "grad_norm", "rewards/margins", "logps/chosen", "logps/rejected")
            log.write(
                event="step",
                step=state.global_step,
                total=state.max_steps,
                remaining=round(remaining, 1),
                **{k: logs[k] for k in wanted if k in logs},
            )

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:
            if (run.folder / "stop").exists():
                control.should_training_stop = True
            elif state.global_step % recipe.sample_every == 0 and state.global_step < state.max_steps:
                log.write(event="sample", step=state.global_step, text=sampler.answer(model))
            return control

        def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            log.write(event="sample", step=state.global_step, text=sampler.answer(model))

    return Watcher()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
