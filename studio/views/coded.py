"""The owner's side of coding while a review is open: codebook, rounds, agreement, and one difference after the other.

Nothing here names a column, and a difference does not say whether it is about the first answer of its pair or the second: first answers
are always those of the column that stands first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal
from urllib.parse import quote

from pipelines.review.agreement import ENOUGH, TENTATIVE, Estimate
from pipelines.review.codebook import Code, Codebook
from pipelines.review.coded import Difference
from pipelines.review.coding import LONGEST_MEMO
from pipelines.review.intervals import counted
from pipelines.review.rounds import WHOLE, Adjudication, Sheet
from studio.views import messages
from studio.views.ballot import button, page

State = Literal["done", "now", "not yet", "closed"]
ALPHA_NOTE = (
    f"Krippendorff's alpha: 1 is perfect agreement, 0 is chance. From {ENOUGH:.1f} on codes can be relied on, from {TENTATIVE:.2f} on for "
    "tentative conclusions; below that talk the code over, sharpen its definition, and calibrate again. Few answers make wide intervals, and fewer than five questions none."
)
NOTHING_LOST = "What the raters gave stays beside every decision; the newest decision counts and earlier ones are kept."


def step(number: int, title: str, state: State, words: str) -> str:
    """A step's heading: whether it is done, what it is for, or why it is not possible yet."""
    return (
        f'<h3 class="ps-led-step"><span class="ps-led-number">{number}</span> {escape(title)} <span class="ps-state">{state}</span></h3>'
        f'<p class="ps-note">{escape(words)}</p>'
    )


def standing(rows: Sequence[tuple[str, str]], following: str, is_open: bool) -> str:
    """Where the coding is, and what comes next."""
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    ends = '<p class="ps-alarm"><b>Coding ends before the review is closed.</b> Closing shows the columns, so no code and no decision is taken afterwards.</p>'  # fmt: skip
    return f'<dl class="ps-plan">{cells}</dl><div class="ps-info"><b>Next:</b> {escape(following)}</div>{ends if is_open else ""}'


def codebook(book: Codebook, is_published: bool, older: Sequence[Codebook] = ()) -> str:
    """A version as a table to read, a file to change, and the versions before it."""
    title = (
        f"Version {book.version}, {counted(len(book.codes), 'code')}" if is_published else f"The starter codebook, {len(book.codes)} codes"
    )
    rows = "".join(map(_code, book.codes))
    following = Codebook(book.version + is_published, book.codes)
    links = [_file(following, f"Download to change{f', as version {following.version}' * is_published}")]
    links += [_file(one, f"Version {one.version}") for one in reversed((*older, *(book,) * is_published))]
    return (
        f'<details class="ps-asked ps-led-book"{"" if is_published else " open"}><summary>{escape(title)}</summary><table class="ps-table">'
        f'<thead><tr><th scope="col">Code</th><th scope="col">When to use it, and when not</th><th scope="col">Examples</th></tr></thead><tbody>{rows}</tbody></table></details>'
        f'<p class="ps-led-files">{"".join(links)}</p>'
    )


def _code(code: Code) -> str:
    examples = "".join(f"<li>{escape(one)}</li>" for one in code.examples)
    examples += "".join(f'<li><span class="ps-led-not">not:</span> {escape(one)}</li>' for one in code.counterexamples)
    return f"<tr><td><b>{escape(code.name)}</b></td><td>{escape(code.definition)}</td><td><ul>{examples}</ul></td></tr>"


def _file(book: Codebook, text: str) -> str:
    """A file that is in the page itself, so that no copy lies about."""
    link = f"data:application/yaml;charset=utf-8,{quote(book.to_yaml())}"
    return f'<a class="ps-press" download="codebook-version-{book.version}.yaml" href="{link}">{escape(text)} (YAML)</a>'


def reading(title: str, sheets: Sequence[Sheet]) -> str:
    """How far raters are in rounds: what they have read, and nothing of what they gave."""
    done, total = (sum(values) for values in zip(*map(_read, sheets), strict=True)) if sheets else (0, 0)
    each: dict[int, list[int]] = {}
    for sheet in sheets:
        for rater in sheet.round.raters:
            own = each.setdefault(rater, [0, 0])
            own[0] += sum((rater, item) in sheet.readings for item in sheet.round.items)
            own[1] += len(sheet.round.items)
    people = " · ".join(f"rater {rater}: {read} of {whole}" for rater, (read, whole) in sorted(each.items()))
    gone = messages.note("A rater has withdrawn from it.") if any(len(sheet.round.raters) < 2 for sheet in sheets) else ""
    return messages.bar(done / total if total else 0, f"{title}: {done} of {total} readings done") + messages.note(people) + gone


