"""Steps that drop rows said before: exactly, or nearly (MinHash by the library rensa, locality-sensitive hashing over its digests).

rensa's own index takes 2.4 kB a row (a million rows: 2.4 GB); sorted arrays do with 0.5 kB.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipelines.corpus.engine import KINDS, Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.wording import ALL_TEXT
from pipelines.records import lever

WORD = re.compile(r"\w+")
PERMUTATIONS, BANDS, SEED = 128, 32, 12
SHINGLE = 2
LOWER = np.uint64(0xFFFFFFFF)


def plain(row: Row) -> str:
    """All texts of a row in lower case, words joined by single spaces: what "the same text" means here.

    A text without any word (only emoji or marks) stands for itself.
    """
    text = " ".join(row[name] for name in ALL_TEXT if row.get(name)).lower()
    return " ".join(WORD.findall(text)) or text.strip()


@dataclass(frozen=True)
class ExactDuplicates:
    """Keeps the first of rows whose words are all the same."""

    key: ClassVar[str] = "exact"
    label: ClassVar[str] = "Exact duplicates"
    hint: ClassVar[str] = "Drops rows whose words are the same as an earlier row's; capitals, punctuation and spaces don't count."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = False

    def start(self, tools: Tools, shards: Shards) -> Work:
        first: dict[bytes, str] = {}

        def one(row: Row) -> Outcome:
            digest = hashlib.blake2b(plain(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if digest in first:
                return Outcome(row, "same words as an earlier row", first[digest])
            first[digest] = row["id"]
            return Outcome(row)

        return lambda rows: [one(row) for row in rows]


@dataclass(frozen=True)
class NearDuplicates:
    """Keeps the first of rows that share most of their word pairs. Similarity is the Jaccard index, estimated by MinHash."""

    similarity: float = lever(
        0.5, "Similarity", "Rows whose estimated overlap of word pairs (Jaccard index) is at least this are dropped.", 0.5, 1
    )

    key: ClassVar[str] = "near"
    label: ClassVar[str] = "Near duplicates"
    hint: ClassVar[str] = "Drops reposts with a few changed words, found by MinHash."
    kinds: ClassVar[tuple[str, ...]] = KINDS
    per_row: ClassVar[bool] = False

    def start(self, tools: Tools, shards: Shards) -> Work:
        return _Seen(self.similarity).judge


class _Seen:
    """The rows kept so far: their digests, and an index that proposes which of them to compare a row with."""

    def __init__(self, similarity: float) -> None:
        self.similarity = similarity
        self.ids: list[str] = []
        self.digests: np.ndarray = np.zeros((1024, PERMUTATIONS), dtype=np.uint16)
        self.index = _Index()

    def judge(self, rows: list[Row]) -> list[Outcome]:
        """Outcomes of rows in their order; a row is compared with all earlier ones that were kept."""
        import rensa

        if not rows:
            return []
        sketches = rensa.RMinHash.digests_from_token_sets([_shingles(plain(row)) for row in rows], PERMUTATIONS, SEED)
        digests = np.asarray(sketches, dtype=np.uint32)
        keys = _keys(digests)
        near = self.index.find(keys)
        # The lower half of a hash is enough to tell two apart, at half the memory.
        outcomes = [self._one(*each) for each in zip(rows, digests.astype(np.uint16), keys.tolist(), near, strict=True)]
        self.index.settle()
        return outcomes

    def _one(self, row: Row, digest: np.ndarray, keys: list[int], near: set[int]) -> Outcome:
        candidates = sorted(near | self.index.fresh(keys))
        if candidates:
            shares = (self.digests[candidates] == digest).mean(axis=1)
            best = int(shares.argmax())
            if shares[best] >= self.similarity:
                return Outcome(row, "nearly the same as an earlier row", f"{self.ids[candidates[best]]}, similarity {shares[best]:.2f}")
        number = len(self.ids)
        if number == len(self.digests):
            self.digests = np.concatenate([self.digests, np.zeros((number // 2, PERMUTATIONS), dtype=np.uint16)])
        self.digests[number] = digest
        self.ids.append(row["id"])
        self.index.add(keys, number)
        return Outcome(row)


class _Index:
    """Row numbers by band key: those of finished batches in sorted arrays (a few, each twice the next), the batch's own in a dict.

    An entry of a sorted array is a band's key (upper 32 bits) and a row number (lower 32 bits).
    """

    def __init__(self) -> None:
        self.levels: list[list[np.ndarray]] = []
        self.new: dict[int, list[int]] = {}

    def find(self, keys: np.ndarray) -> list[set[int]]:
        """For rows with `keys`, shape (rows, bands), the numbers of finished rows that share a band with them."""
        found: list[set[int]] = [set() for _ in keys]
        for band in range(BANDS):
            order: np.ndarray = np.argsort(keys[:, band])  # sorted queries touch each part of the memory once
            wanted: np.ndarray = (keys[order, band] & LOWER) << np.uint64(32)
            for entries in (level[band] for level in self.levels):
                first: Any = np.searchsorted(entries, wanted)
                last: Any = np.searchsorted(entries, wanted | LOWER, side="right")
                for place in np.flatnonzero(last > first).tolist():
                    found[order[place]].update((entries[first[place] : last[place]] & LOWER).tolist())
        return found

    def fresh(self, keys: Iterable[int]) -> set[int]:
        """Numbers of rows of the batch in hand that share a band."""
        return {number for key in keys for number in self.new.get(key, ())}

    def add(self, keys: Iterable[int], number: int) -> None:
        for key in keys:
            self.new.setdefault(key, []).append(number)

    def settle(self) -> None:
        """Sorts the batch's own rows in, and merges arrays of about equal size."""
        if not self.new:
            return
        pairs = np.array([(key, number) for key, numbers in self.new.items() for number in numbers], dtype=np.uint64)
        self.new = {}
        bands, entries = pairs[:, 0] >> np.uint64(32), (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]
        self.levels.append([np.sort(entries[bands == band]) for band in range(BANDS)])
        while len(self.levels) > 1 and len(self.levels[-2][0]) < 2 * len(self.levels[-1][0]):
            last, before = self.levels.pop(), self.levels.pop()
            self.levels.append([np.sort(np.concatenate([before.pop(0), last.pop(0)])) for _ in range(BANDS)])


def _keys(digests: np.ndarray) -> np.ndarray:
    """Band number (upper 32 bits) and a hash of the band's part of the digest (lower 32 bits), shape (rows, bands), uint64."""
    mixed: np.ndarray = np.zeros((len(digests), BANDS), dtype=np.uint64)
    parts: np.ndarray = digests.reshape(len(digests), BANDS, -1).astype(np.uint64)
    for place in range(parts.shape[2]):
        mixed = (mixed ^ parts[:, :, place]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return (np.arange(BANDS, dtype=np.uint64) << np.uint64(32)) | (mixed >> np.uint64(32))


def _shingles(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[n : n + SHINGLE]) for n in range(max(1, len(words) - SHINGLE + 1))]
