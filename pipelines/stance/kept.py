"""What a column answered is kept under a hash of all that it depends on, so that nothing is asked twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.paths import content_hash, read_json, write_json

VERSION = "v2"  # another one where the way of measuring changes, so that nothing from before is taken for the same


def value_in(file: Path) -> Any:
    """What is kept in a file. Raises OSError, ValueError, KeyError or TypeError where it is damaged."""
    found = read_json(file)
    if content_hash(found["value"]) != found["sum"]:
        raise ValueError("it is not what was kept")
    return found["value"]


class Kept:
    """JSON values below a folder by the content of their names; without a folder nothing is kept.

    A damaged file counts as none, also one that is still JSON: beside each value stands its sum.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def find(self, *names: Any) -> Any:
        """The value kept under these names; None where there is none."""
        file = self._file(names)
        try:
            return value_in(file) if file else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, value: Any, *names: Any) -> Any:
        """Keeps a value and returns it."""
        file = self._file(names)
        if file:
            write_json(file, {"value": value, "sum": content_hash(json.loads(json.dumps(value)))})  # as it will be read
        return value

    def once(self, make: Callable[[], Any], *names: Any) -> Any:
        """The kept value, or else a new one, which is kept."""
        found = self.find(*names)
        return self.put(make(), *names) if found is None else found

    def _file(self, names: tuple[Any, ...]) -> Path | None:
        return self.folder / VERSION / f"{content_hash(list(names))[:32]}.json" if self.folder else None
