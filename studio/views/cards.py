"""Answers side by side: turns of a question and a row of cards, with a mark on what is tuned and a stamp on everything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipelines.comparing.comparison import Comparison
from pipelines.comparing.divergence import different_words
from pipelines.comparing.naming import ENDINGS, mark, title
from pipelines.models.tracing import Traced
from pipelines.models.unchanged import SelfTest
from pipelines.paths import content_hash
from pipelines.records import Answer
from pipelines.stance.collateral import repetition_4
from studio.theme import colour
from studio.views import spotlight, wording

WRITING = {**ENDINGS, "": "writing"}
NO_WORDS = "(no words)"
FIRST = re.compile(r"\s*(?:[^\n]{12,}?(?:[.!?](?=\s)|(?=\n))|[^\n]+(?=\n))")  # twelve characters, so that "1." is no sentence
LOOPS = 0.3  # the share of repeated four-word runs from which the guard of a training speaks of a collapse, too
LONGEST_FIRST = 240  # characters; a longer first sentence would set off half a card


@dataclass(frozen=True)
class Body:
    """What stands in a card: HTML of the words, a sentence below them, and what the words are in ("live": they grow)."""

    html: str
    note: str = ""
    kind: str = ""


def conversation(
    comparison: Comparison, live: bool = False, show: str = "plain", traces: Mapping[int, Sequence[Traced]] | None = None
) -> str:
    """Every turn as HTML: the question, then its row of cards; `live` where the last turn still grows.

    `show` is how the last turn is read: "plain", "words" (those that differ are marked) or "bias" (`traces` by a column's place).
    """
    before, last = comparison.without_last(), comparison.last
    legend, bodies = _read(last.answers, show, traces or {})
    return _earlier(before) + turn(last.question, last.answers, _number(before), live=live, bodies=bodies, legend=legend)


def growing(question: str, answers: Sequence[Answer], earlier: Comparison | None = None) -> str:
    """The turns so far, and one whose answers still grow, with a cursor."""
    return _earlier(earlier) + turn(question, answers, _number(earlier), live=True)


def waiting(question: str, names: Sequence[str], earlier: Comparison | None = None) -> str:
    """The turns so far, and empty cards for the columns that will answer."""
    heading = _heading(question, _number(earlier))
    body = Body("reading the question …", kind="waiting")
    made = [_card(name, n, len(names), heading.id, "", body, "") for n, name in enumerate(names)]
    return _earlier(earlier) + _section(heading, made, live=True)


def cards(question: str, answers: Sequence[Answer], live: bool = False) -> str:
    """All answers to one question as HTML; `live` shows a cursor on those that still grow."""
    return turn(question, answers, live=live)


def turn(
    question: str,
    answers: Sequence[Answer],
    label: str = "",
    quiet: bool = False,
    live: bool = False,
    bodies: Sequence[Body] = (),
    legend: str = "",
) -> str:
    """One question and its row of cards; `label` stands before the question, `quiet` takes the turn back behind the last one."""
    heading = _heading(question, label)
    shown = bodies or [_plain(answer, live, quiet) for answer in answers]
    made = [
        _card(
            answer.column,
            n,
            len(answers),
            heading.id,
            mark(answer),
            body,
            _so_far(answer) if live and answer.finished == "" else _stamp(answer),
        )
        for n, (answer, body) in enumerate(zip(answers, shown, strict=True))
    ]
    return _section(heading, made, live, quiet, legend)


def self_test(result: SelfTest | None) -> str:
    """The base self-test in one line, its numbers for whoever opens them."""
    if result is None:
        return ""
    size = f"largest difference of its outputs {result.difference:.1e}, allowed {result.tolerance:.0e}"
    if result.passed:
        return (
            '<details class="ps-note"><summary>✓ Base check passed: the base pane still computes exactly what it did before any adapter was '
            f"attached.</summary>{size[:1].upper()}{size[1:]}.</details>"
        )
    return f'<div class="ps-error"><b>Base check failed</b> ({size}): the base pane is not the base. Start the studio again.</div>'


@dataclass(frozen=True)
class _Heading:
    id: str
    html: str


def _heading(question: str, label: str) -> _Heading:
    name = f"ps-turn-{content_hash([question, label])[:8]}"
    chip = f'<span class="ps-turn-label">{escape(label)}</span> ' if label else ""
    return _Heading(name, f'<h2 class="ps-question" id="{name}">{chip}{escape(question)}</h2>')


def _number(earlier: Comparison | None) -> str:
    return f"Turn {len(earlier.turns) + 1}" if earlier and earlier.turns else ""


def _earlier(earlier: Comparison | None) -> str:
    """The system prompt, if there is one, and the turns before the last one."""
    if earlier is None:
        return ""
    system = f'<p class="ps-note">System prompt for all columns: “{escape(earlier.system)}”</p>' if earlier.system else ""
    return system + "".join(turn(one.question, one.answers, f"Turn {n}", quiet=True) for n, one in enumerate(earlier.turns, 1))


def _section(heading: _Heading, made: Sequence[str], live: bool = False, quiet: bool = False, legend: str = "") -> str:
    """A turn. It is busy while it grows and no live region, so that nobody hears every token."""
    many = f"{len(made)} column{'s' if len(made) != 1 else ''}"
    busy = ' aria-busy="true"' if live else ""
    hint = f"Answers, {many}; scroll sideways on a small screen"
    return (
        f'<section class="ps-turn{" ps-earlier" if quiet else ""}" aria-labelledby="{heading.id}"{busy}>{heading.html}{legend}'
        f'<div class="ps-cards ps-of-{len(made)}" tabindex="0" role="group" aria-label="{hint}">{"".join(made)}</div></section>'
    )


def _card(name: str, order: int, of: int, turn_id: str, said: str, body: Body, foot: str) -> str:
    own = f"{turn_id}-{order + 1}"
    chip = f'<span class="ps-mark">{escape(said)}</span>' if said else ""
    note = f'<p class="ps-card-note">{body.note}</p>' if body.note else ""
    return (
        f'<article class="ps-card" style="--side:{colour(name, order)}" data-column="{escape(name)}" aria-labelledby="{own}">'
        f'<header><h3 id="{own}">{escape(title(name))}</h3>{chip}<span class="ps-place" aria-hidden="true">{order + 1} / {of}</span></header>'
        f'<p class="{f"ps-text {body.kind}".strip()}">{body.html}</p>{note}{foot}</article>'
    )


def _read(answers: Sequence[Answer], show: str, traces: Mapping[int, Sequence[Traced]]) -> tuple[str, list[Body]]:
    """The legend of a way to read the answers, and what then stands in the cards; nothing where they are plain."""
    if show == "words" and len(answers) > 1:
        marked = different_words([answer.text for answer in answers])
        return wording.legend(title(answers[0].column)), [Body(wording.marked(one) or NO_WORDS) for one in marked]
    fitting = {place: one for place, one in traces.items() if place < len(answers) and _fits(one, answers[place])}
    if show == "bias" and fitting:
        return spotlight.legend(), [_lit(answer, fitting.get(place)) for place, answer in enumerate(answers)]
    return "", []


def _fits(traced: Sequence[Traced], answer: Answer) -> bool:
    """Whether a trace is of this very answer; another one's would light up the wrong words."""
    return bool(traced) and "".join(one.piece for one in traced) == answer.text


def _lit(answer: Answer, traced: Sequence[Traced] | None) -> Body:
    if traced:
        return Body(spotlight.highlighted(traced), spotlight.summary(traced))
    untuned = not answer.stamp.adapter or answer.stamp.strength == 0
    return Body(escape(answer.text) or NO_WORDS, "Not tuned: this is what the others are held against." if untuned else "Not traced.")


def _plain(answer: Answer, live: bool, quiet: bool) -> Body:
    if live and answer.finished == "":
        return Body(_words(answer) if answer.text else "…", kind="live")
    return Body(escape(answer.text) if quiet and answer.text else _words(answer))


def _words(answer: Answer) -> str:
    """The text with its first sentence set off, in every column alike: there most answers say yes or no."""
    text = answer.text
    found = FIRST.match(text)
    end = found.end() if found else len(text)
    if end > LONGEST_FIRST or not text:
        return escape(text) or NO_WORDS
    return f'<span class="ps-first">{escape(text[:end])}</span>{escape(text[end:])}'


def _so_far(answer: Answer) -> str:
    return f'<p class="ps-card-note">{answer.tokens} token{"s" * (answer.tokens != 1)} so far</p>'


def _stamp(answer: Answer) -> str:
    stamp = answer.stamp
    lines = {
        "base": f"{stamp.base} ({stamp.base_fingerprint})",
        "adapter": f"{stamp.adapter} ({stamp.adapter_fingerprint})" if stamp.adapter else "none",
        "strength": f"{stamp.strength:g}",
        "temperature": f"{stamp.temperature:g}",
        "top-p": f"{stamp.top_p:g}",
        "seed": str(stamp.seed),
        "token cap": str(stamp.max_new_tokens),
        "prompt": stamp.prompt_hash,
        "template": stamp.template_hash,
        **({"adapter settings": stamp.adapter_settings} if stamp.adapter_settings else {}),
        "seal": answer.seal,
    }
    tokens = f"{answer.tokens} tokens, " if answer.tokens else ""
    loops = '<p class="ps-card-note ps-loops">It repeats itself: at this strength its language breaks, so read no side into it.</p>'
    broken = loops if repetition_4(answer.text) > LOOPS else ""
    cells = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in lines.items())
    return f"{broken}<details><summary>{tokens}{WRITING[answer.finished]} · stamp</summary><dl>{cells}</dl></details>"
