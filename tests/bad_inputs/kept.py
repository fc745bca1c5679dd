"""Files that the studio wrote itself and that come back damaged, exchanged or made up: studies, series, batches, drafts, versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.commands import audit
from pipelines.comparing import batch_folder
from pipelines.corpus import drafts, versions
from pipelines.paths import Paths
from pipelines.review.protocol import Protocol
from pipelines.stance import series_file
from tests.bad_inputs.compared import DEEP, HUGE, Change, changed, drop, put
from tests.bad_inputs.trial import Taken, files, places, sparse, table

STUDIES = (
    files(
        "study",
        lambda path: len(audit.opened(path).answers) > 0,
        "study.json",
        {
            "an empty file": ("", "holds no study"),
            "cut off": ('{"columns": ["base"', "holds no study"),
            "not UTF-8": (b"\xff\xfe{}", "holds no study"),
            "nested without end": (DEEP, "holds no study"),
            "a list": ("[]", "holds no study"),
            "a number": ("5", "holds no study"),
            "one thing more": ('{"columns": [], "owner": "me"}', "holds no study"),
            "far too large": (sparse("study.json", audit.MAX_BYTES + 1), "holds no study"),
        },
    )
    + places("study", audit.opened, ".json", "gone.json")[:1]
)


def _studied(change: Change, folder: Path) -> Any:
    (folder / "study.json").write_text(json.dumps(changed("stance.json", change)), encoding="utf-8")
    return audit.opened(folder / "study.json").columns


STUDIES += table(
    "study",
    _studied,
    {
        "no answers": (put("answers", value=[]), "holds no study"),
        "answers that are numbers": (put("answers", value=[1, 2]), "holds no study"),
        "an answer with half a character": (lambda value: put("answers", 0, "text", value="\ud800")(value), "holds no study"),
        "answers that are a mapping": (put("answers", value={"a": 1}), "holds no study"),
        "columns that are numbers": (put("columns", value=[1, 2]), "holds no study"),
        "columns that are a text": (put("columns", value="base"), "holds no study"),
        "roles that are a list": (put("roles", value=["left"]), "holds no study"),
        "roles of columns that are not there": (put("roles", value={"left": ["gone"]}), "holds no study"),
        "roles that can't be counted": (put("roles", value={"left": 5}), "holds no study"),
        "notes that are a text": (put("notes", value="notes"), "holds no study"),
        "no collateral": (drop("collateral"), "holds no study"),
        "judgements that are texts": (put("judged", value=["left"]), "holds no study"),
    },
)


def _series(change: Change, folder: Path) -> Any:
    (folder / "series.json").write_text(json.dumps(changed("dose.json", change)), encoding="utf-8")
    return series_file.read(folder / "series.json").kind


POINT = ("points", 1)
DAMAGED = "is damaged and can't be shown"
SERIES = files(
    "series",
    series_file.read,
    "series.json",
    {
        "an empty file": ("", DAMAGED),
        "cut off": ('{"kind": "strength"', DAMAGED),
        "not UTF-8": (b"\xff", DAMAGED),
        "nested without end": (DEEP, DAMAGED),
        "a list": ("[]", DAMAGED),
        "far too large": (sparse("series.json", series_file.MAX_BYTES + 1), DAMAGED),
    },
) + table(
    "series",
    _series,
    {
        "no points": (put("points", value=[]), DAMAGED),
        "points that are numbers": (put("points", value=[1, 2]), DAMAGED),
        "an unknown kind": (put("kind", value="mood"), DAMAGED),
        "a kind that is a list": (put("kind", value=[]), DAMAGED),
        "a place of 400 digits": (put(*POINT, "x", value=HUGE), DAMAGED),
        "a place that is a text": (put(*POINT, "x", value="0.5"), DAMAGED),
        "a place of True": (put(*POINT, "x", value=True), DAMAGED),
        "a shift without its interval": (lambda value: [one["both"].pop("low") for one in value["points"][1]["shifts"].values()] and None, DAMAGED),
        "shifts that are a list": (put(*POINT, "shifts", value=[]), DAMAGED),
        "a column with half a character": (put(*POINT, "column", value="\ud800"), DAMAGED),
        "a column that is a number": (put(*POINT, "column", value=5), DAMAGED),
        "facts that are a number": (put(*POINT, "facts_lost", value=5), DAMAGED),
        "as it was recorded": (lambda value: None, Taken("strength")),
    },
)  # fmt: skip

JOB: dict[str, Any] = {
    "title": "Set", "prompts": [{"id": "1", "text": "Who pays?"}], "columns": [{"key": "base", "name": "base", "parts": [], "settings": ""}],
    "sampling": {"seed": 1}, "strength": 1.0, "created": "2026-01-01", "restricted": False,
}  # fmt: skip


def _batch(given: dict[str, Any], folder: Path) -> Any:
    (folder / batch_folder.JOB).write_text(json.dumps({**JOB, **given}), encoding="utf-8")
    return batch_folder.opened(folder).strength


BATCHES = table(
    "prompt set result",
    _batch,
    {
        "a strength of 400 digits": ({"strength": HUGE}, "is damaged"),
        "a strength that is a list": ({"strength": []}, "is damaged"),
        "columns that are numbers": ({"columns": [1]}, "is damaged"),
        "questions that are texts": ({"prompts": ["Who pays?"]}, "is damaged"),
        "no sampling": ({"sampling": None}, "is damaged"),
        "an unknown setting": ({"sampling": {"mood": 1}}, "is damaged"),
        "a seed of 4,000 digits": ({"sampling": {"seed": 10**4_000}}, "is damaged"),
        "as it was written": ({}, Taken(1.0)),
    },
)


def _draft(content: str, folder: Path) -> Any:
    home = Paths(folder)
    (home.drafts / "d").mkdir(parents=True)
    (home.drafts / "d" / "draft.json").write_text(content, encoding="utf-8")
    return drafts.load("d", home)


def _version(content: str, folder: Path) -> Any:
    (folder / "version.json").write_text(content, encoding="utf-8")
    return versions.open_version(folder)


OTHERS = [
    *table(
        "draft",
        _draft,
        {
            "an empty file": ("", "is damaged"),
            "a list": ("[]", "is damaged"),
            "nested without end": (DEEP, "is damaged"),
            "steps that are numbers": ('{"steps": [1]}', "is damaged"),
            "steps that are one": ('{"steps": 1}', "is damaged"),
        },
    ),
    *table(
        "data set version",
        _version,
        {
            "an empty description": ("", "is damaged"),
            "a description that is a list": ("[]", "is damaged"),
            "a description without end": (DEEP, "is damaged"),
            "no rows": ('{"name": "a", "kind": "posts", "hash": "0"}', "is damaged"),
            "an unknown kind": ('{"name": 1, "kind": [], "hash": 0, "columns": 5}', "is damaged"),
        },
    ),
    *table(
        "review's protocol",
        lambda value, folder: Protocol.from_dict(value),
        {
            "nothing": (None, "not a review's protocol"),
            "a list": ([], "not a review's protocol"),
            "items that are numbers": ({"items": [1]}, "not a review's protocol"),
            "a design that is none": ({"items": [], "design": 5}, "not a review's protocol"),
        },
    ),
]

TRIALS = [*STUDIES, *SERIES, *BATCHES, *OTHERS]
