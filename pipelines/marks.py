"""The file that says whose a thing is: `owner` in a folder, NAME.owner beside a file. Its first line is the maker's mark, empty for nobody's."""

from __future__ import annotations

import re
from pathlib import Path

FILE, SHARED = "owner", "shared"
MARK = re.compile(r"(?:[0-9a-f]{64})?")
WHOLE = re.compile(rf"{MARK.pattern}\n(?:{SHARED}\n)?")


def beside(thing: Path) -> Path:
    """Where it lies for a folder or a file, also for a file that is not there yet."""
    return thing / FILE if thing.is_dir() else thing.with_suffix(f".{FILE}")
