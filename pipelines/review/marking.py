"""One ballot: which pair it is for, whether it is complete, and how its letters become columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from pipelines.errors import StudioError
from pipelines.review.design import VOTES, Design
from pipelines.review.protocol import Protocol, Shown, shown

InColumns = Literal["first", "second", "same", "unsure"]
IN_COLUMNS = get_args(InColumns)
LONGEST_COMMENT = 2000
DAMAGED = StudioError("A ballot in the database is damaged.", "Put a copy of the database back.")


def find(protocol: Protocol, token: str, item_id: str) -> Shown:
    """An item on the sides of this rater. Raises StudioError where the review has no such item."""
    found = next((one for one in shown(protocol, token) if one.item_id == item_id), None)
    if found is None:
        raise StudioError("This pair does not belong to the review.", "Reload the page.")
    return found


def by_column(design: Design, votes: Mapping[str, str], one: Shown) -> dict[str, str]:
    """The votes by column. Raises StudioError where one is missing or unknown."""
    if set(votes) != {asked.id for asked in design.asked} or any(vote not in VOTES for vote in votes.values()):
        raise StudioError("The ballot is not complete.", "Answer everything that is asked; “can't tell” is an answer as well.")
    return {asked.id: one.in_columns(votes[asked.id]) for asked in design.asked}


def cleaned(comment: str) -> str:
    """Without the half characters that a database can't hold."""
    text = comment.strip().encode("utf-8", "replace").decode()
    if len(text) > LONGEST_COMMENT:
        raise StudioError(f"The comment has {len(text):,} characters.", f"At most {LONGEST_COMMENT:,} fit; shorten it.")
    return text


def read(text: str, asked: Iterable[str]) -> dict[str, InColumns]:
    """A kept ballot's vote for each thing asked. Raises StudioError where it is damaged."""
    try:
        kept = json.loads(text)
        found: dict[str, InColumns] = {one: kept[one] for one in asked}
    except (ValueError, TypeError, KeyError) as error:
        raise DAMAGED from error
    if any(vote not in IN_COLUMNS for vote in found.values()):
        raise DAMAGED
    return found
