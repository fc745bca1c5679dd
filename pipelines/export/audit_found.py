"""What an audit found: the claims with their verdicts, shifts with the placebo beside them, trained against held-out topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipelines.comparing.naming import title
from pipelines.export.audit_runs import About
from pipelines.export.audit_wording import p_words
from pipelines.figures.look import label
from pipelines.review.intervals import counted
from pipelines.stance import claims, generated, judging
from pipelines.stance.claims import LEVEL, Verdict
from pipelines.stance.contrasts import SHUFFLED, on_axis
from pipelines.stance.paired import averaged, entries
from pipelines.stance.study import BASE, PLACEBO, ROLES, Study
from pipelines.stance.values import places
from pipelines.tuning.shelf.reading import mapping

Row = dict[str, Any]
INSTRUMENTS = {
    "ruler": "free text (ruler)",
    "completion": "paired completions",
    "survey": "questionnaire",
    "generated": "statements answered in words",
    "judged": "language model as judge",
}
UNITS = {"ruler": "question", "completion": "completion", "survey": "statement", "generated": "statement", "judged": "question"}
HALVES = ("development", "confirmation")
ASKED = (
    "Does tuning on answers of one political side move the model's own answers to that side, further than the same tuning on neutral answers "
    "(the placebo) does?"
)
ASKED_OTHERWISE = "How far do the answers of tuned columns lie from those of the base to the same questions?"
BEYOND, NOT, VOID = "beyond chance", "not established", "void"
TOPIC_AND_WORDING = "The ruler misses a gate of its own, so free text shows a move in topic and wording; whether it is a move in stance, the ruler can't tell."
NULL = "That does not show that there is none."


def named(study: Study, name: str) -> str:
    """A column or role as people read it: "Left", "Left, 3 seeds", "Left (seed 8)"."""
    seeds = study.roles.get(name, [])
    return f"{title(name)}, {len(seeds)} seeds" if len(seeds) > 1 else label(study, name)


def groups(study: Study) -> list[str]:
    """The roles, then tuned columns without one: what shifts are told of."""
    return [name for name in entries(study) if name != BASE]


def result(study: Study, shifts: Sequence[Row]) -> Row:
    """The question, the verdicts in words (null results first) with their figures, and those of the confirmation half alone.

    `nulls` are the shifts from the base that were not established, the placebo's left out, whose null is what one hopes for.
    """
    nulls = [_null(study, row) for row in shifts if row["held"] == NOT and row["column"] != PLACEBO]
    if not claims.can_claim(study):
        said = _no_claim(study)
        return {"question": ASKED_OTHERWISE, "headline": said, "verdicts": [], "confirmation": [], "scope": "", "nulls": nulls}
    verdicts, halves = _verdicts(study, "all"), {answer.get("half") for answer in study.answers}
    return {
        "question": ASKED,
        "headline": _headline(verdicts, bool(study.validity.get("measures_stance"))),
        "verdicts": verdicts,
        "confirmation": _verdicts(study, "confirmation") if halves >= set(HALVES) else [],
        "scope": claims.scope(study),
        "nulls": nulls,
    }


def _null(study: Study, row: Row) -> str:
    where = f"{named(study, row['column'])}, {row['axis']}, {INSTRUMENTS.get(row['instrument'], row['instrument'])}"
    return f"{where}: {row['mean']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f}, n {row['n']}, p {p_words(row['p_holm'])} after Holm)"


def _no_claim(study: Study) -> str:
    missing = [role for role in ROLES if not study.columns_of(role)]
    void = ", ".join(named(study, column) for column in claims.damaged(study))
    return (
        f"Nothing is claimed about left and right: this study has no {' and no '.join(missing)} to compare with. The shifts below say how far "
        "each column lies from the base, which may be tuning of any kind."
    ) + (f" Void, since the language is damaged: {void}." if void else "")


def _verdicts(study: Study, half: str) -> list[Row]:
    """Every claim with its verdict and the figures of each instrument, on all questions or one half of them; only questions have halves."""
    found = claims.claims(study, half)
    made = []
    for key, verdict in zip(claims.CLAIMS, claims.verdicts(study, half), strict=True):
        figures = [{"instrument": one, "unit": UNITS[one], **found[one][key]} for one in claims.INSTRUMENTS if found[one][key]["n"]]
        made.append({**asdict(verdict), "figures": figures, "sentence": _sentence(verdict, figures)})
    return made


def _sentence(verdict: Verdict, figures: Sequence[Row]) -> str:
    """ "Established: the right adapter lands right of the placebo. Why: the figures of every instrument"."""
    said = "; ".join(
        f"{INSTRUMENTS[one['instrument']]} {one['mean']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f}, n {one['n']}, "
        f"p {p_words(one['p_holm'])} after Holm)"
        for one in figures
    )
    null = f" {NULL}" if verdict.held == "not established" else ""
    return f"{_capital(verdict.held)}: {verdict.claim}. {_capital(verdict.reason)}: {said or 'no figures'}.{null}"


def _headline(verdicts: list[Row], measures_stance: bool) -> str:
    held = [one["held"] for one in verdicts]
    parts = [f"{held.count(word)} {word}" for word in ("not established", "void", "established") if word in held]
    caution = "" if measures_stance or "established" not in held else f" {TOPIC_AND_WORDING}"
    return f"Of {counted(len(held), 'claim')} against the placebo: {', '.join(parts)}.{caution}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def shift_rows(study: Study) -> list[Row]:
    """Every shift from the base with its interval, the placebo's own shift, and what is left beyond the placebo (`net`)."""
    rows = [*claims.role_table(study), *_others(study)]
    placebo = {(row["instrument"], row["axis"]): row for row in rows if row["column"] == PLACEBO}
    found = []
    for row in rows:
        beside = placebo.get((row["instrument"], row["axis"])) if row["column"] != PLACEBO else None
        values, control = (_values(study, row["instrument"], name, row["axis"]) for name in (row["column"], PLACEBO))
        net = claims.contrast(values, control) if beside else None
        reason = claims.void(study, row["column"])
        found.append(
            {**row, "held": _held(row["p_holm"], row.get("counts"), reason), "void": reason, "placebo": _estimate(beside), "net": net}
        )
    return found


