"""Drafts: rows on their way to a version, on disk after every step, with undo; and the version that is saved from them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from pipelines.corpus import draft as draft_files
from pipelines.corpus import drafts, shards
from pipelines.corpus.columns import assign
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.sources.source import HEAD_ROWS, Notes, Source
from pipelines.corpus.steps import registry
from pipelines.corpus.steps.hand import edit
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths
from tests.unit.test_engine import stop_after

TEXTS = (
    "Rents must fall",
    "no, no, no",
    "Ask @mia_k about taxes",
    "rents must fall!",
    "Wages should rise",
    "no way at all",
    "Trade is good",
)


def opened(paths: Paths, rows: Sequence[dict[str, Any]] = (), tools: Tools | None = None, most_rows: int | None = None) -> Draft:
    """A new draft of posts, or of other rows."""
    given = [dict(row) for row in rows] or [{"id": f"p{n}", "text": text} for n, text in enumerate(TEXTS)]
    return drafts.create(Source("My posts.jsonl", lambda notes: iter(given)), paths, tools=tools, most_rows=most_rows)


def texts(draft: Draft) -> list[str]:
    return [row["text"] for row in draft.rows.rows()]


def known(paths: Paths) -> list[str]:
    """Ids of all drafts, the last changed first."""
    return [name for name, _ in drafts.recent(paths, 99)]


def star(row_id: str, value: bool = True) -> list[dict[str, Any]]:
    return [edit(row_id, "star", value)]


@dataclass(frozen=True)
class Shout:
    """Writes everything in capitals and drops texts with a "no"; `seen` is what all of them were given."""

    loud: int = 1

    seen: ClassVar[list[str]] = []
    key: ClassVar[str] = "shout"
    label: ClassVar[str] = "Shout"
    hint: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        def one(row: Row) -> Outcome:
            self.seen.append(row["text"])
            return Outcome(row, "says no") if "no" in row["text"] else Outcome({**row, "text": row["text"].upper()})

        return lambda rows: [one(row) for row in rows]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards.regroup, "__defaults__", (2,))


def test_opening_reads_all_rows_with_an_id_each_and_says_where_they_come_from(paths: Paths, small_shards: None) -> None:
    draft = opened(paths, [{"id": "a", "text": text, "label": "left", "spare": "x"} for text in TEXTS])
    rows = list(draft.rows.rows())
    assert (draft.kind, draft.count, len(draft.rows.files), draft.name, draft.steps) == ("posts", 7, 4, "my-posts", ())
    assert [row["text"] for row in rows] == list(TEXTS) and len({row["id"] for row in rows}) == 7 and rows[0]["id"] == "a"
    assert set(rows[0]) == {"id", "topic", "text", "own_label"} and rows[0]["topic"] == ""
    assert draft.opened["source"] == "My posts.jsonl" and draft.opened["columns"]["text"][0] == "text"
    assert drafts.load(draft.id, paths) == draft


def test_columns_that_a_person_chose_are_taken(paths: Paths) -> None:
    source = Source("s", lambda notes: iter([{"body": "one", "text": "two"}]))
    assert texts(drafts.create(source, paths, assign("posts", {"text": "body"}))) == ["one"]


def broken_off(notes: Notes) -> Iterator[dict[str, Any]]:
    """More rows than are looked at to recognize the columns, and then the disk fails."""
    yield from ({"text": str(n)} for n in range(HEAD_ROWS))
    raise OSError("input/output error")


def test_opening_that_fails_or_is_stopped_leaves_nothing(paths: Paths) -> None:
    for read, words in ((lambda notes: iter([{"n": 1}]), "were not recognized"), (broken_off, "input/output error")):
        with pytest.raises(StudioError, match=words):
            drafts.create(Source("s", read), paths)
    with pytest.raises(Cancelled):
        opened(paths, tools=Tools(paths, cancelled=lambda: True))
    assert not list(paths.drafts.glob("*")) and known(paths) == []


def test_a_step_is_counted_kept_on_disk_and_undone(paths: Paths) -> None:
    tools, before = Tools(paths), opened(paths)
    draft = drafts.apply(drafts.apply(before, registry.make("exact"), tools), registry.make("mask"), tools)
    assert drafts.load(draft.id, paths) == draft and draft.has("mask") and not before.has("mask")
    assert [(one.key, one.result.before, one.result.after, one.result.changed) for one in draft.steps] == [
        ("exact", 7, 6, 0),
        ("mask", 6, 6, 1),
    ]
    assert [row["id"] for row in draft.dropped(0).rows()] == ["p3"] and len(draft.after(0)) == 7 and len(draft.after(1)) == 6
    assert texts(draft)[2] == "Ask [user] about taxes"
    shorter = drafts.undo(draft)
    assert texts(shorter)[2] == "Ask @mia_k about taxes" and drafts.load(draft.id, paths) == shorter
    assert drafts.undo(drafts.undo(shorter)) == before == drafts.load(draft.id, paths)


def test_the_same_step_after_undo_reads_the_finished_result_and_another_setting_does_not(paths: Paths) -> None:
    Shout.seen.clear()
    draft = drafts.apply(opened(paths), Shout(), Tools(paths))
    assert drafts.apply(drafts.undo(draft), Shout(), Tools(paths)) == draft and len(Shout.seen) == 7
    louder = drafts.apply(drafts.undo(draft), Shout(2), Tools(paths))
    assert len(Shout.seen) == 14 and louder.steps[0].folder != draft.steps[0].folder


def test_the_same_step_after_other_steps_is_computed_anew(paths: Paths) -> None:
    tools, draft = Tools(paths), opened(paths)
    alone = drafts.apply(draft, registry.make("length", {"shortest": 3}), tools)
    later = drafts.apply(drafts.apply(draft, registry.make("exact"), tools), registry.make("length", {"shortest": 3}), tools)
    assert (len(alone.rows), len(later.rows)) == (7, 6)


def test_changes_by_hand_are_one_step_and_undone_one_by_one(paths: Paths) -> None:
    tools, draft = Tools(paths), opened(paths)
    for edits in (star("p0"), [edit("p1", "text", "Yes, yes")], [edit("p1", "text", "Yes")], [edit("p4", "dropped", True)]):
        draft = drafts.change(draft, edits, tools)
    assert [step.key for step in draft.steps] == ["hand"] and len(draft.rows) == 6
    assert [row["reason"] for row in draft.dropped(0).rows()] == ["dropped by hand"]
    seen = []
    while draft.steps:
        draft = drafts.undo(draft)
        assert texts(drafts.load(draft.id, paths)) == texts(draft)
        seen.append((len(draft.rows), texts(draft)[1], next(draft.rows.rows()).get("star")))
    assert seen == [(7, "Yes", True), (7, "Yes, yes", True), (7, "no, no, no", True), (7, "no, no, no", None)]


def test_all_changes_of_one_press_are_undone_together(paths: Paths) -> None:
    draft = drafts.change(opened(paths), star("p0"), Tools(paths))
    draft = drafts.change(draft, [edit("p1", "text", "Yes"), edit("p1", "note", "odd")], Tools(paths))
    row = drafts.undo(draft).rows.slice(1, 1)[0]
    assert row["text"] == "no, no, no" and not row.get("note") and next(drafts.undo(draft).rows.rows())["star"] is True


def test_changes_by_hand_after_another_step_are_a_step_of_their_own(paths: Paths) -> None:
    tools = Tools(paths)
    draft = drafts.change(drafts.apply(drafts.change(opened(paths), star("p0"), tools), Shout(), tools), star("p0", False), tools)
    assert [step.key for step in draft.steps] == ["hand", "shout", "hand"]
    assert next(drafts.undo(draft).rows.rows())["star"] is True


def test_edits_of_other_fields_and_empty_texts_are_refused() -> None:
    for name, value in (("id", "x"), ("economic", 3.0), ("text", " \n"), ("chosen", "")):
        with pytest.raises(StudioError, match="can't be changed by hand|would be empty"):
            edit("p0", name, value)


def test_a_step_that_would_drop_every_row_changes_nothing_and_says_why(paths: Paths) -> None:
    tools = Tools(paths)
    draft = drafts.change(opened(paths), star("p0"), tools)
    with pytest.raises(StudioError, match=r"would drop every row \(7 text is too short\).*Nothing was changed"):
        drafts.apply(draft, registry.make("length", {"shortest": 50}), tools)
    with pytest.raises(StudioError, match=r"would drop every row \(7 dropped by hand\)"):
        drafts.change(draft, [edit(f"p{n}", "dropped", True) for n in range(7)], tools)
    again = drafts.load(draft.id, paths)
    assert [step.key for step in again.steps] == ["hand"] and list(again.rows.rows()) == list(draft.rows.rows())


def test_a_stopped_step_leaves_the_draft_as_it_was_and_goes_on_from_there(paths: Paths, small_shards: None) -> None:
    Shout.seen.clear()
    draft = opened(paths)
    with pytest.raises(Cancelled):
        drafts.apply(draft, Shout(), stop_after(2, paths))
    assert drafts.load(draft.id, paths) == draft and len(Shout.seen) == 4
    done = drafts.apply(drafts.load(draft.id, paths), Shout(), Tools(paths))
    assert Shout.seen == list(TEXTS) and done.steps[0].result.before == 7 and len(texts(done)) == 5


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"steps": []}', '{"steps": [{"key": "mask"}]}'])
def test_a_damaged_description_is_a_sentence(paths: Paths, damage: str) -> None:
    draft = opened(paths)
    (draft.folder / draft_files.ABOUT).write_text(damage, encoding="utf-8")
    with pytest.raises(StudioError, match=r"is damaged\. Open the data again"):
        drafts.load(draft.id, paths)
    assert known(paths) == []


def test_only_drafts_are_loaded_as_drafts(paths: Paths) -> None:
    draft = opened(paths)
    for name in ("", ".", "..", "nothing", f"../drafts/{draft.id}", str(draft.folder)):
        with pytest.raises(StudioError, match="not here any more"):
            drafts.load(name, paths)


def test_a_step_for_other_rows_is_refused(paths: Paths) -> None:
    pairs = opened(paths, [{"prompt": "Why?", "chosen": "It is fair to all.", "rejected": "It is free for all."}])
    for key in ("spam", "select", "match"):
        with pytest.raises(StudioError, match="works on posts; these are pairs"):
            drafts.apply(pairs, registry.make(key), Tools(paths))
    with pytest.raises(StudioError, match="works on pairs and mirrored; these are posts"):
        drafts.apply(opened(paths), registry.make("mend", {"light": "length"}), Tools(paths))


def test_several_steps_share_one_progress(paths: Paths, small_shards: None) -> None:
    shares: list[float] = []
    tools = Tools(paths, progress=lambda share, words: shares.append(share))
    draft = drafts.apply_all(opened(paths), ["normalize", "length", "exact"], tools, {"length": {"shortest": 2}})
    assert [step.settings for step in draft.steps] == [{"lead_ins": True}, {"shortest": 2, "longest": 400}, {}]
    assert shares == sorted(shares) and shares[-1] == 1


def test_walking_back_and_forth_at_random_ends_where_walking_straight_does(paths: Paths, small_shards: None) -> None:
    rng, tools = random.Random(7), Tools(paths)
    draft, done = opened(paths), list[Any]()
    for turn in range(30):
        what = rng.choice(["undo", "mask", "exact", "normalize", "hand", "hand"])
        if what == "undo":
            draft, done = drafts.undo(draft), done[:-1]
        elif what == "hand":
            edits = [edit(f"p{rng.randrange(7)}", "text", f"Text {turn} in words")]
            draft, done = drafts.change(draft, edits, tools), [*done, edits]
        else:
            draft, done = drafts.apply(draft, registry.make(what), tools), [*done, what]
        draft = drafts.load(draft.id, paths)
    straight = opened(paths)
    for one in done:
        straight = drafts.apply(straight, registry.make(one), tools) if isinstance(one, str) else drafts.change(straight, one, tools)
    assert len(done) > 5 and list(draft.rows.rows()) == list(straight.rows.rows())
    assert [replace(step.result, seconds=0) for step in draft.steps] == [replace(step.result, seconds=0) for step in straight.steps]
