"""Exact and near-duplicate rows: MinHash (rensa) finds candidates, their word triples are compared before one is dropped."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.corpus.checks.records import Kind, Light, Mended, Row, answer_fields, count, grade, kind_of, percent, split, texts, words

NEAR = 0.6  # Jaccard similarity of word triples: one changed word in twelve; no two bundled rows share more than 0.03
PERMUTATIONS, BANDS = 64, 32  # bands of two: a pair at NEAR is missed once in a million; far pairs are sorted out by comparing
RED_SHARE = 0.05  # then the set is at least a twentieth smaller than it looks
SEED = 1


def duplicate_of(rows: Sequence[Row], kind: Kind) -> dict[int, tuple[int, float]]:
    """By place of a later row: the place of the earliest row like it, and their Jaccard similarity (1 = the same words)."""
    columns = ("prompt", *answer_fields(kind, rows))
    listed = [
        [word for column in columns for word in words(text)]
        for text in map("\n".join, zip(*(texts(rows, c) for c in columns), strict=True))
    ]
    return near_duplicates(listed)


def near_duplicates(documents: Sequence[Sequence[str]]) -> dict[int, tuple[int, float]]:
    """The same for documents that are given as lists of words."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS, num_bands=BANDS)
    triples = [_triples(document) for document in documents]
    found: dict[int, tuple[int, float]] = {}
    exact: dict[tuple[str, ...], int] = {}
    for place, grams in enumerate(triples):
        first = exact.setdefault(tuple(documents[place]), place)
        if first != place:
            found[place] = (first, 1.0)
            continue
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
        sketch.update(list(grams))
        likest = max(((_jaccard(grams, triples[other]), -other) for other in index.query(sketch)), default=(0.0, 0))
        if likest[0] >= NEAR:
            found[place] = (-likest[1], likest[0])
        else:
            index.insert(place, sketch)
    return found


def _triples(document: Sequence[str]) -> frozenset[str]:
    return frozenset(" ".join(document[n : n + 3]) for n in range(max(1, len(document) - 2)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def duplicate_light(rows: Sequence[Row], kind: Kind) -> Light:
    """How many later rows repeat an earlier one."""
    title = "Near-duplicates"
    found = duplicate_of(rows, kind)
    exact = sum(similarity == 1.0 for _, similarity in found.values())
    share = len(found) / max(1, len(rows))
    state = grade(share, 1e-9, RED_SHARE)
    figures = {"exact": exact, "near": len(found) - exact, "share": share}
    if not found:
        return Light("duplicates", title, state, "No row repeats another one.", figures=figures)
    sentence = (
        f"Repeats of an earlier row: {len(found):,} of {len(rows):,} ({percent(share)}), {exact:,} word for word. "
        "They weigh double in training, and the set is smaller than it looks."
    )
    ids = tuple(rows[place]["id"] for place in found)
    return Light("duplicates", title, state, sentence, ids, "duplicates", f"Drop {count(len(found), 'later row')}", figures)


def mend_duplicates(rows: Sequence[Row], light: Light) -> Mended:
    """Drops the later row of each pair. Works by place, since a copied row may carry the same id."""
    found = duplicate_of(rows, kind_of(rows))
    places = iter(range(len(rows)))
    return split(rows, lambda row: _reason(rows, found.get(next(places))))


def _reason(rows: Sequence[Row], like: tuple[int, float] | None) -> str:
    if like is None:
        return ""
    first, similarity = like
    return (
        f"the same words as {rows[first]['id']}"
        if similarity == 1.0
        else f"{similarity:.0%} of its word triples are those of {rows[first]['id']}"
    )