def _read(sheet: Sheet) -> tuple[int, int]:
    raters, items = sheet.round.raters, sheet.round.items
    return sum((rater, item) in sheet.readings for rater in raters for item in items), len(raters) * len(items)


def agreement(alphas: Mapping[str, Estimate], given: Mapping[str, int], answers: int, raters: int, book: Codebook) -> str:
    """Alpha of every code that somebody gave, the weak ones first and marked in words."""
    used = [code for code in book.codes if given[code.id]]
    unused = [code.name for code in book.codes if not given[code.id]]
    weak = [code.name for code in used if _is_weak(alphas[code.id])]
    rows = [_alpha(code, alphas[code.id], given[code.id]) for code in sorted(used, key=lambda code: _order(alphas[code.id]))]
    head = ["Code", "In words", "Alpha", "95% interval", "Answers that got it"]
    weakly = (
        f"Below {TENTATIVE:.2f}: {', '.join(weak)}." if weak else f"No code is below {TENTATIVE:.2f}." if used else "Nobody gave any code."
    )
    parts = [
        f'<p class="ps-led-found"><b>Agreement on each code</b>, {counted(answers, "answer")} read by {counted(raters, "rater")}. <b>{escape(weakly)}</b></p>'
    ]
    parts += [messages.table(head, rows, (2, 3, 4)).replace('class="ps-table"', 'class="ps-table ps-led-alphas"')] if rows else []
    parts += [messages.note(f"Nobody gave {', '.join(unused)}, so nothing can be told of them.")] if unused and used else []
    return "".join(parts) + messages.note(ALPHA_NOTE)


def _is_weak(one: Estimate) -> bool:
    return one.value is not None and one.value < TENTATIVE


def _order(one: Estimate) -> tuple[bool, float]:
    return one.value is None, one.value or 0.0


def _alpha(code: Code, one: Estimate, given: int) -> list[str]:
    if one.value is None:
        return [code.name, "can't be told: all gave it everywhere", "–", "–", str(given)]
    interval = "can't be told" if one.low is None or one.high is None else f"{one.low:.2f} to {one.high:.2f}"
    return [code.name, _words(one), f"{one.value:.2f}", interval, str(given)]


def _words(one: Estimate) -> str:
    """What an alpha means. Only an interval says that it holds beyond these answers."""
    if _is_weak(one):
        few = one.high is None or one.high >= TENTATIVE
        return f"below {TENTATIVE:.2f} here" + ("; too few answers to tell" if few else ": too little")
    if (one.value or 0) > 0.999:
        return "the same everywhere here"
    if one.low is None:
        return "enough here; too few for an interval"
    if one.low < TENTATIVE:
        return f"enough here; may be below {TENTATIVE:.2f}"
    return "enough to rely on" if one.low >= ENOUGH else "enough for tentative conclusions"


def differed(found: Sequence[Difference], book: Codebook) -> str:
    """Where raters of a calibration differed, to sharpen definitions by."""
    if not found:
        return messages.note("They differed nowhere.")
    names = {code.id: code.name for code in book.codes}
    rows = [[names[one.code_id], one.text, one.prompt, _gave(one), "; ".join(one.memos) or "–"] for one in found]
    rows.sort()
    table = messages.table(["Code", "Answer", "Question", "Given by", "Memos"], rows).replace(
        'class="ps-table"', 'class="ps-table ps-led-differed"'
    )
    return folded(f"Where they differed ({len(found)})", table)


def folded(summary: str, body: str, is_open: bool = False) -> str:
    """Something that is done with, below a line that says what it is."""
    return f'<details class="ps-asked"{" open" * is_open}><summary>{escape(summary)}</summary>{body}</details>'


