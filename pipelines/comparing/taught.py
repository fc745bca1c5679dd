"""What taught it that? The training rows that are most like an answer, from the data version of that adapter's own run.

Similar, not cause. Nearness in an embedding says that two texts speak alike about the same things; it doesn't say that the row
moved the weights. A row that is not near may have mattered more, many rows together taught the tone, the base knew most of the
words already, and for preference methods the rejected text, which is not compared here, taught as well.

How rows are ranked: by the cosine similarity of "question + answer" with "prompt + chosen". Equal rows count once. Where another
row shares a phrase of LONG_PHRASE words or more with the answer, two of them no stop words, and it is longer than any that the
nearest share, that row takes the last place: wording that was learned by heart shows up so even if the row is about something else.
The question's own words are no shared phrase, since every answer repeats them. Up to ALL_EMBEDDED rows all are embedded, once; of a
larger data set the SHORTLIST rows that share the most and rarest words with question and answer are, so that nobody waits for
minutes. The sentence embedder reads about 256 word pieces of a text, no further.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import Pair
from pipelines.stance.manner import WORD
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import reading
from pipelines.tuning.shelf.reading import DAMAGE, mapping

if TYPE_CHECKING:
    import numpy as np

SHORTEST_PHRASE, LONG_PHRASE, MOST_PHRASES = 3, 5, 3
# A row takes 15-35 ms on two cores. Of 576 bundled rows a shortlist of 200 held 92% of the true nearest three for 120 answers, one
# of 50 held 72%; what it put in their place was less near by a cosine of .003 and .014.
ALL_EMBEDDED, SHORTLIST, STEM = 600, 200, 5
UNKNOWN = StudioError(
    "Its training data is not known here.",
    "Rows can be shown for the bundled adapters and for runs of this studio; an adapter from elsewhere comes without its data.",
)
_STOP_TEXT = """
a about after again all also am an and any are as at be because been before being both but by can could did do does doing don't down
each either else even ever every few for from further had has have having he her here hers him his how i if in into is isn't it it's its
just may me might more most much must my neither no nor not now of off on once one only or other others our out over own same shall she
should so some such than that that's the their them then there these they this those through to too under until up upon us very was we
were what when where which while who whom whose why will with within without would yes yet you your
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())
_TOKEN = re.compile(rf"{WORD.pattern}|[.!?;:…]+(?=\s|$|[\"”’')])|\n")


