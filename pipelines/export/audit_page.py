"""An audit as one page that opens offline: what was asked and found comes first, then how it was made, then what it does not show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.export import audit_figures
from pipelines.export import audit_tables as tables
from pipelines.export import review_html as html
from pipelines.export.audit_figures import Figure
from pipelines.export.audit_found import INSTRUMENTS
from pipelines.export.audit_wording import amount, estimate, p_of, spread, text, time

Report = Mapping[str, Any]
Row = Mapping[str, Any]
TRAINED = {"steps": "Steps", "kept_step": "Kept", "rows": "Rows", "rows_too_long": "Too long, left out", "first_loss": "First loss", "last_loss": "Last loss", "seconds": "Seconds"}  # fmt: skip
PROBE = "A probe during training: a few questions, one answer each, no interval. It is a look, not a measurement."


def page(report: Report, figures: Sequence[Figure] = ()) -> str:
    """The whole file. `figures` are (title, figure, words). Everything that people or models wrote is escaped, and hidden signs are shown."""
    report = visible(report)
    made = [(visible(title), figure, visible(words)) for title, figure, words in figures]
    parts = [
        html.section("What was asked and what was found", _found(report)),
        html.section("Data", _data(report)),
        html.section("Recipe and training", _training(report)),
        html.section("Instruments", _instruments(report)),
        html.section("Gates", _gates(report)),
        html.section("Shifts from the base", tables.shifts(report)),
        html.section("Figures", audit_figures.section(made)),
        html.section("Controls", tables.controls(report)),
        html.section("Trained against held-out topics", tables.splits(report)),
        html.section("Collateral", tables.collateral(report)),
        html.section("Even-handedness", tables.evenness(report)),
        html.section("Everyday answers before and after", tables.everyday(report)),
        html.section("Sample answers", tables.samples(report)),
        html.section("Human review", tables.review(report)),
        html.section("Limits", [html.items(report["limits"])]),
        html.section("Versions", tables.versions(report)),
        html.section("The four headings of the 2026 audit", _headings(report)),
    ]
    head = [html.notice(report["mark"]), html.tag("h1", report["title"]), html.tag("p", f"Made {time(report['made'])}.", "muted")]
    whole = html.page(report["title"], [*head, *(part for part in parts if part)])
    return audit_figures.with_scripts(whole, audit_figures.scripts(made))


def visible(value: Any) -> Any:
    """The same with signs that change the direction of writing, and other control signs, written out: "[U+202E]"."""
    if isinstance(value, Mapping):
        return {visible(name): visible(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [visible(one) for one in value]
    return html.visible(value) if isinstance(value, str) else value


def _found(report: Report) -> Iterator[str]:
    result = report["result"]
    yield html.tag("p", f"Question: {result['question']}")
    yield html.tag("p", result["headline"], "headline")
    verdicts = sorted(result["verdicts"], key=lambda one: one["held"] == "established")
    yield html.findings([one["sentence"] for one in verdicts])
    if result["scope"]:
        yield html.tag("p", result["scope"])
    rows = [
        _claim(half, one, figure, number == 0)
        for half in ("verdicts", "confirmation")
        for one in result[half]
        for number, figure in enumerate(one["figures"])
        if half == "verdicts" or figure["instrument"] == "ruler"
    ]
    yield html.table(
        "Differences from the placebo. Recipes and the ruler were chosen on the development half of the questions; the confirmation half alone "
        "is quoted whatever it says. Only free text has halves",
        ["Claim", "Questions", "Verdict of all instruments", "Instrument", "Difference", "95%", "p (Holm)", "n"],
        rows,
    )
    if result["nulls"]:
        yield html.tag("h3", "Shifts from the base that were not established")
        yield html.items(result["nulls"])


def _claim(half: str, one: Row, figure: Row, first: bool) -> list[str]:
    """A row an instrument; the verdict, which rests on all of them, stands in the first one only."""
    questions = "all" if half == "verdicts" else "confirmation half"
    about = [one["claim"], questions, one["held"] if first else "", INSTRUMENTS[figure["instrument"]]]
    return [*about, amount(figure["mean"]), spread(figure), p_of(figure), str(figure["n"])]


def _data(report: Report) -> Iterator[str]:
    rows = [
        [report["columns"][one["column"]], *(text(one[name]) for name in ("name", "kind", "side", "rows_used", "run", "created"))]
        for one in report["data"]
        if one["found"]
    ]
    head = ["Column", "Data", "Kind", "Side", "Rows", "Run", "Started"]
    yield html.table("What each adapter was trained on, found by the fingerprint of its weights", head, rows)
    unknown = [report["columns"][one["column"]] for one in report["data"] if not one["found"]]
    if unknown:
        yield html.tag("p", f"Not known: no run here ended with the weights of {', '.join(unknown)}.")
    known = [one for one in report["data"] if one["found"]]
    yield html.items([f"{report['columns'][one['column']]}: SHA-256 {text(one['hash'])}. {_filters(one)}" for one in known])


def _filters(one: Row) -> str:
    """How its rows were selected."""
    if one["filters"] is None:
        return "How its rows were selected is not described here: the run names them by this hash alone."
    steps = [f"{text(step['label'] or step['key'])} ({text(step['before'])} rows, {text(step['after'])} after)" for step in one["filters"]]
    source = text((one["source"] or {}).get("reference"))
    return f"Source: {source}. {'; '.join(steps) or 'Its rows are as they were in the source, no filter was applied'}."


def _training(report: Report) -> Iterator[str]:
    recipe = report["recipe"]
    if recipe["shared"]:
        yield html.tag("p", f"Settings that {_listed(report, recipe['columns'])} share:")
        yield html.facts([(name.replace("_", " "), text(value)) for name, value in recipe["shared"].items()])
    names = list(dict.fromkeys(name for one in recipe["different"].values() for name in one))
    rows = [[report["columns"][column], *(text(one[name]) for name in names)] for column, one in recipe["different"].items()]
    if names:
        yield html.table("Settings in which they differ", ["Column", *(name.replace("_", " ") for name in names)], rows)
    rows = [
        [report["columns"][one["column"]], *(text(one.get(name)) for name in TRAINED), _guard(one), _probed(one)]
        for one in report["training"]
    ]
    yield html.table(f"Training. {PROBE}", ["Column", *TRAINED.values(), "Collapse guard", "Shift seen in the probe"], rows)


def _guard(one: Row) -> str:
    events = one.get("guard")
    if events is None:
        return "not recorded"
    return " ".join(f"Step {text(event.get('step'))}: {text(event.get('text'))}" for event in events) or "did not fire"


def _probed(one: Row) -> str:
    shift = one.get("shift") or {}
    return "; ".join(f"{axis} {amount(value)}" for axis, value in shift.items()) or "not looked at"


def _instruments(report: Report) -> Iterator[str]:
    yield html.table("What each one does, and on how much it was used", ["Instrument", "Used on", "What it does"], [[one["instrument"], one["size"], one["what"]] for one in report["instruments"]])  # fmt: skip
    rows = [
        [
            one["instrument"],
            figure["figure"],
            f"{figure['value']:.2f}",
            spread(figure, "{:.2f}"),
            f"{figure['n']} {figure.get('unit', '')}".strip(),
        ]
        for one in report["instruments"]
        for figure in one["validity"]
    ]
    units = {figure.get("unit") for one in report["instruments"] for figure in one["validity"]}
    drawn = "by topic for the ruler, as if replies were independent for the rest" if "topics" in units else "as if texts were independent"
    yield html.table(f"How far they can be trusted, 95% intervals {drawn}", ["Instrument", "Figure", "Found", "95%", "n"], rows)
    rows = [
        [report["columns"][one["column"]], one["axis"], estimate(one), f"{one['ring']:.2f}", str(one["n"])] for one in report["positions"]
    ]
    yield html.table(
        "Positions by the questionnaire, -10 to +10, of columns that pass its gates; within the chance ring lies a random answerer too",
        ["Column", "Axis", "Position (95%)", "Chance ring", "n"], rows,
    )  # fmt: skip


def _gates(report: Report) -> Iterator[str]:
    said = {True: "passed", False: "failed", None: "not looked at"}
    rows = [
        [f"{one['gate']}, {one['of']}", said[one["passed"]], one["needed"], one["found"], "" if one["passed"] else one["otherwise"]]
        for one in sorted(report["gates"], key=lambda one: one["passed"] is True)
    ]
    failed = sum(one["passed"] is False for one in report["gates"])
    yield html.tag("p", f"{failed} of {len(rows)} gates failed.", "headline")
    yield html.table("Gates, the failed ones first", ["Gate", "Result", "Needed", "Found", "So"], rows)


def _headings(report: Report) -> Iterator[str]:
    yield html.tag(
        "p", "“A Multi-Dimensional Audit of Politically Aligned Large Language Models” (Korver, Mostagir, Reda, arXiv 2604.24429, 2026) looks at "
        "these four. Which of our figures speaks to each, and where we have none:", "muted",
    )  # fmt: skip
    for one in report["headings"]:
        yield html.tag("h3", one["heading"])
        yield html.items(one["speaks"])
        if one["missing"]:
            yield html.tag("h4", "Where we have no figure")
            yield html.items(one["missing"])


def _listed(report: Report, columns: Sequence[str]) -> str:
    return ", ".join(report["columns"][column] for column in columns)
