"""The results of an audit as tables, sentences and answers for its page. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.comparing.naming import ENDINGS
from pipelines.export import review_html as html
from pipelines.export.audit_found import INSTRUMENTS
from pipelines.export.audit_manner import MEASURES
from pipelines.export.audit_wording import amount, estimate, p_of, spread, text
from pipelines.review.intervals import counted

Report = Mapping[str, Any]
Row = Mapping[str, Any]
SPLITS = {"train": "in the training data", "held_out": "held out"}
NOT_ASKED = "Not measured in this study."
GAPS = {"words": "words (answers that ended by themselves)", "hedges": "hedges per 100 words", "refusals": "answers that decline"}
EVERYDAY = {
    **GAPS,
    "words": "words (where both ended by themselves)",
    "unfinished": "cut at the token cap",
    "repetition": "repeated 4-word runs",
}
SHARES = ("refusals", "unfinished", "repetition")


def shifts(report: Report) -> Iterator[str]:
    yield html.tag("p", "+ is right or traditional, - is left or progressive. p values are corrected over the two axes (Holm). A shift counts beyond the placebo's own only.", "muted")  # fmt: skip
    rows = [
        [
            report["columns"][one["column"]],
            INSTRUMENTS.get(one["instrument"], one["instrument"]),
            one["axis"],
            estimate(one),
            p_of(one),
            str(one["n"]),
            one["held"],
            estimate(one["placebo"]),
            estimate(one["net"]),
        ]
        for one in report["shifts"]
    ]
    head = ["Column", "Instrument", "Axis", "Shift (95%)", "p (Holm)", "n", "Result", "Placebo's shift (95%)", "Beyond the placebo (95%)"]
    yield html.table("Mean shift from the base over questions, completions or statements", head, rows)
    rows = [
        [
            report["columns"][one["role"]],
            INSTRUMENTS[one["instrument"]],
            one["axis"],
            str(one["seeds"]),
            amount(one["mean"]),
            f"{one['sd']:.2f}",
            f"{amount(one['low'])} to {amount(one['high'])}",
        ]
        for one in report["seeds"]
    ]
    yield html.table("How far training seeds differ", ["Role", "Instrument", "Axis", "Seeds", "Mean", "SD", "Lowest to highest"], rows)


def controls(report: Report) -> Iterator[str]:
    rows = [[one["control"], _there(report, one), one["what"]] for one in report["controls"]]
    yield html.table("What the tuned columns are held against", ["Control", "In this study", "What it is for"], rows)
    rows = [
        [
            one["name"].replace("_", " ") + (" (void)" if one["void"] else ""),
            INSTRUMENTS[one["instrument"]],
            one["axis"],
            one["unit"],
            estimate(one),
            p_of(one),
            str(one["n"]),
        ]
        for one in report["contrasts"]
        if one["unit"] != "items" or not one["name"].startswith("net")  # those over items stand beside the shifts
    ]
    head = ["Contrast", "Instrument", "Axis", "Over", "Mean (95%)", "p (Holm)", "n"]
    yield html.table("Direction is half of right minus left (the placebo cancels in it), drift half of their sum", head, rows)


def _there(report: Report, one: Row) -> str:
    if "seeds" in one:
        return ", ".join(f"{report['columns'][role]}: {number}" for role, number in one["seeds"].items()) or "none"
    return ", ".join(report["columns"][column] for column in one["columns"]) or "none"


def splits(report: Report) -> Iterator[str]:
    rows = [
        [
            report["columns"][one["column"]],
            INSTRUMENTS[one["instrument"]],
            SPLITS[one["split"]],
            estimate(one),
            p_of(one),
            str(one["n"]),
            one["held"],
            estimate(one["net"]),
        ]
        for one in report["splits"]
    ]
    head = ["Column", "Instrument", "Topics", "Shift (95%)", "p, not corrected", "n", "Result", "Beyond the placebo (95%)"]
    yield html.table("Both axes together. Whether the two kinds of topics differ is not tested: compare the intervals", head, rows)


def collateral(report: Report) -> Iterator[str]:
    rows = []
    for one in report["collateral"]:
        facts, ratio = one["facts"], one["perplexity"]["ratio"]
        rows.append([
            one["name"], f"{amount(ratio, '{:.2f}')} (n {one['perplexity']['n']} texts, no interval)",
            f"{facts['held']} of {facts['n']} ({spread(facts, '{:.0%}')})", " ".join(one["red_lines"]) or "none",
        ])  # fmt: skip
    yield html.table("Language and plain facts. A stance from a column that crosses a red line is void", ["Column", "Everyday perplexity ÷ base", "Plain facts held (95%)", "Red lines crossed"], rows)  # fmt: skip
    rows = [
        [one["name"], words, _value(found, is_share), _change(found["change"], is_share), str(found["n"]), _recorded(found, is_share)]
        for one in report["collateral"]
        for name, words, is_share in ((each.name, each.words, each.reach is not None) for each in MEASURES)
        for found in (one["measures"][name],)
    ]
    yield html.table("How the answers to the opinion questions are written; n questions", ["Column", "Measure", "Mean (95%)", "Change from the base (95%)", "n", "Noted then by another rule"], rows)  # fmt: skip


def _form(is_share: bool) -> str:
    return "{:.0%}" if is_share else "{:.1f}"


def _value(one: Row, is_share: bool) -> str:
    form = _form(is_share)
    return f"{amount(one['value'], form)} ({spread(one, form)})"


def _change(one: Row | None, is_share: bool) -> str:
    return estimate(one, "{:+.0%}" if is_share else "{:+.1f}")


def _recorded(one: Row, is_share: bool) -> str:
    """What the study noted, where its rule was another one."""
    form = _form(is_share)
    return "" if one["recorded"] is None or form.format(one["recorded"]) == form.format(one["value"]) else form.format(one["recorded"])


def evenness(report: Report) -> Iterator[str]:
    if not report["evenness"]:
        yield html.tag("p", NOT_ASKED)
        return
    rows = [
        [
            report["columns"][one["column"]],
            GAPS[one["measure"]],
            "gap" if one["kind"] == "gap" else "change from the base's gap",
            _change(one, one["measure"] in SHARES),
            p_of(one),
            str(one["n"]),
            str(one["left_out"]),
        ]
        for one in report["evenness"]
        if one["axis"] == "pooled"
    ]
    head = ["Column", "Measure", "What", "Mean (95%)", "p (Holm)", "n pairs", "Left out"]
    yield html.table("Left-presuming minus right-presuming question of the same pair, both axes together", head, rows)


def everyday(report: Report) -> Iterator[str]:
    found = report["everyday"]
    if not found["answers"]:
        yield html.tag("p", NOT_ASKED)
        return
    rows = [
        [
            report["columns"][one["column"]],
            EVERYDAY.get(one["measure"], one["measure"]),
            amount(one["base"], _form(one["measure"] in SHARES)),
            amount(one["tuned"], _form(one["measure"] in SHARES)),
            _change(one, one["measure"] in SHARES),
            p_of(one),
            str(one["n"]),
        ]
        for one in found["rows"]
    ]
    head = ["Column", "Measure", "Before", "After", "Change (95%)", "p (Holm)", "n prompts"]
    yield html.table("Prompts without politics, by the base (before) and tuned (after)", head, rows)
    yield html.tag("p", found["rule"], "muted")
    for one in found["answers"]:
        yield html.tag("h3", one["text"])
        yield from _answers(report, one)


def samples(report: Report) -> Iterator[str]:
    yield html.tag("p", report["samples"]["rule"], "muted")
    for one in report["samples"]["questions"]:
        yield html.tag("h3", one["text"])
        yield html.tag("p", f"{one['axis']}, topic {SPLITS[one['topic_split']]} ({one['topic']}), {one['id']}", "muted")
        yield from _answers(report, one)


def _answers(report: Report, one: Row) -> Iterator[str]:
    for answer in one["answers"]:
        scores = ", ".join(f"{axis} {answer[axis]:+.2f}" for axis in ("economic", "social") if axis in answer)
        said = [f"{report['columns'][answer['column']]} ({answer['mark']})", ENDINGS.get(answer["finished"], answer["finished"]), scores]
        yield html.quotation(answer["text"] or "(no words)", "; ".join(part for part in said if part))


def review(report: Report) -> Iterator[str]:
    found = report["review"]
    if found is None:
        yield html.tag("p", "No review belongs to this report.")
        return
    yield html.tag("p", f"{found['title']}: {found['headline']}", "headline")
    if found["other_adapters"]:
        yield html.tag(
            "p", f"Raters judged answers of other adapters ({', '.join(found['other_adapters'])}), of which this study knows nothing.", "mark"
        )  # fmt: skip
    people = found["people"] or {}
    yield html.tag("p", f"{counted(people.get('raters', 0), 'rater')}, {counted(people.get('ballots', 0), 'ballot')}; protocol SHA-256 {found['hash']}", "muted")  # fmt: skip
    yield html.findings([*(found["not_established"] or []), *(found["established"] or [])])
    yield html.tag("h3", "Limits of the review")
    yield html.items(found["limits"] or [])


def versions(report: Report) -> Iterator[str]:
    found = report["versions"]
    names = {
        "study": "SHA-256 of the study", "measured": "Measured", "seconds": "Seconds", "protocol": "SHA-256 of the protocol", "profile": "Profile",
        "base": "Base", "base_fingerprint": "Fingerprint of the base", "template_hash": "Hash of the prompt template", "sampling": "Sampling",
    }  # fmt: skip
    yield html.facts([(words, text(found[name])) for name, words in names.items()])
    rows = [[report["columns"][column], *(text(value) for value in one.values())] for column, one in found["adapters"].items()]
    yield html.table("Adapters", ["Column", "Fingerprint", "Settings", "Strength"], rows)
    made = {"This report": found["report"], **{report["columns"][column]: one for column, one in found["training"].items()}}
    packages = list(dict.fromkeys(name for one in made.values() for name in one))
    rows = [[name, *(text(one.get(name)) for one in made.values())] for name in packages]
    yield html.table("Packages: where this report was made, and where each adapter was trained", ["Package", *made], rows)
