"""A review's report as one page that stands alone: what was not established comes first, then how it was asked, found and frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pipelines.comparing.naming import title
from pipelines.export import review_html as html
from pipelines.export.comparison import MARK
from pipelines.export.reviewed import RATE_HEAD, Coded, Report, pair, row
from pipelines.review.agreement import Estimate
from pipelines.review.coded import Count
from pipelines.review.intervals import counted, exact, percent, spread
from pipelines.review.power import MORE, Power, power_so_far, tests_of
from pipelines.review.results import Finding, Rate

KINDS = {"research": "Research review: revealed at its end only", "class": "Class review: each pair revealed after the vote"}
LEGEND = (
    "Mark: the share of decided votes for the first column. Thick line: exact 95% interval as if votes were independent. Thin line: the "
    "interval clustered by question and rater. Dashed: one half, no difference."
)


def to_html(report: Report) -> str:
    """The page: no scripts, nothing fetched, nothing per person. Everything that people or models wrote is escaped."""
    design = report.protocol.design
    state = "closed" if report.is_closed else "still open"
    head = [
        html.notice(MARK),
        html.tag("h1", design.title),
        html.tag("p", f"{KINDS[design.kind]}; {state} when this report was made ({_time(report.made)}).", "muted"),
        html.tag("p", f"Protocol frozen {_time(report.protocol.created)}, SHA-256 {report.protocol.hash}", "muted"),
    ]
    parts = [
        html.section("What it found", _found(report)),
        html.section("What was reviewed", _reviewed(report)),
        html.section("Results by what was asked", [html.tag("p", LEGEND, "muted"), *(_finding(report, one) for one in report.findings)]),
        html.section("Codes", _codes(report.coded)),
        html.section("Quotes", _quotes(report)),
        html.section("Limits", [html.items(report.limits)]),
        html.section("The frozen protocol", _protocol(report)),
    ]
    return html.page(f"{design.title}: report", [*head, *(part for part in parts if part)])


def _found(report: Report) -> Iterator[str]:
    yield html.tag("p", report.headline, "headline")
    if report.nulls:
        yield html.tag("h3", "Not established")
        yield html.findings(report.nulls)
    if report.established:
        yield html.tag("h3", "Established, for these questions and raters")
        yield html.findings(report.established)


def _reviewed(report: Report) -> Iterator[str]:
    design, people, protocol = report.protocol.design, report.people, report.protocol
    flagged = sum(item.flagged for item in protocol.items)
    yield html.facts(
        [
            ("Purpose", design.purpose),
            ("Questions put to the models", f"{len(design.drawn)} of {len(design.prompts)}"),
            (
                "Items for each rater",
                f"{design.total}, of them {design.repeated} repeated with sides swapped and {len(design.doubled)} of one model",
            ),
            ("Raters", f"{people.raters} took part, {people.finished} judged everything, {design.raters} were planned"),
            ("Ballots", f"{people.ballots:,}"),
            ("Comments", f"{people.comments} (not printed: single persons' words)"),
            ("Flagged", f"{counted(flagged, 'item')} in which an answer names its side"),
            ("Kept", f"Ballots are deleted {design.keep_days} days after each rater joined, or when withdrawn. These totals stay."),
        ]
    )
    asked = [[one.text, one.ends[0], one.ends[1]] for one in design.asked]
    yield html.table(
        "What was asked of every pair, with “same” and “can't tell” as further answers", ["Asked", "The one end", "The other end"], asked
    )
    yield html.table("The columns, which raters did not see", ["Column", "What it is", "Adapter", "Base", "Drawn with"], _columns(report))
    if report.politics:
        yield html.tag("p", f"Raters were asked where they stand themselves. The owner's reason: {design.own_politics}")
        yield html.table(
            "Where raters said they stand", ["Said", "Raters"], [[said, str(count)] for said, count in report.politics.items()]
        )


def _columns(report: Report) -> list[list[str]]:
    rows = []
    for one in report.columns:
        stamp = one.stamp
        adapter = f"{stamp.adapter} ({stamp.adapter_fingerprint[:12]}), strength {stamp.strength:g}" if stamp.adapter else "none"
        drawn = f"temperature {stamp.temperature:g}, top-p {stamp.top_p:g}, up to {stamp.max_new_tokens} tokens"
        rows.append([title(one.column), report.marks[one.column], adapter, f"{stamp.base} ({stamp.base_fingerprint[:12]})", drawn])
    return rows


def _finding(report: Report, one: Finding) -> str:
    parts = [html.tag("h3", one.asked.text), *(_bar(rate, one.asked.ends) for rate in one.rates)]
    parts.append(html.table("Win rates", RATE_HEAD, [row(rate) for rate in one.rates]))
    if any(rate.flagged for rate in one.rates):
        parts.append(
            html.table("The same without items in which an answer names its side", RATE_HEAD, [row(rate) for rate in one.unflagged])
        )
    parts.append(html.table(*_needed(one.rates, tests_of(report.protocol.design))))
    parts.append(html.items([one.alpha.sentence, one.consistency.sentence, one.alarms.sentence, one.strengths.sentence]))
    return "\n".join(parts)


def _bar(rate: Rate, ends: Sequence[str]) -> str:
    if rate.rate is None or rate.exact is None:
        return html.tag("p", f"{pair(rate)}: no vote chose one of them.")
    said = f"{percent(rate.rate)} of {counted(rate.decided, 'decided vote')}"
    heading = f"{pair(rate)}: {ends[1]}"
    sides = (f"always {title(rate.second)}", f"always {title(rate.first)}")
    return html.bar(heading, said, rate.rate, rate.exact, rate.clustered, sides)


def _needed(rates: Sequence[Rate], tests: int) -> tuple[str, list[str], list[list[str]]]:
    found = [power_so_far(rate.decided, tests) for rate in rates]
    head = ["First over second", "Decided", *(f"true rate {share:.0%}" for share in found[0].needed)]
    rows = [[pair(rate), str(power.decided), *map(partial(_still, power), power.needed)] for rate, power in zip(rates, found, strict=True)]
    return (
        f"Votes still needed for 80% power with {counted(tests, 'test')}, about; {MORE}. In brackets: by an exact test alone, the very least",
        head,
        rows,
    )


def _still(power: Power, rate: float) -> str:
    by_rule, least = ((left[rate], of[rate]) for left, of in ((power.rule_still, power.rule_needed), (power.still, power.needed)))
    return f"{by_rule[0]:,} more of {by_rule[1]:,} ({least[0]:,} more of {least[1]:,})"


def _codes(coded: Coded | None) -> Iterator[str]:
    if coded is None:
        return
    book = coded.codebook
    yield html.tag(
        "p", f"Version {book.version} of the codebook, SHA-256 {book.hash}. Two raters code each answer; a code counts where they agree or an "
        "adjudication settled it, and is open where not. Intervals are exact; answers to one question resemble each other.", "muted",
    )  # fmt: skip
    columns = list(dict.fromkeys(one.column for one in coded.counts))
    head = [title(name) for name in columns]
    cells = {(one.code_id, one.column, one.topic): one for one in coded.counts}
    rows = [[code.name, *(_cell(cells[code.id, name, None]) for name in columns)] for code in book.codes]
    yield html.table("Answers with each code, all topics", ["Code", *head], rows)
    topics = [topic for topic in dict.fromkeys(one.topic for one in coded.counts) if topic is not None]
    by_topic = [
        [f"{code.name}, {topic or 'no topic'}", *(_cell(cells[code.id, name, topic]) for name in columns)]
        for code in book.codes
        for topic in topics
        if any(cells[code.id, name, topic].coded or cells[code.id, name, topic].open for name in columns)
    ]
    yield html.table("By topic; what no answer carries is left out", ["Code, topic", *head], by_topic)
    yield html.tag("h3", "Agreement on each code, before anything was settled")
    yield html.items(_agreements(coded, coded.alphas))
    for one in coded.calibrations:
        yield html.tag("h3", f"Calibration before: {counted(one.raters, 'rater')}, {counted(one.pairs, 'pair')}")
        yield html.tag("p", f"The owner's reason for going on: {one.reason}")
        yield html.items(_agreements(coded, one.alphas))
    yield html.tag(
        "p", f"The coders differed in {counted(coded.differences, 'place')} (an answer and a code); the review's owner alone settled "
        f"{len(coded.settled)} of them, {coded.differences - len(coded.settled)} stayed open.",
    )  # fmt: skip
    if coded.settled:
        names = {code.id: code.name for code in book.codes}
        rows = [[names[one.code_id], one.prompt, "applies" if one.applies else "does not apply", one.reason] for one in coded.settled]
        yield html.table("How they were settled", ["Code", "Question", "Decided", "Why"], rows)
    yield html.table("What the codes mean", ["Code", "Definition"], [[code.name, code.definition] for code in book.codes])


def _agreements(coded: Coded, alphas: Mapping[str, Estimate]) -> list[str]:
    """Codes of which the same is to be said stand together."""
    said: dict[str, list[str]] = {}
    for code in coded.codebook.codes:
        said.setdefault(alphas[code.id].sentence, []).append(code.name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]


def _cell(one: Count) -> str:
    interval = exact(one.coded, one.answers)
    said = f"{one.coded} of {one.answers}" + (f" ({spread(interval)})" if interval else "")
    return said + (f", {one.open} open" if one.open else "")


def _quotes(report: Report) -> Iterator[str]:
    if report.coded is None:
        return
    names = {code.id: code.name for code in report.coded.codebook.codes}
    if not report.coded.quotes:
        yield html.tag("p", "No quotes were picked.")
    for one in report.coded.quotes:
        source = f"{title(one.column)} ({report.marks[one.column]}), asked “{one.prompt}”; {names[one.code_id]}, marked by {counted(one.raters, 'rater')}"
        yield html.quotation(one.text, source)


def _protocol(report: Report) -> Iterator[str]:
    protocol = report.protocol
    yield html.tag("p", "Decided and hashed before the first ballot:")
    yield html.items(protocol.planned)
    yield html.facts([("SHA-256", protocol.hash), ("Frozen", _time(protocol.created)), ("Seed", str(protocol.design.seed))])
    yield html.tag("h3", "The questions put to the models")
    yield html.items([one.text for one in protocol.design.drawn])
    canonical = json.dumps(protocol.as_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    yield html.folded("The whole protocol with all answers and stamps: the SHA-256 of this text is the hash above", canonical)


def _time(iso: str) -> str:
    """ "2026-01-31 12:30 UTC"."""
    return f"{iso[:16].replace('T', ' ')} UTC"
