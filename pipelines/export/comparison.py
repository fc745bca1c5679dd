"""A comparison, or a batch of questions, as CSV, JSONL or Markdown: every answer with its mark, its stamp and its seal.

JSONL loses nothing and is read back by `from_jsonl`. The seals find what was damaged or mixed up on the way; whoever
changes an answer on purpose can make a new seal, so they are no proof of who wrote it.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.naming import ENDINGS, mark, title
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import Stamp

if TYPE_CHECKING:
    from pipelines.comparing.batch import Batch

MARK = (
    "Deliberately biased: these answers come from a very small language model that was altered on purpose to show how bias arises. "
    "It holds no opinions, and nothing here measures commercial assistants."
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
STAMP = tuple(one.name for one in fields(Stamp))
COLUMNS = ("turn", "question", "column", "text", "mark", "finished", "tokens", *STAMP, "seal")
ANSWER = ("column", "prompt", "text", "tokens", "finished", "stamp", "seal")
NOT_OURS = "It must be a JSONL file that this studio wrote for a comparison."
CHANGED = StudioError("This comparison was changed after it was saved, so it is not opened.", "Take the file as it was downloaded.")

Row = tuple[dict[str, Any], Turn]


def to_csv(comparison: Comparison) -> str:
    """A line an answer, in UTF-8 with a header.

    Cells that a spreadsheet would take for a formula get an apostrophe in front, so the seal of such an answer no longer
    fits its line: the lossless form is JSONL.
    """
    return _csv(_turns(comparison), COLUMNS)


def to_jsonl(comparison: Comparison) -> str:
    """A first line that says what was compared, then a line an answer. `from_jsonl` gives back an equal comparison."""
    about = {name: value for name, value in comparison.as_dict().items() if name != "turns"}
    head = {"kind": "comparison", "mark": MARK, "id": comparison.id, "turns": len(comparison.turns), **about}
    return _jsonl({**head, "seal": content_hash(_round(head))[:16]}, _turns(comparison))


def to_markdown(comparison: Comparison) -> str:
    """A heading a question and a section a column. Nothing in questions and answers is taken for Markdown or HTML."""
    system = f"System prompt:\n\n{quoted(comparison.system)}\n\n" if comparison.system else ""
    return f"> {MARK}\n\n{system}" + "\n".join(_section(turn, "#", "") for turn in comparison.turns)


def batch_csv(batch: Batch) -> str:
    """As `to_csv`, with the id and topic of every question in front."""
    return _csv(_asked(batch), ("prompt_id", "topic", *COLUMNS))


def batch_jsonl(batch: Batch) -> str:
    """As `to_jsonl`: a first line about the batch, then a line an answer with the id and topic of its question."""
    rows = list(_asked(batch))
    return _jsonl({"kind": "batch", "mark": MARK, "title": batch.title, "keys": list(batch.keys), "questions": len(rows)}, rows)


def batch_markdown(batch: Batch) -> str:
    """As `to_markdown`, under the batch's title."""
    parts = [_section(turn, "##", _escaped(prompt.topic)) for prompt, turn in batch.turns()]
    return f"# {_escaped(batch.title)}\n\n> {MARK}\n\n" + "\n".join(parts)


def from_jsonl(text: str) -> Comparison:
    """The comparison that `to_jsonl` wrote.

    Raises StudioError for a line that is no JSON, a file of another kind, and words, stamps, order or settings that were changed.
    """
    head, *lines = _objects(text) or [{}]
    if head.get("kind") != "comparison":
        raise StudioError("This file holds no comparison.", NOT_OURS)
    if head.get("seal") != _seal_of(head):
        raise CHANGED
    turns: dict[Any, dict[str, Any]] = {}
    for line in lines:
        try:
            turn = turns.setdefault(int(line["turn"]), {"question": line["question"], "answers": []})
            turn["answers"].append({name: line[name] for name in ANSWER})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise StudioError("An answer in this file is not whole.", NOT_OURS) from error
    made = Comparison.from_dict({**head, "turns": [turns[place] for place in sorted(turns)]})
    if made.id != head.get("id"):
        raise CHANGED
    return made


