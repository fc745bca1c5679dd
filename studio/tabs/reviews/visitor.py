"""What a rater's browser sends: what it keeps between visits, and one press. Anything may come from there, so it is read with care.

A browser is one person, however many of its pages are open. Each page reads what is kept once, when it is loaded; so whenever another one
has joined or withdrawn it loads itself anew (`TOGETHER_JS`). What is kept is written at every load as well, encrypted anew, so its own
changes can't be the sign for that: pages would call each other forever. The sign is a word beside it, written after a press only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# A page's script begins with it: KEY is where the page's browser state is kept, NAMED what its address and pages call a review or a game.
# The nonce is made once for a joining and kept until its receipt is seen, so that a second press, also after a reload, is the same person.
TOGETHER_JS = """const SIGN = "KEY-changed", nonceAt = place => "DRAFTSjoin-" + place;
const signed = () => { try { return localStorage.getItem(SIGN); } catch { return null; } };
let known = signed();
const changed = () => { try { localStorage.setItem(SIGN, known = String(Math.random())); } catch {} };
const nonce = place => {
  try {
    const hex = () => [...crypto.getRandomValues(new Uint8Array(16))].map(one => one.toString(16).padStart(2, "0")).join("");
    const made = sessionStorage.getItem(nonceAt(place)) || hex();
    sessionStorage.setItem(nonceAt(place), made);
    return made;
  } catch { return ""; }
};
const joined = place => { try { sessionStorage.removeItem(nonceAt(place)); } catch {} };
const anew = () => {
  const address = new URL(location.href), at = element.querySelector(".ps-ballot")?.dataset.NAMED;
  if (at) address.searchParams.set("NAMED", at);
  history.replaceState(history.state, "", address);
  location.reload();
};
const elsewhere = event => {
  if (!element.isConnected) return window.removeEventListener("storage", elsewhere);
  if (event.key === SIGN || event.key === null) anew();
};
window.addEventListener("storage", elsewhere);
window.addEventListener("pageshow", event => { if (event.persisted && element.isConnected && known !== signed()) anew(); });
"""
DRAFTS = "politune-draft-"
SWEPT = {True: "Nothing of it is left here.", False: "The last traces on the disk are written over within a day."}


def together(storage_key: str, named: str) -> str:
    """TOGETHER_JS for a page."""
    return TOGETHER_JS.replace("KEY", storage_key).replace("DRAFTS", DRAFTS).replace("NAMED", named)


def changed_js(storage_key: str) -> str:
    """What tells the browser's other pages to load themselves anew, where no page's script is at hand."""
    return f"localStorage.setItem('{storage_key}-changed', String(Math.random()));"


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

    def without(self, *review_ids: str) -> Kept:
        gone = set(review_ids)
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
    nonce: str = ""

    @classmethod
    def read(cls, value: Any) -> Act:
        found = value if isinstance(value, dict) else {}
        words = [word_of(found.get(name)) for name in ("act", "review", "item")]
        votes, agreed = words_of(found.get("votes")), found.get("consent") is True
        comment, politics, nonce = (word_of(found.get(name)) for name in ("comment", "politics", "nonce"))
        return cls(words[0] or "look", words[1], words[2], votes, comment, agreed, politics, nonce)


def less(words: Mapping[str, str], gone: set[str]) -> dict[str, str]:
    return {name: text for name, text in words.items() if name not in gone}


def word_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def words_of(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
