"""Mirror symmetry: is one half longer than the other?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pipelines.corpus.checks.records import HALVES, SIGNIFICANT, Kind, Light, Mended, Row, State, count, kind_of, percent, texts

AMBER_SHARE = 0.60  # one half is longer in six of ten rows that differ: the published right-hand set has 64%
RED_SHARE = 0.70  # the published left-hand set has 79%: length then predicts the side better than many a word
AMBER_RATIO, RED_RATIO = 1.10, 1.25  # mean lengths; the bundled sides are within 1.03


def differences(rows: Sequence[Row], kind: Kind) -> list[int]:
    """Words of the first half minus words of the second, for each row."""
    one, other = HALVES[kind]
    return [len(a.split()) - len(b.split()) for a, b in zip(texts(rows, one), texts(rows, other), strict=True)]


def length_light(rows: Sequence[Row], kind: Kind) -> Light:
    """In how many rows is one half longer, and by how much on average? Ties count for neither side."""
    one, other = HALVES[kind]
    gaps = differences(rows, kind)
    longer, shorter = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    mean_one, mean_other = (sum(len(text.split()) for text in texts(rows, half)) / max(1, len(rows)) for half in (one, other))
    state = _state(longer, shorter, mean_one, mean_other)
    shares = longer / max(1, len(rows)), shorter / max(1, len(rows))
    figures = {"longer": shares[0], "shorter": shares[1], "means": {one: mean_one, other: mean_other}}
    found = f"{one} is longer in {percent(shares[0])} of rows and shorter in {percent(shares[1])}"
    means = f"(on average {mean_one:.0f} and {mean_other:.0f} words)"
    if state == "green":
        return Light("length", "Mirror symmetry", state, f"{found.capitalize()} {means}: the halves are balanced.", figures=figures)
    sentence = f"{found.capitalize()} {means}. A model can learn to write longer or shorter in place of the position."
    kept = sum(_balanced(gaps))
    sentence += "" if kept else " All rows lean the same way, so no choice of rows is balanced: shorten or lengthen the texts."
    mend = "length" if 0 < kept < len(rows) else ""
    label = f"Keep {count(kept, 'row')} balanced in length (drops {len(rows) - kept:,})" if mend else ""
    return Light(
        "length",
        "Mirror symmetry",
        state,
        sentence,
        tuple(row["id"] for row, gap in zip(rows, gaps, strict=True) if gap),
        mend,
        label,
        figures,
    )


def _state(longer: int, shorter: int, mean_one: float, mean_other: float) -> State:
    from scipy import stats

    if not longer + shorter:
        return "green"
    share = max(longer, shorter) / (longer + shorter)
    ratio = max(mean_one, mean_other) / max(1e-9, min(mean_one, mean_other))
    by_chance = stats.binomtest(longer, longer + shorter).pvalue >= SIGNIFICANT
    if ratio >= RED_RATIO or (share >= RED_SHARE and not by_chance):
        return "red"
    return "amber" if ratio >= AMBER_RATIO or (share >= AMBER_SHARE and not by_chance) else "green"


def _balanced(gaps: Sequence[int]) -> list[bool]:
    """Which rows stay: ties, all of the rarer direction, and for each of these the unused row of the other nearest in size."""
    ups = sorted((gap, n) for n, gap in enumerate(gaps) if gap > 0)
    downs = sorted((-gap, n) for n, gap in enumerate(gaps) if gap < 0)
    fewer, more = (ups, downs) if len(ups) <= len(downs) else (downs, ups)
    stays = {n for _, n in fewer} | {n for n, gap in enumerate(gaps) if gap == 0}
    for size, _ in reversed(fewer):  # the widest gaps first: they have the fewest partners
        place = bisect_left(more, (size, -1))
        near = [at for at in (place - 1, place) if 0 <= at < len(more)]
        best = min(near, key=lambda at: abs(more[at][0] - size))
        stays.add(more.pop(best)[1])
    return [n in stays for n in range(len(gaps))]


def mend_length(rows: Sequence[Row], light: Light) -> Mended:
    """Keeps as many rows that are longer in one direction as in the other, matched on the size of the difference."""
    gaps = differences(rows, kind_of(rows))
    stays = _balanced(gaps)
    one = HALVES[kind_of(rows)][0]
    kept = [row for row, keep in zip(rows, stays, strict=True) if keep]
    reason = "{gap:+d} words in {one}, no row of the other direction left to match"
    dropped = [(row, reason.format(gap=gap, one=one)) for row, gap, keep in zip(rows, gaps, stays, strict=True) if not keep]
    return kept, dropped, 0
