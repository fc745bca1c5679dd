"""Opens an archive or a folder from elsewhere: every name, kind and size is judged before a byte is unpacked."""

from __future__ import annotations

import io
import json
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines.errors import StudioError
from pipelines.models.adapters import CONFIG, WEIGHTS, locate
from pipelines.models.header import MAX_BYTES, shown

CARD, ABOUT = "README.md", "studio.json"
KEPT = (CONFIG, WEIGHTS, CARD, ABOUT)
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")
IDLE = (*TOKENIZER, "chat_template.jinja", "LICENSE", ".gitattributes", ".DS_Store")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
MAX_FILES, MAX_DEPTH = 20, 4
MAX_JSON, MAX_TEXT = 64 << 20, 8 << 20
MAX_DIRECTORY = 128 << 10
BOMB_BYTES, BOMB_RATIO = 1 << 20, 100
HINT = "Nothing was unpacked. An adapter is one folder with adapter_config.json and adapter_model.safetensors."


@dataclass(frozen=True)
class Part:
    """One file of an archive or a folder: where it stands, its declared size in bytes, and how it is opened."""

    names: tuple[str, ...]
    size: int
    open: Callable[[], Any]

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def limit(self) -> int:
        return MAX_BYTES if self.name == WEIGHTS else MAX_JSON if self.name.endswith(".json") else MAX_TEXT


def unpack(source: Path, target: Path) -> str:
    """Copies an adapter's files and its tokenizer's, flat, from a zip file or a folder into `target`; returns what it was called.

    Raises StudioError with the reason where anything in it is not what an adapter needs, or more than it needs.
    """
    with ExitStack() as stack:
        _refuse_missing(source)
        folder = locate(source)
        if source.is_symlink() or folder.is_symlink():
            raise StudioError(f"{source.name} is a link, which may lead anywhere.", HINT)
        if folder.is_dir():
            parts = list(_folder_parts(folder))
        elif source.is_file():
            parts = list(_zip_parts(stack.enter_context(_opened(source))))
        else:
            raise _neither(source)
        chosen = _choose(parts)
        for part in chosen:
            _copy(part, target / part.name)
    top = next(part.names for part in chosen if part.name == CONFIG)[:-1]
    return top[0] if top else source.name if source.is_dir() else source.stem


def _refuse_missing(source: Path) -> None:
    """Raises StudioError where nothing is there, or nothing can be called so."""
    try:
        source.lstat()
    except (OSError, ValueError) as error:
        raise _neither(source) from error


def _neither(source: Path) -> StudioError:
    return StudioError(f"{shown(source.name)} is neither a zip file nor a folder.", HINT)


def _folder_parts(folder: Path) -> Iterator[Part]:
    for number, path in enumerate(folder.rglob("*")):
        names = path.relative_to(folder).parts
        if number >= 2 * MAX_FILES:
            raise _too_many(number)
        if path.is_symlink() or not (path.is_dir() or stat.S_ISREG(path.stat().st_mode)):
            raise _link("/".join(names))
        if not path.is_dir():
            yield Part(names, path.stat().st_size, lambda path=path: path.open("rb"))  # type: ignore[misc]


class _Careful(io.FileIO):
    """A file that gives out small pieces only, so that a directory of a million names is not read to find out that it has them."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MAX_DIRECTORY + 1 if size is None or size < 0 else size
        data = super().read(min(wanted, MAX_DIRECTORY + 1)) or b""
        if len(data) > MAX_DIRECTORY:
            raise _too_many(None)
        return data


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file; what goes wrong while it is read becomes a sentence."""
    try:
        with _Careful(source) as handle, zipfile.ZipFile(handle) as archive:  # type: ignore[type-var]
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise StudioError(f"{source.name} can't be unpacked ({str(error)[:100]}).", "It is no zip file, damaged, or cut off.") from error


