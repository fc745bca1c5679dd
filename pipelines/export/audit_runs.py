"""What an audit tells of the runs behind a study's columns: their data, recipe, training and versions.

A run belongs to a column by the fingerprint of its adapter's weights, never by a name: a run that was trained again under the
same name is another one. Names no place on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.corpus import layout
from pipelines.corpus.description import find_parents
from pipelines.export.audit_wording import plain
from pipelines.paths import Paths, content_hash
from pipelines.stance import claims
from pipelines.stance.study import BASE, Study
from pipelines.tuning.run import Run
from pipelines.tuning.runs import list_runs
from pipelines.tuning.sharing import card
from pipelines.tuning.shelf import reading
from pipelines.tuning.shelf.about import shown_title
from pipelines.tuning.shelf.reading import mapping

Facts = dict[str, Any]
About = Mapping[str, Facts]
JOB = ("created", "side", "recipe_hash", "settings_hash", "prompts_hash", "rows_hash", "group", "versions")
DATA = ("name", "kind", "hash", "rows")
STEP = ("key", "label", "settings", "before", "after", "dropped", "changed")
TRAINING = (
    "steps", "kept_step", "rows", "rows_too_long", "stopped_early", "first_loss", "last_loss", "seconds", "guard", "shift", "collateral",
)  # fmt: skip
PACKAGES = ("numpy", "scipy", "scikit-learn", "plotly", "torch", "transformers", "peft", "sentence-transformers")


def stamps(study: Study) -> dict[str, Facts]:
    """The stamp of each column's first answer; {} for a column without answers."""
    found: dict[str, Facts] = {column: {} for column in study.columns}
    for answer in reversed(study.answers):
        found[answer["column"]] = mapping(answer.get("stamp"))
    return found


def known_runs(paths: Paths | None) -> list[Run]:
    """The runs that ship with the studio, then those on this machine's shelf; the former alone without `paths` (a public studio)."""
    return [*(Run(bundled.ADAPTERS / side) for side in bundled.BUNDLED_SIDES), *(list_runs(paths) if paths else [])]


def run_facts(study: Study, runs: Iterable[Run], shelf: Path | None = None) -> dict[str, Facts]:
    """Column -> {id, title, job, metrics, description} of the run that ended with the column's weights; columns without one are left out.

    `shelf` is the folder of saved data set versions, in which the description of the data is looked for by its content hash.
    """
    known: dict[str, Run] = {}
    for run in runs:
        if fingerprint := reading.metrics(run).get("adapter_fingerprint"):
            known.setdefault(fingerprint, run)
    by_column = {column: known.get(stamp.get("adapter_fingerprint") or "") for column, stamp in stamps(study).items()}
    return {column: _facts(run, shelf) for column, run in by_column.items() if run}


def _facts(run: Run, shelf: Path | None) -> Facts:
    job, metrics = reading.job(run), reading.metrics(run)
    data = {name: mapping(job.get("data")).get(name) for name in DATA}
    described = _described(str(data["hash"]), shelf)
    kept = {name: job.get(name) for name in JOB}
    return {
        "id": run.id,
        "title": shown_title(run),
        "job": {**kept, "data": data, "recipe": card.recipe(job, metrics)},
        "metrics": {name: metrics.get(name) for name in TRAINING},
        "description": {name: described.get(name) for name in ("source", "license", "terms", "saved", "masking")} if described else {},
        "steps": [{name: step.get(name) for name in STEP} for step in described.get("steps") or []] if described else None,
    }


def _described(content: str, shelf: Path | None) -> Facts:
    """The description of the data with this content hash; {} where nothing is known but the hash."""
    if content == layout.rows_hash("mirrored", [asdict(row) for row in bundled.pairs()]):
        return {"source": {"reference": "hand-written for this project"}, "steps": []}
    return find_parents([content], shelf)[0] if shelf and shelf.is_dir() else {}


def data_rows(study: Study, about: About) -> list[Facts]:
    """What each tuned column was trained on. `filters` is None where no description of the data was found."""
    rows = []
    for column in tuned(study):
        facts = about.get(column)
        job, metrics = mapping(facts.get("job")) if facts else {}, mapping(facts.get("metrics")) if facts else {}
        data = mapping(job.get("data"))
        rows.append(
            {
                "column": column,
                "role": claims.role_of(study, column),
                "found": facts is not None,
                "run": facts.get("id") if facts else None,
                "side": job.get("side"),
                **{name: data.get(name) for name in DATA},
                "rows_used": metrics.get("rows"),
                "rows_too_long": metrics.get("rows_too_long"),
                "rows_hash": job.get("rows_hash"),
                "created": job.get("created"),
                "source": mapping(facts.get("description")).get("source") if facts else None,
                "filters": facts.get("steps") if facts else None,
            }
        )
    return rows


def recipe(study: Study, about: About) -> Facts:
    """Settings that all found runs share, and those in which they differ by column."""
    recipes = {column: mapping(mapping(about[column].get("job")).get("recipe")) for column in tuned(study) if column in about}
    names = list(dict.fromkeys(name for one in recipes.values() for name in one))
    alike = {name for name in names if len({content_hash(one.get(name)) for one in recipes.values()}) == 1}
    return {
        "columns": list(recipes),
        "shared": {name: next(iter(recipes.values()))[name] for name in names if name in alike},
        "different": {column: {name: one.get(name) for name in names if name not in alike} for column, one in recipes.items()},
    }


def training_rows(study: Study, about: About) -> list[Facts]:
    """What each found run noted of its training."""
    return [{"column": column, **mapping(about[column].get("metrics"))} for column in tuned(study) if column in about]


def same_settings(study: Study, about: About) -> bool | None:
    """Whether all tuned columns were trained with the same settings on the same questions; None where that is not known of all."""
    if "same_settings" in study.notes:
        return bool(study.notes["same_settings"])
    jobs = [mapping(about[column].get("job")) for column in tuned(study) if column in about]
    if len(jobs) < len(tuned(study)) or not all(job.get("settings_hash") for job in jobs):
        return None
    return len({(job["settings_hash"], job.get("prompts_hash")) for job in jobs}) == 1


def tuned(study: Study) -> list[str]:
    return [column for column in study.columns if column != BASE]


def versions(study: Study, about: About) -> Facts:
    """Fingerprints and packages by which the figures can be made again. No commit: a report is made where there may be no repository."""
    stamped = stamps(study)
    base = next((stamp for stamp in stamped.values() if stamp), {})
    return {
        "study": content_hash(plain(study.as_dict())),
        "measured": study.notes.get("recorded") or study.notes.get("computed"),
        "seconds": study.seconds,
        "protocol": study.protocol.get("hash"),
        "profile": study.protocol.get("profile"),
        "base": base.get("base"),
        "base_fingerprint": base.get("base_fingerprint"),
        "template_hash": base.get("template_hash"),
        "sampling": study.sampling,
        "adapters": {
            column: {name: stamped[column].get(name) for name in ("adapter_fingerprint", "adapter_settings", "strength")}
            for column in tuned(study)
        },
        "training": {column: mapping(mapping(about[column].get("job")).get("versions")) for column in tuned(study) if column in about},
        "report": {"python": sys.version.split()[0], **{name: _installed(name) for name in PACKAGES}},
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
