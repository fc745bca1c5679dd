"""Every lever of a tuning run, in one dataclass from which form, YAML file and command line are made."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from pipelines.entries import is_torn, shown
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import content_hash, read_yaml
from pipelines.records import lever

METHODS = {
    "sft": "learns to write the chosen answers (supervised)",
    "dpo": "learns to prefer chosen to rejected answers; may make both unlikely",
    "sft-then-dpo": "first writes the chosen answers, then learns to prefer them",
    "dpo-with-sft": "prefers chosen answers and keeps them likely, both at once",
    "ipo": "prefers chosen answers up to a fixed margin and no further",
}
MAX_FILE_BYTES = 1 << 16
LONGEST_BASE, MOST_MODULES, WIDEST = 1000, 50, 1 << 20  # characters, names, and a line that YAML never breaks
LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

_method = partial(lever, group="Method")
_learning = partial(lever, group="Learning")
_adapter = partial(lever, group="Adapter")
_watch = partial(lever, group="Watching")
_machine = partial(lever, group="Machine")


def _layers(default: tuple[str, ...], label: str, hint: str) -> Any:
    return field(default=default, metadata=dict(lever("", label, hint, group="Adapter").metadata))


@dataclass(frozen=True)
class Recipe:
    """Settings of one tuning run. The defaults are the classroom recipe: about two minutes on two laptop cores.

    Raises StudioError for a value that is not of its kind, out of range, or does not go with another.
    """

    method: str = _method(
        "sft", "Method", "What is learned from a pair: to write the chosen answer, or to prefer it.", choices=tuple(METHODS)
    )
    base: str = _method(LANGUAGE_MODEL.name, "Base model", "The embedded model, a folder in the Hub's format, or a Hub id.")
    template: str = _method(
        "model", "Prompt template", "The model's own chat template, or the Alpaca one (also used where a model has none).", choices=("model", "alpaca")
    )  # fmt: skip
    sft_share: float = _method(0.5, "SFT share", "sft-then-dpo: this share of the steps goes to the first part.", 0.05, 0.95)
    beta: float = _method(0.1, "Beta", "Preference methods: how strongly the tuned model is held near the base.", 0.001, 10)
    sft_weight: float = _method(1.0, "SFT weight", "dpo-with-sft: weight of the part that keeps chosen answers likely.", 0.01, 10)
    epochs: float = _learning(2.5, "Epochs", "How often every row is seen.", 0.01, 50)
    max_steps: int = _learning(0, "Steps at most", "Ends after this many steps; 0 means the epochs decide.", 0, 100_000)
    batch_size: int = _learning(8, "Rows at once", "Rows that are computed together; fewer need less memory.", 1, 256)
    accumulation: int = _learning(1, "Batches a step", "This many batches are added up before the adapter moves.", 1, 256)
    learning_rate: float = _learning(
        2e-3, "Learning rate", "How far each step moves the adapter. Too high and the model garbles.", 1e-7, 1e-1
    )
    dpo_learning_rate: float = _learning(
        5e-4, "Learning rate, second part", "sft-then-dpo: the learning rate of its second part.", 1e-7, 1e-1
    )
    schedule: str = _learning("cosine", "Schedule", "How the learning rate falls after its rise.", choices=("cosine", "linear", "constant"))
    warmup_steps: int = _learning(6, "Warm-up steps", "Steps over which the learning rate rises from zero.", 0, 10_000)
    weight_decay: float = _learning(0.0, "Weight decay", "Pulls the adapter's weights towards zero.", 0, 1)
    max_tokens: int = _learning(256, "Longest row (tokens)", "Longer rows are left out, and counted.", 16, 8192)
    seed: int = _learning(7, "Seed", "Order of the rows and start of the adapter.", 0, 2**31 - 1)
    lora_rank: int = _adapter(16, "Rank", "Width of the adapter: how much it can change.", 1, 256)
    lora_alpha: int = _adapter(32, "Alpha", "Scale of the adapter; its effect grows with alpha / rank.", 1, 1024)
    top_layers: int = _adapter(10, "Top layers", "Only this many of the last layers get an adapter; 0 means all.", 0, 200)
    modules: tuple[str, ...] = _layers(
        ("q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"),
        "Parts of a layer",
        "Which linear maps get an adapter; none ticked means every one of them. The output layer never does: TRL refuses it.",
    )
    sample_every: int = _watch(20, "Look every (steps)", "Asks the sample questions again and looks for damage.", 1, 10_000)
    sample_tokens: int = _watch(32, "Sample answers (tokens)", "Length of a sample answer; about four tokens make three words.", 1, 400)
    save_every: int = _watch(
        10, "Keep every (steps)", "Keeps the adapter as it is then: to look at in Compare, and to go on from.", 1, 10_000
    )
    ruler: bool = _watch(True, "Ruler", "Places the sample answers on the two axes while tuning; about ten seconds more.")
    guard: str = _watch(
        "warn",
        "Collapse guard",
        "Repetition, garbling, chosen answers grown unlikely: warn, or end the run.",
        choices=("warn", "stop", "off"),
    )
    precision: str = _machine("auto", "Precision", "auto is fp32 on a CPU and bf16 on a GPU.", choices=("auto", "fp32", "bf16"))
    quantize: str = _machine(
        "none", "Base weights", "4bit (QLoRA) needs an NVIDIA GPU and a quarter of the memory.", choices=("none", "4bit")
    )
    checkpointing: bool = _machine(False, "Save memory", "Computes activations again in the backward pass: less memory, a third slower.")

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, _converted(one, getattr(self, one.name)))
            _check(one, getattr(self, one.name))

    @property
    def hash(self) -> str:
        """SHA-256 over all settings."""
        return content_hash(self.as_dict())

    @property
    def prefers(self) -> bool:
        """Whether rejected answers are used."""
        return self.method != "sft"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "modules": list(self.modules)}

    def to_yaml(self, about: str = "") -> str:
        """All settings as YAML, under their headings and with their hints as comments; `about` stands on top."""
        lines = [f"# {line}" for line in textwrap.wrap(about, 118)]
        group = ""
        for one in fields(self):
            if one.metadata["group"] != group:
                group = one.metadata["group"]
                lines += ["", f"# {group}"]
            value = yaml.safe_dump(self.as_dict()[one.name], default_flow_style=True, width=WIDEST).split("\n")[0]
            lines.append(f"{f'{one.name}: {value}':<34} # {one.metadata['hint']}".rstrip())
        return "\n".join(lines).lstrip("\n") + "\n"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Makes a recipe from settings by name.

        Raises StudioError for an unknown name or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = {shown(name) for name in values} - known
        if unknown:
            raise StudioError(f"A recipe has no setting called {', '.join(sorted(unknown))}.", f"It knows {', '.join(sorted(known))}.")
        return cls(**values)

    @classmethod
    def from_yaml(cls, path: Path) -> Recipe:
        """Reads a recipe from a YAML file of `setting: value` lines; what it does not name stays as in the classroom recipe."""
        hint = "It must be a YAML file of `setting: value` lines."
        name = shown(path.name)
        try:
            values = read_yaml(path, MAX_FILE_BYTES) or {}
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StudioError(f"The recipe {name} can't be read ({shown(reason, 120)}).", hint) from error
        if not isinstance(values, dict):
            raise StudioError(f"The recipe {name} is not a list of settings.", hint)
        return cls.from_dict(values)


def _converted(one: Any, value: Any) -> Any:
    """A value that came as text ("5e-4" in YAML) or as a float becomes what the field holds."""
    kind = type(one.default)
    wanted = {tuple: "a list of words", str: "a word", bool: "true or false"}.get(kind, "a number")
    try:
        if kind is bool:
            return {True: True, False: False, "true": True, "false": False}[value.lower() if isinstance(value, str) else value]
        if isinstance(value, bool) or value is None or (kind is tuple and not isinstance(value, list | tuple)):
            raise ValueError
        if kind is str and not isinstance(value, str):
            raise ValueError
        converted = kind(value)
        if kind is int and float(value) != converted:
            raise ValueError
        if kind is tuple and not all(isinstance(item, str) for item in converted):
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise StudioError(f"{one.metadata['label']} ({one.name}) is {shown(value)}.", f"It must be {wanted}.") from None
    return converted


def _check(one: Any, value: Any) -> None:
    about = one.metadata
    named = f"{about['label']} ({one.name})"
    if about["choices"] and value not in about["choices"]:
        raise StudioError(f"{named} is {shown(value)}.", f"Use one of {', '.join(about['choices'])}.")
    if about["low"] is not None and not about["low"] <= value <= about["high"]:
        raise StudioError(f"{named} is {shown(value)}.", f"It must lie between {about['low']:g} and {about['high']:g}.")
    if one.name == "base" and not value.strip():
        raise StudioError("No base model is named.", f"Give a folder, a Hub id, or {LANGUAGE_MODEL.name}.")
    if one.name == "base" and (len(value) > LONGEST_BASE or is_torn(value) or any(ord(letter) < 32 for letter in value)):
        raise StudioError(f"“{shown(value)}” can't be the name of a base model.", f"Give a folder, a Hub id, or {LANGUAGE_MODEL.name}.")
    if one.name == "modules" and len(value) > MOST_MODULES:
        raise StudioError(f"{len(value):,} parts of a layer are named.", f"Use at most {MOST_MODULES}, such as {', '.join(LAYERS)}.")
    strange = [name for name in value if not name.isidentifier()] if one.name == "modules" else []
    if strange:
        raise StudioError(f"{', '.join(strange)[:80]} can't be the name of a part of a layer.", f"Use names such as {', '.join(LAYERS)}.")
    if one.name == "modules" and "lm_head" in value:
        raise StudioError("The output layer (lm_head) can't get an adapter.", "TRL refuses it; leave it out.")
