"""`backup` and `restore` of the command line: all of STUDIO_HOME that can't be made again, in one zip file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pipelines.commands.console import out
from pipelines.paths import Paths

if TYPE_CHECKING:
    from pipelines.health.parcel import Manifest


def backup(options: argparse.Namespace, paths: Paths) -> None:
    """Writes a backup, also while the studio runs."""
    from pipelines.health.backup import back_up

    made = back_up(paths, options.output)
    size = made.file.stat().st_size
    lines = [
        f"{made.file} holds {_words(made.manifest)}, in {size / 1e6:,.1f} MB.",
        *(f"left out: {one}" for one in made.manifest.left_out),
        "Ballots are in it: keep it as you keep them, and delete it once they must be gone. "
        "Models are not; they are made or fetched again at the first start.",
    ]
    out(options, {"backup": str(made.file), "packed_bytes": size, **_value(made.manifest)}, "\n".join(lines))


def restore(options: argparse.Namespace, paths: Paths) -> None:
    """Puts a backup into an empty folder."""
    from pipelines.health.restore import restore

    target = (options.into or paths.root).absolute()
    manifest = restore(options.file, target)
    lines = [
        f"{target} holds {_words(manifest)}, as of {manifest.made}.",
        *(f"was left out: {one}" for one in manifest.left_out),
        "Start the studio with STUDIO_HOME set to this folder." if options.into else "Start the studio as usual.",
    ]
    out(options, {"restored": str(target), "made": manifest.made, **_value(manifest)}, "\n".join(lines))


def _words(manifest: Manifest) -> str:
    by_folder = ", ".join(f"{folder} {number:,}" for folder, number in manifest.by_folder.items())
    return f"{len(manifest.files):,} files ({by_folder}), {manifest.bytes / 1e6:,.1f} MB"


def _value(manifest: Manifest) -> dict[str, Any]:
    return {"files": len(manifest.files), "bytes": manifest.bytes, "folders": manifest.by_folder, "left_out": manifest.left_out}
