"""What an adapter_config.json may say: a list of plain settings, and everything else is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.hub import public_name
from pipelines.models.header import shown

MAX_RANK = 256
MAX_ALPHA = 4096
BEYOND = 1 << 63  # of whole numbers; longer ones can't even be compared with a fraction
HINT = "Use an adapter made by this studio, or a plain LoRA saved by PEFT as safetensors."
BLOCKS = ("layers", "h", "blocks")
LLAMA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj")
GPT = ("c_attn", "c_proj", "c_fc", "fc1", "fc2", "fc_in", "fc_out", "in_proj", "out_proj", "Wqkv", "q", "k", "v")
NEOX = ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h")
KNOWN_MODULES = frozenset((*LLAMA, *GPT, *NEOX))

JUDGED = ("target_modules", "r", "lora_alpha", "layers_to_transform")
OTHER_LAYERS = (
    "use_dora",
    "use_rslora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "rank_pattern",
    "alpha_pattern",
    "alora_invocation_tokens",
    "ensure_weight_tying",
)
OTHER_WEIGHTS = ("modules_to_save", "trainable_token_indices", "target_parameters", "exclude_modules", "layer_replication", "auto_mapping")
OTHER_METHODS = ("loftq_config", "eva_config", "corda_config", "lora_ga_config", "velora_config", "kasa_config")
OTHER_LIBRARIES = ("monteclora_config", "arrow_config", "megatron_config", "enable_lora", "merge_weights")
VARIANTS = (*OTHER_LAYERS, *OTHER_WEIGHTS, *OTHER_METHODS, *OTHER_LIBRARIES)


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (type(value) is float and math.isfinite(value)) or (type(value) is int and abs(value) < BEYOND)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 1


def _is_start(value: Any) -> bool:
    """Starting values that are drawn at random; all others are computed from the base weights, and most of them change these."""
    return _is_switch(value) or value in ("gaussian", "orthogonal")


def _is_block(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return not value or (isinstance(names, list) and all(name in BLOCKS for name in names))


HARMLESS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("base_model_name_or_path", "revision", "peft_version"), _is_text),
    **dict.fromkeys(("inference_mode", "fan_in_fan_out"), _is_switch),
    "peft_type": lambda value: value == "LORA",
    "task_type": lambda value: value in (None, "CAUSAL_LM"),
    "bias": lambda value: value == "none",
    "lora_dropout": _is_share,
    "init_lora_weights": _is_start,
    "layers_pattern": _is_block,
    "megatron_core": lambda value: value in (None, "megatron.core"),
    "qalora_group_size": _is_number,
}


def read_settings(path: Path, called: str) -> tuple[dict[str, Any], str]:
    """The settings that a plain LoRA needs (keywords of PEFT's LoraConfig), and the public name of the base, "" where none is given.

    Raises StudioError where the file can't be read, and for every key and value but the plain ones: the next version of a
    library may learn to obey what this one ignores.
    """
    config = _read(path, called)
    unknown = sorted(set(config) - {*HARMLESS, *VARIANTS, *JUDGED})
    if unknown:
        raise StudioError(f"The adapter's settings hold {_listed(unknown)}, which is not known here.", HINT)
    asked = sorted(key for key in VARIANTS if config.get(key))
    if asked:
        raise StudioError(f"The adapter uses {_listed(asked)}, which is more than a plain LoRA.", HINT)
    for key, is_harmless in HARMLESS.items():
        if key in config and not is_harmless(config[key]):
            reason = "can change the shared base weights" if key == "init_lora_weights" else "is not plain LoRA"
            raise StudioError(f"The adapter's {key} is “{shown(config[key], 60)}”, which {reason}.", HINT)
    settings = {"target_modules": _modules(config), **_sizes(config), "fan_in_fan_out": config.get("fan_in_fan_out", False)}
    return settings, public_name(config.get("base_model_name_or_path") or "")


def _read(path: Path, called: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > 1 << 20:
            raise ValueError("too large")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudioError(f"{path.name} can't be read ({str(error)[:120]}).", HINT) from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise StudioError(f"{called} is not a LoRA adapter.", HINT)
    return config


def _listed(keys: list[str]) -> str:
    return ", ".join(shown(key, 40) for key in keys[:5])


def _modules(config: dict[str, Any]) -> list[str]:
    modules = config.get("target_modules")
    if isinstance(modules, str):
        raise StudioError(
            f"The adapter chooses its layers by a pattern (“{shown(modules, 60)}”); what that reaches is not known beforehand.",
            "target_modules must be a list of names.",
        )
    if not isinstance(modules, list) or not modules or not all(isinstance(m, str) and m in KNOWN_MODULES for m in modules):
        raise StudioError(
            f"The adapter changes layers that are not known here: {shown(modules)}.", f"Known are {', '.join(sorted(KNOWN_MODULES))}."
        )
    return sorted(set(modules))


def _sizes(config: dict[str, Any]) -> dict[str, Any]:
    rank: Any = config.get("r")
    alpha: Any = config.get("lora_alpha")
    layers: Any = config.get("layers_to_transform")
    if type(rank) is not int or not 1 <= rank <= MAX_RANK or not _is_number(alpha) or not 0 < alpha <= MAX_ALPHA:
        raise StudioError(f"The adapter's rank ({shown(rank, 20)}) or alpha ({shown(alpha, 20)}) is not usable.", HINT)
    layers = [layers] if type(layers) is int else layers or None
    if layers is not None and not (isinstance(layers, list) and all(type(n) is int and n >= 0 for n in layers)):
        raise StudioError("The adapter's list of layers is not a list of numbers.", HINT)
    return {"r": rank, "lora_alpha": alpha, "layers_to_transform": layers}
