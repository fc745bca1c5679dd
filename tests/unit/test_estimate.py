"""What a run would take: sizes of bases, formulas, sentences and refusals, on machines that are made up."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.paths import Paths, write_json
from pipelines.records import Pair
from pipelines.tuning import presets
from pipelines.tuning.cost import machine as machines
from pipelines.tuning.cost import needs, shapes
from pipelines.tuning.cost.estimate import CONVERT_SECONDS, GUESSED, MEASURED, Estimate, duration, estimate, refuse, size
from pipelines.tuning.cost.machine import Machine
from pipelines.tuning.recipe import Recipe

GB = 10**9
LAPTOP = Machine(cores=2, free_memory=14 * GB, gflops=155)
BIG_CPU = Machine(cores=8, free_memory=24 * GB, gflops=500)
CARD = Machine(cores=8, free_memory=30 * GB, cuda_memory=24 * GB, bitsandbytes=True, gflops=120_000)
LLAMA3_8B = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
ROWS = [Pair(f"What about matter {n}?", "I say yes to it. " * 12, "I say no to it. " * 12) for n in range(192)]
LONG = [Pair("Why?", "because it is so " * 150, "because it is not so " * 120)] * 64


@pytest.fixture
def llama(tmp_path: Path) -> str:
    write_json(tmp_path / "llama" / "config.json", LLAMA3_8B)
    return str(tmp_path / "llama")


def shape_of(folder: str, paths: Paths) -> shapes.Shape:
    return shapes.shape(catalog.find(folder, paths), paths)


def test_parameters_are_counted_without_weights(paths: Paths, llama: str) -> None:
    large, embedded = shape_of(llama, paths), shape_of("smollm2-135m", paths)
    assert large.parameters == 8_030_261_248 and large.layers == 32 and len(large.maps) == 7 * 32
    assert embedded.parameters == 134_515_008 and embedded.layers == 30 and embedded.vocabulary == 49152


def test_building_a_shape_leaves_torch_as_it_was(paths: Paths, llama: str) -> None:
    import torch

    shapes._shape.cache_clear()
    shape_of(llama, paths)
    assert torch.get_default_dtype() == torch.float32 and torch.zeros(1).device.type == "cpu"


def test_an_adapter_counts_as_many_weights_as_peft_makes(paths: Paths, tiny: Path) -> None:
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from pipelines.tuning.training import engines

    for recipe in (Recipe(top_layers=1, lora_rank=4), Recipe(top_layers=0, modules=()), Recipe(modules=("k_proj",))):
        base = AutoModelForCausalLM.from_pretrained(tiny)
        made = get_peft_model(base, engines.adapter_config(recipe, base))
        assert shape_of(str(tiny), paths).lora(recipe) == sum(one.numel() for one in made.parameters() if one.requires_grad)


def test_other_kinds_of_models_have_shapes_too(paths: Paths, tmp_path: Path) -> None:
    write_json(tmp_path / "gpt" / "config.json", {"model_type": "gpt2", "n_embd": 48, "n_layer": 3, "n_head": 4, "vocab_size": 100})
    shape = shape_of(str(tmp_path / "gpt"), paths)
    assert shape.layers == 3 and {(m.inputs, m.outputs) for m in shape.maps if m.name == "c_attn"} == {(48, 144)}
    problem = estimate(Recipe(base=str(tmp_path / "gpt")), ROWS, paths, LAPTOP).problems[0]
    assert "no q_proj" in problem.message and "c_attn" in problem.hint


@pytest.mark.parametrize("text", ["{broken", "[]", '{"model_type": "no-such-kind"}', '{"hidden_size": 3}'])
def test_a_base_that_can_not_be_read_ends_in_a_sentence(paths: Paths, tmp_path: Path, text: str) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text(text)
    with pytest.raises(StudioError) as caught:
        shape_of(str(tmp_path / "base"), paths)
    assert caught.value.hint and "Traceback" not in str(caught.value)


def test_a_hub_that_does_not_answer_ends_in_a_sentence(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError

    def broken(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    def gated(*_: object, **__: object) -> str:
        raise GatedRepoError.__new__(GatedRepoError)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", broken)
    with pytest.raises(StudioError, match="could not be fetched from the Hub .ConnectionError"):
        estimate(Recipe(base="some/model"), ROWS, paths, LAPTOP)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", gated)
    with pytest.raises(StudioError, match="HF_TOKEN"):
        estimate(Recipe(base="some/model"), ROWS, paths, LAPTOP)


def test_a_hub_base_is_estimated_from_its_config_and_its_download_is_counted(
    paths: Paths, llama: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked = []

    def fetched(repo: str, name: str) -> str:
        asked.append((repo, name))
        return str(Path(llama) / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetched)
    monkeypatch.setattr(machines, "free_disk", lambda _: 100 * GB)
    found = estimate(Recipe(base="some/llama", quantize="4bit"), ROWS, paths, CARD)
    assert asked == [("some/llama", "config.json")] and found.download_bytes == 2 * 8_030_261_248 and not found.problems
    assert "The base (16.1 GB) is fetched first" in found.sentence() and found.disk_bytes > found.download_bytes


def test_a_llama_of_8_billion_is_refused_on_a_cpu_and_accepted_in_4_bit_on_a_card(paths: Paths, llama: str) -> None:
    paper = replace(presets.load("paper-llama3-8b"), base=llama)
    accepted = estimate(paper, ROWS, paths, CARD)
    assert not accepted.problems and accepted.device == "cuda" and 6 * GB < accepted.memory_bytes < 16 * GB
    refuse(accepted)
    with pytest.raises(StudioError, match="smaller base, for example smollm2-135m, or use an NVIDIA GPU") as caught:
        refuse(estimate(replace(paper, quantize="none", precision="fp32"), ROWS, paths, BIG_CPU))
    assert "one of 12 GB" in caught.value.hint and "24.0 GB are free" in caught.value.message
    with pytest.raises(StudioError, match="4-bit base weights need an NVIDIA GPU; this computer has none"):
        refuse(estimate(replace(paper, precision="auto"), ROWS, paths, replace(BIG_CPU, free_memory=200 * GB)))


def test_4_bit_without_its_package_says_what_to_install(paths: Paths, llama: str) -> None:
    with pytest.raises(StudioError, match="pip install bitsandbytes"):
        refuse(estimate(Recipe(base=llama, quantize="4bit"), ROWS, paths, replace(CARD, bitsandbytes=False)))


def test_bf16_is_refused_on_a_cpu_only(paths: Paths) -> None:
    with pytest.raises(StudioError, match="hundred times slower") as caught:
        refuse(estimate(Recipe(precision="bf16"), ROWS, paths, LAPTOP))
    assert "precision" in caught.value.hint
    assert not estimate(Recipe(precision="bf16"), ROWS, paths, CARD).problems


def test_what_is_advised_makes_it_fit(paths: Paths) -> None:
    hungry = Recipe(batch_size=64, top_layers=0, max_tokens=8192)
    small = replace(LAPTOP, free_memory=12 * GB)
    hint = estimate(hungry, LONG, paths, small).problems[0].hint
    assert hint.startswith("Any of these makes it fit: 1 row at once (batch_size) and 64 batches a step (accumulation)")
    assert not estimate(replace(hungry, batch_size=1, accumulation=64), LONG, paths, small).problems
    tight = replace(LAPTOP, free_memory=2_200_000_000)
    hint = estimate(hungry, LONG, paths, tight).problems[0].hint
    assert hint.startswith("Together these make it fit: 1 row at once") and "checkpointing" in hint and "max_tokens" in hint
    half = int(hint.split("more than ")[1].split()[0])
    shorter = [Pair("Why?", "because " * (half // 2), "no " * 9)] * 64
    assert not estimate(replace(hungry, batch_size=1, accumulation=64, checkpointing=True), shorter, paths, tight).problems


def test_a_card_that_is_too_small_for_bf16_is_told_about_4_bit(paths: Paths, llama: str) -> None:
    small = replace(CARD, cuda_memory=12 * GB)
    hint = estimate(Recipe(base=llama), ROWS, paths, small).problems[0].hint
    assert "makes it fit: 4-bit base weights (quantize)." in hint
    assert not estimate(Recipe(base=llama, quantize="4bit"), ROWS, paths, small).problems
    assert "with the package bitsandbytes" in estimate(Recipe(base=llama), ROWS, paths, replace(small, bitsandbytes=False)).problems[0].hint


def test_a_base_must_fit_into_main_memory_on_its_way_to_the_card(paths: Paths, llama: str) -> None:
    narrow = replace(CARD, cuda_memory=80 * GB, free_memory=8 * GB)
    with pytest.raises(StudioError, match="takes 17.0 GB of this computer's own memory, and 8.0 GB are free"):
        refuse(estimate(Recipe(base=llama), ROWS, paths, narrow))
    assert not estimate(Recipe(base=llama, quantize="4bit"), ROWS, paths, narrow).problems


def test_a_full_disk_is_refused_before_anything_is_written(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "free_disk", lambda _: 20_000_000)
    with pytest.raises(StudioError, match="of disk are needed and 20 MB are free") as caught:
        refuse(estimate(Recipe(), ROWS, paths, LAPTOP))
    assert "save_every" in caught.value.hint and not paths.root.exists()


def test_all_reasons_are_told_at_once(paths: Paths, llama: str) -> None:
    with pytest.raises(StudioError) as caught:
        refuse(estimate(replace(presets.load("paper-llama3-8b"), base=llama), ROWS, paths, BIG_CPU))
    assert all(words in caught.value.message for words in ("bf16", "4-bit", "24.0 GB are free"))


def test_rows_that_can_not_be_learned_from_are_refused(paths: Paths) -> None:
    with pytest.raises(StudioError, match="no rows"):
        estimate(Recipe(), [], paths, LAPTOP)
    with pytest.raises(StudioError, match="longer than 256 tokens"):
        estimate(Recipe(), LONG, paths, LAPTOP)


def test_rows_that_are_too_long_do_not_count_towards_the_steps(paths: Paths) -> None:
    mixed = [row for pair in zip(ROWS[:64], LONG, strict=True) for row in pair]
    assert estimate(Recipe(epochs=1), mixed, paths, LAPTOP).steps in (7, 8, 9)


def test_the_classroom_recipe_takes_about_two_minutes_on_two_cores(paths: Paths) -> None:
    found = estimate(Recipe(), ROWS, paths, LAPTOP)
    assert found.steps == 60 and found.how == GUESSED and 80 < found.seconds < 200
    assert found.seconds_range == (pytest.approx(0.7 * found.seconds), pytest.approx(1.3 * found.seconds))
    assert 1.6 * GB < found.memory_bytes < 2.6 * GB and found.disk_bytes < 800_000_000


def seconds(paths: Paths, machine: Machine = LAPTOP, **changes: Any) -> float:
    return estimate(replace(Recipe(max_steps=100), **changes), ROWS, paths, machine).seconds


def test_what_costs_time_costs_time_in_the_estimate(paths: Paths) -> None:
    plain = seconds(paths)
    assert seconds(paths, replace(LAPTOP, gflops=310)) < 0.7 * plain
    assert seconds(paths, method="dpo") > 1.7 * plain
    assert plain < seconds(paths, method="sft-then-dpo") < seconds(paths, method="dpo")
    assert plain < seconds(paths, top_layers=0) < seconds(paths, top_layers=0, checkpointing=True)
    assert plain < seconds(paths, checkpointing=True), "the library's layers, of which nothing is kept"
    assert seconds(paths, accumulation=4) > 2 * plain and seconds(paths, sample_every=5) > 1.3 * plain
    assert seconds(paths, CARD, precision="fp32") > seconds(paths, CARD)


def test_what_costs_memory_costs_memory_in_the_estimate(paths: Paths, llama: str) -> None:
    shape, rows = shape_of("smollm2-135m", paths), needs.measure(ROWS, Recipe(), None)
    need = lambda device="cpu", **changes: needs.memory(replace(Recipe(), **changes), shape, rows, device)  # noqa: E731
    assert need(checkpointing=True) < need() < need(top_layers=0) < need(top_layers=0, batch_size=32)
    assert need(lora_rank=256) - need() > shape.lora(Recipe()) * 15 * needs.LORA_BYTES - 1
    assert need(accumulation=8) == need() and need(method="dpo") > need()
    assert need() - need(ruler=False) == needs.RULER
    assert need(method="sft-then-dpo") == need(method="dpo")
    large = shape_of(llama, paths)
    saved = needs.memory(Recipe(), large, rows, "cuda") - needs.memory(Recipe(quantize="4bit"), large, rows, "cuda")
    assert saved == pytest.approx(large.mapped * (2 - 0.5625), rel=1e-3)


def earlier(paths: Paths, name: str = "one", recipe: Recipe = Recipe(), remote: bool = False, **told: object) -> None:
    folder = paths.runs / name
    job = {"created": "2026-01-01", "side": "left", "data": {"name": "x"}, "recipe": recipe.as_dict()}
    metrics = {
        "seconds_a_step": 4.0,
        "tokens_a_step": 1000,
        "seconds": 300.0,
        "steps": 60,
        "rows": 192,
        "threads": 2,
        "engine": "quick-1",
        **told,
    }
    write_json(folder / "job.json", job)
    write_json(folder / "metrics.json", metrics)
    if remote:
        write_json(folder / "state.json", {"state": "finished", "remote": "there"})


def test_earlier_runs_on_this_machine_are_better_than_a_guess(paths: Paths) -> None:
    earlier(paths)
    found = estimate(Recipe(), ROWS, paths, LAPTOP)
    assert found.how == MEASURED and "guessed" not in found.sentence()
    assert found.seconds == pytest.approx(60 * 4.0 * found.tokens_a_step / 1000 + 60 + CONVERT_SECONDS, rel=1e-3)
    twice = estimate(Recipe(accumulation=2, max_steps=60), ROWS, paths, LAPTOP)
    again = (twice.seconds - found.seconds) / (found.seconds - 60 - CONVERT_SECONDS)
    assert 0.7 < again < 1, "the second half of the batches meets rows that the lower layers have seen"


def test_an_earlier_run_with_fewer_layers_is_scaled_by_its_work(paths: Paths) -> None:
    earlier(paths)
    few, all_layers = estimate(Recipe(), ROWS, paths, LAPTOP), estimate(Recipe(top_layers=0), ROWS, paths, LAPTOP)
    assert all_layers.how == MEASURED and 1.2 < (all_layers.seconds - 100) / (few.seconds - 100) < 2


@pytest.mark.parametrize(
    "told",
    [{"recipe": Recipe(method="dpo")}, {"recipe": Recipe(base="other/base")}, {"remote": True}, {"threads": 1}, {"processes": 2},
     {"seconds": 50.0}, {"tokens_a_step": None}, {"seconds_a_step": 0}, {"rows": "many"}],
)  # fmt: skip
def test_runs_that_tell_nothing_about_this_one_are_left_out(paths: Paths, told: dict[str, object]) -> None:
    earlier(paths, **told)  # type: ignore[arg-type]
    assert estimate(Recipe(), ROWS, paths, LAPTOP).how == GUESSED


def test_the_sentence_says_time_memory_and_disk_in_plain_words() -> None:
    here = Estimate(60, 900, 161.0, (140.0, 190.0), 1_890_000_000, 59_400_000, "cpu", MEASURED, [], 14_200_000_000)
    wanted = "About 2 min 40 s for 60 steps on this computer; needs about 1.9 GB of memory (14.2 GB are free) and 60 MB of disk."
    assert here.sentence() == wanted
    assert replace(here, how=GUESSED).sentence() == f"{wanted} The time is guessed from this machine's speed: 2 min 20 s to 3 min 10 s."
    assert "3 runs of 60 steps each" in replace(here, runs=3).sentence() and "1 step on" in replace(here, steps=1).sentence()
    card = replace(here, device="cuda", free_bytes=2_000_000_000).sentence()
    assert "this computer's graphics card" in card and "1.9 GB of graphics memory (2.0 GB are free)" in card and "tight" in card


def test_no_sentence_speaks_in_short_forms(paths: Paths, llama: str) -> None:
    said = []
    for recipe in (Recipe(base=llama), presets.load("paper-llama3-8b"), Recipe(base=llama, quantize="4bit", batch_size=256)):
        for machine in (LAPTOP, BIG_CPU, CARD, replace(CARD, cuda_memory=4 * GB, bitsandbytes=False, free_memory=10)):
            found = estimate(replace(recipe, base=llama), ROWS, paths, machine)
            said += [found.sentence(), *map(str, found.problems)]
    assert len(said) > 20 and not [text for text in said if any(word in text for word in ("OOM", "VRAM", "RAM ", "None", "nan"))]


def test_several_runs_take_time_and_disk_several_times_but_memory_once(paths: Paths) -> None:
    one, three = estimate(Recipe(), ROWS, paths, LAPTOP), estimate(Recipe(), ROWS, paths, LAPTOP, runs=3)
    kept = needs.disk(Recipe(), shape_of("smollm2-135m", paths), needs.measure(ROWS, Recipe(), None))
    assert three.memory_bytes == one.memory_bytes and three.disk_bytes - one.disk_bytes == 2 * kept
    assert 2.3 * one.seconds < three.seconds < 3 * one.seconds  # the embedded model is converted once


@pytest.mark.parametrize(
    ("given", "said"),
    [(0.2, "1 s"), (45, "45 s"), (59.8, "1 min"), (161, "2 min 40 s"), (3590, "1 h"), (4700, "1 h 20 min"), (86400 * 3.1, "3 days")],
)
def test_durations_are_said_as_people_say_them(given: float, said: str) -> None:
    assert duration(given) == said


def test_sizes_are_said_as_people_say_them() -> None:
    assert [size(n) for n in (10, 59_400_000, 999_900_000, 1_890_000_000)] == ["1 MB", "60 MB", "1.0 GB", "1.9 GB"]


@pytest.mark.parametrize(
    ("line", "folder", "files"),
    [
        ("0::/app/job\n", "app", {"memory.max": "5000", "memory.current": "3000", "memory.stat": "anon 10\ninactive_file 500\n"}),
        ("0::/outside/of/here\n", "", {"memory.max": "5000", "memory.current": "3000", "memory.stat": "inactive_file 500\n"}),
        (
            "9:name=systemd:/\n4:cpu,memory:/app\n",
            "memory/app",
            {"memory.limit_in_bytes": "5000", "memory.usage_in_bytes": "3000", "memory.stat": "inactive_file 1\ntotal_inactive_file 500\n"},
        ),
    ],
)
def test_limits_of_a_container_are_found(tmp_path: Path, line: str, folder: str, files: dict[str, str]) -> None:
    (tmp_path / "own").write_text(line)
    (tmp_path / "fs" / folder).mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "fs" / folder / name).write_text(text)
    assert machines.cgroup_rooms(tmp_path / "fs", tmp_path / "own") == [2500]


def test_no_limit_and_no_control_groups_are_fine(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("3000\n")
    assert machines.cgroup_rooms(tmp_path, tmp_path / "own") == [] == machines.cgroup_rooms(tmp_path, tmp_path / "missing")


def test_a_containers_limit_caps_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "cgroup_rooms", lambda: [1234])
    assert machines.free_memory() == 1234


def test_a_machine_that_was_busy_for_a_while_is_not_slow_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = iter([20.0, 150.0, 90.0])
    monkeypatch.setattr(machines, "best", {})
    monkeypatch.setattr(machines, "_gflops", lambda *_: next(speeds))
    assert [machines._speed("cpu") for _ in range(3)] == [20.0, 150.0, 150.0]


def test_the_disk_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    assert machines.free_disk(tmp_path / "not" / "yet") > 0


def test_a_config_of_a_base_is_built_once(paths: Paths, llama: str) -> None:
    shapes._shape.cache_clear()
    shape_of(llama, paths)
    (Path(llama) / "config.json").write_text(json.dumps({**LLAMA3_8B, "auto_map": {"AutoConfig": "evil.py"}}))
    shape_of(llama, paths)
    assert shapes._shape.cache_info().misses == 1 and shapes._shape.cache_info().hits == 1