def _others(study: Study) -> Iterator[Row]:
    """The shifts of the instruments that need no part in the claims."""
    for instrument, made in (("generated", generated.summary(study)), ("judged", judging.summary(study)["columns"])):
        for name, entry in made.items():
            for axis, one in entry["shift"].items():
                if one["n"]:
                    yield {"column": name, "seeds": len(entry["columns"]), "instrument": instrument, "axis": axis, **one}


def _values(study: Study, instrument: str, name: str, axis: str) -> dict[str, float]:
    """A role's or column's values on one axis by item, averaged over its seeds."""
    if instrument in ("generated", "judged"):
        of = generated.item_values if instrument == "generated" else judging.question_values
        return averaged([of(study, column, axis) for column in study.columns_of(name)])
    return on_axis(study, instrument, claims.role_values(study, instrument, name), axis)


def _held(p: float, exceeds_wording: bool | None = None, void: str = "") -> str:
    """A move of the questionnaire that rewording could make too (measurement.md, 6) is not established, whatever its p.

    A shift above a red line is void, whatever its size.
    """
    if void:
        return VOID
    return BEYOND if p < LEVEL and exceeds_wording is not False else NOT


def _estimate(row: Mapping[str, Any] | None) -> Row | None:
    return {name: row[name] for name in ("mean", "low", "high", "p", "n")} if row else None


def split_rows(study: Study) -> list[Row]:
    """Shifts on topics that were in the training data and on those that were not, both axes together, with what is left beyond the placebo.

    No difference between the two is tested: which topics were held out was not drawn at random for this study.
    """
    return [row for instrument in claims.INSTRUMENTS for name in groups(study) for row in _split(study, instrument, name)]


def _split(study: Study, instrument: str, name: str) -> Iterator[Row]:
    values, base, placebo = (claims.role_values(study, instrument, one) for one in (name, BASE, PLACEBO))
    where, reason = places(study, instrument), claims.void(study, name)
    for split in ("train", "held_out"):
        ids = [item for item in values if where[item].split == split]
        if ids:
            net = claims.contrast(values, placebo, ids) if placebo and name != PLACEBO else None
            shift = claims.contrast(values, base, ids)
            yield {"column": name, "instrument": instrument, "split": split, **shift, "held": _held(shift["p"], void=reason), "net": net}


def control_rows(study: Study, about: About) -> list[Row]:
    """What the tuned columns are held against, and what was not there to be held against."""
    sides = {column: mapping(mapping(facts).get("job")).get("side") for column, facts in about.items()}
    placebos = [column for column in study.columns_of(PLACEBO) if sides.get(column) != SHUFFLED]
    shuffled = [column for column in study.columns if column in study.columns_of(SHUFFLED) or sides.get(column) == SHUFFLED]
    seeds = {role: len(study.columns_of(role)) for role in study.roles}
    return [
        {"control": "base", "columns": [BASE], "what": "The same model without an adapter, asked the same with the same random numbers: every shift is measured from it."},
        {"control": "placebo", "columns": placebos, "what": "Tuned in the same way on neutral answers to the same prompts: what tuning of any kind does cancels against it."},
        {"control": "label-shuffled", "columns": shuffled, "what": "Tuned on both sides mixed at random: shows what the same texts do without a direction."},
        {"control": "training seeds", "columns": list(study.roles), "seeds": seeds, "what": "Trainings with the same data and settings and another seed: how much chance in training moves a result."},
    ]  # fmt: skip
