"""The gate through which adapters come in: two plain files, known settings, known shapes - and nothing that runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import file_hash

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
MAX_BYTES = 2 << 30
MAX_RANK = 256
KNOWN_MODULES = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
HINT = "Use an adapter made by this studio, or a plain LoRA saved by PEFT as safetensors."


@dataclass(frozen=True)
class AdapterFile:
    """An adapter that passed the gate: its settings reduced to what LoRA needs, and the fingerprint of its weights."""

    folder: Path
    settings: dict[str, Any]
    fingerprint: str


def locate(folder: Path) -> Path:
    """The folder that holds the adapter's files: the given one, or `adapter/` in a run folder."""
    return folder / "adapter" if (folder / "adapter" / CONFIG).is_file() else folder


def inspect(folder: Path) -> AdapterFile:
    """Checks an adapter's files without loading them.

    Raises StudioError where a file is missing, too large, or asks for more than a plain LoRA does: a config may
    otherwise change the shared base weights (`init_lora_weights="pissa"`), and `.bin` files run code when read.
    """
    folder = locate(folder)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise StudioError(f"{folder} holds no {name}.", HINT)
    if (folder / WEIGHTS).stat().st_size > MAX_BYTES:
        raise StudioError(f"The adapter in {folder.name} is larger than {MAX_BYTES >> 30} GB.", HINT)
    config = _read_config(folder / CONFIG)
    settings = _plain_lora(config)
    _check_tensors(folder / WEIGHTS, settings)
    return AdapterFile(folder, settings, file_hash(folder / WEIGHTS)[:12])


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > 1 << 20:
            raise ValueError("too large")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudioError(f"{path.name} can't be read ({error}).", HINT) from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise StudioError(f"{path.parent.name} is not a LoRA adapter.", HINT)
    return config


def _plain_lora(config: dict[str, Any]) -> dict[str, Any]:
    refused = [
        key
        for key in ("use_dora", "use_rslora", "modules_to_save", "trainable_token_indices", "rank_pattern", "alpha_pattern")
        if config.get(key)
    ]
    if refused:
        raise StudioError(f"The adapter uses {', '.join(refused)}, which can't be mixed in one batch.", HINT)
    modules = config.get("target_modules")
    if not isinstance(modules, list) or not modules or not all(isinstance(m, str) and m in KNOWN_MODULES for m in modules):
        raise StudioError(
            f"The adapter changes layers that are not known here: {modules}.", f"Known are {', '.join(sorted(KNOWN_MODULES))}."
        )
    rank, alpha, layers = config.get("r"), config.get("lora_alpha"), config.get("layers_to_transform")
    if not isinstance(rank, int) or not 1 <= rank <= MAX_RANK or not isinstance(alpha, int | float):
        raise StudioError(f"The adapter's rank ({rank}) or alpha ({alpha}) is not usable.", HINT)
    if layers is not None and not (isinstance(layers, list) and all(isinstance(n, int) and n >= 0 for n in layers)):
        raise StudioError("The adapter's list of layers is not a list of numbers.", HINT)
    return {"r": rank, "lora_alpha": alpha, "target_modules": sorted(modules), "layers_to_transform": layers}


def _check_tensors(path: Path, settings: dict[str, Any]) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as handle:
            for key in handle.keys():
                shape = handle.get_slice(key).get_shape()
                axis = 0 if "lora_A" in key else 1
                if not ("lora_A" in key or "lora_B" in key) or len(shape) != 2 or shape[axis] != settings["r"]:
                    raise StudioError(f"The adapter holds an unexpected tensor ({key}, {shape}).", HINT)
    except (SafetensorError, OSError) as error:
        raise StudioError(f"The adapter's weights can't be read ({str(error)[:120]}).", HINT) from error


def attach(model: Any, file: AdapterFile, name: str) -> Any:
    """Adds an inspected adapter to a model under a name and returns the (wrapped) model.

    Raises StudioError where the weights don't fit the base; the half-registered adapter is removed again.
    """
    from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    settings = dict(file.settings)
    if settings["layers_to_transform"] is not None:
        settings["layers_pattern"] = "layers"
    config = LoraConfig(**settings, init_lora_weights=True, inference_mode=True, task_type="CAUSAL_LM")
    wrapped = isinstance(model, PeftModel)
    try:
        if wrapped:
            model.add_adapter(name, config)
        else:
            model = get_peft_model(model, config, adapter_name=name)
        report = set_peft_model_state_dict(model, load_file(file.folder / WEIGHTS), adapter_name=name)
        if report.unexpected_keys or any(f".{name}." in key for key in report.missing_keys):
            raise ValueError("tensors that the base has no place for")
    except Exception as error:  # PEFT raises many kinds; all mean that the two don't belong together
        if name in getattr(model, "peft_config", {}):
            model.delete_adapter(name)
        raise StudioError(
            f"The adapter in {file.folder.parent.name} was made for another base model.", "Choose an adapter of the base that is loaded."
        ) from error
    return model.eval()


def check_bundled(file: AdapterFile) -> None:
    """Raises StudioError where a bundled adapter's weights are not the recorded ones."""
    if file.folder.resolve().is_relative_to(bundled.ADAPTERS.resolve()):
        wanted = bundled.checksums().get(f"adapter-{file.folder.parent.name}", "")
        if not wanted.startswith(file.fingerprint):
            raise StudioError(
                f"The bundled adapter “{file.folder.parent.name}” is damaged or was exchanged.",
                "Fetch the project again, or make it anew: make adapters",
            )


def set_strength(model: Any, name: str, strength: float) -> None:
    """Sets an adapter's scale absolutely: 0 is the base, 1 as trained."""
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer) and name in module.scaling:
            module.set_scale(name, strength)
