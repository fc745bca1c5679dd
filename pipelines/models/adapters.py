"""The gate through which adapters come in: two plain files, known settings, known shapes - and nothing that runs."""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.hub import public_name
from pipelines.models.header import read_shapes, shown
from pipelines.models.settings import BLOCKS, HINT, read_settings
from pipelines.paths import content_hash, file_hash

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PLACE = re.compile(
    rf"(?P<block>(?:[A-Za-z_]\w*\.)+(?:{'|'.join(BLOCKS)}))\.(?P<layer>\d{{1,4}})\.(?P<part>(?:[A-Za-z_]\w*\.)*(?P<module>\w+))",
    re.ASCII,
)
TENSOR = re.compile(rf"base_model\.model\.(?P<path>{PLACE.pattern})\.lora_(?P<half>[AB])\.weight", re.ASCII)


@dataclass(frozen=True)
class AdapterFile:
    """An adapter that passed the gate: its settings reduced to what LoRA needs, and the fingerprint of its weights.

    `base_id` is the base that it names, "" where none; `shapes` are (out, in) of the layers it changes, by their path in the base.
    """

    folder: Path
    settings: dict[str, Any]
    fingerprint: str
    base_id: str = ""
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False)


def settings_hash(file: AdapterFile) -> str:
    """Eight hexadecimal digits over what decides how the weights work: the same weights with another alpha are another adapter."""
    return content_hash(file.settings)[:8]


def locate(folder: Path) -> Path:
    """The folder that holds the adapter's files: the given one, or `adapter/` in a run folder."""
    return folder / "adapter" if (folder / "adapter" / CONFIG).is_file() else folder


def inspect(folder: Path) -> AdapterFile:
    """Checks an adapter's files without loading them.

    Raises StudioError where a file is missing, a link or too large, or asks for more than a plain LoRA does: a config may
    otherwise change the shared base weights (`init_lora_weights="pissa"`), and `.bin` files run code when read.
    """
    folder = locate(folder)
    for name in (CONFIG, WEIGHTS):
        if folder.is_symlink() or (folder / name).is_symlink():
            raise StudioError(f"{name} of {_called(folder)} is a link, which may lead anywhere.", "Put the file itself there.")
        if not (folder / name).exists() or not stat.S_ISREG((folder / name).stat().st_mode):
            raise StudioError(f"{_called(folder)} holds no {name}.", HINT)
    return _checked(folder, tuple(map(_mark, (folder / CONFIG, folder / WEIGHTS))))


def _mark(path: Path) -> tuple[int, ...]:
    """What no write to a file leaves as it was."""
    told = path.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


@lru_cache(maxsize=64)
def _checked(folder: Path, marks: tuple[tuple[int, ...], ...]) -> AdapterFile:
    """Reads both files; again only once one of them was written."""
    settings, base_id = read_settings(folder / CONFIG, _called(folder))
    shapes = _layer_shapes(folder / WEIGHTS, settings)
    return AdapterFile(folder, settings, file_hash(folder / WEIGHTS)[:12], base_id, shapes)


def _called(folder: Path) -> str:
    return folder.parent.name if folder.name == "adapter" else folder.name


def _layer_shapes(path: Path, settings: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """(out, in) of every changed layer, from the header: each has one A (rank, in) and one B (out, rank), and nothing else is there."""
    allowed = settings["layers_to_transform"]

    def expect(name: str, shape: list[int]) -> None:
        found = TENSOR.fullmatch(name)
        known = found and found["module"] in settings["target_modules"] and (allowed is None or int(found["layer"]) in allowed)
        if not found or not known or shape["AB".index(found["half"])] != settings["r"]:
            raise StudioError(
                f"The adapter holds an unexpected tensor ({shown(name)}, {shape}).",
                f"Expected are halves of rank {settings['r']} for {', '.join(settings['target_modules'])} of the numbered layers.",
            )

    halves: dict[str, dict[str, list[int]]] = {}
    for name, shape in read_shapes(path, expect).items():
        layer, half = name.removeprefix("base_model.model.").removesuffix(".weight").rsplit(".lora_", 1)
        halves.setdefault(layer, {})[half] = shape
    alone = next((layer for layer, pair in halves.items() if len(pair) != 2), None)
    if alone:
        raise StudioError(f"The adapter holds only half of {alone}.", HINT)
    return {layer: (pair["B"][0], pair["A"][1]) for layer, pair in halves.items()}


def plain_config(file: AdapterFile, base_id: str = "") -> dict[str, Any]:
    """The adapter_config.json that says the same to plain PEFT, and nothing of the machine that it was made on."""
    blocks = sorted({found["block"].rpartition(".")[2] for layer in file.shapes if (found := PLACE.fullmatch(layer))})
    limited = file.settings["layers_to_transform"] is not None
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": public_name(base_id) or file.base_id or None,
        **file.settings,
        "layers_pattern": blocks if limited else None,
        "lora_dropout": 0.0,
        "bias": "none",
        "init_lora_weights": True,
        "inference_mode": True,
    }


