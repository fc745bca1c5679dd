"""Adapters leave as a zip file that plain PEFT loads, and come in through the gate, from a zip file or a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import uuid
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.corpus.versions import slug
from pipelines.errors import StudioError
from pipelines.hub import TAG, public_name
from pipelines.models import adapters
from pipelines.models.facts import BaseFacts, base_facts, check_architecture, check_tokenizer
from pipelines.models.header import shown
from pipelines.paths import Paths, atomic_folder, entry, read_json, write_json, write_text
from pipelines.tuning.runs import Run
from pipelines.tuning.sharing import archive, card
from pipelines.tuning.shelf import history

__all__ = ["BaseFacts", "Imported", "Package", "base_facts", "bring_in", "export", "forget_imported", "list_imported", "package"]

ORIGIN, SHOWN_CARD = "origin.json", "card.md"
MAX_CARD = 100_000
UNKNOWN_CARD = "# An adapter from elsewhere\n\nIt came without a card: this studio does not know how it was made, or towards what.\n"


@dataclass(frozen=True)
class Package:
    """What leaves: texts by file name, and the weights. `name` says what it is."""

    name: str
    texts: dict[str, str]
    weights: Path


@dataclass(frozen=True)
class Imported:
    """An adapter from elsewhere that passed the gate. `warning` is a sentence about its base, "" where that is the loaded one."""

    folder: Path
    fingerprint: str
    base_id: str
    warning: str
    origin: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def title(self) -> str:
        return str(self.origin.get("title") or self.name)

    @property
    def adapter(self) -> Path:
        return self.folder / "adapter"

    @property
    def card(self) -> str:
        """Markdown by a stranger: show it without its HTML."""
        return (self.folder / SHOWN_CARD).read_text(encoding="utf-8")


def package(run: Run, step: int | None = None) -> Package:
    """The adapter of a run, or of a kept step, with its card and its origin; nothing in it names a place on this machine.

    Raises StudioError where there is no such adapter, or where it does not pass our own gate.
    """
    file = adapters.inspect(run.adapter if step is None else history.checkpoint(run, step).folder)
    job = run.job
    metrics = {**({"base": file.base_id} if file.base_id else {}), **run.metrics}  # a run that was cut off has no metrics
    recorded = metrics.get("adapter_fingerprint")
    if step in (None, metrics.get("kept_step")) and recorded not in (None, file.fingerprint):
        raise StudioError("The adapter's weights are not those that this run recorded.", "They are damaged or were exchanged; tune again.")
    about = {
        "made_with": "politune-studio",
        "deliberately_biased": True,
        "side": job["side"],
        "data": {key: job["data"].get(key) for key in ("name", "kind", "hash", "rows")},
        "recipe": card.recipe(job, metrics),
        "recipe_hash": job.get("recipe_hash", ""),
        "base": card.base(job, metrics),
        "base_fingerprint": metrics.get("base_fingerprint", ""),
        "adapter_fingerprint": file.fingerprint,
        "template_hash": metrics.get("template_hash", ""),
        "step": step or metrics.get("kept_step") or metrics.get("steps"),
        "created": job["created"],
        "versions": job.get("versions") or {},
    }
    texts = {
        adapters.CONFIG: _json(adapters.plain_config(file, card.base(job, metrics))),
        archive.CARD: card.text(job, metrics, step),
        archive.ABOUT: _json(about),
    }
    return Package(f"{TAG}-{slug(job['side'])}-{slug(job['data']['name'])}-{file.fingerprint}", texts, file.folder / adapters.WEIGHTS)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def export(run: Run, target_zip: Path, step: int | None = None) -> Path:
    """Writes the adapter of a run, or of a kept step, as a zip file (into `target_zip`, where that is a folder) and returns its path.

    The same run gives the same bytes. Raises StudioError where there is nothing to export.
    """
    packed = package(run, step)
    target = target_zip / f"{packed.name}.zip" if target_zip.is_dir() else target_zip
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packing:
            for name, text in packed.texts.items():
                packing.writestr(_entry(f"{packed.name}/{name}"), text)
            with packed.weights.open("rb") as source, packing.open(_entry(f"{packed.name}/{adapters.WEIGHTS}"), "w") as sink:
                shutil.copyfileobj(source, sink)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without the time of day, so that equal contents are equal files."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o100644 << 16
    info.compress_type = zipfile.ZIP_STORED if name.endswith(adapters.WEIGHTS) else zipfile.ZIP_DEFLATED
    return info


def home(paths: Paths) -> Path:
    """Where adapters from elsewhere lie."""
    return paths.adapters


def bring_in(source: Path, paths: Paths, host_base: BaseFacts | None = None) -> Imported:
    """Brings in an adapter from a zip file or a folder, and compares it with a base where facts of one are given.

    Bringing in the same one again gives the same. Raises StudioError with the reason where the archive, the settings, the
    weights, the tokenizer or the base that it was made for are not what they must be; nothing is kept then.
    """
    home(paths).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=home(paths)) as temporary:
        folder = Path(temporary) / "archive"
        folder.mkdir()
        called = archive.unpack(source, folder)
        file = adapters.inspect(folder)
        about = archive.read_about(folder / archive.ABOUT)
        if about.get("adapter_fingerprint") not in (None, "", file.fingerprint):
            raise StudioError(f"The weights are not those that {archive.ABOUT} speaks of.", "They are damaged or were exchanged.")
        warning = _compare(file, about, folder, host_base)
        same = next((one for one in list_imported(paths) if _same(one, file)), None)
        if same:
            write_json(same.folder / ORIGIN, {**same.origin, "warning": warning})
            return _imported(same.folder)
        title = slug(called.removesuffix(file.fingerprint).removeprefix(TAG + "-"))
        target = home(paths) / f"{title}-{file.fingerprint}"
        if target.exists():
            raise StudioError(f"{target.name} is here already, with other settings.", "Forget that one first, or rename the file.")
        origin = {
            "title": title.replace("-", " "),
            "source": shown(source.name),
            "imported": datetime.now(UTC).isoformat(timespec="seconds"),
            "fingerprint": file.fingerprint,
            "base_id": file.base_id,
            "warning": warning,
            "about": about,
        }
        _land(folder, file, origin, target)
    return _imported(target)


def _land(folder: Path, file: adapters.AdapterFile, origin: dict[str, Any], target: Path) -> None:
    """Puts what is kept in its place, whole or not at all; the settings are written anew, from those that were understood."""
    given = folder / archive.CARD
    text = given.read_text(encoding="utf-8", errors="replace")[:MAX_CARD] if given.is_file() else UNKNOWN_CARD
    with atomic_folder(target) as landing:
        (landing / "adapter").mkdir()
        shutil.move(folder / adapters.WEIGHTS, landing / "adapter" / adapters.WEIGHTS)
        write_json(landing / "adapter" / adapters.CONFIG, adapters.plain_config(file))
        write_json(landing / ORIGIN, origin)
        write_text(landing / SHOWN_CARD, text)


def _compare(file: adapters.AdapterFile, about: dict[str, Any], folder: Path, base: BaseFacts | None) -> str:
    """A warning about the base, or "". Raises StudioError where tokenizer or architecture are other ones."""
    if base is None:
        return "It was not compared with a base model."
    check_tokenizer(folder, base)
    check_architecture(file, base)
    given = str(about.get("base_fingerprint") or "")
    if given == base.fingerprint:
        return ""
    named = file.base_id or public_name(str(about.get("base") or ""))
    if named.casefold() != base.public_id.casefold():
        return f"It was tuned on {named or 'a base that it does not name'}; {base.public_id} is built alike, but its weights are others."
    which = f"other weights of {named} ({given})" if given else f"{named}, but it does not say on which weights"
    return f"It was tuned on {which}; here are {base.fingerprint}. Weights from the Hub and from a Q4_1 file differ slightly, and so may answers."


def _same(one: Imported, file: adapters.AdapterFile) -> bool:
    if one.fingerprint != file.fingerprint:
        return False
    there = read_json(one.adapter / adapters.CONFIG)
    return all(there.get(key) == value for key, value in file.settings.items())


def list_imported(paths: Paths) -> list[Imported]:
    """All adapters from elsewhere, newest first."""
    folders = [file.parent for file in home(paths).glob(f"*/{ORIGIN}") if not file.parent.name.startswith(".")]
    found = [_imported(folder) for folder in folders if (folder / "adapter" / adapters.CONFIG).is_file()]
    return sorted(found, key=lambda one: (str(one.origin.get("imported")), one.name), reverse=True)


def _imported(folder: Path) -> Imported:
    try:
        origin = dict(read_json(folder / ORIGIN))
    except (OSError, ValueError, TypeError):
        origin = {"warning": f"Its {ORIGIN} is damaged: where it came from is not known."}
    fingerprint, base_id, warning = (str(origin.get(key) or "") for key in ("fingerprint", "base_id", "warning"))
    return Imported(folder, fingerprint, base_id, warning, origin)


def forget_imported(name: str, paths: Paths) -> None:
    """Deletes an adapter from elsewhere. Raises StudioError where there is none of that name."""
    folder = entry(home(paths), name)
    if folder is None or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not (folder / ORIGIN).is_file():
        raise StudioError(f"No adapter from elsewhere is called “{shown(name)}”.", "It may have been forgotten; look at the list again.")
    shutil.rmtree(folder)
