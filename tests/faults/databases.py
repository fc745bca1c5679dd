"""The files that many write to: ballots, owners, stored replies - overwritten, cut off, exchanged, deleted beneath a running studio."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipelines.endpoints.replies import FILE as REPLIES
from pipelines.endpoints.replies import Replies, Reply
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
from pipelines.review.store import FILE
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.faults.making import ALL_A, PROTOCOL, Review, ballots, confirm_ballots

PAGE = 4096


def _closed(scene: Scene, made: Review) -> Path:
    """The database's file once nobody has it open, all of it in one file, and no row twice."""
    made.box.store.close()
    file = scene.paths.reviews / FILE
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("VACUUM")
    return file


def _damaged(scene: Scene, made: Review, data: bytes) -> None:
    """Puts these bytes in the database's place, lets a rater vote, and looks whether the doctor keeps them."""
    file = _closed(scene, made)
    file.write_bytes(data)
    page = scene.tell(made.press)
    made.voted -= 1
    assert "Counted" not in page and "Nothing was counted" in page
    scene.confirm("the damaged file as it was", lambda: _somewhere(scene, data))


def _somewhere(scene: Scene, data: bytes) -> bool:
    """Whether a file of these bytes lies in its place or in quarantine."""
    places = [scene.paths.reviews, scene.paths.root / "quarantine"]
    return any(file.read_bytes() == data for place in places for file in place.rglob("*") if file.is_file())


def _full_house(scene: Scene) -> Review:
    """A dozen raters who have judged everything, so that ballots fill many pages."""
    made = making.review(scene, votes=0)
    for number in range(12):
        one = made.box.join(made.id, True)
        for item in shown(PROTOCOL, one.token):
            made.box.vote(made.id, one.token, item.item_id, ALL_A, f"remark {number:02} on {item.item_id}, at some length")
    return made


def _header(scene: Scene) -> Iterator[None]:
    made = making.review(scene)
    confirm_ballots(scene, out_of_reach=True)
    file = _closed(scene, made)
    _damaged(scene, made, b"\xaa" * 100 + file.read_bytes()[100:])
    yield
    scene.goes_on("a new vote counts", made.counts())


def _page(scene: Scene) -> Iterator[None]:
    made = _full_house(scene)
    file = _closed(scene, made)
    data, there = file.read_bytes(), ballots(scene.paths)
    at = data.index(next(comment for _, comment in there.values() if comment.startswith("remark 05")).encode()) // PAGE * PAGE
    elsewhere = data[:at] + data[at + PAGE :]
    spared = {key: value for key, value in there.items() if value[1].encode() in elsewhere}
    assert 200 < len(spared) < len(there)
    scene.confirm(f"the {len(spared)} ballots on other pages", lambda: {k: v for k, v in ballots(scene.paths).items() if k in spared}, True)
    file.write_bytes(data[:at] + os.urandom(PAGE) + data[at + PAGE :])
    scene.tell(lambda: made.box.votes(made.id))
    yield
    scene.goes_on("a new vote counts", made.counts())


def _cut_off(scene: Scene) -> Iterator[None]:
    made = _full_house(scene)
    file = _closed(scene, made)
    data, there = file.read_bytes(), ballots(scene.paths)
    end = len(data) // PAGE // 4 * 3 * PAGE + 1000
    spared = {key: value for key, value in there.items() if value[1].encode() in data[: end // PAGE * PAGE]}
    assert 50 < len(spared) < len(there)
    scene.confirm(f"the {len(spared)} ballots before the cut", lambda: {k: v for k, v in ballots(scene.paths).items() if k in spared}, True)
    _damaged(scene, made, data[:end])
    yield
    scene.goes_on("a new vote counts", made.counts())


def _a_folder(scene: Scene) -> Iterator[None]:
    made = making.review(scene)
    making.version(scene)
    file = _closed(scene, made)
    scene.confirm("the ballots in the file that was moved away", lambda: digest(away)) if (
        away := file.rename(scene.folder / FILE)
    ) else None
    file.mkdir()
    (file / "note").write_text("somebody's")
    assert "Counted" not in scene.tell(made.press)
    yield
    shutil.copyfile(away, file)
    scene.goes_on("put back, the ballots are there and a new one counts", len(ballots(scene.paths)) == 3 and _again(scene, made))


def _again(scene: Scene, made: Review) -> bool:
    made.voted = 3
    return made.counts()


def _log_deleted(scene: Scene) -> Iterator[None]:
    made = making.review(scene)
    other = Box(scene.paths.reviews)  # another studio on the same folder
    second = other.join(made.id, True)
    confirm_ballots(scene)
    (scene.paths.reviews / f"{FILE}-wal").unlink()
    page = scene.tell(made.press)
    assert "Counted" in page
    for number, item in enumerate(shown(PROTOCOL, second.token)[:3]):
        other.vote(made.id, second.token, item.item_id, ALL_A)
        assert made.counts() and len(ballots(scene.paths)) == 6 + 2 * number
    confirm_ballots(scene)
    yield
    scene.goes_on("a new vote counts", made.counts())
    scene.goes_on("another studio sees it", len(other.votes(made.id)) == len(ballots(scene.paths)) * 3)


def _owners(scene: Scene) -> Iterator[None]:
    from studio.tabs.reviews import owning

    made = making.review(scene)
    owning.note(scene.paths, made.id, owning.mark_of("a code"))
    confirm_ballots(scene)
    (scene.paths.reviews / owning.OWNERS).write_bytes(b'{"half": ')
    scene.tell(lambda: owning.note(scene.paths, "another", owning.mark_of("code")))
    yield
    owning.note(scene.paths, "another", owning.mark_of("code"))
    scene.goes_on("the next review has an owner again", owning.OWNERS in dict(digest(scene.paths.reviews)))
    scene.goes_on("a new vote counts", made.counts())


def _replies(scene: Scene) -> Iterator[None]:
    making.version(scene)
    with Replies(scene.paths.replies) as store:
        store.add("key", Reply("said", False))
    file = scene.paths.replies / REPLIES
    for beside in scene.paths.replies.glob(f"{REPLIES}-*"):
        beside.unlink()
    file.write_bytes(b"\x00garbage" * 2000)
    scene.tell(lambda: Replies(scene.paths.replies))
    yield
    with Replies(scene.paths.replies) as store:
        store.add("key", Reply("said again", False))
        scene.goes_on("replies are stored again", store.find(["key"])["key"].text == "said again")


FAULTS = [
    Fault("the header of the ballots' database is overwritten", _header, "is damaged", "ballots"),
    Fault("a page in the middle of the ballots' database is overwritten", _page, "Nothing was counted", "ballots"),
    Fault("the ballots' database is cut off at three quarters", _cut_off, "is damaged", "ballots"),
    Fault("a folder lies in the place of the ballots' database", _a_folder, "can't be written", "ballots"),
    Fault("the log beside the ballots' database is deleted while the studio runs", _log_deleted, "Counted"),
    Fault("the list of owners is garbage", _owners, "can't be read", "owners.json"),
    Fault("the store of an endpoint's replies is garbage", _replies, "can't be used", "replies"),
]
