"""Plain functions on texts that steps and checks share: normalize, and cut what a model says before its answer."""

from __future__ import annotations

import html
import re
import unicodedata

from pipelines.corpus.columns import TEXT_FIELDS

ALL_TEXT = tuple(dict.fromkeys(name for fields in TEXT_FIELDS.values() for name in fields))


ANSWERS = tuple(name for name in ALL_TEXT if name not in ("prompt", "text"))
ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)
LINE_BREAK = re.compile("\r\n|[\x0b\x0c\x85\u2028\u2029]")
# A zero-width joiner stays where it joins two emoji to one.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
    "|(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d"
)
SPACES = re.compile(r"[^\S\n]+")
AROUND_BREAKS = re.compile(r" ?\n ?")
LONGEST_LEAD_IN = 25  # words; a longer first clause says something about the subject
_ASSENT = r"(?:sure|certainly|of\scourse|absolutely|okay|ok|no\sproblem|gladly)(?:\sthing)?[,!.]?\s+"
_HERE = r"(?:here(?:[’']s|\sis|\sare|\scomes)|below\sis|the\sfollowing\sis)"
_GENRE = r"(?:response|answer|reply|rewrite|version|draft|paragraph|essay|rephrasing|completion|continuation)s?"
_ASKED = (
    r"(?!\sto\s(?!(?:your|the|this)\s(?:question|request|prompt|instruction|post|statement|message)))"  # "our answer to inflation:" stays
)
_WORDS = r"(?:[^\s:.!?]+[ \t]+){0,%d}?"
_END = r"[^\n:.!?]{0,120}:"
_BLANK_LINE = r"(?=[ \t\r]*\n[ \t\r]*\n)"
LEAD_IN = re.compile(
    rf"""\s*(?:
        {_ASSENT}{_HERE}\b(?!\s(?:why|how)\b){_END}              # Sure, here is what you asked for:
      | {_HERE}\s+{_WORDS % 8}\b{_GENRE}\b{_ASKED}{_END}          # Here's a rewritten response from ...:
      | {_HERE}\b{_END}{_BLANK_LINE}                               # Here's a plan for the region: (and a new paragraph)
      | (?:{_ASSENT})?i(?:[’']d|\ would)\ be\ (?:happy|glad)\ to\ help(?:\ you)?(?:\ with\ (?:that|this))?[.!:]
      | (?:\*\*)?(?:rewritten\ |final\ |alternative\ )?(?:response|answer|output|assistant)\s?:(?:\*\*)?
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
QUOTES = {'"': '"', "“": "”"}


def normalize(text: str) -> str:
    """HTML entities resolved (also of entities), Unicode NFC, stray carriage returns and invisible characters removed, spaces joined."""
    for _ in range(2):
        if "&" in text:
            text = ENTITY.sub(lambda found: html.unescape(found.group()), text)
    text = INVISIBLE.sub("", LINE_BREAK.sub("\n", text))
    text = SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return AROUND_BREAKS.sub("\n", text).strip()


def strip_lead_in(text: str) -> str:
    """The text without what a model says before its answer ("Sure, here is a response:"), and without quotes around the rest.

    A clause about the subject stays where the text goes on in its line ("Here's a plan for the region: ..."), and so does an assent
    that is the answer ("Sure, rents should fall."). Where fewer than three words would be left, nothing is taken away.
    """
    found = LEAD_IN.match(text)
    if not found or len(found.group().split()) > LONGEST_LEAD_IN:
        return text
    rest = text[found.end() :].strip()
    if len(rest) > 1 and QUOTES.get(rest[0]) == rest[-1] and not set('"“”') & set(rest[1:-1]):
        rest = rest[1:-1].strip()
    return rest if len(rest.split()) >= 3 else text
