"""Every lever of a tuning run, in one dataclass from which form, YAML file and command line are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import StudioError
from pipelines.paths import content_hash

METHODS = ("sft", "dpo")
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def _lever(default: Any, hint: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"hint": hint, "low": low, "high": high})


def _kind(default: Any) -> Any:
    return type(default)


@dataclass(frozen=True)
class Recipe:
    """Settings of one tuning run. The defaults are the classroom recipe: about three minutes on two laptop cores."""

    method: str = _lever("sft", "sft learns to write the chosen answers; dpo learns to prefer them to the rejected ones.")
    epochs: float = _lever(2.5, "How often every row is seen.", 0.01, 50)
    max_steps: int = _lever(0, "Stop after this many steps; 0 means the epochs decide.", 0, 100_000)
    batch_size: int = _lever(8, "Rows in one step.", 1, 256)
    learning_rate: float = _lever(2e-3, "How far each step moves the adapter. Too high and the model garbles.", 1e-7, 1e-1)
    warmup_steps: int = _lever(6, "Steps over which the learning rate rises from zero.", 0, 10_000)
    weight_decay: float = _lever(0.0, "Pulls the adapter's weights towards zero.", 0, 1)
    lora_rank: int = _lever(16, "Width of the adapter: how much it can change.", 1, 256)
    lora_alpha: int = _lever(32, "Scale of the adapter; its effect grows with alpha / rank.", 1, 1024)
    top_layers: int = _lever(10, "Only this many of the last layers get an adapter; 0 means all.", 0, 200)
    modules: tuple[str, ...] = _lever(("q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"), "Which linear layers get an adapter.")
    max_tokens: int = _lever(256, "Longer rows are left out, and counted.", 16, 8192)
    beta: float = _lever(0.1, "dpo: how strongly the tuned model is held near the base.", 0.001, 10)
    sft_weight: float = _lever(1.0, "dpo: weight of the added sft loss, which keeps chosen answers likely; 0 is plain dpo.", 0, 10)
    sample_every: int = _lever(12, "Ask the sample question again after this many steps.", 1, 10_000)
    sample_tokens: int = _lever(40, "Length of that sample answer in tokens.", 1, 400)
    save_every: int = _lever(20, "Keep a checkpoint after this many steps, from which a crashed run goes on.", 1, 10_000)
    seed: int = _lever(7, "Order of the rows and start of the adapter.", 0, 2**31 - 1)

    def __post_init__(self) -> None:
        self._convert()
        if self.method not in METHODS:
            raise StudioError(f"“{self.method}” is not a method.", f"Use one of {', '.join(METHODS)}.")
        unknown = set(self.modules) - set(ALL_LINEAR)
        if unknown or not self.modules:
            raise StudioError(f"Unknown layers: {', '.join(sorted(unknown)) or 'none given'}.", f"Choose from {', '.join(ALL_LINEAR)}.")
        for lever in fields(self):
            low, high = lever.metadata["low"], lever.metadata["high"]
            value = getattr(self, lever.name)
            if low is not None and not low <= value <= high:
                raise StudioError(f"{lever.name} is {value}.", f"It must lie between {low:g} and {high:g}.")

    def _convert(self) -> None:
        """Numbers that came as text ("5e-4" in YAML) or as floats become what the field holds."""
        for lever in fields(self):
            value, kind = getattr(self, lever.name), _kind(lever.default)
            try:
                if isinstance(value, bool) or (kind is tuple and isinstance(value, str | int | float)):
                    raise ValueError
                converted = kind(value)
                if kind is int and float(value) != converted:
                    raise ValueError
            except (TypeError, ValueError, OverflowError):
                raise StudioError(
                    f"{lever.name} is {value!r}.",
                    f"It must be {'a list of layers' if kind is tuple else 'a number' if kind is not str else 'a word'}.",
                ) from None
            object.__setattr__(self, lever.name, converted)

    @property
    def hash(self) -> str:
        """SHA-256 over all settings."""
        return content_hash(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "modules": list(self.modules)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Makes a recipe from settings by name.

        Raises StudioError for an unknown name or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = set(values) - known
        if unknown:
            raise StudioError(f"A recipe has no setting called {', '.join(sorted(unknown))}.", f"It knows {', '.join(sorted(known))}.")
        return cls(**values)

    @classmethod
    def from_yaml(cls, path: Path) -> Recipe:
        """Reads a recipe from a YAML file of `setting: value` lines."""
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise StudioError(
                f"The recipe {path.name} can't be read ({type(error).__name__}).", "It must be a YAML file of `setting: value` lines."
            ) from error
        if not isinstance(values, dict):
            raise StudioError(f"The recipe {path.name} is not a list of settings.", "It must be a YAML file of `setting: value` lines.")
        return cls.from_dict(values)
