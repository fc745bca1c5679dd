"""Files that are made to be fetched at once: in folders of their own that are swept after an hour."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from pipelines.paths import sure_now

KEPT_SECONDS = 3600


def passing_folder() -> Path:
    """A new folder for a file that is about to be fetched; older ones are swept away."""
    home = Path(tempfile.gettempdir()) / f"politune-downloads-{os.getuid() if hasattr(os, 'getuid') else 0}"
    home.mkdir(mode=0o700, exist_ok=True)
    for old in home.iterdir():
        if sure_now() - old.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=home))
