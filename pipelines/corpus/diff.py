"""What differs between two versions: rows added, removed and changed (by id, down to the word), and the steps that made them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from pipelines.corpus.layout import public
from pipelines.corpus.shards import Row
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from pipelines.paths import content_hash

SHOWN = 1_000
LONGEST = 8_000  # words and spaces; comparing takes their number squared
DESCRIBED = ("name", "source", "parents", "license", "terms", "legal_basis", "language", "masking")
COUNTS = ("before", "after", "dropped", "changed")
PIECE = re.compile(r"\s+|\w+|[^\w\s]")
Where = Literal["both", "first", "second"]
Key = tuple[str, int]


class Span(NamedTuple):
    """A stretch of text and where it stands: in both texts, only in the first, or only in the second."""

    where: Where
    text: str


@dataclass(frozen=True)
class Change:
    """A row of both versions that is not the same: for each differing field the first and the second value (None: no such cell)."""

    id: str
    fields: dict[str, tuple[Any, Any]]

    def words(self, name: str) -> list[Span]:
        """The words of one field that differ."""
        first, second = self.fields[name]
        return words("" if first is None else str(first), "" if second is None else str(second))


@dataclass(frozen=True)
class StepDifference:
    """A step that only one version has (`where`), or that both have with other settings or counts (first and second value each)."""

    label: str
    where: Where
    settings: dict[str, tuple[Any, Any]]
    counts: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Diff:
    """`counts` (first, second, added, removed, changed, same) are exact; of the rows at most the first 1,000 of each sort are held."""

    counts: dict[str, int]
    added: list[Row]
    removed: list[Row]
    changed: list[Change]
    reordered: bool
    steps: list[StepDifference]
    described: dict[str, tuple[Any, Any]]

    @property
    def same_rows(self) -> bool:
        return not (self.reordered or self.counts["added"] or self.counts["removed"] or self.counts["changed"])


def diff(first: Dataset, second: Dataset) -> Diff:
    """Compares two versions of the same kind. Holds a short digest a row, not the rows.

    Raises StudioError where one holds another kind of rows than the other.
    """
    if first.kind != second.kind:
        raise StudioError(f"{first.name} holds {first.kind}, {second.name} holds {second.kind}.", "Choose two versions of the same kind.")
    before, after = _digests(first.rows), _digests(second.rows)
    added = [key for key in after if key not in before]
    removed = [key for key in before if key not in after]
    changed = [key for key, digest in before.items() if key in after and after[key] != digest]
    common = len(before) - len(removed)
    counts = {
        "first": len(before),
        "second": len(after),
        "added": len(added),
        "removed": len(removed),
        "changed": len(changed),
        "same": common - len(changed),
    }
    old, new = _pick(first.rows, changed[:SHOWN]), _pick(second.rows, changed[:SHOWN])
    return Diff(
        counts,
        list(_pick(second.rows, added[:SHOWN]).values()),
        list(_pick(first.rows, removed[:SHOWN]).values()),
        [Change(key[0], _unequal(old[key], new[key])) for key in changed[:SHOWN]],
        any(one != other for one, other in zip((k for k in before if k in after), (k for k in after if k in before), strict=True)),
        compare_steps(first.details.get("steps") or [], second.details.get("steps") or []),
        _unequal(_described(first), _described(second)),
    )


def _keyed(rows: Iterable[Row]) -> Iterator[tuple[Key, Row]]:
    """Rows by id; where an id comes more than once, the first goes with the first, the second with the second."""
    seen: Counter[str] = Counter()
    for row in map(public, rows):
        name = row.get("id", "")
        seen[name] += 1
        yield (name, seen[name]), row


def _digests(rows: Iterable[Row]) -> dict[Key, bytes]:
    return {key: bytes.fromhex(content_hash(row)[:32]) for key, row in _keyed(rows)}


def _pick(rows: Iterable[Row], keys: Iterable[Key]) -> dict[Key, Row]:
    wanted = set(keys)
    return {key: row for key, row in _keyed(rows) if key in wanted} if wanted else {}


def _unequal(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*first, *second])
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def _described(dataset: Dataset) -> dict[str, Any]:
    return {"name": dataset.name, **{key: dataset.details[key] for key in DESCRIBED if key in dataset.details and key != "name"}}


def words(first: str, second: str) -> list[Span]:
    """Two texts as stretches of whole words; joining those of `both` and `first` gives the first text, `both` and `second` the second."""
    a, b = PIECE.findall(first), PIECE.findall(second)
    if max(len(a), len(b)) > LONGEST:
        a, b = [first], [second]
    spans: list[Span] = []
    for what, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if what == "equal":
            spans.append(Span("both", "".join(a[i:j])))
            continue
        spans += [Span(where, text) for where, text in (("first", "".join(a[i:j])), ("second", "".join(b[k:m]))) if text]  # type: ignore[arg-type]
    return spans


def compare_steps(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[StepDifference]:
    """Steps that differ, in order; steps are matched by what they are."""
    matcher = SequenceMatcher(None, [_name(step) for step in first], [_name(step) for step in second], autojunk=False)
    found: list[StepDifference] = []
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            found += [_step(a, b) for a, b in zip(first[i:j], second[k:m], strict=True)]
        else:
            found += [StepDifference(_label(step), "first", {}, {}) for step in first[i:j]]
            found += [StepDifference(_label(step), "second", {}, {}) for step in second[k:m]]
    return [one for one in found if one.where != "both" or one.settings or one.counts]


def _step(first: dict[str, Any], second: dict[str, Any]) -> StepDifference:
    counts = ({name: step.get(name) for name in COUNTS} for step in (first, second))
    return StepDifference(_label(first), "both", _unequal(first.get("settings") or {}, second.get("settings") or {}), _unequal(*counts))


def _name(step: dict[str, Any]) -> str:
    return str(step.get("key") or step.get("name") or "")


def _label(step: dict[str, Any]) -> str:
    return str(step.get("label") or _name(step))
