"""What a rater's browser sends: what it keeps between visits, and one press. Anything may come from there, so it is read with care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Kept:
    """What a rater's browser keeps: a token for each review, receipt codes until they are noted down, and the last review."""

    tokens: Mapping[str, str] = field(default_factory=dict)
    receipts: Mapping[str, str] = field(default_factory=dict)
    last: str = ""

    @classmethod
    def read(cls, value: Any) -> Kept:
        """Whatever a browser sends; what is no such thing is nothing."""
        found = value if isinstance(value, dict) else {}
        return cls(words_of(found.get("tokens")), words_of(found.get("receipts")), word_of(found.get("last")))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def without(self, review_id: str) -> Kept:
        gone = {review_id}
        return replace(self, tokens=less(self.tokens, gone), receipts=less(self.receipts, gone))


@dataclass(frozen=True)
class Act:
    """One press: what is wanted, of which review and pair, and what was chosen."""

    name: str = "look"
    review: str = ""
    item: str = ""
    votes: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    consent: bool = False
    politics: str = ""

    @classmethod
    def read(cls, value: Any) -> Act:
        found = value if isinstance(value, dict) else {}
        words = [word_of(found.get(name)) for name in ("act", "review", "item")]
        votes, comment, politics = words_of(found.get("votes")), word_of(found.get("comment")), word_of(found.get("politics"))
        return cls(words[0] or "look", words[1], words[2], votes, comment, found.get("consent") is True, politics)


def less(words: Mapping[str, str], gone: set[str]) -> dict[str, str]:
    return {name: text for name, text in words.items() if name not in gone}


def word_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def words_of(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
