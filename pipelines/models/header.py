"""The header of a safetensors file: names, types and shapes of its tensors, judged before any of their bytes is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from pipelines.entries import printable
from pipelines.errors import StudioError

MAX_BYTES = 2 << 30
MAX_HEADER = 4 << 20
MAX_TENSORS = 4096
MAX_SIDE = 1 << 18
MAX_NAME = 300
BYTES = {"F32": 4, "F16": 2, "BF16": 2}


def read_shapes(path: Path, expect: Callable[[str, list[int]], None]) -> dict[str, list[int]]:
    """Shapes by tensor name; `expect` is asked about each and raises for one that has no place.

    Raises StudioError where the file is cut off, overfull or no safetensors file, where a tensor is no plain float matrix, and
    where a shape or the whole is too large.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise _unreadable(f"larger than {MAX_BYTES >> 30} GB")
    start, header = _header(path, size)
    shapes: dict[str, list[int]] = {}
    total = 0
    for name, about in header.items():
        kind: Any = about.get("dtype")
        shape: Any = about.get("shape")
        if not _is_matrix(shape) or len(name) > MAX_NAME:
            raise StudioError(
                f"The adapter holds an unexpected tensor ({shown(name)}, {shown(shape, 40)}).",
                "Every tensor must be a matrix with a plain name.",
            )
        if not isinstance(kind, str) or kind not in BYTES:
            raise StudioError(f"The adapter's numbers are of the type {shown(kind, 20)}.", f"Known are {', '.join(BYTES)}.")
        if max(shape) > MAX_SIDE:
            raise StudioError(f"The adapter declares a huge tensor ({shown(name)}, {shape}).", f"No side may be over {MAX_SIDE:,}.")
        expect(name, shape)
        total += prod(shape) * BYTES[kind]
        shapes[name] = shape
    if total != size - start:
        raise _unreadable(f"cut off or overfull: {size - start:,} bytes of tensors are there, {total:,} were declared")
    _check_places(path, shapes)
    return shapes


def _header(path: Path, size: int) -> tuple[int, dict[str, dict[str, Any]]]:
    """Where the tensors begin, and what the file says of each."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or length > min(MAX_HEADER, size - 8):
            raise _unreadable("its header is cut off or too long")
        text = handle.read(length)
    try:
        header = json.loads(text, object_pairs_hook=_unique)
        header.pop("__metadata__", None)
        if not all(isinstance(about, dict) for about in header.values()):
            raise ValueError("no header")
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise _unreadable(str(error)[:80]) from error
    if not 0 < len(header) <= MAX_TENSORS:
        raise _unreadable(f"{len(header):,} tensors")
    return 8 + length, header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which no reader can see another one than we do."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _is_matrix(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) == 2 and all(type(side) is int and side > 0 for side in shape)


def _check_places(path: Path, shapes: dict[str, list[int]]) -> None:
    """The library's own reader must see the same tensors, side by side and without gaps."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as handle:
            same = {name: list(handle.get_slice(name).get_shape()) for name in handle.keys()} == shapes
    except (SafetensorError, OSError) as error:
        raise _unreadable(str(error)[:120]) from error
    if not same:
        raise _unreadable("its header can be read in two ways")


def shown(value: Any, limit: int = 120) -> str:
    """Something from a stranger's file as a short line that any page can show."""
    return printable(str(value)[:limit])


def _unreadable(reason: str) -> StudioError:
    return StudioError(f"The adapter's weights can't be read ({reason}).", "Fetch the file again, or have it saved again by PEFT.")
