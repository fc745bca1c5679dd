"""Adapters that mean harm, or only are not what they seem: each is refused with its own reason, and the base stays bit for bit the base."""

import hashlib
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.adapters import CONFIG, WEIGHTS
from pipelines.models.facts import check_architecture
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Column, Sampling
from pipelines.tuning.sharing import exchange
from tests.adapter_files import name_of, tensors, write_adapter
from tests.tiny import make_tiny_model

SHORT = Sampling(temperature=0, max_new_tokens=4)


def sums(model: Any) -> dict[str, str]:
    """SHA-256 of every weight and buffer of the base below whatever PEFT wrapped around it."""
    plain = {name: value for name, value in model.state_dict().items() if "lora_" not in name}
    return {
        name.removeprefix("base_model.model.").replace(".base_layer.", "."): hashlib.sha256(value.cpu().numpy().tobytes()).hexdigest()
        for name, value in plain.items()
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return Paths(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(tmp_path_factory.mktemp("good") / "good")


@pytest.fixture(scope="module", params=["alone", "beside a good one"])
def host(request: pytest.FixtureRequest, home: Paths, tiny: Path, good: Path) -> ModelHost:
    made = ModelHost(home, str(tiny))
    made.load()
    if request.param != "alone":
        ask_adapter(made, good)
    return made


@pytest.fixture(scope="module")
def facts(tiny: Path) -> exchange.BaseFacts:
    return exchange.base_facts(tiny, "owner/tiny")


def ask_adapter(host: ModelHost, folder: Path) -> str:
    return host.answer_all([Row(Column("it", folder), ask("Hi"), 1)], SHORT)[0].text


def header(entries: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(shape: list[int], begin: int = 0, end: int = 0, kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def settings(**changes: Any) -> Callable[[Path], Any]:
    return lambda folder: write_adapter(folder, **changes)


def weights(made: dict[str, Any]) -> Callable[[Path], Any]:
    return lambda folder: write_adapter(folder, made)


def raw(data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (write_adapter(folder) / WEIGHTS).write_bytes(data)


def as_pickle(folder: Path) -> None:
    (write_adapter(folder) / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(pickle.dumps({"x": 1}))


def as_link(folder: Path) -> None:
    elsewhere = write_adapter(folder.parent / "elsewhere")
    write_adapter(folder)
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(elsewhere / WEIGHTS)


def truncated(folder: Path) -> None:
    file = write_adapter(folder) / WEIGHTS
    file.write_bytes(file.read_bytes()[:-100])


def nested_settings(folder: Path) -> None:
    (write_adapter(folder) / CONFIG).write_text("[" * 100_000)


def with_value(value: float) -> dict[str, Any]:
    made = tensors()
    made[name_of("mlp.down_proj", "B")][3, 1] = value
    return made


A, B = name_of("self_attn.q_proj", "A"), name_of("self_attn.q_proj", "B")
TWICE = f'{{"{A}": {json.dumps(entry([4, 32], 0, 512))}, "{A}": {json.dumps(entry([4, 32], 0, 512))}}}'.encode()
HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "weights as a pickle": (as_pickle, f"holds no {WEIGHTS}"),
    "weights behind a link": (as_link, "is a link"),
    "start computed by pissa": (settings(init_lora_weights="pissa"), "“pissa”, which can change the shared base"),
    "start computed by olora": (settings(init_lora_weights="olora"), "“olora”, which can change"),
    "start computed by loftq": (settings(init_lora_weights="loftq"), "“loftq”, which can change"),
    "start computed by eva": (settings(init_lora_weights="eva"), "“eva”, which can change"),
    "start computed by corda": (settings(init_lora_weights="corda", corda_config={"cache_file": "x"}), "uses corda_config"),
    "a regular expression for layers": (settings(target_modules=".*proj"), "pattern"),
    "all linear layers": (settings(target_modules="all-linear"), "pattern"),
    "the vocabulary head": (settings(target_modules=["lm_head"]), "lm_head"),
    "whole modules exchanged": (settings(modules_to_save=["lm_head"]), "uses modules_to_save"),
    "layers copied": (settings(layer_replication=[[0, 2], [1, 2]]), "uses layer_replication"),
    "tokens retrained": (settings(trainable_token_indices=[1]), "uses trainable_token_indices"),
    "DoRA": (settings(use_dora=True), "uses use_dora"),
    "own biases": (settings(bias="all"), "bias is “all”"),
    "ranks by pattern": (settings(rank_pattern={".*": 64}), "uses rank_pattern"),
    "classes by name": (settings(auto_mapping={"base_model_class": "os.system"}), "uses auto_mapping"),
    "a library by name": (settings(megatron_core="evil.core"), "megatron_core is “evil.core”"),
    "an unknown setting": (settings(runtime_config={"ephemeral_gpu_offload": True}), "hold runtime_config"),
    "another kind of adapter": (settings(peft_type="IA3"), "not a LoRA"),
    "a huge rank": (settings(r=1 << 20), "rank"),
    "an endless scale": (settings(lora_alpha=float("inf")), "alpha"),
    "layers that are no numbers": (settings(layers_to_transform="all"), "list of layers"),
    "settings without end": (nested_settings, "adapter_config.json can't be read"),
    "a rank that is not the weights'": (weights(tensors(rank=8)), "unexpected tensor .*Expected are halves of rank 4"),
    "a layer that the settings leave out": (settings(layers_to_transform=[0]), "unexpected tensor"),
    "an embedding": (weights({**tensors(), "base_model.model.model.embed_tokens.weight": np.zeros((400, 32), np.float32)}), "embed_tokens"),
    "a base weight": (weights({**tensors(), A.replace("lora_A", "base_layer"): np.zeros((32, 32), np.float32)}), "base_layer"),
    "half a layer": (weights({A: tensors()[A]}), "only half of"),
    "whole numbers": (weights({A: np.zeros((4, 32), np.int8)}), "type I8"),
    "a huge shape": (raw(header({A: entry([4, 1 << 40])})), "declares a huge tensor"),
    "a shape below zero": (raw(header({A: entry([-4, 32])})), "unexpected tensor"),
    "a header without end": (raw((1 << 60).to_bytes(8, "little") + b"{}"), "header is cut off or too long"),
    "weights cut off": (truncated, "cut off or overfull"),
    "weights that overlap": (raw(header({A: entry([4, 32], 0, 512), B: entry([32, 4], 0, 512)}, bytes(1024))), "can't be read"),
    "a name that stands twice": (raw(len(TWICE).to_bytes(8, "little") + TWICE + bytes(512)), "stands twice"),
    "rubble": (raw(b"rubble"), "can't be read"),
    "layers of another width": (weights(tensors(self_attn__q_proj=(64, 64))), r"another base model.*\(32, 32\) here, \(64, 64\)"),
    "layers that the base lacks": (weights(tensors(layer=9)), "no layer model.layers.9"),
    "numbers that are none": (weights(with_value(float("nan"))), "not finite"),
    "numbers without end": (weights(with_value(float("-inf"))), "not finite"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_plain_lora_is_refused_and_the_base_stays_the_base(host: ModelHost, tmp_path: Path, case: str) -> None:
    make, reason = HOSTILE[case]
    make(tmp_path / "it")
    before, shape = sums(host.load().model), str(host.load().model)
    with pytest.raises(StudioError, match=reason):
        ask_adapter(host, tmp_path / "it")
    assert sums(host.load().model) == before and str(host.load().model) == shape
    assert host.self_test().passed


def test_every_refusal_has_a_reason_of_its_own() -> None:
    reasons = [reason for _, reason in HOSTILE.values()]
    assert len(HOSTILE) >= 10 and len(set(reasons)) > 0.8 * len(reasons)


def test_a_good_adapter_passes_and_changes_answers_but_not_the_base(host: ModelHost, home: Paths, good: Path, tiny: Path) -> None:
    untouched = ModelHost(home, str(tiny)).load().model
    ask_adapter(host, good)
    assert sums(host.load().model) == sums(untouched) and host.self_test().passed
    column, other = Column("good", good), Column("base")
    assert host.log_likelihoods(column, [("Hi", " there")]) != host.log_likelihoods(other, [("Hi", " there")])


def test_the_comparison_of_weights_would_notice_what_plain_peft_lets_through(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(make_tiny_model(tmp_path / "model"))
    before = sums(model)
    assert sums(get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights="pissa"))) != before


def test_adapters_of_other_common_architectures_pass_with_peft_saved_settings(tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, GPT2Config, GPTNeoXConfig

    small = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    kinds: dict[str, tuple[Any, list[str]]] = {
        "gpt2": (GPT2Config(**small, n_positions=32), ["c_attn", "c_proj", "c_fc"]),
        "neox": (GPTNeoXConfig(**small, intermediate_size=32, max_position_embeddings=32), ["query_key_value", "dense_h_to_4h"]),
    }
    tokens = torch.arange(8)[None]
    for name, (config, modules) in kinds.items():
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / name)
        load = lambda name=name: AutoModelForCausalLM.from_pretrained(tmp_path / name)  # noqa: E731
        made = get_peft_model(load(), LoraConfig(r=4, target_modules=modules, init_lora_weights=False, task_type="CAUSAL_LM"))
        made.save_pretrained(tmp_path / f"{name}-adapter")
        file, facts = adapters.inspect(tmp_path / f"{name}-adapter"), exchange.base_facts(tmp_path / name, name)
        check_architecture(file, facts)
        model = load()
        before = sums(model)
        ours = adapters.attach(model, file, "it")
        with torch.inference_mode():
            theirs = PeftModel.from_pretrained(load(), str(tmp_path / f"{name}-adapter"))(tokens).logits
            assert torch.allclose(ours(tokens).logits, theirs, atol=1e-5)
            assert not torch.allclose(load()(tokens).logits, theirs, atol=1e-3)
        assert sums(ours) == before


@pytest.mark.parametrize("fails", ["while layers are put in", "while weights are filled in"])
@pytest.mark.parametrize("beside", [False, True], ids=["as the first", "beside a good one"])
def test_when_peft_fails_half_way_nothing_of_the_adapter_stays(
    home: Paths, tiny: Path, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, beside: bool
) -> None:
    from peft.tuners.lora import LoraLayer

    host, made, update = ModelHost(home, str(tiny)), [], LoraLayer.update_layer
    if beside:
        ask_adapter(host, good)

    def fail(*given: Any, **options: Any) -> None:
        made.append(given)
        if fails == "while layers are put in":
            update(*given, **options)
        if len(made) == 2 or fails == "while weights are filled in":
            raise RuntimeError("no memory left")

    folder = write_adapter(tmp_path / "it", tensors(seed=5))
    before = sums(host.load().model)
    held = [name for name, _ in host.load().model.named_parameters()]
    with monkeypatch.context() as patched:
        layers = fails == "while layers are put in"
        patched.setattr("peft.tuners.lora.layer.Linear.update_layer" if layers else "peft.set_peft_model_state_dict", fail)
        with pytest.raises(StudioError, match="could not be attached .*no memory left"):
            ask_adapter(host, folder)
    assert made and sums(host.load().model) == before and [name for name, _ in host.load().model.named_parameters()] == held
    assert host.self_test().passed
    ask_adapter(host, folder)
    assert host.self_test().passed


def test_weights_exchanged_between_check_and_use_are_not_attached(tiny: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny)
    before, file = sums(model), adapters.inspect(write_adapter(tmp_path / "it"))
    save_file(tensors(seed=1), tmp_path / "it" / WEIGHTS)
    with pytest.raises(StudioError, match="exchanged since"):
        adapters.attach(model, file, "it")
    assert sums(model) == before


def zipped(folder: Path, name: str = "it.zip", **more: bytes) -> Path:
    target = folder.parent / name
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packing:
        for file in sorted(folder.iterdir()):
            packing.write(file, file.name)
        for inside, data in more.items():
            packing.writestr(inside, data)
    return target


def tokenizer(tiny: Path, change: Callable[[dict[str, Any]], Any]) -> bytes:
    whole = json.loads((tiny / "tokenizer.json").read_text())
    change(whole["model"]["vocab"])
    return json.dumps(whole).encode()


def test_archives_are_refused_with_their_reason_before_the_host_sees_them(
    host: ModelHost, home: Paths, facts: exchange.BaseFacts, tiny: Path, tmp_path: Path
) -> None:
    folder = write_adapter(tmp_path / "it")
    swapped = tokenizer(tiny, lambda words: words.update(a=words["b"], b=words["a"]))
    archives = {
        "leads out of it": zipped(folder, "1.zip", **{"../../adapter_model.safetensors": b"x"}),
        "archive bomb": zipped(folder, "2.zip", **{"notes.md": bytes(5 << 20)}),
        "a pickle": zipped(folder, "3.zip", **{"training_args.bin": pickle.dumps(os.getcwd)}),
        "another tokenizer: it knows 258": zipped(folder, "4.zip", **{"tokenizer.json": tokenizer(tiny, lambda w: w.update(new=300))}),
        "but other ones": zipped(folder, "5.zip", **{"tokenizer.json": swapped}),
        "another architecture": zipped(write_adapter(tmp_path / "wide", tensors(self_attn__q_proj=(64, 64))), "6.zip"),
        "pissa": zipped(write_adapter(tmp_path / "pissa", init_lora_weights="pissa"), "7.zip"),
    }
    before = sums(host.load().model)
    for reason, archive in archives.items():
        with pytest.raises(StudioError, match=reason):
            exchange.bring_in(archive, home, facts)
    assert list(exchange.home(home).iterdir()) == [] and sums(host.load().model) == before
    same = {"tokenizer.json": tokenizer(tiny, lambda words: None)}
    brought = exchange.bring_in(zipped(folder, "good.zip", **same), home, facts)
    ask_adapter(host, brought.folder)
    exchange.forget_imported(brought.name, home)
    assert sums(host.load().model) == before and host.self_test().passed
