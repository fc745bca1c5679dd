"""The words that people give their runs, and how a run is found by words.

about.json in a run folder belongs to people: {"title": text, "note": text, "tags": [text]}. Whatever lies there may come from
somebody else or be damaged: looking at it never raises, it shows less.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import read_json, write_json
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import reading
from pipelines.tuning.shelf.reading import mapping, tried

ABOUT, MAX_BYTES = "about.json", 1 << 16
TITLE_LENGTH, NOTE_LENGTH, TAG_LENGTH, MAX_TAGS = 80, 2000, 30, 10
FAR_TOO_LONG = 10  # times what fits: not looked at letter by letter
JOINERS = "\u200c\u200d"  # Persian and emoji need them
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode categories: control, bidi and other format, surrogates, private, line breaks
DAMAGED = "damaged"
QUERY = re.compile(r'(?:(tag|state|side):)?"([^"]*)"(?!\S)|(?:(tag|state|side):)?(\S*)')
UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "“": '"', "”": '"', "„": '"'})


@dataclass(frozen=True)
class About:
    """What people wrote about a run. An empty title means the default one (side, data, time)."""

    title: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()


def about(run: Run) -> About:
    """What was written about the run; a part that is missing, damaged or against the rules of `describe` is empty."""
    file = run.folder / ABOUT
    written = mapping(tried(lambda: read_json(file) if file.stat().st_size <= MAX_BYTES else None, None))
    return About(
        tried(lambda: _line(written["title"], "title", TITLE_LENGTH), ""),
        tried(lambda: _visible(written["note"], "note", NOTE_LENGTH, "\n\t"), ""),
        tried(lambda: _tags(written["tags"]), ()),
    )


def describe(run: Run, title: str | None = None, note: str | None = None, tags: Sequence[str] | None = None) -> About:
    """Writes what is given and leaves the rest (None) as it is; an empty title goes back to the default.

    Raises StudioError for a title of more than one line or 80 characters, a note of more than 2000, more than 10 tags of 30, for
    characters that can't be seen, and where the folder is gone, not writable, or belongs to the studio.
    """
    refuse_bundled(run)
    if not run.folder.is_dir():
        raise StudioError(f"There is no run called “{run.id}” any more.", "It may have been deleted; look at the list again.")
    old = about(run)
    new = About(
        old.title if title is None else _line(title, "title", TITLE_LENGTH),
        old.note if note is None else _visible(note, "note", NOTE_LENGTH, "\n\t"),
        old.tags if tags is None else _tags(tags),
    )
    try:
        write_json(run.folder / ABOUT, {**asdict(new), "tags": list(new.tags)})
    except OSError as error:
        raise StudioError(
            f"The note can't be written ({error.strerror}).", "Look whether the disk is full or the folder locked."
        ) from error
    return new


def shown_title(run: Run) -> str:
    """The title that people gave it, else the default one, else (where the run is damaged) its id."""
    return about(run).title or str(tried(lambda: run.title, run.id))


def _visible(text: Any, what: str, longest: int, allowed: str = "") -> str:
    """The text in NFC without space around it. Raises StudioError where it is too long or holds what can't be seen."""
    if not isinstance(text, str):
        raise StudioError(f"The {what} is not a text.", "Give it as text.")
    if len(text) > FAR_TOO_LONG * longest:
        raise StudioError(f"The {what} has {len(text):,} characters.", f"At most {longest:,} fit.")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if "\n" in text and "\n" not in allowed:
        raise StudioError(f"The {what} has more than one line.", "Write the rest into the note.")
    found = next((c for c in text if c not in allowed + JOINERS and unicodedata.category(c) in HIDDEN), "")
    if found:
        raise StudioError(f"The {what} holds a character that can't be seen (U+{ord(found):04X}).", "Type it instead of pasting it.")
    if len(text) > longest:
        raise StudioError(f"The {what} has {len(text):,} characters.", f"At most {longest:,} fit.")
    return text if text.replace(JOINERS[0], "").replace(JOINERS[1], "").strip() else ""


def _line(text: Any, what: str, longest: int) -> str:
    return " ".join(_visible(text, what, longest).split())


def _tags(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise StudioError("The tags are not a list.", "Give them one by one.")
    lowered = (value.lower() if isinstance(value, str) else value for value in values)
    tags = tuple(dict.fromkeys(tag for value in lowered if (tag := _line(value, "tag", TAG_LENGTH))))
    if any(mark in tag for tag in tags for mark in '"“”„,'):
        raise StudioError("A tag holds a comma or a quotation mark.", "Leave it out: commas stand between tags.")
    if len(tags) > MAX_TAGS:
        raise StudioError(f"These are {len(tags)} tags.", f"A run has at most {MAX_TAGS}.")
    return tags


def search(runs: Iterable[Run], text: str) -> list[Run]:
    """The runs, in their order, in which every word occurs: in title, note, tags, side, data name, method, base, state or id.

    Case and accents don't count. "Words in quotation marks" stand together; tag:x, state:x and side:x (x in quotation marks where it
    has spaces) must be met exactly. A damaged run is found by what can be read of it, and by state:damaged.
    """
    wanted = [(name or name_2, value or value_2) for name, value, name_2, value_2 in QUERY.findall(_folded(text))]
    wanted = [(name, " ".join(value.strip('"').split())) for name, value in wanted if value.strip('" ')]
    return [run for run in runs if not wanted or _meets(run, wanted)]


def _meets(run: Run, wanted: list[tuple[str, str]]) -> bool:
    job, words = reading.job(run), about(run)
    state = run.state if run.readable else DAMAGED
    tags = [_folded(tag) for tag in words.tags]
    exact = {"tag": tags, "state": [_folded(state)], "side": [_folded(job.get("side", ""))]}
    others = (mapping(job.get("data")).get("name", ""), mapping(job.get("recipe")).get("method", ""), job.get("base", ""))
    texts = [*tags, *exact["state"], *exact["side"], *map(_folded, (shown_title(run), words.note, *others, run.id))]
    return all(value in exact[name] if name else any(value in one for one in texts) for name, value in wanted)


def _folded(text: Any) -> str:
    """Small letters without accents, with single spaces."""
    parts = unicodedata.normalize("NFKD", str(text).casefold()).casefold().translate(UNDECOMPOSED)
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def refuse_bundled(run: Run) -> None:
    """Raises StudioError for a run that came with the studio."""
    if run.folder.resolve().is_relative_to(bundled.ADAPTERS.resolve()):
        raise StudioError(f"“{run.id}” belongs to the studio and stays as it is.", "Train a run of your own to change or delete it.")
