"""Handouts: a sheet for students with lines to write on, and one for the teacher with notes and the key of the exercise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelines.errors import StudioError
from pipelines.lesson import as_html, as_pdf
from pipelines.lesson.background import Note, background, notes
from pipelines.lesson.document import Block, Break, Document, Grid, Heading, Items, Lines, Text
from pipelines.lesson.exercise import Exercise, exercise
from pipelines.lesson.plan import Plan, Timed
from pipelines.lesson.translated import ENGLISH, translated

FAULTS = "faults"  # the step to which the sheet of the exercise belongs
FEW_LINES, MANY_LINES, SHORT_STEP = 2, 3, 7  # lines to write on, in a step of so many minutes and in longer ones
FORMATS: dict[str, Callable[[Document], bytes]] = {"pdf": as_pdf.render, "html": as_html.render}


def handout(plan: Plan, reader: str, ending: str, language: str = ENGLISH) -> bytes:
    """The file for one of READERS, as "pdf" or "html". Raises StudioError for any other reader, ending or language."""
    if reader not in READERS:
        raise StudioError(f"There is no handout for “{str(reader)[:40]}”.", f"Choose {' or '.join(READERS)}.")
    if ending not in FORMATS:
        raise StudioError(
            f"A handout can't be a file that ends in “.{str(ending)[:20]}”.", f"Choose {' or '.join(f'.{one}' for one in FORMATS)}."
        )
    return FORMATS[ending](translated(READERS[reader](plan), language))


def for_students(plan: Plan) -> Document:
    """Steps with what to press and lines to write on, then the exercise where the plan has it. Nothing in it gives the key away."""
    blocks = [block for place, one in enumerate(plan.steps, 1) for block in _step(place, one)]
    if any(one.step.id == FAULTS for one in plan.steps):
        blocks += [Break(), *_sheet(exercise())]
    return Document("How a selection of answers tilts a language model", _subtitle(plan), background().warning, tuple(blocks))


def for_teacher(plan: Plan) -> Document:
    """The plan as a table, notes on its steps, whose values, misconceptions, the key where the plan needs it, limits and reading."""
    blocks: list[Block] = [Text(plan.for_whom, "For"), _timetable(plan)]
    for place, one in enumerate(plan.steps, 1):
        blocks += [Heading(f"{place}. {one.step.name} ({one.minutes} minutes)"), Text(one.step.goal, "Goal"), *_note(notes()[one.step.id])]
    blocks += [*_values(), *_misconceptions()]
    if any(one.step.id == FAULTS for one in plan.steps):
        blocks += [Break(), *_key(exercise())]
    return Document("For the teacher", _subtitle(plan), background().warning, (*blocks, *_limits(), *_reading()))


READERS: dict[str, Callable[[Plan], Document]] = {"student": for_students, "teacher": for_teacher}


def _subtitle(plan: Plan) -> str:
    remark = f" - {plan.remark}" if plan.remark else ""
    return f"{plan.name}: {plan.minutes} minutes{remark}"


def _step(place: int, one: Timed) -> Iterator[Block]:
    step = one.step
    yield Heading(f"{place}. {step.name} ({one.minutes} minutes)")
    yield Text(step.goal, "Goal")
    yield Items(step.press, numbered=True, label="What to press")
    yield Items(step.look_for, label="What to look for")
    yield Text(step.question, "To talk about")
    if step.id == FAULTS:
        yield Text("Write on the sheet on the last page.")
    else:
        yield Lines(step.note, FEW_LINES if one.minutes <= SHORT_STEP else MANY_LINES)


def _sheet(one: Exercise) -> Iterator[Block]:
    yield Heading(one.title)
    yield Text(one.task)
    yield Items(one.hints, label="Hints")
    yield Grid(one.columns, empty=one.lines, widths=(0.1, 0.4, 0.2, 0.3) if len(one.columns) == 4 else ())
    yield Items(one.afterwards, label="Afterwards")


def _timetable(plan: Plan) -> Grid:
    rows = tuple((f"{one.begins}", one.step.name, f"{one.minutes}", one.step.question) for one in plan.steps)
    return Grid(("After", "Step", "Minutes", "To talk about"), rows, widths=(0.1, 0.2, 0.12, 0.58))


def _note(note: Note) -> Iterator[Block]:
    yield Items(note.goes_wrong, label="What usually goes wrong")
    yield Items(tuple((f"“{one.said}”", one.answer) for one in note.students_say), label="What students say, and an answer")


def _values() -> Iterator[Block]:
    yield Heading("Whose values?")
    yield Items(tuple((f"{part.title}.", part.text) for part in background().values))


def _misconceptions() -> Iterator[Block]:
    yield Heading("Misconceptions, with a plain answer")
    yield Items(tuple((f"“{one.said}”", one.answer) for one in background().misconceptions))


def _key(one: Exercise) -> Iterator[Block]:
    yield Heading(f"Key: {one.title.lower()} (keep it from students)")
    yield Text(f"{one.total} rows, {one.clean} of them without a fault; most others have several.")
    rows = tuple((fault.name, f"{len(fault.rows)}", ", ".join(fault.examples), fault.why) for fault in one.faults)
    yield Grid(("Fault", "Rows", "For example", "Why it matters"), rows, widths=(0.17, 0.09, 0.2, 0.54))


def _limits() -> Iterator[Block]:
    yield Heading("What this lesson can't show")
    yield Items(background().limits)


def _reading() -> Iterator[Block]:
    yield Heading("Further reading")
    yield Items(
        tuple(
            (f"{one.authors} ({one.year}).", f"{one.title}{'' if one.title.endswith('?') else '.'} {one.where}. {one.why}")
            for one in background().reading
        )
    )
