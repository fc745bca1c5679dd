"""Folders that may not be written or are gone: the log's, STUDIO_HOME, the one for passing files; and what a log is for."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

from pipelines import incidents
from pipelines.corpus import versions
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.faults.folders import new_run
from tests.faults.making import ballots, confirm_ballots


@contextmanager
def no_rights_beyond_modes() -> Iterator[None]:
    """The calling thread is held to the rights of files, also where root runs the tests (Linux: two capabilities are laid aside)."""
    import ctypes

    if sys.platform != "linux" or os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head, words = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, words) == 0
    before = list(words)
    words[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(head, words) == 0
    try:
        yield
    finally:
        assert libc.capset(head, (ctypes.c_uint32 * 6)(*before)) == 0


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write into a folder or anything below it."""
    modes = {one: one.stat().st_mode for one in [folder, *folder.rglob("*")]}
    for one, mode in modes.items():
        one.chmod(mode & ~0o222)
    try:
        with no_rights_beyond_modes(), patch.object(os, "access", partial(os.access, effective_ids=True)):
            yield
    finally:
        for one, mode in modes.items():
            with suppress(FileNotFoundError):
                one.chmod(mode)


@contextmanager
def logging(scene: Scene) -> Iterator[Path]:
    """The studio's log, for as long as this lasts."""
    before = incidents.LOG.handlers[:]
    incidents.LOG.handlers = []
    incidents.open_log(scene.paths)
    try:
        yield incidents.log_file(scene.paths)
    finally:
        for handler in incidents.LOG.handlers:
            handler.close()
        incidents.LOG.handlers = before


def said(scene: Scene) -> bytes:
    """Has a page say an error that nobody foresaw; the code that it names."""
    from studio.telling import told

    error = ZeroDivisionError(f"a fault of ours, {uuid.uuid4().hex}")
    return scene.tell(lambda: told(error)).partition("look up code ")[2][:5].encode()


def _log_refused(scene: Scene) -> Iterator[None]:
    making.version(scene)
    folder = scene.paths.root / "log"
    folder.mkdir()
    with read_only(folder), logging(scene):
        said(scene)
        assert not list(folder.iterdir())
    with read_only(folder):
        yield
    with logging(scene) as log:
        scene.goes_on("once it may be written, incidents stand in it", said(scene) in log.read_bytes())


def _home_read_only(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    made = making.review(scene)
    making.version(scene)
    making.run(scene)
    there = ballots(scene.paths)
    made.box.store.close()
    with read_only(scene.paths.root):
        assert "Counted" not in scene.tell(made.press)
        scene.tell(lambda: versions.save(making.pairs("Another", 9), scene.paths), told)
        scene.tell(lambda: making.batch(scene), told)
        assert versions.load(versions.available(scene.paths)[1], scene.paths).rows, "what is there can be read"
    made.voted = 3
    with read_only(scene.paths.root):
        yield
    scene.goes_on("all ballots are there", ballots(scene.paths) == there)
    scene.goes_on("a vote counts once it may be written", made.counts())


def _home_deleted(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    made = making.review(scene)
    folder = making.version(scene)
    making.run(scene)
    confirm_ballots(scene)
    kept = scene.folder / "copy"
    shutil.copytree(scene.paths.root, kept)
    shutil.rmtree(scene.paths.root)
    assert "Counted" not in scene.tell(made.press)
    scene.tell(lambda: versions.load(folder.name, scene.paths), told)
    saved = versions.save(making.pairs("Saved after it", 9), scene.paths)
    assert versions.load(saved.name, scene.paths).rows, "the studio makes its folders anew"
    shutil.rmtree(scene.paths.root)
    shutil.copytree(kept, scene.paths.root)
    made.voted = 3
    yield
    scene.goes_on("put back from a copy, the running studio counts a vote", made.counts())
    scene.goes_on("a new run is listed", new_run(scene))


def _temporary(scene: Scene) -> Iterator[None]:
    from studio.tabs.comparing import sharing

    talk = making.comparison(scene.paths)
    scene.confirm("the comparison", lambda: digest(scene.paths.comparisons))
    folder = scene.folder / "tmp"
    folder.mkdir()
    kinds = [*sharing.TEXTS, sharing.PICTURE]
    with patch.dict(os.environ, {"GRADIO_TEMP_DIR": str(folder), "TMPDIR": str(folder)}), patch.object(tempfile, "tempdir", str(folder)):
        with read_only(folder):
            for kind in kinds:
                scene.tell(lambda kind=kind: sharing._make(talk, kind, None, None)[1])
        yield
        update, said = sharing._make(talk, kinds[0], None, None)
        scene.goes_on("the file is made once there is room", Path(update["value"]).stat().st_size and "stamp" in said)


FAULTS = [
    Fault("the log's folder may not be written", _log_refused, "look up code", "can't be written", mends=False),
    Fault("STUDIO_HOME may not be written", _home_read_only, "can't be written", "rights", mends=False),
    Fault("STUDIO_HOME is deleted beneath a running studio", _home_deleted, "There is no"),
    Fault("the folder for passing files may not be written", _temporary, "The disk refused"),
]
