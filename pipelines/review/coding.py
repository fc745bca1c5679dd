"""Coding: two raters say independently which codes an answer carries, blind as when they vote; disagreements are settled on top.

A round is a set of pairs that the same raters read with one version of the codebook. A calibration round comes first. Once all have read
everything a round is finished, and nothing in it changes any more: adjudication is kept beside the codes that raters gave.
Tables with `review_id` and `rater_number` are cleared when a rater withdraws (store.py), so codes go with the ballots.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import StudioError
from pipelines.review import ballots, raters, sheets
from pipelines.review.ballots import Box
from pipelines.review.codebook import Codebook
from pipelines.review.protocol import Shown, shown
from pipelines.review.rounds import PLACES, WHOLE, Kind, Mark, Place, Reading, Round, Sheet, span
from pipelines.review.store import Store

LONGEST_MEMO = 1000
MOST_MARKS = 200


class Codes:
    """Codebooks, rounds and codes of a studio's reviews, in the same file as their ballots (`folder` is paths.reviews).

    Every method raises StudioError where the database can't be used, or there is no such review, round or rater.
    """

    def __init__(self, folder: Path) -> None:
        self.box = Box(folder)
        self.store = Store(folder, ballots.SCHEMA + sheets.SCHEMA)

    def publish(self, review_id: str, codebook: Codebook) -> Codebook:
        """Keeps a version for good; the same one again is no error. Raises StudioError where its number is not the next one."""
        self.box.review(review_id)
        body = json.dumps(codebook.as_dict(), ensure_ascii=False)
        with self.store.transaction() as file:
            kept = dict(file.execute("SELECT version, body FROM codebooks WHERE review_id = ?", (review_id,)).fetchall())
            if kept.get(codebook.version) == body:
                return codebook
            wanted = max(kept) + 1 if kept else codebook.version
            if codebook.version != wanted:
                raise StudioError(
                    f"This review has version {max(kept)} of its codebook, and versions never change.", f"Make yours version {wanted}."
                )
            file.execute("INSERT INTO codebooks VALUES (?, ?, ?)", (review_id, codebook.version, body))
        return codebook

    def codebooks(self, review_id: str) -> tuple[Codebook, ...]:
        """All versions that the review has had, oldest first."""
        with self.store.reading() as file:
            rows = file.execute("SELECT body FROM codebooks WHERE review_id = ? ORDER BY version", (review_id,)).fetchall()
        return tuple(sheets.codebook(body) for (body,) in rows)

    def joined(self, review_id: str) -> tuple[int, ...]:
        """The numbers of those who have joined a review, to choose coders from."""
        self.box.review(review_id)
        with self.store.reading() as file:
            return _joined(file, review_id)

    def open_round(self, review_id: str, kind: Kind, items: Sequence[str], raters: Sequence[int], version: int) -> Round:
        """A new round. Calibration: two or more raters read the same few pairs. Coding: two who calibrated with this version.

        Raises StudioError where the review is closed, a pair or a rater is not in it, a pair is a repetition, or calibration is missing.
        """
        protocol = self.box.review(review_id)
        own = {item.id for item in protocol.items if item.kind == "pair"}
        if not items or len(set(items)) != len(items) or not set(items) <= own:
            raise StudioError("These are no pairs that can be coded, or one is there twice.", "Choose pairs of two columns, each once.")
        people = tuple(sorted(set(raters)))
        if len(people) != len(raters) or len(people) < 2 or kind not in ("calibration", "coding") or (kind == "coding" and len(people) > 2):
            raise StudioError("A round needs two different raters.", "Calibration takes two or more, coding exactly two a pair.")
        round_id = uuid.uuid4().hex[:12]
        with self.store.transaction() as file:
            refuse_closed(file, review_id)
            if not set(people) <= set(_joined(file, review_id)):
                raise StudioError("A rater of this round is not in the review.", "Choose among those who have joined.")
            if not file.execute("SELECT 1 FROM codebooks WHERE review_id = ? AND version = ?", (review_id, version)).fetchone():
                raise StudioError(f"This review has no version {version} of a codebook.", "Publish the codebook first.")
            if kind == "coding" and not sheets.have_calibrated(file, review_id, version, people):
                raise StudioError(
                    f"These raters have not calibrated together with version {version} of the codebook.",
                    "Let them code a few pairs together, look at their agreement and accept that round first.",
                )
            file.execute(
                "INSERT INTO rounds (round_id, review_id, kind, version, items) VALUES (?, ?, ?, ?, ?)",
                (round_id, review_id, kind, version, json.dumps(list(items))),
            )
            file.executemany("INSERT INTO coders VALUES (?, ?, ?)", [(round_id, review_id, one) for one in people])
        return self.round(round_id)

    def round(self, round_id: str) -> Round:
        """The round as it is now; raters who withdrew are no longer in it."""
        with self.store.reading() as file:
            return sheets.find_round(file, round_id)

    def rounds(self, review_id: str) -> tuple[Round, ...]:
        """All rounds of a review, oldest first."""
        with self.store.reading() as file:
            rows = file.execute("SELECT round_id FROM rounds WHERE review_id = ? ORDER BY number", (review_id,)).fetchall()
            return tuple(sheets.find_round(file, round_id) for (round_id,) in rows)

    def sheet(self, round_id: str) -> Sheet:
        """The round with all codes, readings and adjudications: rater numbers, no tokens."""
        with self.store.reading() as file:
            return sheets.find(file, round_id)

    def accept(self, round_id: str, reason: str) -> Round:
        """Goes on from a finished calibration, after looking at its agreement; `reason` says why that is enough."""
        said = clean(reason, "reason")
        with self.store.transaction() as file:
            sheet = sheets.find(file, round_id)
            if sheet.round.kind != "calibration" or not sheet.is_finished or len(sheet.round.raters) < 2:
                raise StudioError("This is no finished calibration of two raters.", "Wait until all its raters have read all its pairs.")
            if not said:
                raise StudioError("No reason is given for going on.", "Look at the agreement per code and say why it is enough.")
            if sheet.round.accepted:
                raise StudioError("This calibration is accepted already.", "Its reason stays as it was.")
            file.execute("UPDATE rounds SET accepted = ? WHERE round_id = ?", (said, round_id))
        return self.round(round_id)

    def rounds_of(self, token: str) -> tuple[Round, ...]:
        """The rounds in which this rater codes, oldest first."""
        review_id, number = self.box.who(token)
        return tuple(one for one in self.rounds(review_id) if number in one.raters)

    def reading(self, round_id: str, token: str) -> Reading:
        """How far this rater is. The order and the sides of pairs are those of the rater's ballots."""
        sheet, number = self._own(round_id, token)
        order = [one for one in shown(self.box.review(sheet.round.review_id), token) if one.item_id in sheet.round.items]
        left = [one for one in order if (number, one.item_id) not in sheet.readings]
        return Reading(len(order) - len(left), len(order), left[0] if left else None)

    def marks(self, round_id: str, token: str, item_id: str) -> tuple[Mark, ...]:
        """What this rater gave to a pair so far; nobody else's codes are among them."""
        sheet, number = self._own(round_id, token)
        pair = self._pair(sheet.round, token, item_id)
        own = [coding for coding in sheet.codings if (coding.rater_number, coding.item_id) == (number, item_id)]
        return tuple(Mark(pair.as_letter(coding.answer), coding.code_id, coding.start, coding.end, coding.memo) for coding in own)

    def mark(
        self, round_id: str, token: str, item_id: str, letter: str, code_id: str, codebook_hash: str,
        start: int = WHOLE, end: int = WHOLE, memo: str = "", words: str = "",
    ) -> Mark:  # fmt: skip
        """Gives a code to answer A or B, or to a span of it; on the disk when this returns. Again with another memo: that one counts.

        Raises StudioError for an unknown code, a span outside of the answer, another version of the codebook than the round's, a rater
        who is not in the round, and once the round is finished or the review closed.
        """
        sheet, number = self._own(round_id, token)
        if codebook_hash != sheet.round.codebook.hash:
            raise StudioError(
                f"This round is coded with version {sheet.round.codebook.version} of the codebook, not with another.", "Reload the page."
            )
        code, (place, text) = sheet.round.codebook.find(code_id), self._answer(sheet.round, token, item_id, letter)
        start, end = span(text, start, end, words)
        said = clean(memo, "memo")
        with self.store.transaction() as file:
            _refuse_done(file, round_id, number)
            key = (round_id, number, item_id)
            given = file.execute("SELECT count(*) FROM codings WHERE (round_id, rater_number, item_id) = (?, ?, ?)", key).fetchone()
            if given[0] >= MOST_MARKS:
                raise StudioError(f"This pair has {MOST_MARKS} codes from you already.", "Take some away first.")
            file.execute(
                'INSERT INTO codings (round_id, review_id, rater_number, item_id, answer, code_id, start, "end", memo) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET memo = excluded.memo",
                (round_id, sheet.round.review_id, number, item_id, place, code.id, start, end, said),
            )
        return Mark(letter, code.id, start, end, said)

    def unmark(self, round_id: str, token: str, item_id: str, letter: str, code_id: str, start: int = WHOLE, end: int = WHOLE) -> None:
        """Takes one's own code away again, as long as the round is not finished."""
        sheet, number = self._own(round_id, token)
        place, _ = self._answer(sheet.round, token, item_id, letter)
        with self.store.transaction() as file:
            _refuse_done(file, round_id, number)
            file.execute(
                'DELETE FROM codings WHERE (round_id, rater_number, item_id, answer, code_id, start, "end") = (?, ?, ?, ?, ?, ?, ?)',
                (round_id, number, item_id, place, code_id, start, end),
            )

    def read(self, round_id: str, token: str, item_id: str) -> Reading:
        """Notes that this rater is through with a pair, also where no code fits. The last one of all raters finishes the round."""
        sheet, number = self._own(round_id, token)
        self._pair(sheet.round, token, item_id)
        with self.store.transaction() as file:
            _refuse_done(file, round_id, number)
            row = (round_id, sheet.round.review_id, number, item_id)
            file.execute("INSERT OR IGNORE INTO readings (round_id, review_id, rater_number, item_id) VALUES (?, ?, ?, ?)", row)
        return self.reading(round_id, token)

    def _own(self, round_id: str, token: str) -> tuple[Sheet, int]:
        """The round and this rater's number. Raises StudioError where the rater is not in it."""
        review_id, number = self.box.who(token)
        sheet = self.sheet(round_id)
        if sheet.round.review_id != review_id or number not in sheet.round.raters:
            raise _stranger()
        return sheet, number

    def _pair(self, one: Round, token: str, item_id: str) -> Shown:
        """The pair on this rater's sides. Raises StudioError where it is not in the round."""
        if item_id not in one.items:
            raise StudioError("This pair is not in the round.", "Reload the page.")
        return next(pair for pair in shown(self.box.review(one.review_id), token) if pair.item_id == item_id)

    def _answer(self, one: Round, token: str, item_id: str, letter: str) -> tuple[Place, str]:
        """Which answer A or B is, and its text."""
        pair = self._pair(one, token, item_id)
        if letter not in ("A", "B"):
            raise StudioError("A code belongs to answer A or to answer B.", "Choose one of the two.")
        return PLACES[pair.in_columns(letter) == "second"], pair.a if letter == "A" else pair.b


