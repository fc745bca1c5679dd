"""The lesson as HTML: the line of its steps with the clock, one step to act on, and what belongs to the lesson as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

from pipelines.lesson.background import Background, Note, Saying
from pipelines.lesson.exercise import Exercise
from pipelines.lesson.plan import Plan, Step, Timed
from studio.views import messages


def line(plan: Plan, current: int, done: Collection[str], started: float = 0.0) -> str:
    """The steps of a plan as buttons whose widths are their minutes. `started` is when the clock began, in milliseconds of the browser; 0: never."""
    remark = f' <span class="ps-state">{escape(plan.remark)}</span>' if plan.remark else ""
    head = f'<p class="ps-lesson-plan"><b>{escape(plan.name)}</b>, {plan.minutes} minutes{remark}<br><span class="ps-soft">{escape(plan.for_whom)}</span></p>'
    steps = "".join(_segment(place, one, place == current, one.step.id in done) for place, one in enumerate(plan.steps))
    clock = f'<p class="ps-lesson-clock" role="timer" data-started="{started:.0f}" data-total="{plan.minutes}"></p>'
    return f'{head}<ol class="ps-lesson-line">{steps}</ol>{clock}'


def _segment(place: int, one: Timed, is_current: bool, is_done: bool) -> str:
    ticked = '<span class="ps-lesson-tick" aria-hidden="true">✓</span><span class="ps-unseen"> done</span>' if is_done else ""
    return (
        f'<li style="--minutes:{one.minutes}" data-begins="{one.begins}" data-minutes="{one.minutes}" data-name="{escape(one.step.name)}">'
        f'<button type="button" data-step="{escape(one.step.id)}"{" aria-current=step" if is_current else ""}>'
        f'<span class="ps-lesson-name">{place + 1} {escape(one.step.name)}{ticked}</span>'
        f'<span class="ps-lesson-min">{one.minutes} min</span></button></li>'
    )


def card(plan: Plan, place: int, prediction: str = "") -> str:
    """One step: goal, what to press, what to look for, a question. `prediction` is what was noted in the first step, shown again in later ones."""
    one = plan.steps[place]
    step = one.step
    recalled = f'<p class="ps-lesson-recall"><b>You predicted:</b> {escape(prediction)}</p>' if prediction else ""
    return (
        f'<article class="ps-lesson-step"><p class="ps-soft">Step {place + 1} of {len(plan.steps)} · {one.minutes} minutes</p>'
        f"<h2>{escape(step.name)}</h2><p class=ps-lesson-goal>{escape(step.goal)}</p>"
        f'<div class="ps-lesson-halves"><section><h3>What to press</h3>{_listed(step.press, "ol")}</section>'
        f"<section><h3>What to look for</h3>{_listed(step.look_for, 'ul')}</section></div>{recalled}"
        f'<p class="ps-lesson-question"><b>To talk about</b> {escape(step.question)}</p></article>'
    )


def sheet(one: Exercise) -> str:
    """The exercise as students get it: task, hints and an empty sheet. Nothing of the key is in it."""
    head = "".join(f"<th>{escape(name)}</th>" for name in one.columns)
    empty = f"<tr>{'<td></td>' * len(one.columns)}</tr>" * min(3, one.lines)
    return (
        f'<div class="ps-lesson-text"><p>{escape(one.task)}</p>{_listed(one.hints, "ul")}</div>'
        f'<div class="ps-scroll"><table class="ps-table ps-lesson-sheet"><thead><tr>{head}</tr></thead><tbody>{empty}</tbody></table></div>'
        f'<div class="ps-lesson-text"><p><b>Afterwards</b></p>{_listed(one.afterwards, "ul")}</div>'
    )


def key(one: Exercise) -> str:
    """What is planted, for the teacher."""
    rows = [[fault.name, f"{len(fault.rows)}", ", ".join(fault.examples), fault.why] for fault in one.faults]
    said = f"{one.total} rows, {one.clean} of them without a fault; most others have several."
    return messages.note(said) + messages.table(["Fault", "Rows", "For example", "Why it matters"], rows, numbers=(1,))


def plans(found: Iterable[Plan]) -> str:
    """All plans in a table: name, minutes, steps with theirs."""
    rows = [
        [
            one.name,
            f"{one.minutes}",
            ", ".join(f"{timed.step.name} {timed.minutes}" for timed in one.steps),
            f"{one.for_whom}{f' ({one.remark})' if one.remark else ''}",
        ]
        for one in found
    ]
    return messages.table(["Plan", "Minutes", "Steps with their minutes", "For"], rows, numbers=(1,))


def notes(found: Iterable[tuple[Step, Note]]) -> str:
    """What a teacher should know about each step, to be unfolded."""
    return "".join(
        f'<details class="ps-asked"><summary>{escape(step.name)}</summary><div class="ps-lesson-text"><p>{escape(step.goal)}</p>'
        f"<p><b>What usually goes wrong</b></p>{_listed(one.goes_wrong, 'ul')}"
        f"<p><b>What students say, and an answer</b></p>{_sayings(one.students_say)}</div></details>"
        for step, one in found
    )


def values(found: Background) -> str:
    """Whose values: the parts that groups discuss, and the warning."""
    parts = "".join(f"<section><h3>{escape(part.title)}</h3><p>{escape(part.text)}</p></section>" for part in found.values)
    return f'<p class="ps-warn ps-lesson-warn"><b>{escape(found.warning)}</b></p><div class="ps-lesson-parts">{parts}</div>'


def misconceptions(found: Background) -> str:
    return f'<div class="ps-lesson-text">{_sayings(found.misconceptions)}</div>'


def limits(found: Background) -> str:
    return f'<div class="ps-lesson-text">{_listed(found.limits, "ul")}</div>'


def reading(found: Background) -> str:
    """The works with a word on why, newest first."""
    works = sorted(found.reading, key=lambda one: -one.year)
    items = "".join(
        f'<li><span lang="en">{escape(one.authors)} ({one.year}). <cite>{escape(one.title)}</cite>{"" if one.title.endswith("?") else "."} '
        f'{escape(one.where)}.</span><br><span class="ps-soft">{escape(one.why)}</span></li>'
        for one in works
    )
    return f'<div class="ps-lesson-text"><ul>{items}</ul></div>'


def _listed(texts: Sequence[str], kind: str) -> str:
    return f"<{kind}>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</{kind}>"


def _sayings(found: Sequence[Saying]) -> str:
    pairs = "".join(f"<dt>“{escape(one.said)}”</dt><dd>{escape(one.answer)}</dd>" for one in found)
    return f'<dl class="ps-lesson-sayings">{pairs}</dl>'
