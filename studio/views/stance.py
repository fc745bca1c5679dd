"""What a study says in words and tables: claims, shifts, how far training seeds differ, and how far the ruler can be trusted."""

from __future__ import annotations

from typing import Any

from pipelines import bundled
from pipelines.figures.look import label
from pipelines.figures.plane import plot
from pipelines.records import AXES
from pipelines.stance import claims, sentences
from pipelines.stance.sentences import signed
from pipelines.stance.study import ROLES, Study
from studio.views import messages
from studio.views.cards import title
from studio.views.stance_survey import questionnaire
from studio.views.stance_tables import INSTRUMENTS, between, called, folded, interval, listed, p

__all__ = ["plot", "shifts", "validity", "verdict"]

AXIS = {"ruler": "free text", "completion": "completion", "survey": "questionnaire"}
HEAD = ["Column", "Instrument", "Axis", "Shift from base", "95% interval", "p (Holm)", "dz", "n"]


def shifts(study: Study) -> str:
    """The shifts from base with 95% intervals; of a role with several seeds the mean over them, with each seed's below."""
    found = claims.role_table(study)
    forms, broken = any(row["counts"] is not None for row in found), any(row["void"] for row in found)
    rows = [
        [
            called(study, row["column"], row["seeds"]),
            INSTRUMENTS[row["instrument"]],
            row["axis"],
            signed(row["mean"]),
            interval(row["low"], row["high"]),
            p(row["p_holm"]),
            "" if row["dz"] is None else f"{row['dz']:+.2f}",
            str(row["n"]),
            *([_beyond(row)] if forms else []),
            *([f"void: {row['void']}" if row["void"] else ""] if broken else []),
        ]
        for row in found
    ]
    head = [*HEAD, *(["More than wording does?"] if forms else []), *(["Void?"] if broken else [])]
    said = messages.table(head, rows, numbers=(3, 4, 5, 6, 7))
    names = list(dict.fromkeys(row["column"] for row in found))
    lines = [sentences.claim(study, instrument, name, axis) for name in names for instrument in claims.INSTRUMENTS for axis in AXES]
    return said + folded("The same as sentences", listed(lines)) + _spread(study)


def _beyond(row: dict[str, Any]) -> str:
    """Whether a move in the questionnaire is more than twice the SD over prompt forms; nothing for an instrument without forms."""
    if row["counts"] is None or row["void"]:
        return ""
    chance = "yes" if row["p_holm"] < claims.LEVEL else "more than wording, not more than chance"
    return f"{chance if row['counts'] else 'no, does not count'} (SD over forms {row['form_sd']:.3f})"


def _spread(study: Study) -> str:
    """How far a role's training seeds differ, then every seed's own mean shifts; nothing where there is one seed a role."""
    spread = claims.seed_spread(study)
    if not spread:
        return ""
    rows = [
        [
            title(row["role"]) + (" (void)" if claims.void(study, row["role"]) else ""),
            INSTRUMENTS[row["instrument"]],
            row["axis"],
            str(row["seeds"]),
            signed(row["mean"]),
            f"{row['sd']:.2f}",
            interval(row["low"], row["high"]),
        ]
        for row in spread
    ]
    head = ["Role", "Instrument", "Axis", "Seeds", "Mean shift", "SD between seeds", "Lowest to highest"]
    return (
        between(
            "Spread between training seeds: how much the mean shift differs from one training to the next with the same data and settings. "
            f"Training seeds are the unit for claims about a recipe: {claims.ENOUGH_SEEDS} or more."
        )
        + messages.table(head, rows, numbers=(3, 4, 5, 6))
        + folded("Each adapter by itself: mean shift from the base", _by_seed(study))
    )


