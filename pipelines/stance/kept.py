"""What a column answered is kept under a hash of all that it depends on, so that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.paths import content_hash, read_json, write_json

VERSION = "v1"  # another one where the way of measuring changes, so that nothing from before is taken for the same


class Kept:
    """JSON values below a folder by the content of their names; without a folder nothing is kept. A damaged file counts as none."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def find(self, *names: Any) -> Any:
        """The value kept under these names; None where there is none."""
        file = self._file(names)
        try:
            return read_json(file)["value"] if file else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, value: Any, *names: Any) -> Any:
        """Keeps a value and returns it."""
        file = self._file(names)
        if file:
            write_json(file, {"value": value})
        return value

    def once(self, make: Callable[[], Any], *names: Any) -> Any:
        """The kept value, or else a new one, which is kept."""
        found = self.find(*names)
        return self.put(make(), *names) if found is None else found

    def _file(self, names: tuple[Any, ...]) -> Path | None:
        return self.folder / VERSION / f"{content_hash(list(names))[:32]}.json" if self.folder else None
