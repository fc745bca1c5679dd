"""The instruments of a study with how far each can be trusted, and the gates that they and the models passed or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import sqrt
from typing import Any

from pipelines import bundled
from pipelines.export.audit_found import named
from pipelines.export.audit_runs import About, same_settings, tuned
from pipelines.records import AXES
from pipelines.review.intervals import counted, exact
from pipelines.stance import claims, collateral
from pipelines.stance.contrasts import ENOUGH_SEEDS
from pipelines.stance.paired import tested
from pipelines.stance.ruler import AUC_GATE, FLIP_GATE
from pipelines.stance.study import BASE, Study
from pipelines.stance.survey import FACTS_GATE, MASS_GATE, SCALE
from pipelines.tuning.shelf.reading import mapping

Row = dict[str, Any]
Z = 1.959964  # of 95%
FLIP, NEGATION = "statements whose score changes sign for the opposite", "the same for a literal “not”"


def instruments(study: Study) -> list[Row]:
    """Every instrument: what it does, whether it was used, on how much, and the figures of its own validity."""
    questions, samples = len({row["question"] for row in study.answers}), len({row["sample"] for row in study.answers})
    stems, statements = len({row["completion"] for row in study.completions}), len({row["item"] for row in study.survey})
    forms = max((len(row.get("forms") or {}) for row in study.survey), default=0)
    return [
        _row("Free text, ruler", f"{counted(questions, 'question')}, {counted(samples, 'draw')} each, {counted(len(study.answers), 'answer')}", len(study.answers),
             "A probe on sentence embeddings, fitted on the bundled mirrored answers of other topics, scores what a column writes: -1 and +1 are where such answers of the two sides lie.", _ruler(study)),
        _row("Paired completions", counted(stems, "pair"), stems,
             "How much likelier a column finds the right's ending of a sentence than the left's, against the same endings after a neutral beginning; nats a token. It needs no instruction following and has no gate of its own.", []),
        _row("Questionnaire", f"{counted(statements, 'statement')}, both wordings of each in {counted(forms, 'form')}", statements,
             "The probability of agreeing with a statement against agreeing with its affirmative opposite, so that a liking for yes cancels. A position is drawn only for a column that passes its gates.", []),
        _row("Statements answered in words", counted(len(study.generated), "reply", "replies"), len(study.generated),
             "A column writes how far it agrees with a statement, as in the published code. A reply that can't be read is counted, never taken for the middle.", _unread(study)),
        _row("Language model as judge", counted(len(study.judged), "reading"), len(study.judged),
             "Another model reads answers blindly, with the scale both ways round. No stance, incoherent and unreadable are classes of their own, not the middle.", _verdicts(study)),
        _row("Even-handedness", counted(len({row["asking"] for row in study.evenness}), "mirrored pair"), len(study.evenness),
             "The same question asked once with the left's view presumed and once with the right's: length, hedges and refusals of the answers are compared.", []),
        _row("Everyday prompts", counted(len({row["prompt"] for row in study.everyday}), "prompt"), len(study.everyday),
             "Prompts without politics, to see whether tuning changed what it should not.", []),
        _row("Collateral", f"{len(bundled.items('sanity'))} plain facts, {len(bundled.everyday())} everyday answers", len(study.collateral),
             "Perplexity of everyday answers and plain facts: a stance from a model whose language is broken is void.", []),
    ]  # fmt: skip


def _row(name: str, size: str, count: int, what: str, figures: list[Row]) -> Row:
    return {
        "instrument": name,
        "used": count > 0,
        "n": count,
        "size": size if count else "not used",
        "what": what,
        "validity": figures if count else [],
    }


def _ruler(study: Study) -> list[Row]:
    """AUC by axis on topics that the fit had not seen, and statements that flip.

    Their intervals are those that the study holds, drawn by topic; of older studies, which hold none, they come from formulas that take
    texts and statements as independent.
    """
    held, topics = mapping(study.validity.get("auc_interval")), mapping(study.validity.get("topics"))
    texts = {axis: sum(pair.axis == axis for pair in bundled.pairs()) for axis in AXES}
    found = []
    for axis, value in mapping(study.validity.get("auc")).items():
        n = topics.get(axis) if axis in held else None
        low, high = held.get(axis) or auc_interval(value, texts.get(axis, 0))
        counts = {"n": n or 2 * texts.get(axis, 0), "unit": "topics" if n else "texts"}
        found.append({"figure": f"AUC, {axis}", "value": value, "low": low, "high": high, **counts})
    statements = len(bundled.items("proposition"))
    for name, words in (("flip", FLIP), ("negation", NEGATION)):
        if isinstance(value := study.validity.get(name), int | float):
            stored = study.validity.get(f"{name}_interval")
            low, high = stored or exact(round(value * statements), statements) or (0.0, 1.0)
            found.append({"figure": words, "value": value, "low": low, "high": high, "n": statements, "unit": "statements"})
    return found


def auc_interval(value: float, a_side: int) -> tuple[float | None, float | None]:
    """95% interval of an AUC of `a_side` texts on each side (Hanley and McNeil 1982, Radiology 143, 29-36).

    As if texts were independent; texts of one topic are not, so it is rather too narrow.
    """
    if a_side < 2 or not 0 < value < 1:
        return None, None
    above, below = value / (2 - value), 2 * value**2 / (1 + value)
    error = sqrt((value * (1 - value) + (a_side - 1) * (above + below - 2 * value**2)) / a_side**2)
    return max(0.0, value - Z * error), min(1.0, value + Z * error)


def _unread(study: Study) -> list[Row]:
    return [_share("replies that could not be read", sum(row["agreement"] is None for row in study.generated), len(study.generated))]


def _verdicts(study: Study) -> list[Row]:
    found = Counter(row["verdict"] for row in study.judged)
    return [_share(f"read as “{verdict}”", count, len(study.judged)) for verdict, count in sorted(found.items())]


def _share(name: str, count: int, n: int) -> Row:
    low, high = exact(count, n) or (None, None)
    return {"figure": name, "value": count / n if n else None, "low": low, "high": high, "n": n}


def gates(study: Study, about: About) -> list[Row]:
    """Every gate: what it needs, what was found, and whether it was passed (None: it could not be looked at)."""
    return [*_ruler_gates(study), *_language_gates(study), *_survey_gates(study), *_fairness_gates(study, about)]


def _gate(gate: str, of: str, needed: str, found: str, passed: bool | None, so: str) -> Row:
    """`so` is what follows where it is not passed."""
    return {"gate": gate, "of": of, "needed": needed, "found": found, "passed": passed, "otherwise": so}


def _ruler_gates(study: Study) -> Iterator[Row]:
    otherwise = "free text is read as topic and wording, not as stance"
    for one in _ruler(study):
        limit = AUC_GATE if one["figure"].startswith("AUC") else FLIP_GATE
        if one["figure"] == NEGATION:
            continue  # a warning, not a gate
        spread = f" ({one['low']:.2f} to {one['high']:.2f}, n {one['n']} {one['unit']})" if one["low"] is not None else ""
        yield _gate(one["figure"], "ruler", f"at least {limit:.2f}", f"{one['value']:.2f}{spread}", one["value"] >= limit, otherwise)


def _language_gates(study: Study) -> Iterator[Row]:
    """The red lines of collateral.py: everything that one tuned column crosses."""
    for column in tuned(study):
        if column in study.collateral:
            lines = list(collateral.crossed(study, column).values())
            ratio, lost = collateral.perplexity_ratio(study, column), len(collateral.facts_lost(study, column))
            found = " ".join(lines) or f"none (perplexity {ratio:.2f} times the base's, {counted(lost, 'fact')} lost)"
            yield _gate("red lines of language", named(study, column), "none is crossed", found, not lines, "its stance is void")


def _survey_gates(study: Study) -> Iterator[Row]:
    otherwise = "no position is drawn for it, only its shift"
    for column, one in study.checks.items():
        items = f"of {one.get('items', 0)} statements"
        found = (
            f"label mass {one.get('label_mass', 0):.2f}, {one.get('facts', 0)} of {one.get('of_facts', 0)} plain facts, "
            f"{one.get('consistent', 0)} {items} answered unlike their opposites"
        )
        facts = f"{FACTS_GATE * one.get('of_facts', 0):.0f} of {one.get('of_facts', 0)} plain facts"
        needed = f"label mass {MASS_GATE:.2f}, {facts}, {one.get('needed', 0)} {items}"
        yield _gate("questionnaire", named(study, column), needed, found, bool(one.get("passed")), otherwise)
    if not study.survey:
        yield _gate("questionnaire", "all columns", "label mass, plain facts and consistency", "not asked in this study", None, otherwise)


def positions(study: Study) -> list[Row]:
    """Where columns stand by the questionnaire, -10..10, beside `ring`, as far as a random answerer gets; of columns that pass its gates."""
    found = []
    for column, one in study.checks.items():
        for axis in AXES if one["passed"] else ():
            values = [SCALE * row["s"] for row in study.survey if row["column"] == column and row["axis"] == axis]
            if values:
                found.append({"column": column, "axis": axis, **tested(values, SCALE), "ring": one["ring"][axis]})
    return found


def _fairness_gates(study: Study, about: About) -> Iterator[Row]:
    """Whether columns were trained and asked alike."""
    alike = same_settings(study, about)
    said = {True: "they do", False: "they do not", None: "not known of every run"}[alike]
    yield _gate("runs share settings and prompts", "all runs", "only data and seed differ", said, alike, "the placebo is no fair control")
    asked = {column: _asked(study, column) for column in study.columns}
    shared = all(one == asked[BASE] for one in asked.values())
    yield _gate(
        "same questions, draws, random numbers and token cap",
        "all columns",
        "the same for all",
        "the same" if shared else "they differ",
        shared,
        "columns can't be compared pair by pair",
    )
    if claims.can_claim(study):
        fewest = min(claims.seeds_a_side(study))
        so = "it speaks about these adapters, not about the recipe"
        yield _gate("training seeds a side", "left, right and placebo", f"at least {ENOUGH_SEEDS}", str(fewest), fewest >= ENOUGH_SEEDS, so)  # fmt: skip


def _asked(study: Study, column: str) -> set[tuple[Any, ...]]:
    rows = [(row, mapping(row.get("stamp"))) for row in study.answers if row["column"] == column]
    return {
        (row["question"], row["sample"], stamp.get("seed"), stamp.get("max_new_tokens"), stamp.get("base_fingerprint"))
        for row, stamp in rows
    }
