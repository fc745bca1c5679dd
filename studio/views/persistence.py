"""A sentence for a Space that forgets: without a mounted volume everything in the studio's folder is lost at a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from studio.access import Access
from studio.views import messages

# What visitors leave there, by the feature that lets them; without one of these nothing is kept anyway.
KEPT = {"review": "ballots", "tune": "data versions, trained adapters", "measure": "measurements", "batch": "prompt sets"}


def banner(
    home: Path, access: Access, environment: Mapping[str, str] = os.environ, is_mount: Callable[[str], bool] = os.path.ismount
) -> str:
    """HTML that says what a restart takes; "" where nothing is lost: on a machine of one's own, with a volume below the folder, or in a demo that
    keeps nothing anyway."""
    names = [name for feature, name in KEPT.items() if access.allows(feature)]
    if not names or not environment.get("SPACE_ID") or is_kept(home, is_mount):
        return ""
    return messages.note(
        f"This Space has no lasting storage: {', '.join(names)} and whatever else is saved here are lost when it restarts or sleeps. "
        "Download what you want to keep; the Space's owner can mount a bucket."
    )


def is_kept(home: Path, is_mount: Callable[[str], bool] = os.path.ismount) -> bool:
    """Whether the folder, or one above it but the root, is a volume of its own."""
    whole = home.expanduser().absolute()
    return any(is_mount(str(folder)) for folder in (whole, *whole.parents) if folder != Path(folder.anchor))