def _zip_parts(archive: zipfile.ZipFile) -> Iterator[Part]:
    if len(archive.infolist()) > 2 * MAX_FILES:
        raise _too_many(len(archive.infolist()))
    for info in archive.infolist():
        names, kind = _safe_names(info.orig_filename), stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _link(info.orig_filename)
        if info.flag_bits & 0x2041:
            raise StudioError(f"{names[-1]} in the archive is encrypted.", "Unpack it yourself and bring in the folder.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise StudioError(f"{names[-1]} in the archive is packed in an unusual way.", "Pack it again as a plain zip file.")
        if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * max(1, info.compress_size):
            raise StudioError(f"{names[-1]} unpacks to more than {BOMB_RATIO} times its size: an archive bomb.", HINT)
        if not info.is_dir():
            yield Part(names, info.file_size, lambda info=info: archive.open(info))  # type: ignore[misc]


def _safe_names(path: str) -> tuple[str, ...]:
    """The parts of a path inside the archive. Raises StudioError where it could lead out of it."""
    names = path.rstrip("/").split("/")
    if path.startswith("/") or "\\" in path or ":" in path or not path.isprintable():
        raise StudioError(f"The archive holds an absolute or odd name ({shown(path)}).", HINT)
    if any(name in ("", ".", "..") for name in names):
        raise StudioError(f"The archive holds a name that leads out of it ({shown(path)}).", HINT)
    if len(names) > MAX_DEPTH:
        raise StudioError(f"The archive's folders are too deep ({shown(path)}).", HINT)
    return tuple(names)


def _choose(parts: list[Part]) -> list[Part]:
    """The parts that are copied. Raises StudioError for names that have no place in an adapter, and for sizes beyond all reason."""
    parts = [part for part in parts if part.names[0] != "__MACOSX"]
    if len(parts) > MAX_FILES:
        raise _too_many(len(parts))
    for part in parts:
        if part.name.lower().endswith(PICKLES):
            raise StudioError(
                f"The adapter's folder holds {shown(part.name)}, a pickle: such a file runs code when it is opened.",
                "Have it saved as safetensors.",
            )
        if part.name not in (*KEPT, *IDLE) and not part.name.lower().endswith((".md", ".txt")):
            raise StudioError(f"The adapter's folder holds {shown(part.name)}, which has no place in an adapter.", HINT)
        if part.size > part.limit:
            raise StudioError(f"{part.name} is too large ({part.size:,} bytes; at most {part.limit:,}).", HINT)
    homes = {part.names[:-1] for part in parts if part.name == CONFIG}
    if len(homes) != 1:
        raise StudioError(
            f"The adapter's folder holds {len(homes)} adapters ({CONFIG}).", "Bring in one adapter at a time." if homes else HINT
        )
    chosen = [part for part in parts if part.names[:-1] in homes and part.name in (*KEPT, *TOKENIZER)]
    if len({part.name for part in chosen}) < len(chosen) or (WEIGHTS not in [part.name for part in chosen]):
        raise StudioError(f"It must hold {WEIGHTS} beside {CONFIG}, and each name once.", HINT)
    return chosen


def _copy(part: Part, target: Path) -> None:
    """Copies as many bytes as were declared. Raises StudioError where there are more."""
    source: IO[bytes]
    with part.open() as source, target.open("xb") as sink:
        left = part.size
        while chunk := source.read(64 << 10):
            left -= len(chunk)
            if left < 0:
                raise StudioError(f"{part.name} is larger than it says.", HINT)
            sink.write(chunk)


def read_about(path: Path) -> dict[str, Any]:
    """What studio.json says, reduced to short plain values; {} where there is none. Raises StudioError where it can't be read."""
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > 1 << 20:
            raise ValueError("too large")
        about = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise StudioError(f"{path.name} can't be read ({str(error)[:80]}).", "Fetch the archive again, or take that file out.") from error
    return _tame(about)


def _tame(value: Any, depth: int = 3) -> Any:
    if isinstance(value, dict) and depth:
        return {shown(key, 60): _tame(one, depth - 1) for key, one in list(value.items())[:60]}
    if isinstance(value, list) and depth:
        return [_tame(one, depth - 1) for one in value[:60]]
    return value if value is None or isinstance(value, bool | int | float) else shown(value, 200)


def _too_many(count: int | None) -> StudioError:
    return StudioError(
        f"The adapter's folder holds {'far too many' if count is None else f'{count:,}'} files; an adapter has at most {MAX_FILES}.", HINT
    )


def _link(name: str) -> StudioError:
    return StudioError(f"The adapter's folder holds a link or something else that is no file ({shown(name)}).", HINT)
