"""From a draft to a version: what was selected from, what is saved and what never is, parents, and drafts that are forgotten."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from pipelines.corpus import draft as draft_files
from pipelines.corpus import drafts, versions
from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.steps import registry
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json
from tests.unit.test_drafts import known, opened, star
from tests.unit.test_versions import opened as loaded


@dataclass(frozen=True)
class Score:
    """An annotator that takes its scores from the rows' ids ("L5" is -5, "R3" is 3), and leaves what must stay private."""

    key: ClassVar[str] = "annotate"
    label: ClassVar[str] = "Score"
    hint: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        return lambda rows: [Outcome({**row, **_scored(row["id"]), "_original": row["text"]}) for row in rows]


def _scored(row_id: str) -> Row:
    score = {"L": -1.0, "R": 1.0}.get(row_id[0], 0.0) * float(row_id[1:] or 0)
    return {
        "economic": score or None,
        "social": None,
        "quality": 6.0,
        "topic": "trade",
        "annotator": "test",
        "problem": "",
        VECTOR: b"\0" * 512,
    }


def test_the_pool_is_what_was_there_before_the_first_selection(paths: Paths) -> None:
    tools = Tools(paths)
    draft = drafts.apply(opened(paths, [{"id": i, "text": f"{i} is a text"} for i in ("L5", "L9", "R4", "R6", "N0")]), Score(), tools)
    assert draft.pool is None
    picked = drafts.apply(draft, registry.make("select", {"strategy": "extreme", "count": 1}), tools)
    fewer = drafts.apply(picked, registry.make("select", {"strategy": "extreme", "count": 1, "seed": 2}), tools)
    assert [row["id"] for row in fewer.rows.rows()] == ["L9"]
    assert fewer.pool is not None and [row["id"] for row in fewer.pool.rows()] == ["L5", "L9", "R4", "R6", "N0"]


def test_a_version_of_a_draft_opens_everywhere_and_tells_no_secrets(paths: Paths, tmp_path: Path) -> None:
    tools = Tools(paths)
    draft = drafts.apply(opened(paths, [{"id": i, "text": f"@mia_k says {i}"} for i in ("L5", "R4", "R6")]), Score(), tools)
    draft = drafts.apply(drafts.change(draft, star("R4"), tools), registry.make("mask"), tools)
    assert {VECTOR, "_original"} <= set(next(draft.rows.rows()))
    folder = drafts.save(draft, " Trade ", paths, {"license": "cc0-1.0"})
    rows, about = loaded(folder, tmp_path / "cache"), read_json(folder / "version.json")
    assert rows["text"] == ["[user] says L5", "[user] says R4", "[user] says R6"] and rows["economic"] == [-5.0, 4.0, 6.0]
    assert rows["star"] == [None, True, None] and not {VECTOR, "_original"} & set(rows.column_names)
    assert not [file for file in folder.rglob("*") if file.is_file() and b"mia_k" in file.read_bytes()]
    assert folder.name.startswith("trade-") and about["license"] == "cc0-1.0" and about["from_posts"] and len(about["masking"]) == 4
    assert [(step["key"], step["before"], step["dropped"]) for step in about["steps"]] == [
        ("annotate", 3, 0),
        ("hand", 3, 0),
        ("mask", 3, 0),
    ]
    assert (
        about["hash"]
        == versions.Dataset(draft.name, draft.kind, list(draft.rows.rows()), drafts.details(draft)).hash
        == versions.load(folder.name, paths).hash
    )


def test_a_draft_of_a_version_names_it_as_its_parent(paths: Paths) -> None:
    tools = Tools(paths)
    first = drafts.save(drafts.apply(opened(paths), registry.make("mask"), tools), "first", paths)
    parent = versions.load(first.name, paths)
    draft = drafts.from_version(parent, paths)
    assert drafts.load(draft.id, paths) == draft and (draft.kind, draft.count, draft.rows.slice(2, 1)[0]["id"]) == ("posts", 7, "p2")
    second = read_json(drafts.save(drafts.apply(draft, registry.make("exact"), tools), "", paths) / "version.json")
    assert second["parents"] == [parent.hash] and second["name"] == "first" and second["rows"] == 6
    assert [step["key"] for step in second["steps"]] == ["exact"] and len(second["masking"]) == 4


def test_forgetting_a_draft_leaves_its_versions_and_the_latest_changed_is_listed_first(paths: Paths) -> None:
    one, two = opened(paths), opened(paths)
    for age, draft in enumerate((one, two)):
        os.utime(draft.folder / draft_files.ABOUT, (10**9 + age, 10**9 + age))
    assert known(paths) == [two.id, one.id]
    drafts.apply(one, registry.make("exact"), Tools(paths))
    assert known(paths) == [one.id, two.id] and [name for name, _ in drafts.recent(paths, 1)] == [one.id]
    assert drafts.recent(paths, 9)[0][1].startswith("draft of My posts.jsonl, 7 rows, 1 step, ")
    saved = drafts.save(one, "", paths)
    drafts.forget(one)
    assert known(paths) == [two.id] and len(versions.load(saved.name, paths).rows) == 7
    with pytest.raises(StudioError, match="not here any more"):
        drafts.load(one.id, paths)


def test_drafts_that_nobody_changed_for_long_expire_and_no_others(paths: Paths) -> None:
    old, new = opened(paths), opened(paths)
    os.utime(old.folder / draft_files.ABOUT, (10**9, 10**9))
    drafts.expire(paths, hours=24)
    assert known(paths) == [new.id] and not old.folder.exists()


def test_opening_more_rows_than_are_allowed_leaves_nothing(paths: Paths) -> None:
    with pytest.raises(StudioError, match="more than 6 rows"):
        opened(paths, most_rows=6)
    assert not list(paths.drafts.glob("*")) and opened(paths, most_rows=7).count == 7


def test_one_draft_is_worked_on_by_one_at_a_time(paths: Paths) -> None:
    draft = opened(paths)
    with drafts.working(draft.id, paths) as mine:
        assert mine == draft
        with pytest.raises(StudioError, match="still running"), drafts.working(draft.id, paths):
            pass
    with drafts.working(draft.id, paths), pytest.raises(StudioError, match="not here any more"), drafts.working("nothing", paths):
        pass
