"""The audit of a stance study: all that is known of how it was made and what it found, null results first, as one JSON value.

`audit` gathers, audit_page.py writes it as a page. Every figure goes with its n and, where the study keeps what it takes, its 95%
interval; where it does not, the interval is null and the page says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pipelines.errors import StudioError
from pipelines.export import audit_found as found
from pipelines.export import audit_gates, audit_manner, audit_samples, audit_words
from pipelines.export import audit_runs as behind
from pipelines.export.audit_found import named
from pipelines.export.audit_runs import About, known_runs, run_facts
from pipelines.export.audit_wording import plain
from pipelines.export.comparison import MARK
from pipelines.paths import Paths
from pipelines.stance import claims, contrasts, evenness, everyday
from pipelines.stance.study import Study
from pipelines.tuning.shelf.reading import DAMAGE, mapping

TITLE = "Audit of a stance study"
OF_REVIEW = ("hash", "made", "is_closed", "headline", "not_established", "established", "people", "columns", "findings", "limits")
DAMAGED = ("This study is damaged or incomplete, so no report can be made of it.", "Measure again, or choose another one.")


def audit(study: Study, *, about: About | None = None, review: Mapping[str, Any] | None = None, title: str = TITLE) -> dict[str, Any]:
    """The whole report as plain JSON. `about` is what `run_facts` found, `review` a review's report as its JSON export has it.

    Raises StudioError for a study that lacks what every study has.
    """
    try:
        return plain(_gathered(study, about or {}, review, title))
    except (*DAMAGE, ArithmeticError) as error:
        raise StudioError(*DAMAGED) from error


def whole(study: Study, paths: Paths | None, review: Mapping[str, Any] | None = None, title: str = TITLE) -> dict[str, Any]:
    """The same with the runs of this machine; without `paths` (a public studio) with those that ship with the studio alone."""
    about = run_facts(study, known_runs(paths), paths.datasets if paths else None)
    return audit(study, about=about, review=review, title=title)


def _gathered(study: Study, about: About, review: Mapping[str, Any] | None, title: str) -> dict[str, Any]:
    shifts = found.shift_rows(study)
    report: dict[str, Any] = {
        "kind": "audit",
        "mark": MARK,
        "title": title,
        "made": datetime.now(UTC).isoformat(timespec="minutes"),
        "result": found.result(study, shifts),
        "columns": {column: named(study, column) for column in (*study.columns, *study.roles)},
        "data": behind.data_rows(study, about),
        "recipe": behind.recipe(study, about),
        "training": behind.training_rows(study, about),
        "instruments": audit_gates.instruments(study),
        "gates": audit_gates.gates(study, about),
        "positions": audit_gates.positions(study),
        "shifts": shifts,
        "seeds": claims.seed_spread(study),
        "contrasts": [{**asdict(one), "void": contrasts.void(study, one.name)} for one in contrasts.contrasts(study)],
        "controls": found.control_rows(study, about),
        "splits": found.split_rows(study),
        "collateral": [{**row, "name": named(study, row["column"])} for row in audit_manner.collateral_rows(study)],
        "evenness": evenness.gaps(study),
        "everyday": {
            "rows": everyday.summary(study),
            "rule": audit_samples.EVERYDAY_RULE,
            "answers": audit_samples.drawn_everyday(study),
        },
        "samples": {"rule": audit_samples.RULE, "questions": audit_samples.drawn(study)},
        "review": _review(study, review),
        "versions": behind.versions(study, about),
    }
    return {**report, "limits": audit_words.limits(study, report), "headings": audit_words.headings(report)}


def _review(study: Study, review: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A review's totals without its frozen protocol, and whether it was about this study's adapters, by their fingerprints."""
    if review is None:
        return None
    protocol = mapping(review.get("protocol"))
    stamps = [mapping(one.get("stamp")) for one in protocol.get("answers") or []]
    reviewed = {str(stamp["adapter_fingerprint"]) for stamp in stamps if stamp.get("adapter_fingerprint")}
    studied = {stamp.get("adapter_fingerprint"): column for column, stamp in behind.stamps(study).items()}
    return {
        "title": mapping(protocol.get("design")).get("title", ""),
        **{name: review.get(name) for name in OF_REVIEW},
        "same_adapters": [studied[one] for one in sorted(reviewed) if one in studied],
        "other_adapters": sorted(one for one in reviewed if one not in studied),
    }


def to_json(report: Mapping[str, Any]) -> str:
    """The report as text, with all digits."""
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
