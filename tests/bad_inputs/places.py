"""Trouble with where things lie: folders, links, pipes, rights, names, files that go away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.bad_inputs.cause import Cause, Opened, Refused
from tests.bad_inputs.writing import POST, folder_of, text

MANY = "text\n" + f"{POST}\n" * 1_500


def _link(folder: Path) -> Path:
    (folder / "link.csv").symlink_to(folder / "gone.csv")
    return folder / "link.csv"


def _circle(folder: Path) -> Path:
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    return folder / "circle.csv"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


@contextmanager
def _without_rights(path: Path) -> Iterator[None]:
    """Refuses to open the file as the system does for all but root, who may read everything."""
    path.chmod(0)
    real = Path.open

    def refuse(self: Path, *values: object, **options: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied", str(path))
        return real(self, *values, **options)  # type: ignore[call-overload]

    with patch.object(Path, "open", refuse):
        yield


@contextmanager
def _changes_after_the_head(path: Path, change: str) -> Iterator[None]:
    """Deletes or rewrites the file once its first rows were read."""
    from pipelines.corpus import sources

    real = sources.Source.batches

    def meddled(self: sources.Source) -> object:
        path.unlink() if change == "delete" else path.write_text("other\n", encoding="utf-8")
        return real(self)

    with patch.object(sources.Source, "batches", meddled):
        yield


CAUSES = [
    Cause("no such file", lambda folder: folder / "gone.csv", Refused("is neither a file, nor a folder, nor a Hub id")),
    Cause("a link to nothing", _link, Refused("is a link to something that is not there")),
    Cause("a link to itself", _circle, Refused("is a link to something that is not there")),
    Cause("a pipe", _pipe, Refused("is not a regular file")),
    Cause("a device", lambda folder: "/dev/zero", Refused("is not a regular file", "/dev/zero")),
    Cause("no right to read", text("a.csv", f"text\n{POST}\n"), Refused("Permission denied"), meddle=_without_rights),
    Cause(
        "deleted after it was opened",
        text("a.csv", MANY),
        Refused("can't be read"),
        meddle=lambda path: _changes_after_the_head(path, "delete"),
    ),
    Cause(
        "changed after it was opened",
        text("a.csv", MANY),
        Refused("has changed since"),
        meddle=lambda path: _changes_after_the_head(path, "write"),
    ),
    Cause("a folder without data", folder_of("set"), Refused("could not be opened", "set")),
    Cause(
        "a folder with a loading script",
        folder_of("set", set_py="raise SystemExit('run')"),
        Refused("code of a data set is never run", "set"),
    ),
    Cause("a folder with a broken file", folder_of("set", train_jsonl='{"text": "a"}\n{oops\n'), Refused("could not be opened", "set")),
    Cause("a folder without this split", folder_of("set", test_csv=f"text\n{POST}\n"), Refused("has no split called “train”", "set")),
    Cause("a damaged saved folder", folder_of("set", state_json="{}", dataset_info_json="{}"), Refused("could not be opened", "set")),
    Cause("line end and emoji in the name", text("a\n🗳️ b.csv", f"text\n{POST}\n"), Opened(1, {"text": POST})),
    Cause("a name like a path", text("..%2f..%2fetc%2fpasswd.csv", f"text\n{POST}\n"), Opened(1, {"text": POST})),
    Cause("a path out of the folder", lambda folder: "../../../../../../etc/passwd", Refused("can't be opened", "passwd")),
    Cause("a Hub id that climbs", lambda folder: "owner/..", Refused("could not be opened", "owner/..")),
    Cause("a name of 5,000 characters", lambda folder: "x" * 5_000, Refused("can't be opened", "xxx")),
    Cause("NUL in the name", lambda folder: "a\x00b.csv", Refused("NUL character", "name")),
]
