"""`stance` of the command line: run a measurement, score any texts, compare two studies, compare rulers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.audit import opened
from pipelines.commands.compare import INTERRUPTED, interruptible, resolved
from pipelines.commands.console import out, progress
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_json, write_text
from pipelines.records import AXES

if TYPE_CHECKING:
    from pipelines.stance.study import Study

USUAL_COLUMNS = "base,left,right,placebo"


def run(options: argparse.Namespace, paths: Paths) -> int:
    """Measures columns with all instruments; what each column answered is kept, so that the next one is quick. 130 on Ctrl+C."""
    from pipelines.comparing.columns import BASE_NAME, catalog
    from pipelines.comparing.fitting import loaded
    from pipelines.comparing.measured import GROUP, plan_of
    from pipelines.models.host import ModelHost
    from pipelines.stance import measuring, own_items
    from pipelines.stance.kept import Kept

    if options.group and options.columns:
        raise StudioError("--group does not go with --columns.", "A group's columns are all its runs; leave one of them out.")
    host = ModelHost(paths)
    listed = catalog(paths, loaded(host))
    items = own_items.read(options.items) if options.items else None
    if options.group:
        group = listed.sets.get(options.group)
        keys = [BASE_NAME, *(offer.key for offer in group.offers)] if group else [BASE_NAME, ""]
    else:
        keys, _ = resolved((options.columns or USUAL_COLUMNS).split(","), 1.0, listed)
    plan, notes = plan_of(
        listed, keys, options.profile, GROUP + options.group if options.group else None, options.half, items, options.generated
    )
    host.load(progress)
    kept = Kept(None if options.fresh else paths.measured)
    with interruptible() as stop:
        try:
            study = measuring.run(plan, host, _ruler(paths), progress, stop, kept)
        except StudioError as error:
            if not stop.is_set():
                raise
            print(error, file=sys.stderr)
            return INTERRUPTED
    study.notes |= notes
    if options.output:
        write_json(options.output, study.as_dict())
    out(options, summary(study), "\n".join(_lines(study)))
    return 0


def summary(study: Study) -> dict[str, Any]:
    """What a study shows, as one JSON value: claims, shifts, contrasts, gates and what else changed."""
    from pipelines.stance import claims, collateral, contrasts, evenness

    return {
        "verdicts": [asdict(one) for one in claims.verdicts(study)] if claims.can_claim(study) else [],
        "shifts": claims.role_table(study),
        "contrasts": [asdict(row) for row in contrasts.contrasts(study)],
        "seed_spread": claims.seed_spread(study),
        "validity": study.validity,
        "survey": study.checks,
        "collateral": study.collateral,
        "red_lines": collateral.red_lines(study),
        "evenness": evenness.gaps(study),
        "protocol": study.protocol,
        "seconds": study.seconds,
    }


def _lines(study: Study) -> list[str]:
    from pipelines.stance import claims

    said = [f"{one.claim}: {one.held}, {one.reason}" for one in claims.verdicts(study)] if claims.can_claim(study) else []
    shifts = [
        f"{row['column']:12} {row['instrument']:10} {row['axis']:9} {row['mean']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] "
        f"p={row['p_holm']:.3f} n={row['n']}{' VOID: ' + row['void'] if row['void'] else ''}"
        for row in claims.role_table(study)
    ]
    gates = [f"{name} can't answer a questionnaire: {'; '.join(one['reasons'])}" for name, one in study.checks.items() if not one["passed"]]
    return [*said, *shifts, *gates, f"Took {study.seconds:.0f} s."]


def compare(options: argparse.Namespace, paths: Paths) -> None:
    """Two measured data selections or recipes against each other, with the plot where --plot names a file."""
    from pipelines.figures import contrasts as figures
    from pipelines.stance import contrasts

    first, second = (opened(file) for file in (options.first, options.second))
    found = contrasts.compare(first, second, (options.first.stem, options.second.stem))
    if options.plot:
        write_text(options.plot, figures.compare(found).to_html(include_plotlyjs=True))
    rows = [asdict(row) for row in found.differences]
    lines = [
        f"{row['instrument']:10} {row['axis']:9} {row['name']:10} {row['mean']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] "
        f"p={row['p_holm']:.3f} n={row['n']} {row['unit']}"
        for row in rows
    ]
    out(options, asdict(found), "\n".join(lines))


def ruler(options: argparse.Namespace, paths: Paths) -> None:
    """How far the ruler can be trusted, for one or several embedding models side by side."""
    from pipelines.models.catalog import EMBEDDER
    from pipelines.stance.ruler_compare import compare as rulers

    rows = rulers(options.embedder or [EMBEDDER.name], paths)
    lines = [
        f"{row['name']}: AUC economic {row['auc']['economic']:.2f}, social {row['auc']['social']:.2f}; statements that flip {row['flip']:.0%}"
        for row in rows
    ]
    out(options, rows, "\n".join(lines))


def score(options: argparse.Namespace, paths: Paths) -> None:
    """Places any texts with the ruler."""
    if options.input is None:
        raise StudioError("There is nothing to score.", 'Give --input FILE.jsonl with a {"text": ...} on every line.')
    scores = _ruler(paths).score(_texts(options.input))
    if options.json:
        print(json.dumps(scores))
        return
    for one in scores:
        print(json.dumps({axis: round(one[axis], 4) for axis in AXES}))


def _texts(source: Path) -> Sequence[str]:
    from pipelines.corpus.sources import open_source

    texts = []
    rows = (row for batch in open_source(str(source)).batches() for row in batch)
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get("text"), str):
            raise StudioError(f"Row {number} of {source.name} has no text.", 'Every line must look like {"text": "..."}.')
        texts.append(row["text"])
    return texts


def _ruler(paths: Paths) -> Any:
    from pipelines.stance.embedding import Embedder
    from pipelines.stance.ruler import Ruler

    return Ruler(Embedder(paths))