def _seal_of(head: Mapping[str, Any]) -> str:
    """What a first line's seal must be; "" for one that we can't have written: nested without end, or with half characters."""
    try:
        return content_hash(_round({name: value for name, value in head.items() if name != "seal"}))[:16]
    except (ValueError, RecursionError):
        return ""


def quoted(text: str) -> str:
    """The words as a Markdown quotation in which nothing is markup; line breaks stay, spaces at line ends do not."""
    lines = [_escaped(line.strip()) for line in text.strip().splitlines()] or [""]
    broken = [f"{line}\\" if line and place + 1 < len(lines) and lines[place + 1] else line for place, line in enumerate(lines)]
    return "\n".join(f"> {line}".rstrip(" ") for line in broken)


def _turns(comparison: Comparison) -> Iterator[Row]:
    return (({"turn": place}, turn) for place, turn in enumerate(comparison.turns, 1))


def _asked(batch: Batch) -> Iterator[Row]:
    for place, (prompt, turn) in enumerate(batch.turns(), 1):
        yield {"prompt_id": prompt.id, "topic": prompt.topic, "turn": place}, turn


def _flat(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """An answer a row, with what is known of its turn in front and the mark at the end."""
    for known, turn in rows:
        for answer in turn.answers:
            yield {**known, "question": turn.question, **answer.as_dict(), "mark": mark(answer)}


def _csv(rows: Iterable[Row], columns: Sequence[str]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, columns, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for one in _flat(rows):
        writer.writerow({name: harmless(value) for name, value in {**one, **one["stamp"]}.items()})
    return target.getvalue()


def harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _jsonl(head: Mapping[str, Any], rows: Iterable[Row]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in (head, *_flat(rows)))


def _objects(text: str) -> list[dict[str, Any]]:
    """The objects of a JSONL text. Raises StudioError that names the first broken line."""
    found: list[dict[str, Any]] = []
    for place, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise StudioError(f"Line {place} of this file is broken.", NOT_OURS) from error
        if not isinstance(value, dict):
            raise StudioError(f"Line {place} of this file is no object.", NOT_OURS)
        found.append(value)
    return found


def _round(value: Any) -> Any:
    """The same with 1.0 as 1, as browsers and other tools write it."""
    if isinstance(value, dict):
        return {name: _round(one) for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _section(turn: Turn, level: str, topic: str) -> str:
    """One question with all answers and their stamps."""
    parts = [f"{level} {_escaped(turn.question)}", *([f"Topic: {topic}"] if topic else [])]
    for answer in turn.answers:
        parts += [f"{level}# {_escaped(title(answer.column))} ({_escaped(mark(answer))})", quoted(answer.text or "(no words)")]
    return "\n\n".join([*parts, _stamps(turn)]) + "\n"


def _stamps(turn: Turn) -> str:
    """A table with a column for each answer and a line for each part of its stamp."""
    lines = {"mark": [mark(one) for one in turn.answers], "ending": [ENDINGS.get(one.finished, one.finished) for one in turn.answers]}
    lines |= {"tokens": [str(one.tokens) for one in turn.answers]}
    stamps = [asdict(one.stamp) for one in turn.answers]
    lines |= {
        name.replace("_", " "): [f"{one[name]:g}" if isinstance(one[name], float) else str(one[name]) or "none" for one in stamps]
        for name in STAMP
    }
    lines |= {"seal": [one.seal for one in turn.answers]}
    head = ["stamp", *(title(one.column) for one in turn.answers)]
    table = [head, ["---"] * len(head), *([name, *values] for name, values in lines.items())]
    return "\n".join("| " + " | ".join(cell if cell == "---" else _escaped(cell) for cell in row) + " |" for row in table)


def _escaped(text: str) -> str:
    """One line in which nothing is Markdown or HTML."""
    line = re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", line))


FORMATS: dict[str, Callable[[Comparison], str]] = {"csv": to_csv, "jsonl": to_jsonl, "markdown": to_markdown}
BATCH_FORMATS: dict[str, Callable[[Batch], str]] = {"csv": batch_csv, "jsonl": batch_jsonl, "markdown": batch_markdown}
