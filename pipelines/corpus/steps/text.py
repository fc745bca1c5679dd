"""Steps that look at one row's words alone: normalize, mask, language, length."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pipelines.corpus.engine import KINDS, Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.wording import ALL_TEXT, ANSWERS, normalize, strip_lead_in
from pipelines.records import lever


def each_text(row: Row, work: Callable[[str], str], names: tuple[str, ...] = ALL_TEXT) -> Row:
    """The row with `work` applied to every text it has; the same object where nothing changes."""
    new = {name: work(row[name]) for name in names if row.get(name)}
    return row if all(row[name] == value for name, value in new.items()) else {**row, **new}


@dataclass(frozen=True)
class Normalize:
    """Cleans up characters; drops nothing."""

    lead_ins: bool = lever(True, "Cut lead-ins", "Removes announcements such as “Sure, here is a response:” from the start of answers.")

    key: ClassVar[str] = "normalize"
    label: ClassVar[str] = "Normalize"
    hint: ClassVar[str] = "Resolves HTML entities, removes stray carriage returns and invisible characters, cuts lead-ins."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        def one(row: Row) -> Row:
            row = each_text(row, normalize)
            return each_text(row, strip_lead_in, ANSWERS) if self.lead_ins else row

        return lambda rows: [Outcome(one(row)) for row in rows]


PATH = r"[^\s<>\"]*[^\s<>\".,;:!?'’”)\]]"
LINK = re.compile(
    rf"(?:https?://|\bwww\.){PATH}|(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|org|net|info|edu|gov)(?:\.[a-z]{{2}})?\b(?!@)(?:/{PATH}|/)?", re.I
)
HANDLE = re.compile(r"(?<![\w@+/-])(?:@(?!\d+(?:[ap]m)?\b)\w{2,30}(?:@[\w-]+(?:\.[\w-]+)+)?|/?u/[\w-]{3,30})(?!\w)", re.I)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class Mask:
    """Replaces what points to a person."""

    handles: bool = lever(True, "Handles", "@name becomes [user].")
    links: bool = lever(True, "Links", "Web addresses become [link].")
    emails: bool = lever(True, "E-mail addresses", "They become [email].")
    phones: bool = lever(True, "Phone numbers", "They become [phone]; international ones by the rules of Google's libphonenumber.")

    key: ClassVar[str] = "mask"
    label: ClassVar[str] = "Mask people"
    hint: ClassVar[str] = "Replaces handles, links, e-mail addresses and phone numbers by [user], [link], [email], [phone]."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        return lambda rows: [Outcome(each_text(row, self.mask)) for row in rows]

    def mask(self, text: str) -> str:
        """One text with everything masked that is switched on."""
        if self.links and "." in text:
            text = LINK.sub("[link]", text)
        if self.handles:
            text = HANDLE.sub("[user]", text)
        if self.emails and "@" in text:
            text = EMAIL.sub("[email]", text)
        if self.phones:
            text = PHONE.sub(_phone, text)
        return text


# How people write numbers down: with a plus, an area code in three, three and four digits, a local one with a dash, a trunk zero,
# or ten digits in a row. Amounts, dates and spans of years have other shapes.
PHONE = re.compile(
    r"(?<!\d[.,:/-])(?<![\w$€£¥#+])(?:(?P<international>\+\d(?:[\s().-]{0,2}\d){6,16})"
    r"|(?:\+?1[-. ])?(?:\([2-9]\d\d\)[-. ]?|[2-9]\d\d[-. ])\d{3}[-. –]\d{4}|(?P<local>[2-9]\d\d[-–‑]\d{4})"
    r"|(?!\d\d[-/. ]\d\d[-/. ]\d{4})(?P<trunk>\(?0\d{1,4}\)?[ /-]?\d(?:[ /-]?\d){5,9})|(?P<bare>[2-9]\d{9}))"
    r"(?:,?\s?(?:x|ext\.?)\s?\d{1,5})?(?![\w%€£$]|[-–/]\d|[.,:]\d)"
)


def _phone(found: re.Match[str]) -> str:
    """[phone], or the text as it was where it can't be a number to call."""
    text, parts = found.group(), found.groupdict()
    if parts["international"]:
        return _international(text)
    if parts["local"]:
        return text if _is_span(parts["local"]) else "[phone]"
    if parts["trunk"]:
        return "[phone]" if sum(map(str.isdigit, text)) >= 9 else text
    return text if parts["bare"] and not _callable(text, valid=True) else "[phone]"


