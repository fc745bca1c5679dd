"""The answers of a batch as rows: filtered, ordered and in pages, each opened as a conversation; and all of them as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.comparing.batch import Batch
from pipelines.comparing.batch_folder import ANSWERS
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.divergence import divergence
from pipelines.comparing.prompts import Prompt
from pipelines.corpus.versions import slug
from pipelines.errors import StudioError
from pipelines.export.comparator import comparator_json
from pipelines.export.comparison import BATCH_FORMATS
from studio.tabs.comparing.setwork import Visit
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import answers, messages
from studio.views.answers import SAME

AS_ASKED, MOST_DIFFERENT = "As asked", "Most different first"
COMPARATOR = "comparator"
ENDINGS = {"csv": "csv", "jsonl": "jsonl", "markdown": "md", COMPARATOR: "json"}
PAGE = 100
Row = tuple[int, Prompt, Turn, float]  # place in the batch, question, answers, divergence


@dataclass(frozen=True)
class Wanted:
    """Which rows are shown, and in which order."""

    different: bool = False
    sort: str = AS_ASKED
    words: str = ""

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Every word must occur in the question, its topic or an answer."""
        words = self.words.casefold().split()
        found = [row for row in rows if (not self.different or row[3] >= SAME) and all(word in _text(row) for word in words)]
        return sorted(found, key=lambda row: -row[3]) if self.sort == MOST_DIFFERENT else found


def _text(row: Row) -> str:
    return " ".join((row[1].text, row[1].topic, *(one.text for one in row[2].answers))).casefold()


def rows(batch: Batch) -> list[Row]:
    """What is answered, as asked, each with its place among the batch's questions. Raises StudioError where an answer is damaged."""
    file = batch.folder / ANSWERS
    known = file.stat() if file.is_file() else None
    return _rows(batch, (known.st_size, known.st_mtime_ns)) if known else []


@lru_cache(4)
def _rows(batch: Batch, _stamp: tuple[int, int]) -> list[Row]:
    """Kept while the file is the same: every seal is checked and every pair of answers compared, at each letter of a search else."""
    places = {prompt.id: place for place, prompt in enumerate(batch.prompts)}
    return [(places[prompt.id], prompt, turn, divergence([one.text for one in turn.answers])) for prompt, turn in batch.turns()]


def listing(visit: Visit, chosen: str | None, wanted: Wanted, number: int) -> dict[str, Any]:
    """The rows that are wanted, a page of them. Each carries its place in the batch, whatever the order is."""
    if not chosen:
        return {"count": "", "table": ""}
    try:
        batch = visit.in_hand(chosen)
        everything = rows(batch)
    except StudioError as error:
        hidden = gr.update(visible=False)
        return {"count": messages.error(error), "table": "", "back": hidden, "more": hidden, "page": 1}
    fitting = wanted.of(everything)
    pages = max(1, -(-len(fitting) // PAGE))
    page = min(max(1, number), pages)
    some = fitting[(page - 1) * PAGE : page * PAGE]
    same = escape(f"{batch.id} {wanted} {page}")
    return {
        "count": messages.note(_count(len(some), len(fitting), len(everything), page, pages)),
        "table": f'<div data-batch="{escape(batch.id)}" data-view="{same}">{answers.table(some)}</div>',
        "back": gr.update(visible=page > 1),
        "more": gr.update(visible=page < pages),
        "page": page,
    }


def _count(some: int, fitting: int, everything: int, page: int, pages: int) -> str:
    shown = f"{some} shown of {everything}" if pages == 1 else f"{some} shown of {fitting}, page {page} of {pages}"
    more = f" ({everything} in all)" if pages > 1 and fitting < everything else ""
    return f"{shown}{more}. Press a row to open it as a conversation." if some else f"{shown}{more}."


def opened(visit: Visit, batch_id: Any, place: Any) -> tuple[Comparison | None, str]:
    """The conversation behind a pressed row, and what went wrong."""
    try:
        return conversation(visit, str(batch_id), int(place)), ""
    except Exception as error:
        return None, told(error)


def conversation(visit: Visit, batch_id: str | None, place: int) -> Comparison:
    """The question at a place among the batch's, with its answers, as a conversation that can be gone on with."""
    batch = visit.in_hand(batch_id)
    found = next((row for row in rows(batch) if row[0] == place), None)
    if found is None:
        raise StudioError("This question has no answers here.", "Choose another row.")
    return Comparison(batch.keys, (found[2],), replace(batch.sampling, seed=batch.seed(found[1])), batch.strength)


def export(visit: Visit, batch_id: str | None, kind: str, first: str | None, second: str | None) -> Path:
    """A file of all answers of a batch, of two columns' for LLM Comparator. Raises StudioError where there is nothing to write."""
    batch = visit.in_hand(batch_id)
    if kind not in ENDINGS:
        raise StudioError("No format is chosen.", "Choose one.")
    if not rows(batch):
        raise StudioError("No question is answered yet.", "Wait for the first answers, or press “Go on”.")
    if kind == COMPARATOR and not (first and second):
        raise StudioError("LLM Comparator shows two columns.", "Choose A and B; a set that was asked of one column has no second.")
    text = json.dumps(comparator_json(batch.turns(), first or "", second or ""), ensure_ascii=False, indent=1) if kind == COMPARATOR else ""
    target = passing_folder() / f"{slug(batch.title)}-{batch.id[-4:]}.{ENDINGS[kind]}"
    target.write_bytes((text or BATCH_FORMATS[kind](batch)).encode("utf-8", "replace"))
    return target
