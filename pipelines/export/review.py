"""A review's report as one HTML page, as CSV and as JSON, each with the frozen protocol or its hash, and with totals only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from pipelines.export.comparison import MARK, harmless
from pipelines.export.review_page import to_html
from pipelines.export.reviewed import Report, gather, pair, summed_up
from pipelines.review.agreement import Estimate
from pipelines.review.intervals import exact
from pipelines.review.power import power_so_far, tests_of
from pipelines.review.results import Finding, Rate

__all__ = ["FORMATS", "Report", "gather", "summed_up", "to_csv", "to_html", "to_json"]
COLUMNS = (
    "kind", "asked", "question", "column", "column_mark", "other", "other_mark", "topic", "code", "wins", "losses", "same", "unsure", "coded", "open",
    "value", "low", "high", "cluster_low", "cluster_high", "p_uncorrected", "n", "questions", "raters", "needed_60", "needed_65", "needed_70",
    "words", "protocol_hash",
)  # fmt: skip
ESTIMATES = (("agreement (Krippendorff's alpha)", "alpha"), ("self-consistency", "consistency"), ("false alarms", "alarms"))


def to_csv(report: Report) -> str:
    """One line a result, `kind` says which; `words` is the result in plain words. Shares lie between 0 and 1, intervals are 95%.

    Cells that a spreadsheet would take for a formula get an apostrophe in front.
    """
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in _rows(report):
        whole = {**dict.fromkeys(COLUMNS, ""), **row, "protocol_hash": report.protocol.hash}
        writer.writerow({name: harmless("" if value is None else value) for name, value in whole.items()})
    return target.getvalue()


def to_json(report: Report) -> str:
    """Everything of the page with all digits. `protocol` is whole: its canonical form (sorted keys, no spaces) has the SHA-256 `hash`."""
    value = {
        "kind": "review", "mark": MARK, "hash": report.protocol.hash, "made": report.made, "is_closed": report.is_closed,
        "headline": report.headline, "not_established": list(report.nulls), "established": list(report.established),
        "people": asdict(report.people), "own_politics": report.politics, "columns": report.marks,
        "findings": [_finding(report, one) for one in report.findings], "coded": _coded(report), "limits": list(report.limits),
        "protocol": report.protocol.as_dict(),
    }  # fmt: skip
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _finding(report: Report, one: Finding) -> dict[str, Any]:
    tests = tests_of(report.protocol.design)
    needed = [{"first": rate.first, "second": rate.second, **asdict(power_so_far(rate.decided, tests))} for rate in one.rates]
    return {**asdict(one), "votes_needed": needed}


def _coded(report: Report) -> dict[str, Any] | None:
    coded = report.coded
    if coded is None:
        return None
    return {
        "codebook": coded.codebook.as_dict(), "codebook_hash": coded.codebook.hash, "counts": [asdict(one) for one in coded.counts],
        "agreement": {code: asdict(one) for code, one in coded.alphas.items()},
        "quotes": [{**asdict(one), "mark": report.marks.get(one.column, "")} for one in coded.quotes],
        "calibrations": [asdict(one) for one in coded.calibrations], "differences": coded.differences,
        "settled": [asdict(one) for one in coded.settled],
    }  # fmt: skip


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    yield {"kind": "notice", "words": MARK}
    yield {"kind": "review", "words": report.protocol.design.title, "raters": report.people.raters, "n": report.people.ballots}
    yield {"kind": "headline", "words": report.headline}
    for one in report.findings:
        about = {"asked": one.asked.id, "question": one.asked.text}
        for rate, said in zip(one.rates, one.conclusions, strict=True):
            yield {"kind": "win rate", **about, **_rate(report, rate), "words": said}
        for rate in one.unflagged if any(rate.flagged for rate in one.rates) else ():
            yield {"kind": "win rate without flagged", **about, **_rate(report, rate), "words": pair(rate)}
        for strength in one.strengths.columns:
            if strength.column == one.strengths.reference:
                continue  # what the others are measured against has no chance to win against itself
            sides = _sides(report, strength.column, one.strengths.reference)
            values = {"value": strength.chance, "low": strength.low, "high": strength.high, "n": one.strengths.n}
            yield {"kind": "Bradley-Terry", **about, **sides, **values, "words": one.strengths.sentence}
        if not one.strengths.columns:
            yield {"kind": "Bradley-Terry", **about, "n": one.strengths.n, "words": one.strengths.sentence}
        for kind, name in ESTIMATES:
            yield {"kind": kind, **about, **_estimate(getattr(one, name))}
    yield from _codes(report)
    yield from ({"kind": "limit", "words": said} for said in report.limits)


def _rate(report: Report, rate: Rate) -> dict[str, Any]:
    needed = power_so_far(rate.decided, tests_of(report.protocol.design)).rule_still
    return {
        **_sides(report, rate.first, rate.second), "wins": rate.wins, "losses": rate.losses, "same": rate.ties, "unsure": rate.unsure,
        "value": rate.rate, "low": rate.low, "high": rate.high, "cluster_low": rate.cluster_low, "cluster_high": rate.cluster_high,
        "p_uncorrected": rate.p, "n": rate.decided, "questions": rate.prompts, "raters": rate.raters,
        **{f"needed_{round(100 * share)}": count for share, count in needed.items()},
    }  # fmt: skip


def _sides(report: Report, column: str, other: str) -> dict[str, str]:
    return {"column": column, "column_mark": report.marks.get(column, ""), "other": other, "other_mark": report.marks.get(other, "")}


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n, "raters": one.raters, "words": one.sentence}


def _codes(report: Report) -> Iterator[dict[str, Any]]:
    """Counts, agreement and picked quotes; quotes carry the mark of their column."""
    if report.coded is None:
        return
    for count in report.coded.counts:
        column = {"column": count.column, "column_mark": report.marks.get(count.column, "")}
        topic = "all topics" if count.topic is None else count.topic
        low, high = exact(count.coded, count.answers) or (None, None)
        yield {
            "kind": "code", **column, "topic": topic, "code": count.code_id, "coded": count.coded, "n": count.answers,
            "open": count.open, "value": count.share, "low": low, "high": high,
        }  # fmt: skip
    for code, alpha in report.coded.alphas.items():
        yield {"kind": "agreement on a code", "code": code, **_estimate(alpha)}
    for one in report.coded.calibrations:
        yield {"kind": "calibration", "raters": one.raters, "n": one.pairs, "words": one.reason}
        for code, alpha in one.alphas.items():
            yield {"kind": "agreement on a code in the calibration", "code": code, **_estimate(alpha)}
    for each in report.coded.settled:
        decided = "applies" if each.applies else "does not apply"
        yield {"kind": "settled", "question": each.prompt, "code": each.code_id, "words": f"{decided}: {each.reason}"}
    for quote in report.coded.quotes:
        column = {"column": quote.column, "column_mark": report.marks.get(quote.column, "")}
        yield {"kind": "quote", "question": quote.prompt, **column, "topic": quote.topic, "code": quote.code_id, "words": quote.text}


FORMATS: dict[str, Callable[[Report], str]] = {"html": to_html, "csv": to_csv, "json": to_json}