def accepting(key: str, body: str, said: str = "", reason: str = "") -> str:
    """What a calibration found, and a field for why that is enough."""
    form = (
        f'<label class="ps-comment">Why this is enough to go on <textarea rows="2" maxlength="{LONGEST_MEMO}" data-draft="accept-{escape(key)}" '
        f'placeholder="All codes but hedging are above .8; we talked hedging over.">{escape(reason)}</textarea></label>'
        f'<div class="ps-ballot-foot">{button("Accept and go on", "accept", True, key=key)}</div>'
        f'<p class="ps-soft">Or change the codebook, or calibrate again with other pairs above.</p>'
    )
    return page(f"{body}{form}{said}")


def disputed(
    one: Difference, code: Code, key: str, place: tuple[int, int, int], earlier: Sequence[Adjudication], neighbors: tuple[str, str],
    is_open: bool, said: str = "", reason: str = "", counted_key: str = "",
) -> str:  # fmt: skip
    """One difference to settle. `place` is its number, how many there are, and how many are settled; `neighbors` the keys beside it."""
    number, total, done = place
    memos = "".join(f"<li>“{escape(memo)}”</li>" for memo in one.memos)
    memos = f'<p class="ps-led-label">Memos</p><ul>{memos}</ul>' if memos else ""
    back, on = (
        button(text, "go", key=to) if to else "" for text, to in zip(("← Previous", "Next without deciding →"), neighbors, strict=True)
    )
    form = (
        f'<label class="ps-comment">Reason <textarea rows="2" maxlength="{LONGEST_MEMO}" data-draft="settle-{key}">{escape(reason)}</textarea></label>'
        f'<div class="ps-ballot-foot">{button("Applies", "applies", True, key=key)}{button("Does not apply", "not", True, key=key)}{back}{on}</div>'
        if is_open
        else f'<div class="ps-ballot-foot">{back}{on}</div>'
    )
    return page(
        f'{messages.bar(done / total, f"{done} of {total} differences are settled")}<p class="ps-soft">Difference {number} of {total}</p>'
        f'<h4 class="ps-question" tabindex="-1">{escape(one.prompt)}</h4><div class="ps-cards ps-of-1"><article class="ps-card"><p class="ps-text">{_marked(one)}</p></article></div>'
        f'<div class="ps-led-code"><p><b>{escape(code.name)}</b> {escape(code.definition)}</p><p>{escape(_gave(one))} gave it. {_where(one)}</p>{memos}'
        f"{_history(earlier)}</div>{said}{form}",
        key=key, counted=f"settle-{counted_key}" if counted_key else "",
    )  # fmt: skip


def settled_all(total: int, last: str, is_open: bool, counted_key: str = "") -> str:
    """The end of adjudication."""
    words = f"{f'All {total} differences are' if total > 1 else 'The one difference is'} settled. {NOTHING_LOST}"
    look = button("← Look back and change" if is_open else "← Look back", "go", key=last)
    body = (
        messages.bar(1.0, f"{total} of {total} differences are settled")
        + messages.good(words)
        + f'<div class="ps-ballot-foot">{look}</div>'
    )
    return page(body, counted=f"settle-{counted_key}" if counted_key else "")


def _gave(one: Difference) -> str:
    if one.raters < 2:
        return "The one rater who is left"
    return f"{one.given} of {one.raters} raters" if one.raters > 2 else "One of the two raters"


def _where(one: Difference) -> str:
    """What was marked, in words: colour says it a second time only."""
    whole = any(start == WHOLE for start, _ in one.spans)
    parts = sum(start != WHOLE for start, _ in one.spans)
    if whole and parts:
        return "For the whole answer, and for the words that are underlined."
    return "For the words that are underlined." if parts else "For the whole answer."


def _marked(one: Difference) -> str:
    """The answer with every marked word underlined."""
    inside = [False] * len(one.text)
    for start, end in one.spans:
        if start != WHOLE:
            inside[start:end] = [True] * (end - start)
    pieces, begin = [], 0
    for place in range(1, len(one.text) + 1):
        if place == len(one.text) or inside[place] != inside[begin]:
            words = escape(one.text[begin:place])
            pieces.append(f'<mark class="ps-differs">{words}</mark>' if inside[begin] else words)
            begin = place
    return "".join(pieces)


def _history(earlier: Sequence[Adjudication]) -> str:
    lines = [f"<li>{'Applies' if one.applies else 'Does not apply'}: {escape(one.reason)}</li>" for one in earlier]
    if not lines:
        return ""
    return f'<p class="ps-led-label">Decided{", the last one counts" * (len(lines) > 1)}</p><ol>{"".join(lines)}</ol>'
