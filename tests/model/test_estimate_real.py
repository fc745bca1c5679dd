"""The estimate against what really happens: torch's own record, the converted model, and a run of a tiny one."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus.versions import Dataset
from pipelines.models import catalog
from pipelines.models.loading import load_base
from pipelines.models.scoring import log_likelihoods
from pipelines.models.template import ask, render
from pipelines.paths import Paths
from pipelines.records import Pair
from pipelines.tuning import runs
from pipelines.tuning.cost import machine, needs, shapes
from pipelines.tuning.cost.estimate import GUESSED, MEASURED, estimate
from pipelines.tuning.cost.machine import this_machine
from pipelines.tuning.cost.needs import Rows
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.training import engines

PAIRS = [Pair(f"Question {n}?", f"Yes, {n} is good." + " It is." * (n % 3), f"No, {n} is bad.") for n in range(24)]
SIZES = {
    "hidden_size": 144, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 300,
}  # fmt: skip


def kept_by_torch(model: Any, ids: Any) -> int:
    """Bytes of all tensors that a forward pass keeps for its backward pass, the weights left out."""
    import torch

    weights = {one.untyped_storage().data_ptr() for one in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        states = model.get_base_model().model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    assert states.last_hidden_state.requires_grad
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
@pytest.mark.parametrize("changes", [{"top_layers": 2}, {"top_layers": 0}, {"top_layers": 0, "modules": ("q_proj", "v_proj")}])
def test_the_formula_for_activations_is_near_what_torch_keeps(kind: str, changes: dict[str, Any]) -> None:
    import torch
    from peft import get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    recipe = Recipe(batch_size=2, lora_rank=4, **changes)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES))
    adapted = get_peft_model(model, engines.adapter_config(recipe, model)).train()
    shape = shapes._shape(json.dumps({"model_type": kind, **SIZES}), kind)
    formula = needs._activations(recipe, shape, Rows((24, 24), (24, 24), (8, 8), 2), "sft")
    layers = recipe.top_layers or shape.layers
    kept = kept_by_torch(adapted, torch.ones(2, 24, dtype=torch.long))
    assert 0.9 < 4 * formula * layers / (layers + 2) / kept < 1.35  # the formula adds two layers' worth that are in use


def test_the_known_figures_of_the_embedded_model_are_those_of_the_converted_one(model_home: Paths, paths: Paths) -> None:
    source = catalog.find("smollm2-135m", model_home)
    converted = shapes.shape(source, model_home)
    assert shapes._config(source, paths) == shapes.EMBEDDED and shapes.shape(source, paths) == converted
    assert shapes.weights_here(source, model_home) and not shapes.weights_here(source, paths)


def test_tokens_are_counted_with_the_bases_own_tokenizer_and_template(model_home: Paths, host: Any) -> None:
    source = catalog.find("smollm2-135m", model_home)
    rows = needs.measure(PAIRS, Recipe(), shapes.files(source, model_home))
    base = load_base(shapes.files(source, model_home))  # type: ignore[arg-type]
    prefixes = [render(base.tokenizer, ask(pair.prompt)) for pair in PAIRS]
    scored = log_likelihoods(base, list(zip(prefixes, [pair.chosen for pair in PAIRS], strict=True)), None, 8)
    assert sorted(rows.answers) == sorted(count for _, count in scored)
    plain = needs.measure(PAIRS, Recipe(template="alpaca"), shapes.files(source, model_home))
    assert rows.count == 24 and sum(plain.chosen) != sum(rows.chosen) and sum(plain.answers) == sum(rows.answers)


def peak_of(process: subprocess.Popen[bytes]) -> int | None:
    """Bytes that a process held at most, where the system tells; waits for its end."""
    status, peak = Path(f"/proc/{process.pid}/status"), None
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        peak = int(found[1]) * 1024 if found else peak
        time.sleep(0.05)
    return peak


@pytest.mark.parametrize("method", [pytest.param("sft", marks=pytest.mark.slow), "sft-then-dpo"])
def test_a_run_takes_the_steps_tokens_and_memory_that_were_estimated_and_the_next_estimate_knows_its_speed(
    paths: Paths, tiny: Path, method: str
) -> None:
    recipe = Recipe(base=str(tiny), method=method, batch_size=4, epochs=0.5, top_layers=1, lora_rank=4, sample_tokens=4, ruler=False)
    here = this_machine()
    before = estimate(recipe, PAIRS, paths, here)
    run = runs.create(Dataset("numbers", "pairs", tuple(vars(pair) for pair in PAIRS)), "chosen", recipe, paths)
    peak = peak_of(runs.launch(run, paths))
    assert run.state == "finished", run.log_tail()
    told = run.metrics
    assert before.how == GUESSED and before.steps == told["steps"] == 3
    assert before.tokens_a_step == pytest.approx(told["tokens_a_step"], abs=1)
    assert peak is None or 0.7 * peak < before.memory_bytes < 2 * peak
    spent = sum(file.stat().st_size for file in run.folder.rglob("*.safetensors"))
    assert spent < before.disk_bytes
    after = estimate(recipe, PAIRS, paths, here)
    assert after.how == MEASURED and after.seconds == pytest.approx(told["seconds"], rel=0.3)


def test_this_machine_is_known_and_not_measured_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RENEW_SECONDS", 1e9)
    first, second = this_machine(), this_machine()
    assert first.cores >= 1 and first.free_memory > 100_000_000 and first.gflops > 0.1
    assert first.gflops == second.gflops and first.device in ("cpu", "cuda")
