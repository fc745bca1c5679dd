"""`stance report` of the command line: the audit of a study, as a page that opens offline and as JSON beside it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.commands.console import out, progress
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_text
from pipelines.stance.study import Study

MAX_BYTES = 1 << 28
MEASURE = "Give one that `python -m pipelines stance run --output FILE.json` or the studio wrote."


def run_command(options: argparse.Namespace, paths: Paths) -> None:
    """Writes `--output` (HTML) and the same name with .json, of the study in `--study`, with the results of `--review` where given.

    Raises StudioError where the study can't be read or is damaged, the review can't be reported on, or the target is a folder.
    """
    from pipelines.export import audit, audit_figures, audit_page

    target = _target(options)
    study = opened(options.study)
    review = reviewed(options.review, paths) if options.review else None
    progress(0.1, "Working out intervals")
    report = audit.whole(study, paths, review)
    progress(0.8, "Drawing figures")
    page = audit_page.page(report, audit_figures.figures_of(study))
    write_text(target, page)
    beside = target.with_suffix(".json")
    write_text(beside, audit.to_json(report))
    headline = report["result"]["headline"]
    out(options, {"headline": headline, "html": str(target), "json": str(beside)}, f"{headline} The report is in {target} and {beside}")


def opened(file: Path) -> Study:
    """The study in a file, "recorded" being the one that ships. Raises StudioError where it is none."""
    file = bundled.RECORDED / "stance.json" if str(file) == "recorded" else file
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        study = Study.from_dict(read_json(file))
        if not study.answers:
            raise ValueError("no answers")
    except OSError as error:
        raise StudioError(f"{file} can't be read ({error.strerror}).", MEASURE) from error
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError, StudioError) as error:
        raise StudioError(f"{file} holds no study.", MEASURE) from error
    return study


def reviewed(review_id: str, paths: Paths) -> dict[str, Any]:
    """A review's report as its JSON export has it. Raises StudioError where it is not closed or there is none."""
    from pipelines.export.review import gather, to_json
    from pipelines.review.coding import Codes

    return json.loads(to_json(gather(Codes(paths.reviews), review_id)))


def _target(options: argparse.Namespace) -> Path:
    """Where the page goes: `report.html` here where nothing is said."""
    target: Path = options.output or Path("report.html")
    if target.is_dir() or target.suffix.lower() == ".json":
        raise StudioError(f"{target} can't hold the page.", "Give a file that ends in .html; the JSON is written beside it.")
    if target.with_suffix(".json").resolve() == options.study.resolve():
        raise StudioError(f"{options.study} would be overwritten by the report's JSON.", "Give the report another name with --output.")
    return target
