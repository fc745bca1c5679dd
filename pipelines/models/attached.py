"""The adapters that are attached to one loaded base: found again by name, checked at every use, taken out when room is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.adapters import AdapterFile, settings_hash
from pipelines.models.loading import Base
from pipelines.records import Column

MAX_LOADED = 8
BASE_ROW = "__base__"


class Spoiled(StudioError):
    """After this the model has to be loaded afresh."""


def _exchanged(name: str) -> Spoiled:
    return Spoiled(
        f"What is attached as “{name}” is not the adapter that was checked, so nothing was answered.",
        "The model is loaded afresh; ask again.",
    )


@dataclass(frozen=True)
class Attached:
    """A column's adapter as the batch knows it: its name there, what the stamp says of it, where its weights lie and their digest."""

    name: str
    fingerprint: str = ""
    settings: str = ""
    strength: float = 0.0
    layers: Sequence[Any] = ()
    digest: str = ""


NOTHING = Attached(BASE_ROW)


@dataclass
class Shelf:
    """At most MAX_LOADED adapters (a blend counts as one) on one base, the least lately used first."""

    base: Base
    loaded: dict[str, Attached] = field(default_factory=dict)

    def find(self, column: Column) -> tuple[Attached, bool]:
        """The column's adapter, and whether it was attached just now, after which the base has to be tested.

        Raises StudioError where the files do not pass the gate, Spoiled where what lies in memory is not what was attached.
        """
        if column.is_base:
            return NOTHING, False
        files = inspected(column)
        for file, _ in files:
            adapters.check_bundled(file)
        name = "_".join(f"{file.fingerprint}_{settings_hash(file)}_{strength!r}" for file, strength in files)
        name = name.replace("-", "m").replace(".", "p").replace("+", "")
        is_new = name not in self.loaded
        if is_new:
            self._make_room()
            self._attach(name, files)
            fingerprint, strength = stamped([(file.fingerprint, strength) for file, strength in files])
            layers = layers_of(self.base.model, name)
            self.loaded[name] = Attached(name, fingerprint, settings_of(files), strength, layers, digest(layers, name))
        elif digest(self.loaded[name].layers, name) != self.loaded[name].digest:
            raise _exchanged(column.name)
        found = self.loaded[name] = self.loaded.pop(name)
        return found, is_new

    def _make_room(self) -> None:
        while len(self.loaded) >= MAX_LOADED:
            oldest = next(iter(self.loaded))
            self._delete(oldest)
            del self.loaded[oldest]

    def _delete(self, name: str) -> None:
        """PEFT goes on calling a deleted adapter the active one where it was, so another one is made active first."""
        model = self.base.model
        model.set_adapter(next(one for one in model.peft_config if one != name), inference_mode=True)
        model.delete_adapter(name)

    def _attach(self, name: str, files: list[tuple[AdapterFile, float]]) -> None:
        if len(files) == 1:
            return self._attach_one(name, *files[0])
        parts = [f"part{number}_{name}" for number in range(len(files))]
        try:
            for part, (file, strength) in zip(parts, files, strict=True):
                self._attach_one(part, file, strength)
            # "cat" adds the changes up exactly; PEFT's "linear" would multiply one adapter's halves with the other's.
            self.base.model.base_model.add_weighted_adapter(parts, [1.0] * len(parts), name, combination_type="cat")
            for part in parts:
                self._delete(part)
        except Exception as error:  # whatever was attached until then would go on answering for the base
            what = error.message if isinstance(error, StudioError) else f"{type(error).__name__}: {str(error)[:120]}"
            raise Spoiled(f"These adapters can't be blended. {what}", "Show them as two columns, or choose others.") from error
        return None

    def _attach_one(self, name: str, file: AdapterFile, strength: float) -> None:
        wanted = adapters.digest(file)
        self.base.model = adapters.attach(self.base.model, file, name)
        if digest(layers_of(self.base.model, name), name, scales=False) != wanted:
            raise _exchanged(file.folder.name)
        adapters.set_strength(self.base.model, name, strength)


def inspected(column: Column) -> list[tuple[AdapterFile, float]]:
    """The column's adapters, each with its strength. Raises StudioError where one does not pass the gate."""
    return [(adapters.inspect(folder), strength) for folder, strength in column.parts]


def stamped(parts: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """Fingerprint and strength as a stamp tells them, from those of each adapter: of none for the base, of several for a blend."""
    if len(parts) > 1:
        return "+".join(f"{fingerprint}*{strength:g}" for fingerprint, strength in parts), 1.0
    return parts[0] if parts else ("", 0.0)


def settings_of(files: Sequence[tuple[AdapterFile, float]]) -> str:
    """What a stamp tells of the adapters' settings."""
    return "+".join(settings_hash(file) for file, _ in files)


def layers_of(model: Any, name: str) -> list[Any]:
    """The layers of a model that an adapter changes, by their path."""
    from peft.tuners.lora import LoraLayer

    found = {path: module for path, module in model.named_modules() if isinstance(module, LoraLayer) and name in module.lora_A}
    return [found[path] for path in sorted(found)]


def digest(layers: Sequence[Any], name: str, scales: bool = True) -> str:
    """SHA-256 over the weights that an adapter has in memory, layer by layer, and with `scales` over its strength there."""
    seen = hashlib.sha256()
    for layer in layers:
        for half in (layer.lora_A, layer.lora_B):
            seen.update(half[name].weight.detach().float().cpu().contiguous().numpy().data)
        if scales:
            seen.update(repr(layer.scaling[name]).encode())
    return seen.hexdigest()
