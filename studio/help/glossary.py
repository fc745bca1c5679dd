"""The glossary at the foot of the page, from which the script takes what it explains on the spot."""

from __future__ import annotations

import json
from html import escape

from pipelines import glossary
from pipelines.glossary import Term


def listed() -> str:
    """All words as a list that can be searched; its attributes say under which spellings and field names each is found."""
    terms = glossary.terms()
    found = json.dumps({spelling.lower(): one.key for one in terms for spelling in one.found}, ensure_ascii=False)
    labels = json.dumps({label: one.key for one in terms for label in one.labels}, ensure_ascii=False)
    return (
        f'<details class="ps-glossary" id="ps-glossary" data-found="{escape(found)}" data-labels="{escape(labels)}">'
        f"<summary>Glossary: {len(terms)} words of this page in plain English</summary>"
        '<label class="ps-glossary-search">Search the glossary <input type="search" autocomplete="off" spellcheck="false"></label>'
        '<p class="ps-note" role="status"></p>'
        f"<dl>{''.join(map(_entry, terms))}</dl></details>"
    )


def _entry(one: Term) -> str:
    return f'<div data-word="{one.key}"><dt>{escape(one.term)}</dt><dd id="ps-says-{one.key}">{escape(one.says)}</dd></div>'