def _joined(file: sqlite3.Connection, review_id: str) -> tuple[int, ...]:
    rows = file.execute("SELECT rater_number FROM raters WHERE review_id = ? ORDER BY rater_number", (review_id,)).fetchall()
    return tuple(number for (number,) in rows)


def refuse_closed(file: sqlite3.Connection, review_id: str) -> None:
    """Nothing is coded or settled by somebody who may know the columns."""
    if raters.is_closed(file, review_id):
        raise StudioError("This review is closed and its columns can be seen.", "Nothing is coded or adjudicated any more.")


def _refuse_done(file: sqlite3.Connection, round_id: str, number: int) -> None:
    """Within the transaction that writes: the rater may have withdrawn, the last one have finished, the owner have closed since."""
    sheet = sheets.find(file, round_id)
    refuse_closed(file, sheet.round.review_id)
    if number not in sheet.round.raters:
        raise _stranger()
    if sheet.is_finished:
        raise StudioError("This round is finished, so its codes stay as they are.", "Differences are settled by adjudication.")


def _stranger() -> StudioError:
    return StudioError("You are not a coder in this round.", "Ask the review's owner for your own round.")


def clean(text: str, what: str) -> str:
    """Without the half characters that a database can't hold."""
    said = text.strip().encode("utf-8", "replace").decode()
    if len(said) > LONGEST_MEMO:
        raise StudioError(f"The {what} has {len(said):,} characters.", f"At most {LONGEST_MEMO:,} fit; shorten it.")
    return said
