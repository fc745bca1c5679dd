"""Left, right and placebo against each other in tables and sentences: over items and over training seeds; one result, or two."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.figures.dots import CONTRASTS
from pipelines.stance import contrasts, sentences
from pipelines.stance.contrasts import ITEMS, SEEDS, Comparison, Contrast
from pipelines.stance.sentences import signed
from pipelines.stance.statistics import LEVEL
from pipelines.stance.study import Study
from studio.views import messages
from studio.views.stance_tables import INSTRUMENTS, between, folded, interval, listed, p

HEAD = ["Contrast", "Instrument", "Axis", "Unit", "Mean", "95% interval", "p (Holm)", "n"]
EXPLAIN = (
    "Direction is (right − left) / 2, where the placebo and whatever both learned cancel; drift is (right + left) / 2, what both moved alike; "
    "right and left − placebo is what is left beyond tuning as such. Over items it speaks about these adapters, over training seeds about "
    f"the recipe ({contrasts.ENOUGH_SEEDS} or more)."
)


def table(study: Study, half: str = "all") -> str:
    """Every contrast of a study with both units; what is missing is said."""
    rows = contrasts.contrasts(study, half)
    if not rows:
        return messages.note("Contrasts need left and right, or one of them and a placebo.")
    said = _void(study) + between(EXPLAIN) + _table(rows) + _limits(rows)
    missing = contrasts.why_no_seeds(study)
    return said + (between(missing) if missing else "") + folded("The same as sentences", listed(map(sentences.contrast, rows)))


def _void(study: Study) -> str:
    """Which contrasts a red line voids, and why."""
    reasons = {name: contrasts.void(study, name) for name in contrasts.available(study)}
    return "".join(
        messages.error(f"Void: {', '.join(CONTRASTS[name] for name, one in reasons.items() if one == reason)}, since {reason}.")
        for reason in dict.fromkeys(filter(None, reasons.values()))
    )


def comparison(found: Comparison) -> str:
    """Two results against each other: the differences, then each one's own contrasts."""
    first, second = found.names
    about = (
        f"Difference: {first} minus {second}. Over items both answered the same ones; over training seeds they are two independent groups."
    )
    shown = between(about) + _table(found.differences) + _limits(found.differences)
    return (
        shown + listed(_verdict(row, found.names) for row in found.differences) + folded(first, _table(found.first))
        + folded(second, _table(found.second))
    )  # fmt: skip


def _verdict(row: Contrast, names: tuple[str, str]) -> str:
    """A sentence for each difference in direction: beyond chance or not, and of what it speaks."""
    if row.name != "direction":
        return ""
    about = (
        "two groups of adapters" if row.unit == ITEMS else "two recipes" if row.n >= contrasts.ENOUGH_SEEDS else "too few training seeds"
    )
    differ = row.p_holm < 1 - LEVEL
    said = f"{names[0]} and {names[1]} differ" if differ else f"No difference between {names[0]} and {names[1]} is shown"
    return (
        f"{said} in direction, {row.axis}, {sentences.FRAMES[row.instrument]}: {row.mean:+.2f} (95% interval {row.low:+.2f} to {row.high:+.2f}, "
        f"p {sentences.p_value(row.p_holm)}), over {row.n} {row.unit}; it speaks about {about}."
    )


def _table(rows: Sequence[Contrast]) -> str:
    cells = [
        [
            CONTRASTS[row.name],
            INSTRUMENTS[row.instrument],
            row.axis,
            row.unit,
            signed(row.mean),
            interval(row.low, row.high),
            p(row.p_holm),
            str(row.n),
        ]
        for row in rows
    ]
    return messages.table(HEAD, cells, numbers=(4, 5, 6, 7))


def _limits(rows: Sequence[Contrast]) -> str:
    """That with few training seeds no p can be small, where that is so."""
    few = {(row.n, row.least_p) for row in rows if row.unit == SEEDS and row.least_p > 1 - LEVEL}
    return "".join(between(f"With {n} training seeds p can't be below {least:.3f}: read the interval.") for n, least in sorted(few))
