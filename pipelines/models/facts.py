"""What must be known of a base to judge an adapter from elsewhere, read from config and tokenizer; no weights are loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import prepare
from pipelines.models.adapters import PLACE, AdapterFile, features
from pipelines.models.libraries import ready
from pipelines.paths import content_hash

ADDED = "added_tokens.json"


@dataclass(frozen=True)
class BaseFacts:
    """A base model from outside. `shapes` are (out, in) by the part of a layer, such as self_attn.q_proj; `block` is the path before
    the layer's number; `tokens` and `vocabulary` are the tokenizer's size and content hash, 0 and "" where it can't be read."""

    public_id: str
    fingerprint: str
    hidden_size: int
    num_layers: int
    vocab_size: int
    block: str
    shapes: dict[str, tuple[int, int]] = field(repr=False)
    tokens: int = 0
    vocabulary: str = ""


def base_facts(folder: Path, public_id: str = "") -> BaseFacts:
    """Reads a model folder's config and builds its layers without memory for weights: on the meta device, for this thread only
    (accelerate.init_empty_weights changes torch for all threads, and another one may be loading a model).

    Raises StudioError where the folder holds no causal language model that the libraries know.
    """
    import torch

    ready("transformers")
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config: Any = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise StudioError(f"{folder.name} is no causal language model ({str(error).splitlines()[0][:120]}).") from error
    shapes: dict[str, tuple[int, int]] = {}
    block = ""
    for path, module in model.named_modules():
        found, sides = PLACE.fullmatch(path), features(module)
        if found and sides:
            block = found["block"]
            shapes.setdefault(found["part"], sides)
    known = vocabulary(folder) or {}
    text = config.get_text_config()
    return BaseFacts(
        public_id=public_id or folder.name,
        fingerprint=prepare.fingerprint(folder),
        hidden_size=text.hidden_size,
        num_layers=text.num_hidden_layers,
        vocab_size=text.vocab_size,
        block=block,
        shapes=shapes,
        tokens=len(known),
        vocabulary=content_hash(known)[:12] if known else "",
    )


def vocabulary(folder: Path) -> dict[str, int] | None:
    """Token ids by token from the tokenizer's files in a folder; None where there are none.

    Raises StudioError where they can't be read.
    """
    try:
        if (folder / "tokenizer.json").is_file():
            whole = _object(folder / "tokenizer.json")
            listed = whole["model"]["vocab"]
            tokens = {entry[0]: n for n, entry in enumerate(listed)} if isinstance(listed, list) else dict(listed)
            tokens |= {entry["content"]: entry["id"] for entry in whole.get("added_tokens") or []}
        elif (folder / "vocab.json").is_file():
            tokens = _object(folder / "vocab.json")
        else:
            return None
        tokens |= _object(folder / ADDED) if (folder / ADDED).is_file() else {}
        if not all(isinstance(token, str) and type(number) is int for token, number in tokens.items()):
            raise ValueError("ids are not numbers")
        "".join(tokens).encode()
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise StudioError(
            f"The tokenizer's files can't be read ({type(error).__name__}).", "Fetch them again, or take them out."
        ) from error
    return tokens


def _object(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def check_tokenizer(folder: Path, base: BaseFacts) -> None:
    """Raises StudioError where a folder brings a tokenizer that is not the base's: its numbers would mean other words."""
    brought = vocabulary(folder)
    if brought is None:
        return
    size, limit = len(brought), base.tokens or base.vocab_size
    if size != limit if base.tokens else size > limit:
        raise _other_tokenizer(f"it knows {size:,} tokens, the loaded base {limit:,}")
    if base.vocabulary and content_hash(brought)[:12] != base.vocabulary:
        raise _other_tokenizer(f"as many tokens as the loaded base's ({size:,}), but other ones")


def _other_tokenizer(reason: str) -> StudioError:
    return StudioError(
        f"The adapter came with another tokenizer: {reason}.", "Use an adapter that was tuned with the base's own tokenizer."
    )


def check_architecture(file: AdapterFile, base: BaseFacts) -> None:
    """Raises StudioError with the first layer that the base does not have, or has in another shape."""
    for layer, shape in file.shapes.items():
        place = PLACE.fullmatch(layer)
        if place is None or place["block"] != base.block or place["part"] not in base.shapes:
            raise _other_architecture(f"it changes {layer}, which the base does not have", base)
        if int(place["layer"]) >= base.num_layers:
            raise _other_architecture(f"it changes layer {place['layer']}, and the base has {base.num_layers} layers", base)
        here = base.shapes[place["part"]]
        if here != shape:
            raise _other_architecture(f"{place['part']} is {shape[0]} x {shape[1]} there and {here[0]} x {here[1]} here", base)


def _other_architecture(reason: str, base: BaseFacts) -> StudioError:
    return StudioError(f"The adapter was made for another architecture than {base.public_id}: {reason}.", "Load the base that it names.")