def _by_seed(study: Study) -> str:
    """One row an adapter, one cell an instrument and axis."""
    found: dict[str, dict[str, str]] = {}
    for row in claims.seed_means(study):
        found.setdefault(row["column"], {})[f"{AXIS[row['instrument']]}, {row['axis']}"] = signed(row["mean"])
    head = list(dict.fromkeys(cell for cells in found.values() for cell in cells))
    broken = claims.damaged(study)
    rows = [
        [label(study, name) + (" (void)" if name in broken else ""), *(cells.get(cell, "") for cell in head)]
        for name, cells in found.items()
    ]
    return messages.table(["Column", *head], rows, numbers=tuple(range(1, len(head) + 1)))


def verdict(study: Study) -> str:
    """What can be claimed about left and right against the placebo, with the figures of both instruments."""
    if not claims.can_claim(study):
        return messages.note(_no_claim(study))
    said = messages.table(["Claim", "", "Why"], [[v.claim, v.held, v.reason] for v in claims.verdicts(study)])
    said += between(claims.scope(study)) + listed(_moved(study))
    if not study.notes.get("same_settings", True):
        said = messages.error("The runs of this group differ in more than data and seed, so the placebo is no fair control.") + said
    found = claims.claims(study, "all")
    rows = [
        [
            INSTRUMENTS[instrument],
            key.replace("_minus_", " − "),
            f"{one['mean']:+.2f}",
            interval(one["low"], one["high"]),
            p(one["p_holm"]),
            str(one["n"]),
        ]
        for instrument in claims.INSTRUMENTS
        for key, one in found[instrument].items()
        if one["n"]
    ]
    return said + messages.table(["Instrument", "Difference", "Mean", "95% interval", "p (Holm)", "n"], rows, numbers=(2, 3, 4, 5))


def _moved(study: Study) -> list[str]:
    """What each claim rests on, over both axes, beside the placebo."""
    return [sentences.claim(study, instrument, side) for side in claims.SIDES.values() for instrument in claims.INSTRUMENTS]


def _no_claim(study: Study) -> str:
    """Why nothing is said about left and right."""
    others = [role for role in study.roles if role not in ROLES]
    if others:
        return (
            f"These adapters were tuned towards {' and '.join(f'“{role}”' for role in others)}, not towards left and right: which of them is which only "
            "their data says. So nothing is claimed about left and right; the shifts below say how far each moved from the base."
        )
    return "Choose left, right and placebo together to see what can be claimed against the placebo."


def validity(study: Study) -> str:
    """What the ruler can and can't do, in sentences, and whether the models can answer the questionnaire."""
    return _ruler(study) + questionnaire(study)


def _ruler(study: Study) -> str:
    v = study.validity
    auc = ", ".join(f"{axis} {value:.2f}{_of_topics(study, 'auc', axis)}" for axis, value in v["auc"].items())
    text = (
        f"How far to trust the ruler: it tells left from right answers on topics it was not fitted on with AUC {auc} (0.5 is chance, 1 perfect; the gate is .75), "
        f"places neutral answers at {v['neutral']['economic']:+.2f} and {v['neutral']['social']:+.2f} (the sides are at -1 and +1), "
        f"and changes sign for {v['flip']:.0%} of statements turned into their opposite{_of_topics(study, 'flip')} (the gate is 60%). It hardly notices a “not” ({v['negation']:.0%}). "
    )
    if v["measures_stance"]:
        return messages.good(text + "It passes the gates, so the plot is titled “Stance”.")
    return messages.info(
        text
        + "It misses a gate, so the plot shows topic and wording rather than stance: read shifts against the placebo, and the paired completions beside it."
    )


def _of_topics(study: Study, figure: str, axis: str = "") -> str:
    """ " (95% interval 0.61 to 0.90, n = 16 topics)"; nothing for older studies, which hold none."""
    stored, topics = study.validity.get(f"{figure}_interval"), study.validity.get("topics") or {}
    statements = f"{len(bundled.items('proposition'))} statements, drawn by topic"
    found = stored.get(axis) if axis and stored else stored
    if not found:
        return ""
    low, high = (f"{end:.2f}" if axis else f"{end:.0%}" for end in found)
    n = (f"{topics[axis]} topics" if axis in topics else "") if axis else statements
    return f" (95% interval {low} to {high}{f', n = {n}' if n else ''})"
