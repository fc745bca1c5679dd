"""How much of a text a catalogue says: what is left in English when the page is in another language."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.languages.phrases import WORD, Phrases
from pipelines.languages.units import TAG, texts

# Names, units and terms that stay as they are in any language.
NAMES = frozenset((Path(__file__).parent / "names.txt").read_text(encoding="utf-8").split())
CODE = re.compile(r"<(code|kbd|q)>.*?</\1>|“[^”]*”|\S*[/_@=]\S*|\b[\w-]+\.(?:py|csv|json|jsonl|yaml|zip|html|md|txt|parquet)\b")


def left(unit: str, phrases: Phrases) -> list[str]:
    """The English words that stay when a unit is said: none where all of it is covered. Code, quotations and names do not count."""
    said = phrases.say(unit)
    if said is not None and not (rest := english(said)):
        return rest
    return [word for text in texts(unit) for word in english(phrases.say(text) or text)]


def english(text: str) -> list[str]:
    """The words of Latin letters in a text that are no names."""
    plain = TAG.sub(" ", CODE.sub(" ", text))
    return [
        word
        for word in re.findall(r"[A-Za-z][\w.+-]*[A-Za-z0-9]", plain)
        if word not in NAMES and WORD.search(word) and not re.search(r"\d", word)
    ]
