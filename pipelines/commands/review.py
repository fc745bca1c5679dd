"""`review` of the command line: reviews are listed, shown, closed and reported on, and ballots whose time is over deleted.

What tells sides apart (columns, hash) stays out of an open research review's text, so that nobody is unblinded in passing.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from pipelines.commands.console import out
from pipelines.comparing.naming import title
from pipelines.errors import StudioError
from pipelines.paths import Paths, write_text
from pipelines.review.ballots import Box, Listed
from pipelines.review.coding import Codes
from pipelines.review.intervals import counted
from pipelines.review.protocol import Protocol

KINDS = {"pair": "pairs of two columns", "repeat": "of them again with their sides swapped", "same": "of one model against itself"}
CLOSING = "Closing is for good: votes and codes are not taken any more, and columns, hash and results are shown."


def reviews(options: argparse.Namespace, paths: Paths) -> None:
    """Lists all reviews, newest first."""
    rows = [_row(one) for one in Box(paths.reviews).reviews()]
    lines = [
        f"{row['id']}  {row['kind']:8}  {row['state']:6}  {row['joined']} joined, {row['finished']} finished, "
        f"{counted(row['ballots'], 'ballot')}  {_plain(row['title'])}"
        for row in rows
    ]
    out(options, rows, "\n".join(lines) or "There are no reviews yet: set one up in the studio's “Review” tab.")


def show(options: argparse.Namespace, paths: Paths) -> None:
    """One review's frozen plan; columns and hash of an open research review only with --unblind."""
    box = Box(paths.reviews)
    one, protocol = _found(box, options.id)
    is_blind = one.kind == "research" and not one.is_closed and not options.unblind
    value = {**_row(one), **_plan(protocol, is_blind)}
    out(options, value, "\n".join(_lines(value, protocol)))


def close(options: argparse.Namespace, paths: Paths) -> None:
    """Ends a review for good with --yes, else says what would be cut off."""
    codes = Codes(paths.reviews)
    one, protocol = _found(codes.box, options.id)
    if one.is_closed:
        return out(options, _row(one), f"{one.id} is closed already.")
    if not options.yes:
        said = f"Nothing was closed; --yes does it. {CLOSING} {_cut_off(codes, one, protocol)}"
        return out(options, {"would_close": _row(one), "unfinished_rounds": _open_rounds(codes, one.id)}, said)
    codes.box.close(one.id)
    now, _ = _found(codes.box, one.id)
    columns = ", ".join(map(title, protocol.columns))
    said = f"{one.id} is closed. Votes and codes are not taken any more. Its columns: {columns}."
    return out(options, {**_row(now), "columns": list(protocol.columns)}, f"{said} Results: python -m pipelines review report {one.id}")


def report(options: argparse.Namespace, paths: Paths) -> None:
    """Writes the report on a closed review, or on a class so far, as one file: totals with the frozen protocol."""
    from pipelines.export.review import FORMATS, gather

    target = _target(options)
    form = options.format or (ending if (ending := target.suffix.lower().lstrip(".")) in FORMATS else "html")
    codes = Codes(paths.reviews)
    one, _ = _found(codes.box, options.id)
    made = gather(codes, one.id)
    write_text(target, FORMATS[form](made).encode("utf-8", "replace").decode())
    value = {**_row(one), "format": form, "output": str(target), "headline": made.headline}
    out(options, value, f"{_plain(made.headline)} The report is in {target}")


def expire(options: argparse.Namespace, paths: Paths) -> None:
    """Deletes everything of raters whose review keeps it no longer; where the clock is in doubt, only with --yes."""
    box = Box(paths.reviews)
    doubt = None if options.yes else box.doubt()
    if doubt and (many := box.over()):
        said = f"{doubt.sentence} Nothing was deleted: by that date the time of {counted(many, 'rater')} is over. {doubt.hint}"
        out(options, {"deleted": 0, "would_go": many, "clock_from": doubt.since, "clock_to": doubt.now}, said)
        return
    gone = box.expire(confirmed=options.yes)
    said = f"{counted(gone, 'ballot')} of raters whose time was over {'was' if gone == 1 else 'were'} deleted, with all else of theirs."
    out(options, {"deleted": gone}, said if gone else "No ballots were deleted: none were kept for longer than their notice said.")


