"""Settling what raters differ about, and what a review's owner sees of the codes: differences while blind, counts and quotes at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pipelines.errors import StudioError
from pipelines.review import coded, sheets
from pipelines.review.codebook import Codebook
from pipelines.review.coded import Count, Difference, Quote
from pipelines.review.coding import Codes, clean, refuse_closed
from pipelines.review.protocol import Protocol
from pipelines.review.rounds import PLACES, Adjudication, Sheet, span, unit

T = TypeVar("T")


class Settling:
    """The owner's side of coding. Every method raises StudioError where the database can't be used, or there is no such review or round."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes

    def adjudicate(self, round_id: str, one: Adjudication) -> None:
        """Says whether a code applies where raters differ. Their codes stay as they gave them, and so do earlier adjudications.

        Raises StudioError where the round is not finished, raters agree, no reason is given, or the review is closed.
        """
        with self.codes.store.transaction() as file:
            sheet = sheets.find(file, round_id)
            refuse_closed(file, sheet.round.review_id)
            start, end, reason = self._checked(sheet, one)
            file.execute(
                'INSERT INTO adjudications (round_id, item_id, answer, code_id, applies, reason, start, "end") '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (round_id, one.item_id, one.answer, one.code_id, int(one.applies), reason, start, end),
            )

    def differences(self, round_id: str) -> list[Difference]:
        """What is to be adjudicated, or was: no columns, no raters."""
        sheet = self.codes.sheet(round_id)
        return coded.differences(sheet, self.codes.box.review(sheet.round.review_id))

    def counts(self, review_id: str, version: int | None = None) -> list[Count]:
        """Codes by column and topic, by the newest codebook that a coding round used or by the given one.

        Raises StudioError before the end of a research review.
        """
        return self._found(review_id, version, coded.counts)

    def quotes(self, review_id: str, version: int | None = None) -> list[Quote]:
        """Words that carry codes, to choose from for the report. Raises StudioError before the end of a research review."""
        return self._found(review_id, version, coded.quotes)

    def pick(self, review_id: str, quote: Quote) -> None:
        """Takes a quote into the report. Raises StudioError where it is none of `quotes` of any version."""
        if not any(quote in self.quotes(review_id, book.version) for book in self.codes.codebooks(review_id)):
            raise StudioError("These words do not carry that code.", "Choose one of the quotes in the list.")
        with self.codes.store.transaction() as file:
            file.execute("INSERT OR IGNORE INTO quotes VALUES (?, ?, ?, ?, ?, ?)", (review_id, *_key(quote)))

    def drop(self, review_id: str, quote: Quote) -> None:
        """Takes a quote out of the report again."""
        with self.codes.store.transaction() as file:
            file.execute(
                'DELETE FROM quotes WHERE (review_id, item_id, answer, code_id, start, "end") = (?, ?, ?, ?, ?, ?)',
                (review_id, *_key(quote)),
            )

    def picked(self, review_id: str, version: int | None = None) -> list[Quote]:
        """The quotes of the report, by code. One whose raters withdrew since is no longer among them."""
        with self.codes.store.reading() as file:
            rows = file.execute('SELECT item_id, answer, code_id, start, "end" FROM quotes WHERE review_id = ?', (review_id,)).fetchall()
        return [one for one in self.quotes(review_id, version) if _key(one) in set(rows)]

    def _found(self, review_id: str, version: int | None, find: Callable[[Protocol, list[Sheet], Codebook], list[T]]) -> list[T]:
        protocol = self.codes.box.review(review_id)
        if protocol.design.kind == "research" and not self.codes.box.is_closed(review_id):
            raise StudioError("Codes are counted by column after this review is closed.", "Until then its columns stay hidden.")
        found = [one for one in self.codes.rounds(review_id) if one.kind == "coding"]
        books = {one.codebook.version: one.codebook for one in found}
        if not books:
            return []
        book = books.get(max(books) if version is None else version)
        return find(protocol, [self.codes.sheet(one.id) for one in found], book) if book else []

    def _checked(self, sheet: Sheet, one: Adjudication) -> tuple[int, int, str]:
        """Span and reason of an adjudication that may be kept."""
        if not sheet.is_finished:
            raise StudioError("The round is not finished.", "Adjudicate when all its raters have read all its pairs.")
        if one.item_id not in sheet.round.items or one.answer not in PLACES:
            raise StudioError("This answer is not in the round.", "Reload the page.")
        code, given = sheet.round.codebook.find(one.code_id), sheet.units[unit(one.item_id, one.answer)].values()
        if len(given) > 1 and len({code.id in codes for codes in given}) == 1:
            raise StudioError(f"The raters agree on “{code.name}” here.", "Adjudicate only where they differ.")
        reason = clean(one.reason, "reason")
        if not reason or not isinstance(one.applies, bool):
            raise StudioError("An adjudication needs a decision and a reason.", "Say whether the code applies, and why.")
        text = self.codes.box.review(sheet.round.review_id).by_id[one.item_id].texts[PLACES.index(one.answer)]
        return *span(text, one.start, one.end), reason


def _key(quote: Quote) -> tuple[str, str, str, int, int]:
    return quote.item_id, quote.answer, quote.code_id, quote.start, quote.end
