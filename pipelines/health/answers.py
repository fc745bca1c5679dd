"""Answers that were kept: batches, comparisons of links, studies and series, and what instruments heard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipelines import marks
from pipelines.comparing import batch_folder, comparison
from pipelines.comparing.batch_folder import ANSWERS, JOB, Batch
from pipelines.health.finding import DAMAGE, MARK_FILE, WHOLE, Finding, Quarantine, folders, said, to_quarantine, unmarked, whole
from pipelines.paths import Paths, read_json
from pipelines.stance import series_file
from pipelines.stance.kept import VERSION, value_in
from pipelines.stance.study import Study


def batches(paths: Paths) -> Iterator[Finding]:
    for folder in folders(paths.batches):
        yield from batch(folder, f"batch {folder.name}")


def batch(folder: Path, what: str) -> Iterator[Finding]:
    """One batch, wherever it lies; a folder that has nothing of one is somebody else's and stays."""
    if not (folder / JOB).exists() and not (folder / ANSWERS).exists():
        return
    try:
        found = batch_folder.opened(folder)
    except DAMAGE as error:
        yield to_quarantine(what, said(error), [folder], "Ask its questions anew.")
        return
    if (reason := _complaint(found)) and found.state != "running":
        mend = "takes out the lines that can't be used; their questions are asked again when the batch goes on"
        yield Finding(what, False, reason, mend, partial(_without_bad_lines, found, reason))
    else:
        yield whole(what, f"{found.answered} of {len(found.prompts)} questions answered")
    yield from unmarked(what, folder / MARK_FILE)


def _complaint(found: Batch) -> str:
    try:
        found.turns()
    except DAMAGE as error:
        return said(error)
    file = found.folder / ANSWERS
    torn = file.is_file() and not (file.read_bytes() or b"\n").endswith(b"\n")
    return f"the last line of {ANSWERS} was not written to its end" if torn else ""


def _without_bad_lines(found: Batch, reason: str, quarantine: Quarantine) -> str:
    """Each line is judged by the batch's own check, in a folder that has no other line."""
    file = found.folder / ANSWERS
    with batch_folder.working(found.folder), tempfile.TemporaryDirectory() as temporary:
        alone = Path(temporary)
        (alone / JOB).write_bytes((found.folder / JOB).read_bytes())
        lines = [line + b"\n" for line in file.read_bytes().split(b"\n")[:-1]]
        good = [line for line in lines if _is_good(batch_folder.opened(alone), line)]
        quarantine.replace(file, b"".join(good), reason)
    return f"batch {found.id}: {len(good)} answered questions kept, {len(found.prompts) - len(good)} to be asked when it goes on."


def _is_good(alone: Batch, line: bytes) -> bool:
    (alone.folder / ANSWERS).write_bytes(line)
    try:
        return bool(alone.turns())
    except DAMAGE:
        return False


def comparisons(paths: Paths) -> Iterator[Finding]:
    """Files with other names are somebody else's and stay."""
    ours = paths.comparisons.glob("[0-9a-f]" * 16 + ".json")
    yield from _files("comparison", "comparisons", ours, lambda file: comparison.opened(file.stem, paths))


def results(paths: Paths) -> Iterator[Finding]:
    yield from _files("study", "studies", paths.results.glob("stance-*.json"), _study)
    yield from _files("series", "series", paths.results.glob("series-*.json"), series_file.read)


def measured(paths: Paths) -> Iterator[Finding]:
    then = "It is asked again when it is needed."
    yield from _files("kept answer", "kept answers of instruments", paths.measured.glob(f"{VERSION}/*.json"), value_in, then)


def _study(file: Path) -> None:
    """Raises one of DAMAGE where the page could not show it."""
    study = Study.from_dict(read_json(file))
    if not study.answers or not set(study.columns) <= set(study.collateral):
        raise ValueError("something is missing")


def _files(one: str, many: str, files: Iterator[Path], check: Callable[[Path], Any], then: str = "") -> Iterator[Finding]:
    """A row for each damaged file, and one for all others."""
    good = 0
    for file in sorted(files):
        if file.name.startswith("."):
            continue
        mark = marks.beside(file)
        try:
            check(file)
            good += 1
            yield from unmarked(f"{one} {file.name}", mark)
        except DAMAGE as error:
            yield to_quarantine(f"{one} {file.name}", said(error), [file, mark], then)
    yield whole(many, f"{good}, {WHOLE}" if good else "none")