def _international(text: str) -> str:
    """The longest beginning that can be a number is one: "+1 202-555-0143 24 hours" ends before the hours."""
    ends = [m.end() for m in re.finditer(r"\d+", text)]
    end = next((end for end in reversed(ends) if _callable(text[:end])), 0)
    return f"[phone]{text[end:]}" if end else text


def _callable(text: str, valid: bool = False) -> bool:
    """Whether libphonenumber takes it for a possible number, or for one that is given out to people (`valid`)."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) if valid else phonenumbers.is_possible_number(number)


def _is_span(local: str) -> bool:
    """Whether seven digits with a dash are rather an amount from .. to: "500-1000", "800-1250"."""
    low, high = int(local[:3]), int(local[4:])
    return high >= 1000 and low % 5 == 0 and high % 50 == 0


LANGUAGES = (
    "en",
    "de",
    "es",
    "fr",
    "it",
    "pt",
    "nl",
    "pl",
    "sv",
    "da",
    "no",
    "fi",
    "cs",
    "ro",
    "hu",
    "tr",
    "ru",
    "uk",
    "el",
    "ar",
    "he",
    "hi",
    "zh",
    "ja",
    "ko",
    "vi",
    "id",
)
LOOKED_AT, SHORT = 2_000, 40  # characters that are looked at; bytes, since some scripts put no spaces between words


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


@dataclass(frozen=True)
class Language:
    """Drops rows in other languages than the wanted one, by py3langid."""

    wanted: str = lever("en", "Language to keep", "Two letters, for example en.", choices=LANGUAGES)
    sure: float = lever(0.95, "How sure it must be", "A row is dropped only if another language is at least this likely.", 0.5, 1)

    key: ClassVar[str] = "language"
    label: ClassVar[str] = "Language"
    hint: ClassVar[str] = "Drops texts that are surely in another language. Texts under four words are left to the length step."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        identifier = _identifier()

        def one(row: Row) -> Outcome:
            text = " ".join(row[name] for name in ALL_TEXT if row.get(name))
            if len(text.split()) < 4 and len(text.encode("utf-8", "replace")) < SHORT:
                return Outcome(row)
            language, sure = identifier.classify(text[:LOOKED_AT])
            foreign = language != self.wanted and sure >= self.sure
            return Outcome(row, "in another language", f"{language}, {sure:.0%} sure") if foreign else Outcome(row)

        return lambda rows: [one(row) for row in rows]


@dataclass(frozen=True)
class Length:
    """Drops rows whose texts are too short or too long; a prompt may be as short as it likes."""

    shortest: int = lever(3, "Shortest text (words)", "Shorter texts are dropped.", 1, 200)
    longest: int = lever(400, "Longest text (words)", "Longer texts are dropped.", 5, 5000)

    key: ClassVar[str] = "length"
    label: ClassVar[str] = "Length"
    hint: ClassVar[str] = "Drops empty, very short and very long texts."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        return lambda rows: [self.one(row) for row in rows]

    def one(self, row: Row) -> Outcome:
        for name in ALL_TEXT:
            if row.get(name) is None:
                continue
            words = len(row[name].split())
            if words == 0:
                return Outcome(row, f"{name} is empty")
            if name != "prompt" and words < self.shortest:
                return Outcome(row, f"{name} is too short", f"{words} of at least {self.shortest} words")
            if words > self.longest:
                return Outcome(row, f"{name} is too long", f"{words} of at most {self.longest} words")
        return Outcome(row)
