"""Sizes of a base model, from its config.json alone: the model is built without memory for its weights."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import catalog, prepare
from pipelines.models.catalog import Source
from pipelines.models.libraries import ready
from pipelines.paths import Paths, read_json
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.training.engines import layer_parts

IGNORED = ("dtype", "torch_dtype", "quantization_config", "auto_map")
EMBEDDED = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}  # the packaged model before it is converted


@dataclass(frozen=True)
class Map:
    """One linear map of a block, for example q_proj of layer 3, with its numbers of inputs and outputs."""

    layer: int
    name: str
    inputs: int
    outputs: int

    @property
    def ends(self) -> int:
        return self.inputs + self.outputs


@dataclass(frozen=True)
class Shape:
    """A base model's sizes. `kind` is its model_type, such as "llama"; `parameters` counts every weight once, also where embedding and vocabulary head share theirs."""

    kind: str
    parameters: int
    layers: int
    hidden: int
    vocabulary: int
    maps: tuple[Map, ...]

    @property
    def mapped(self) -> int:
        """Weights in the blocks' linear maps: what a token is multiplied with, and what 4-bit shrinks."""
        return sum(one.inputs * one.outputs for one in self.maps)

    def adapted(self, recipe: Recipe) -> list[Map]:
        """The maps that get an adapter: of the top layers, those named (all where none is)."""
        lowest = self.layers - recipe.top_layers if recipe.top_layers else 0
        return [one for one in self.maps if one.layer >= lowest and (not recipe.modules or one.name in recipe.modules)]

    def lora(self, recipe: Recipe) -> int:
        """Weights of the adapter: rank x (inputs + outputs) for each adapted map (Hu et al. 2021, section 4.1)."""
        return sum(recipe.lora_rank * one.ends for one in self.adapted(recipe))

    def upper(self, recipe: Recipe) -> list[Map]:
        """All maps from the lowest adapted layer upwards: the part that gradients run through."""
        lowest = min((one.layer for one in self.adapted(recipe)), default=self.layers)
        return [one for one in self.maps if one.layer >= lowest]


def shape(source: Source, paths: Paths) -> Shape:
    """Sizes of a base. Of a Hub model only config.json is fetched.

    Raises StudioError where the config can't be had or read, or names no model that this studio can build.
    """
    config = {key: value for key, value in _config(source, paths).items() if key not in IGNORED}
    return _shape(json.dumps(config, sort_keys=True), source.title)


def files(source: Source, paths: Paths) -> Path | None:
    """A folder with the tokenizer's files that is on this machine already, or None."""
    if source.kind == "hub":
        found = _cached(source.location, "tokenizer.json")
        return Path(found).parent if found else None
    folder = prepare.converted_folder(paths) if source.kind == "package" else source.path
    return folder if (folder / "tokenizer.json").is_file() else None


def weights_here(source: Source, paths: Paths) -> bool:
    """Whether the weights are on this machine in the form that is trained on."""
    if source.kind == "package":
        return (prepare.converted_folder(paths) / prepare.ORIGIN).is_file()
    return source.kind != "hub" or any(_cached(source.location, f"{prepare.WEIGHTS}{end}") for end in ("", ".index.json"))


def _cached(hub_id: str, name: str) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, name)
    return found if isinstance(found, str) else None


def _config(source: Source, paths: Paths) -> dict[str, Any]:
    if source.kind == "package" and not prepare.converted_folder(paths).is_dir():
        return EMBEDDED
    places = {"hub": _fetched, "package": lambda _: prepare.converted_folder(paths) / "config.json"}
    file = places.get(source.kind, lambda place: Path(place) / "config.json")(source.location)
    try:
        config = read_json(file)
        if not isinstance(config, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise StudioError(
            f"The config.json of {source.title} can't be read ({type(error).__name__}).", "Fetch the model again, or choose another base."
        ) from error
    return config


def _fetched(hub_id: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import GatedRepoError

    try:
        return Path(hf_hub_download(hub_id, "config.json"))
    except GatedRepoError as error:
        raise StudioError(
            f"{hub_id} is given only to people who accepted its terms.",
            "Accept them on the model's page and put an access token into the environment as HF_TOKEN, or choose another base.",
        ) from error
    except Exception as error:  # the Hub client raises many kinds; all mean the same to a person
        raise StudioError(
            f"The settings of {hub_id} could not be fetched from the Hub ({type(error).__name__}).",
            f"Check the name and the connection, or choose a folder on this machine or {catalog.LANGUAGE_MODEL.name}.",
        ) from error


@lru_cache(maxsize=16)
def _shape(config_text: str, title: str) -> Shape:
    """Builds the model on torch's meta device.

    Not with accelerate.init_empty_weights: that changes torch for all threads, and another one may be loading a model.
    """
    ready("transformers")
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.for_model(**json.loads(config_text))
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False, dtype=torch.float32)
            model.tie_weights()
    except Exception as error:  # transformers raises many kinds for configs it does not know
        raise StudioError(
            f"{title} is no language model that this studio can open ({type(error).__name__}: {str(error)[:120]}).",
            "Choose a causal language model in the Hub's format, without code of its own.",
        ) from error
    maps = _maps(model)
    head, layers = model.get_output_embeddings(), max(one.layer for one in maps) + 1
    weights = sum(one.numel() for one in model.parameters())
    return Shape(config.model_type, weights, layers, head.in_features, head.out_features, maps)


def _maps(model: Any) -> tuple[Map, ...]:
    """The linear maps of the blocks. Raises StudioError where there are none."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    place = re.compile(rf"(?:^|\.){layer_parts(model)[0]}\.(\d+)\.(?:.*\.)?(\w+)$")
    found = [(place.search(name), part) for name, part in model.named_modules() if isinstance(part, Linear | Conv1D)]
    ends = [(at, tuple(part.weight.shape)[:: -1 if isinstance(part, Linear) else 1]) for at, part in found if at]
    return tuple(Map(int(at[1]), at[2], inputs, outputs) for at, (inputs, outputs) in ends)