def attach(model: Any, file: AdapterFile, name: str) -> Any:
    """Adds an inspected adapter to a model under a name and returns the (wrapped) model.

    Raises StudioError where the weights are not finite, not those inspected, or don't fit the base, which is then as it was.
    """
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    _check_fit(model, file)
    weights = _read_weights(file)
    settings = {**file.settings, "target_modules": sorted(file.shapes), "layers_to_transform": None}
    config = LoraConfig(**settings, init_lora_weights=True, inference_mode=True, task_type="CAUSAL_LM")
    wrapped: Any = None
    try:
        if _is_wrapped(model):
            wrapped = model
            model.add_adapter(name, config)
        else:
            wrapped = get_peft_model(model, config, adapter_name=name)
        report = set_peft_model_state_dict(wrapped, weights, adapter_name=name)
        if report.unexpected_keys or any(f".{name}." in key for key in report.missing_keys):
            raise ValueError("tensors that the base has no place for")
    except Exception as error:  # PEFT raises many kinds, and leaves what it began
        _take_out(model, name)
        raise StudioError(
            f"The adapter in {_called(file.folder)} could not be attached ({type(error).__name__}: {str(error)[:80]}).",
            "The base is as it was; choose another adapter.",
        ) from error
    return wrapped.eval()


def _is_wrapped(model: Any) -> bool:
    from peft import PeftModel

    return isinstance(model, PeftModel)


def _other_base(file: AdapterFile, reason: str) -> StudioError:
    return StudioError(
        f"The adapter in {_called(file.folder)} was made for another base model ({reason}).",
        "Choose an adapter of the base that is loaded.",
    )


def _check_fit(model: Any, file: AdapterFile) -> None:
    """Compares every shape with the base's layer before PEFT touches the model: half an adapter is harder to take out than none."""
    base = model.get_base_model() if _is_wrapped(model) else model
    modules = dict(base.named_modules())
    for layer, shape in file.shapes.items():
        there: Any = modules.get(layer)
        there = there.get_base_layer() if hasattr(there, "get_base_layer") else there
        here = features(there)
        if here != shape:
            raise _other_base(file, f"{layer} is {here} here, {shape} there" if here else f"the loaded one has no layer {layer}")


def features(module: Any) -> tuple[int, int] | None:
    """(out, in) of a linear layer of any make; None for other modules."""
    out, into = getattr(module, "out_features", getattr(module, "nf", None)), getattr(module, "in_features", getattr(module, "nx", None))
    return (out, into) if out and into else None


def _read_weights(file: AdapterFile) -> dict[str, Any]:
    """Reads the bytes once, so that what is attached is what was inspected."""
    import torch
    from safetensors.torch import load

    data = (file.folder / WEIGHTS).read_bytes()
    if not hashlib.sha256(data).hexdigest().startswith(file.fingerprint):
        raise StudioError(f"The weights in {_called(file.folder)} were exchanged since they were checked.", "Choose the adapter again.")
    tensors = load(data)
    broken = next((name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()), None)
    if broken:
        raise StudioError(f"The adapter holds numbers that are not finite ({broken}).", "Its training went wrong; choose another one.")
    return tensors


def digest(file: AdapterFile) -> str:
    """SHA-256 over an inspected adapter's weights, layer by layer, as they must lie in memory once it is attached."""
    weights, seen = _read_weights(file), hashlib.sha256()
    for layer in sorted(f"base_model.model.{layer}" for layer in file.shapes):
        for half in "AB":
            seen.update(weights[f"{layer}.lora_{half}.weight"].float().contiguous().numpy().data)
    return seen.hexdigest()


def _take_out(model: Any, name: str) -> None:
    """Removes a half-registered adapter; a model that had none before gets its plain layers back."""
    from peft.tuners.lora import LoraLayer

    if _is_wrapped(model) and name in model.peft_config:
        model.delete_adapter(name)
        return
    for path, module in list(model.named_modules()):
        if isinstance(module, LoraLayer) and _is_wrapped(model):
            module.delete_adapter(name)
        elif isinstance(module, LoraLayer):
            parent, _, leaf = path.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module.get_base_layer())
    if not _is_wrapped(model):
        model.__dict__.pop("peft_config", None)


def check_bundled(file: AdapterFile) -> None:
    """Raises StudioError where a bundled adapter's weights are not the recorded ones."""
    if file.folder.resolve().is_relative_to(bundled.ADAPTERS.resolve()):
        wanted = bundled.checksums().get(f"adapter-{file.folder.parent.name}", "")
        known = bundled.checksums().get(f"settings-{file.folder.parent.name}", "")
        if not wanted.startswith(file.fingerprint) or settings_hash(file) != known:
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
