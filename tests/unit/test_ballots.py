"""Ballots: what was called counted is on the disk, whoever is killed, damaged or late; and nothing leads back to a person."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StudioError
from pipelines.paths import PROJECT, Paths
from pipelines.review import raters, store
from pipelines.review.ballots import Box
from pipelines.review.coding import Codes
from pipelines.review.design import OWN_POLITICS
from pipelines.review.protocol import shown
from pipelines.review.raters import DAY, Rater
from pipelines.review.store import FILE, Store
from tests import frozen

ALL_A = {"economy": "A", "social": "A", "writing": "A"}
ALL_SAME = {"economy": "same", "social": "unsure", "writing": "same"}
NONCE = "0123456789abcdef" * 2
VOTER = """
import sys
from pathlib import Path
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
folder, review_id, token, vote = sys.argv[1:]
box = Box(Path(folder))
votes = {one.id: vote for one in box.review(review_id).design.asked}
for one in shown(box.review(review_id), token):
    box.vote(review_id, token, one.item_id, votes, "said by " + vote)
    print("counted", one.item_id, flush=True)
"""


class Clock:
    def __init__(self, days: float) -> None:
        self.days = days

    def __call__(self) -> float:
        return self.days * DAY


@pytest.fixture
def clock() -> Clock:
    return Clock(20_000)


@pytest.fixture
def box(paths: Paths, clock: Clock) -> Box:
    return Box(paths.reviews, clock)


def opened(box: Box, number: int = 6, **changes: Any) -> tuple[str, Rater]:
    review_id = box.open_review(frozen.protocol(number, **changes))
    return review_id, box.join(review_id, True)


def vote_all(box: Box, review_id: str, rater: Rater, votes: dict[str, str] = ALL_A) -> None:
    while (one := box.progress(rater.token)[2]) is not None:
        box.vote(review_id, rater.token, one.item_id, votes)


def voter(box: Box, review_id: str, rater: Rater, vote: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", VOTER, str(box.store.path.parent), review_id, rater.token, vote]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.parametrize("last", [1, 4, 9])
def test_a_process_that_is_killed_right_after_it_said_counted_loses_no_ballot(box: Box, last: int) -> None:
    review_id, rater = opened(box, 200)
    total = len(box.review(review_id).items)
    box.store.close()
    process = voter(box, review_id, rater, "A")
    assert process.stdout is not None
    counted = [process.stdout.readline().split()[1] for _ in range(last)]
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    counted += [line.split()[1] for line in rest.splitlines() if line.startswith("counted ") and len(line.split()) == 2]
    assert process.returncode == -signal.SIGKILL and last <= len(counted) < total
    kept = {vote.item_id for vote in Box(box.store.path.parent).votes(review_id)}
    assert set(counted) <= kept and len(kept) <= len(counted) + 1
    done, _, following = Box(box.store.path.parent).progress(rater.token)
    assert done == len(kept) and following is not None and following.item_id not in kept


def test_what_was_voted_is_written_through_to_the_disk(box: Box) -> None:
    review_id, rater = opened(box)
    with box.store.transaction() as open_file:
        assert open_file.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert open_file.execute("PRAGMA synchronous").fetchone()[0] == 2
    if os.name == "posix":
        assert box.store.path.stat().st_mode & 0o077 == 0
    assert rater.token and review_id == box.reviews()[0].id


def test_two_processes_that_vote_at_once_both_count_every_ballot(box: Box) -> None:
    review_id, one = opened(box, 20)
    two = box.join(review_id, True)
    processes = [voter(box, review_id, one, "A"), voter(box, review_id, two, "same")]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    votes = box.votes(review_id)
    assert len(votes) == 2 * 24 * 3 and set(Counter(vote.rater_number for vote in votes).values()) == {72}
    assert Counter(vote.comment for vote in votes) == {"said by A": 24, "said by same": 24, "": 96}


def test_threads_and_boxes_that_open_a_new_file_at_once_all_get_in(paths: Paths) -> None:
    made, failed = frozen.protocol(4, raters=8), []

    def take_part() -> None:
        try:
            own = Box(paths.reviews)
            review_id = own.open_review(made)
            vote_all(own, review_id, own.join(review_id, True))
        except StudioError as error:
            failed.append(error)

    threads = [threading.Thread(target=take_part) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and Box(paths.reviews).reviews()[0].ballots == 8 * len(made.items)


def test_a_vote_is_kept_by_column_whatever_the_sides(box: Box) -> None:
    review_id, rater = opened(box, 20)
    vote_all(box, review_id, rater, {"economy": "A", "social": "B", "writing": "unsure"})
    swapped = {one.item_id: one.swapped for one in shown(box.review(review_id), rater.token)}
    assert {False, True} == set(swapped.values())
    for vote in box.votes(review_id):
        expected = {"economy": "second" if swapped[vote.item_id] else "first", "social": "first" if swapped[vote.item_id] else "second"}
        assert vote.vote_in_columns == expected.get(vote.asked_id, "unsure")


def test_the_last_vote_on_an_item_counts_once(box: Box) -> None:
    review_id, rater = opened(box)
    one = box.progress(rater.token)[2]
    assert one is not None and box.earlier(review_id, rater.token, one.item_id) == ({}, "")
    for votes, comment in ((ALL_A, "first thought"), (ALL_A, "first thought"), (ALL_SAME, " \ud83d second thought ")):
        box.vote(review_id, rater.token, one.item_id, votes, comment)
    assert [vote.vote_in_columns for vote in box.votes(review_id)] == ["same", "unsure", "same"]
    assert box.earlier(review_id, rater.token, one.item_id) == (ALL_SAME, "? second thought")
    assert box.progress(rater.token)[0] == 1


def test_a_reload_goes_on_where_the_rater_was(box: Box, paths: Paths) -> None:
    review_id, rater = opened(box)
    order = [one.item_id for one in shown(box.review(review_id), rater.token)]
    for item_id in order[:3]:
        box.vote(review_id, rater.token, item_id, ALL_A)
    done, total, following = Box(paths.reviews).progress(rater.token)
    assert (done, total) == (3, 8) and following is not None and following.item_id == order[3]
    vote_all(box, review_id, rater)
    assert box.progress(rater.token) == (8, 8, None)


def test_without_consent_nobody_joins_and_nothing_is_stored(box: Box) -> None:
    review_id = box.open_review(frozen.protocol(3))
    for answer in (False, None, "no"):
        with pytest.raises(StudioError):
            box.join(review_id, answer)  # type: ignore[arg-type]
    assert box.reviews()[0].raters == 0


@pytest.mark.parametrize(
    ("votes", "item"),
    [({}, ""), ({"economy": "A"}, ""), ({**ALL_A, "more": "A"}, ""), ({**ALL_A, "writing": "first"}, ""), (ALL_A, "no such item")],
)
def test_a_ballot_that_is_not_whole_is_not_counted(box: Box, votes: dict[str, str], item: str) -> None:
    review_id, rater = opened(box)
    with pytest.raises(StudioError):
        box.vote(review_id, rater.token, item or box.review(review_id).items[0].id, votes)
    assert box.votes(review_id) == []


def test_strangers_other_reviews_and_odd_links_are_refused_in_a_sentence(box: Box) -> None:
    review_id, rater = opened(box)
    other, elsewhere = opened(box, 3)
    item = box.review(review_id).items[0].id
    for attempt in (
        lambda: box.vote(review_id, "nobody", item, ALL_A),
        lambda: box.vote(review_id, elsewhere.token, item, ALL_A),
        lambda: box.vote(review_id, "\ud800", item, ALL_A),
        lambda: box.vote(review_id, rater.token, item, ALL_A, "x" * 2001),
        lambda: box.earlier(other, rater.token, box.review(other).items[0].id),
        lambda: box.review("\ud800"),
        lambda: box.review("' OR 1=1"),
        lambda: box.is_closed("nothing"),
        lambda: box.progress("nobody"),
        lambda: box.withdraw("ABCD-EFGH-JKLM"),
        lambda: box.withdraw("\ud800"),
    ):
        with pytest.raises(StudioError):
            attempt()
    assert box.votes(review_id) == [] == box.votes(other)


def test_a_closed_review_takes_no_votes_and_no_raters_but_lets_them_withdraw(box: Box) -> None:
    review_id, rater = opened(box)
    vote_all(box, review_id, rater)
    box.close(review_id)
    box.close(review_id)
    assert box.is_closed(review_id) and box.reviews()[0].is_closed
    with pytest.raises(StudioError, match="closed"):
        box.join(review_id, True)
    with pytest.raises(StudioError, match="closed"):
        box.vote(review_id, rater.token, box.review(review_id).items[0].id, ALL_SAME)
    assert len(box.votes(review_id)) == 24 and box.withdraw(rater.receipt) == 8


def test_no_more_raters_join_a_research_review_than_were_planned_and_finished(box: Box) -> None:
    review_id, one = opened(box, 3, raters=1)
    box.join(review_id, True)  # the first has not finished and may never do so
    vote_all(box, review_id, one)
    with pytest.raises(StudioError, match="planned"):
        box.join(review_id, True)
    lesson, pupil = opened(box, 3, raters=1, kind="class")
    vote_all(box, lesson, pupil)
    assert box.join(lesson, True).token


def test_whoever_joined_before_may_finish_though_all_planned_raters_have(box: Box) -> None:
    review_id, one = opened(box, 3, raters=1)
    other = box.join(review_id, True)
    for rater in (one, other):
        vote_all(box, review_id, rater)
    assert box.reviews()[0].finished == 2


def test_a_press_that_is_repeated_is_the_same_rater_with_the_same_receipt(box: Box) -> None:
    review_id, other = opened(box, 3, raters=2)[0], opened(box, 4)[0]
    one = box.join(review_id, True, nonce=NONCE)
    assert box.join(review_id, True, nonce=NONCE) == one == Box(box.store.path.parent).join(review_id, True, nonce=NONCE)
    assert next(each.raters for each in box.reviews() if each.id == review_id) == 2
    elsewhere = box.join(other, True, nonce=NONCE)
    assert not {one.token, one.receipt} & {elsewhere.token, elsewhere.receipt}
    kept = bytes_on_disk(box.store.path.parent)
    assert NONCE.encode() not in kept and one.token.encode() not in kept
    box.close(review_id)
    assert box.join(review_id, True, nonce=NONCE) == one, "the reply may come after the end"
    assert box.withdraw(one.receipt) == 0
    with pytest.raises(StudioError, match="closed"):
        box.join(review_id, True, nonce=NONCE)


@pytest.mark.parametrize("nonce", ["", "ab" * 15, "ab" * 16 + "c", "xy" * 16, "AB" * 16, "ab" * 65, "\ud800" * 32, " " + "ab" * 16])
def test_a_nonce_that_is_none_makes_another_rater_each_time(box: Box, nonce: str) -> None:
    review_id = box.open_review(frozen.protocol(3))
    one, two = (box.join(review_id, True, nonce=nonce) for _ in range(2))
    assert one.token != two.token and one.receipt != two.receipt and box.reviews()[0].raters == 2


@pytest.mark.parametrize("kind", ["research", "class"])
def test_more_people_than_fit_are_turned_away_in_a_sentence(box: Box, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(raters, "MOST_RATERS", 2)
    review_id = opened(box, 3, kind=kind)[0]
    last = box.join(review_id, True, nonce=NONCE)
    with pytest.raises(StudioError, match="no more fit"):
        box.join(review_id, True)
    assert box.join(review_id, True, nonce=NONCE) == last and box.withdraw(last.receipt) == 0
    assert box.join(review_id, True).token


def test_nothing_kept_tells_when_somebody_joined(box: Box, clock: Clock) -> None:
    review_id = box.open_review(frozen.protocol(3, keep_days=10))
    for day in (20_000.2, 20_000.77777777, 20_001.0):
        clock.days = day
        box.join(review_id, True)
    with box.store.reading() as open_file:
        expires = [one for (one,) in open_file.execute("SELECT expires FROM raters ORDER BY expires")]
    assert expires == [20_011 * DAY] * 3
    assert Codes(box.store.path.parent).joined(review_id) == tuple(sorted(Codes(box.store.path.parent).joined(review_id)))


def test_research_is_revealed_only_at_the_end(box: Box) -> None:
    review_id, rater = opened(box)
    vote_all(box, review_id, rater)
    one = shown(box.review(review_id), rater.token)[0]
    with pytest.raises(StudioError, match="revealed"):
        box.reveal(review_id, rater.token, one.item_id)
    box.close(review_id)
    first, second = box.reveal(review_id, rater.token, one.item_id)
    assert (first.text, second.text) == (one.a, one.b) and first.stamp.base == "tiny-model"


def test_a_class_sees_the_reveal_after_its_vote_which_then_stays(box: Box) -> None:
    review_id, rater = opened(box, kind="class")
    one = box.progress(rater.token)[2]
    assert one is not None
    with pytest.raises(StudioError, match="after your vote"):
        box.reveal(review_id, rater.token, one.item_id)
    box.vote(review_id, rater.token, one.item_id, ALL_A)
    assert box.reveal(review_id, rater.token, one.item_id)[0].text == one.a
    box.vote(review_id, rater.token, one.item_id, ALL_A)  # the same once more, after a lost reply
    with pytest.raises(StudioError, match="stays"):
        box.vote(review_id, rater.token, one.item_id, ALL_SAME)
    assert box.earlier(review_id, rater.token, one.item_id) == (ALL_A, "")


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_a_receipt_withdraws_everything_of_its_rater_and_nothing_else(box: Box, paths: Paths) -> None:
    review_id, rater = opened(box)
    other = box.join(review_id, True)
    codings = Store(paths.reviews, "CREATE TABLE IF NOT EXISTS codings (review_id TEXT, rater_number INTEGER, memo TEXT)")
    for one in (rater, other):
        vote_all(box, review_id, one)
        with codings.transaction() as open_file:
            open_file.execute("INSERT INTO codings VALUES (?, ?, ?)", (*box.who(one.token), f"memo of {box.who(one.token)[1]}"))
    item = box.review(review_id).items[0].id
    box.vote(review_id, rater.token, item, ALL_A, "a remark of mine")
    number = box.who(rater.token)[1]
    assert b"a remark of mine" in bytes_on_disk(paths.reviews)
    assert box.withdraw(f" {rater.receipt.lower().replace('-', ' ')} ") == 8
    assert b"a remark of mine" not in bytes_on_disk(paths.reviews) and f"memo of {number}".encode() not in bytes_on_disk(paths.reviews)
    assert {vote.rater_number for vote in box.votes(review_id)} == {box.who(other.token)[1]}
    with codings.reading() as open_file:
        assert open_file.execute("SELECT count(*) FROM codings").fetchone() == (1,)
    for attempt in (lambda: box.vote(review_id, rater.token, item, ALL_A), lambda: box.withdraw(rater.receipt)):
        with pytest.raises(StudioError):
            attempt()


def test_the_database_holds_neither_tokens_nor_receipts_nor_sides(box: Box, paths: Paths) -> None:
    review_id, rater = opened(box)
    vote_all(box, review_id, rater)
    kept = bytes_on_disk(paths.reviews)
    assert rater.token.encode() not in kept and rater.receipt.encode() not in kept and rater.receipt.replace("-", "").encode() not in kept
    with box.store.reading() as open_file:
        assert {row[1] for row in open_file.execute("PRAGMA table_info(ballots)")} == {
            "review_id", "rater_number", "item_id", "votes", "comment", "revealed",
        }  # fmt: skip
    assert all(not hasattr(vote, "token") and 1000 <= vote.rater_number < 10_000 for vote in box.votes(review_id))


def test_ballots_expire_after_the_days_that_the_notice_named(box: Box, clock: Clock) -> None:
    review_id, early = opened(box, keep_days=10)
    vote_all(box, review_id, early)
    clock.days += 5
    late = box.join(review_id, True)
    vote_all(box, review_id, late)
    clock.days += 4.9
    assert box.expire() == 0
    clock.days += 0.2
    assert box.expire() == 8 and {vote.rater_number for vote in box.votes(review_id)} == {box.who(late.token)[1]}
    with pytest.raises(StudioError, match="expired"):
        box.progress(early.token)
    assert box.expire((clock.days + 5) * DAY) == 8 and box.votes(review_id) == [] and box.reviews()[0].raters == 0


def test_a_clock_that_runs_backwards_loses_no_ballot_and_no_order(box: Box, clock: Clock) -> None:
    review_id, early = opened(box)
    item = box.review(review_id).items[0].id
    box.vote(review_id, early.token, item, ALL_A)
    clock.days = 0.0
    late = box.join(review_id, True)
    box.vote(review_id, early.token, item, ALL_SAME, "changed my mind")
    box.vote(review_id, late.token, item, ALL_A)
    assert box.expire() == 0
    clock.days = 20_029.0  # the clock is right again, a day before the first ones expire
    assert box.expire() == 0 and box.earlier(review_id, early.token, item) == (ALL_SAME, "changed my mind")
    assert len({vote.rater_number for vote in box.votes(review_id)}) == 2


def test_a_reviews_own_politics_question_is_asked_only_with_a_reason_and_counted_only_together(box: Box) -> None:
    review_id, _ = opened(box)
    with pytest.raises(StudioError):
        box.join(review_id, True, "left")
    asking, _ = opened(box, 3, own_politics="To see whether both sides agree.")
    with pytest.raises(StudioError):
        box.join(asking, True, "far out")
    for said in OWN_POLITICS[:4]:
        box.join(asking, True, said)
    assert box.politics(asking) == {}
    box.join(asking, True, OWN_POLITICS[0])
    assert box.politics(asking) == {"left": 2, "center-left": 1, "center": 1, "center-right": 1}


def test_a_review_stays_as_it_was_frozen(box: Box, paths: Paths) -> None:
    made = frozen.protocol(4)
    review_id = box.open_review(made)
    assert box.open_review(made) == review_id and len(box.reviews()) == 1
    assert Box(paths.reviews).review(review_id) == made
    with box.store.transaction() as open_file:
        open_file.execute("UPDATE reviews SET protocol = replace(protocol, 'It depends', 'It is so')")
    with pytest.raises(StudioError, match="frozen"):
        Box(paths.reviews).review(review_id)
    assert Box(paths.reviews).reviews() == []


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_said_so_and_left_alone(paths: Paths, content: bytes) -> None:
    paths.reviews.mkdir(parents=True)
    (paths.reviews / FILE).write_bytes(content)
    broken = Box(paths.reviews)
    for attempt in (broken.reviews, lambda: broken.open_review(frozen.protocol(3)), lambda: broken.progress("x"), broken.expire):
        with pytest.raises(StudioError, match="damaged"):
            attempt()
    assert (paths.reviews / FILE).read_bytes() == content


def test_pages_overwritten_in_the_middle_of_a_review_end_in_a_sentence(box: Box, paths: Paths) -> None:
    review_id, rater = opened(box, 20)
    vote_all(box, review_id, rater)
    box.store.close()
    file = paths.reviews / FILE
    file.write_bytes(file.read_bytes()[:4096] + b"\x7f" * (file.stat().st_size - 4096))
    with pytest.raises(StudioError):
        Box(paths.reviews).votes(review_id)
    with pytest.raises(StudioError):
        Box(paths.reviews).vote(review_id, rater.token, "x", ALL_A)


@pytest.mark.parametrize("votes", ["", "null", "[]", "{}", '{"economy": "A", "social": "same", "writing": "same"}'])
def test_a_damaged_ballot_is_not_counted_as_something_else(box: Box, votes: str) -> None:
    review_id, rater = opened(box)
    vote_all(box, review_id, rater)
    with box.store.transaction() as open_file:
        open_file.execute("UPDATE ballots SET votes = ?", (votes,))
    with pytest.raises(StudioError, match="damaged"):
        box.votes(review_id)


def test_a_database_that_others_hold_too_long_is_not_called_counted(box: Box, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAIT", 0.2)
    review_id, rater = opened(box)
    item, start = box.review(review_id).items[0].id, time.monotonic()
    holder = sqlite3.connect(paths.reviews / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StudioError, match="Nothing was counted"):
        box.vote(review_id, rater.token, item, ALL_A)
    holder.execute("ROLLBACK")
    holder.close()
    box.vote(review_id, rater.token, item, ALL_A)
    assert box.progress(rater.token)[0] == 1 and time.monotonic() - start < 10


def test_a_reader_elsewhere_holds_up_no_withdrawal_and_traces_go_at_the_next_expiry(box: Box, paths: Paths) -> None:
    review_id, rater = opened(box)
    box.vote(review_id, rater.token, box.review(review_id).items[0].id, ALL_A, "a remark of mine")
    reader = sqlite3.connect(paths.reviews / FILE, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM ballots").fetchone()
    start = time.monotonic()
    assert box.withdraw(rater.receipt) == 1 and not box.is_swept() and box.expire() == 0
    assert time.monotonic() - start < 2 and b"a remark of mine" in bytes_on_disk(paths.reviews)
    reader.close()
    assert box.expire() == 0 and b"a remark of mine" not in bytes_on_disk(paths.reviews) and box.is_swept()


def test_what_goes_wrong_after_a_deletion_does_not_undo_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    review_id, rater = opened(box)
    vote_all(box, review_id, rater)
    monkeypatch.setattr(store, "_emptied", fail)
    assert box.withdraw(rater.receipt) == 8 and not box.is_swept() and box.votes(review_id) == []


def test_who_only_reads_waits_for_no_writer(box: Box, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAIT", 3.0)
    review_id, rater = opened(box)
    item = box.review(review_id).items[0].id
    holder = sqlite3.connect(paths.reviews / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=lambda: box.vote(review_id, rater.token, item, ALL_A))
    waiting.start()
    time.sleep(0.3)
    start = time.monotonic()
    assert not box.is_closed(review_id) and box.progress(rater.token)[0] == 0 and waiting.is_alive()
    assert time.monotonic() - start < 1
    holder.execute("ROLLBACK")
    holder.close()
    waiting.join()
    assert box.progress(rater.token)[0] == 1


def test_who_waits_behind_a_writer_that_waits_is_told_in_time(box: Box, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.WAIT <= 5
    monkeypatch.setattr(store, "WAIT", 0.4)
    review_id, rater = opened(box)
    item, said = box.review(review_id).items[0].id, []
    holder = sqlite3.connect(paths.reviews / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def vote() -> None:
        try:
            box.vote(review_id, rater.token, item, ALL_A)
        except StudioError as error:
            said.append(error.message)

    threads, start = [threading.Thread(target=vote) for _ in range(12)], time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 12 and time.monotonic() - start < 3
    holder.close()


def test_a_reading_is_of_one_moment_and_changes_nothing(box: Box) -> None:
    review_id, rater = opened(box)
    with box.store.reading() as open_file:
        before = open_file.execute("SELECT count(*) FROM ballots").fetchone()
        box.vote(review_id, rater.token, box.review(review_id).items[0].id, ALL_A)
        assert open_file.execute("SELECT count(*) FROM ballots").fetchone() == before == (0,)
    assert box.progress(rater.token)[0] == 1
    with pytest.raises(StudioError), box.store.reading() as open_file:
        open_file.execute("DELETE FROM ballots")
    assert box.progress(rater.token)[0] == 1


@pytest.mark.skipif(os.name != "posix", reason="open files can't be deleted here")
def test_a_file_that_was_moved_away_is_begun_anew_by_readers_and_writers(box: Box, paths: Paths) -> None:
    for first in ("read", "write"):
        opened(box, 3)
        for file in paths.reviews.iterdir():
            file.unlink()
        if first == "read":
            assert box.reviews() == []
        review_id = box.open_review(frozen.protocol(4))
        assert [one.id for one in box.reviews()] == [review_id] and box.join(review_id, True).token


def test_a_full_disk_is_not_called_counted(box: Box) -> None:
    review_id, rater = opened(box)
    with box.store.transaction() as open_file:
        pages = open_file.execute("PRAGMA page_count").fetchone()[0]
        open_file.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StudioError, match="room"):
        for item in box.review(review_id).items:
            box.vote(review_id, rater.token, item.id, ALL_A, "x" * 2000)
    counted = box.progress(rater.token)[0]
    assert counted * 3 == len(box.votes(review_id)) < 24


def test_numbers_do_not_tell_who_came_first(box: Box) -> None:
    review_id = box.open_review(frozen.protocol(3, kind="class"))
    numbers = [box.who(box.join(review_id, True).token)[1] for _ in range(30)]
    assert len(set(numbers)) == 30 and numbers != sorted(numbers)


def test_the_switch_to_the_log_is_tried_again_while_another_process_switches() -> None:
    said: list[str] = []

    class Busy:
        def execute(self, statement: str) -> Busy:
            said.append(statement)
            if statement.endswith("WAL") and len(said) < 6:
                raise sqlite3.OperationalError("database is locked")
            return self

        def fetchone(self) -> tuple[str]:
            return ("delete",)

        def fetchall(self) -> list[Any]:
            return []

    store._to_write_ahead(Busy())  # type: ignore[arg-type]
    assert [statement.endswith("WAL") for statement in said] == [False, True] * 3