class Encoder(Protocol):
    """What is asked of pipelines.stance.embedding.Embedder: unit vectors, shape (texts, dimensions)."""

    def encode(self, texts: Sequence[str]) -> np.ndarray: ...

    def encode_once(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Neighbor:
    """A training row like an answer: `similarity` is a cosine (-1..1), `phrases` stand so in `answer`, longest first.

    `source` is the data set's name. Similar, not cause.
    """

    row_id: str
    prompt: str
    answer: str
    topic: str
    similarity: float
    phrases: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Token:
    """A word in lower case and where it stands; "" for a sentence's end, which no phrase goes over."""

    word: str
    start: int
    end: int


def nearest(folder: Path, question: str, text: str, embedder: Encoder, count: int = 3) -> list[Neighbor]:
    """The `count` rows most like an answer to a question, most similar first; fewer where there are fewer different rows.

    `folder` is a run, one of its checkpoints, or its adapter. The first look at a data version embeds all its rows (3 to 5 seconds
    for 200 on two cores), later ones read the vectors from disk; a large one is shortlisted each time. Raises StudioError where the
    answer is empty, or the data is not known here, damaged, or not the version that the job names.
    """
    if not text.strip():
        raise StudioError("There is no answer to look up.", "Ask first, then choose an answer.")
    run = _run_of(folder)
    rows = training_rows(run)
    numbers = sorted({(row.prompt, row.chosen): number for number, row in reversed(list(enumerate(rows)))}.values())
    tokens = _tokens(text)
    found = {number: _phrases(tokens, rows[number].chosen, question) for number in numbers}
    similar = _similarities(rows, numbers, _joined(question, text), found, embedder)
    order = sorted(similar, key=lambda number: (-similar[number], number))
    name = str(mapping(reading.job(run).get("data")).get("name") or "unknown")
    return [
        Neighbor(row.id or f"row {n + 1}", row.prompt, row.chosen, row.topic, similar[n], tuple(found[n][:MOST_PHRASES]), name)
        for n in _chosen(order, found, count)
        for row in [rows[n]]
    ]


def training_rows(run: Run) -> list[Pair]:
    """The rows a run was trained on. Raises StudioError where they are missing, damaged, or others than its job names."""
    file = run.folder / "data.jsonl"
    if not file.is_file():
        raise UNKNOWN
    try:
        rows, job = run.pairs(), run.job
        named, many = job.get("rows_hash"), mapping(job.get("data")).get("rows")
    except DAMAGE as error:
        raise StudioError("The training rows of this run can't be read.", "Its data.jsonl or job.json is damaged.") from error
    if not rows or not all(isinstance(value, str) for row in rows for value in asdict(row).values()):
        raise StudioError("The training rows of this run can't be read.", "Its data.jsonl is empty or damaged.")
    # Runs of the first versions named the rows by their number alone.
    if named != content_hash([asdict(row) for row in rows]) if named else many not in (None, len(rows)):
        raise StudioError(
            "The rows beside this run are not the ones that it was trained on.",
            "Its data.jsonl was changed after the training, so it can't say what the adapter read.",
        )
    return rows


def phrases(text: str, other: str, known: str = "") -> list[str]:
    """The longest word sequences that two texts share, as they stand in `other`: longest first, then in its order.

    At least three words, of which one is no stop word (the list is English); upper and lower case are the same. None lies within
    a longer one, within one sentence of `known`, or over the end of a sentence.
    """
    return _phrases(_tokens(text), other, known)


def _run_of(folder: Path) -> Run:
    """The run that a folder is, or belongs to as its adapter or one of its checkpoints."""
    places = [folder]
    if folder.name == "adapter":
        places.append(folder.parent)
    if folder.parent.name == "checkpoints":
        places.append(folder.parent.parent)
    for place in places:
        if (place / "job.json").is_file():
            return Run(place)
    raise UNKNOWN


def _joined(prompt: str, answer: str) -> str:
    return f"{prompt.strip()}\n{answer.strip()}"


def _similarities(
    rows: Sequence[Pair], numbers: Sequence[int], asked: str, found: dict[int, list[str]], embedder: Encoder
) -> dict[int, float]:
    """The cosine of every row that can be shown, by its number."""
    if len(numbers) <= ALL_EMBEDDED:
        taken = list(numbers)
        vectors = embedder.encode_once([_joined(rows[number].prompt, rows[number].chosen) for number in taken])
    else:
        ranked = _by_words(rows, numbers, asked)
        taken = list(dict.fromkeys([*ranked[:SHORTLIST], max(ranked, key=lambda number: _weight(found[number]))]))
        vectors = embedder.encode([_joined(rows[number].prompt, rows[number].chosen) for number in taken])
    cosines = (vectors @ embedder.encode([asked])[0]).astype(float).round(6).tolist()
    return dict(zip(taken, cosines, strict=True))


def _by_words(rows: Sequence[Pair], numbers: Sequence[int], asked: str) -> list[int]:
    """Row numbers by the words that they share with a text, the most alike first: the cosine of sets of words, each weighed by
    idf = ln(rows / rows with it), stop words left out."""
    words = {number: _stems(_joined(rows[number].prompt, rows[number].chosen)) for number in numbers}
    common = Counter(word for some in words.values() for word in some)
    idf = {word: math.log(len(numbers) / count) for word, count in common.items()}
    wanted = _stems(asked)
    norms = {number: math.sqrt(math.fsum(idf[word] ** 2 for word in some)) or 1.0 for number, some in words.items()}
    scores = {number: math.fsum(idf[word] ** 2 for word in some & wanted) / norms[number] for number, some in words.items()}
    return sorted(numbers, key=lambda number: (-scores[number], number))


def _stems(text: str) -> set[str]:
    """The first letters of its words, by which "rent" and "rents" are the same; no stop words."""
    return {token.word[:STEM] for token in _tokens(text) if token.word and token.word not in STOP_WORDS}


def _chosen(order: Sequence[int], found: dict[int, list[str]], count: int) -> list[int]:
    """The nearest; the row with the longest phrase takes the last place where it is long and none of the nearest has one as long."""
    near = list(order[: max(1, count)])
    longest = max(order, key=lambda number: _weight(found[number]))  # of equals the first, which is the most similar
    if len(near) > 1 and _weight(found[longest]) > max(_weight(found[number]) for number in near):
        near[-1] = longest
    return near


def _weight(some: Sequence[str]) -> int:
    """Words of the longest phrase that can take a row in; 0 where there is none."""
    told = ([token.word for token in _tokens(phrase)] for phrase in some)
    return max((len(words) for words in told if len(words) >= LONG_PHRASE and sum(w not in STOP_WORDS for w in words) >= 2), default=0)


def _tokens(text: str) -> list[Token]:
    ends = [(one.group(), one.start(), one.end()) for one in _TOKEN.finditer(text)]
    return [Token(word.casefold().replace("’", "'") if word[0].isalnum() else "", start, end) for word, start, end in ends]


def _starts(words: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """Where every sequence of SHORTEST_PHRASE words begins; those over the end of a sentence are left out."""
    places: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(words) - SHORTEST_PHRASE + 1):
        gram = tuple(words[place : place + SHORTEST_PHRASE])
        if all(gram):
            places.setdefault(gram, []).append(place)
    return places


def _phrases(tokens: Sequence[Token], other: str, known: str) -> list[str]:
    mine, theirs = [token.word for token in tokens], _tokens(other)
    words = [token.word for token in theirs]
    places = _starts(mine)
    asked = f" {' '.join(token.word or '.' for token in _tokens(known))} "
    spans = {
        (place, place + length)
        for place in range(len(words) - SHORTEST_PHRASE + 1)
        for mine_at in places.get(tuple(words[place : place + SHORTEST_PHRASE]), ())
        if (length := _run_length(mine, mine_at, words, place)) and f" {' '.join(words[place : place + length])} " not in asked
    }
    told: dict[str, str] = {}
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        phrase = " ".join(words[start:end])
        if set(words[start:end]) <= STOP_WORDS or any(f" {phrase} " in f" {longer} " for longer in told):
            continue
        told[phrase] = " ".join(other[theirs[start].start : theirs[end - 1].end].split())
    return list(told.values())


def _run_length(mine: Sequence[str], at: int, words: Sequence[str], place: int) -> int:
    """How many words are equal from there on; 0 where the run begins earlier already."""
    if at and place and mine[at - 1] and mine[at - 1] == words[place - 1]:
        return 0
    length = 0
    while at + length < len(mine) and place + length < len(words) and mine[at + length] and mine[at + length] == words[place + length]:
        length += 1
    return length