def _found(box: Box, review_id: str) -> tuple[Listed, Protocol]:
    """Raises StudioError where there is no such review or its protocol is damaged."""
    one = next((one for one in box.reviews() if one.id == review_id), None)
    if one is None:
        try:
            box.review(review_id)
        except StudioError as error:
            raise StudioError(error.message, "`python -m pipelines review list` lists the reviews that can be opened.") from error
        raise StudioError(f"There is no review “{review_id}” any more.", "`python -m pipelines review list` lists them.")
    return one, box.review(review_id)


def _row(one: Listed) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "kind": one.kind,
        "state": "closed" if one.is_closed else "open",
        "joined": one.raters,
        "finished": one.finished,
        "ballots": one.ballots,
        "created": one.created,
    }


def _plan(protocol: Protocol, is_blind: bool) -> dict[str, Any]:
    """What was frozen; blind, the hash and columns are None, and the plan names no model either."""
    design, kinds = protocol.design, Counter(item.kind for item in protocol.items)
    planned = list(protocol.planned)
    if is_blind:
        for column in protocol.columns:
            planned = [line.replace(f" {column} against itself", " one model against itself") for line in planned]
    return {
        "purpose": design.purpose,
        "asked": [{"id": one.id, "text": one.text, "ends": list(one.ends)} for one in design.asked],
        "planned": planned,
        "raters": design.raters,
        "keep_days": design.keep_days,
        "questions": len(design.drawn),
        "items": {"total": len(protocol.items), **{kind: kinds[kind] for kind in KINDS}},  # type: ignore[index]
        "flagged": sum(item.flagged for item in protocol.items),
        "hash": None if is_blind else protocol.hash,
        "columns": None if is_blind else list(protocol.columns),
    }


def _lines(value: dict[str, Any], protocol: Protocol) -> list[str]:
    items = value["items"]
    counts = ", ".join(f"{items[kind]} {words}" for kind, words in KINDS.items() if items[kind])
    secret = (
        ["columns, hash: not shown while a research review is open, since with the hash sides can be worked out; --unblind shows them"]
        if value["hash"] is None
        else [f"columns: {', '.join(map(title, protocol.columns))}", f"hash (SHA-256): {value['hash']}"]
    )
    if value["hash"] and value["state"] == "open":
        secret.append("Keep both from raters until it is closed: with the hash sides can be worked out.")
    return [
        f"{value['id']}  {_plain(value['title'])}",
        f"{value['kind']}, {value['state']}: {value['joined']} joined, {value['finished']} finished, {value['raters']} planned, "
        f"{counted(value['ballots'], 'ballot')}; ballots are kept for {counted(value['keep_days'], 'day')}",
        f"purpose: {_plain(value['purpose'])}",
        *(f"asked: {_plain(one['text'])}" for one in value["asked"]),
        f"items: {items['total']} on {counted(value['questions'], 'question')} ({counts}); in {value['flagged']} an answer names its side",
        *(f"plan: {_plain(line)}" for line in value["planned"]),
        *secret,
    ]


def _cut_off(codes: Codes, one: Listed, protocol: Protocol) -> str:
    rounds = _open_rounds(codes, one.id)
    coding = f"{counted(rounds, 'round')} of coding {'is' if rounds == 1 else 'are'} not finished. " if rounds else ""
    return f"{coding}{counted(one.raters, 'rater')} joined, {one.finished} finished, {protocol.design.raters} were planned."


def _open_rounds(codes: Codes, review_id: str) -> int:
    return sum(not codes.sheet(one.id).is_finished for one in codes.rounds(review_id))


def _target(options: argparse.Namespace) -> Path:
    """Where the report goes: `review-ID.FORMAT` here where nothing is said."""
    target: Path = options.output or Path(f"review-{options.id}.{options.format or 'html'}")
    if target.is_dir():
        raise StudioError(f"{target} is a folder, so it can't hold the report.", "Give a file that ends in .html, .csv or .json.")
    return target


def _plain(text: str) -> str:
    """One line, without what a terminal would obey."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
