"""The stage “Steps”: one step after another, each with a button that leads to its tab; a clock, notes, and what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from pipelines.lesson.background import background
from pipelines.lesson.exercise import exercise
from pipelines.lesson.handout import FAULTS
from pipelines.lesson.plan import MOST_PLACES, Step, plans
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.lessons.doors import Doors, words
from studio.tabs.lessons.kept import FIRST, LONGEST_NOTE, Kept, moment, notes_of
from studio.views import lesson as view

LEAD = (
    '<h2 class="ps-unseen">Lesson</h2><p class="ps-lead">Predict, curate, tune, compare blind, measure: a lesson through the studio, for a class or for yourself. Your place and your '
    "notes are kept in this browser, also after the page is loaded again.</p>"
)
START, STOP = "Start the clock", "Stop the clock"
SURE = "() => [confirm('Begin again? What is ticked and noted here is forgotten.')]"
NOW = "(kept, _) => [kept, Date.now()]"
UP = "() => window.scrollTo({top: 0})"
TO_THE_STEP = "() => document.querySelector('#lesson-line')?.scrollIntoView({block: 'start'})"
# The clock is the browser's own: it says at which step the plan is now, and goes on while other tabs are open.
LINE_JS = """const two = number => String(number).padStart(2, "0");
const tell = () => {
  const clock = element.querySelector(".ps-lesson-clock");
  if (!clock) return;
  const started = Number(clock.dataset.started), items = [...element.querySelectorAll("li[data-begins]")];
  const gone = started ? Math.max(0, (Date.now() - started) / 60000) : -1, ends = one => Number(one.dataset.begins) + Number(one.dataset.minutes);
  const now = gone < 0 ? undefined : items.find(one => gone < ends(one));
  items.forEach(one => {
    one.classList.toggle("ps-lesson-now", one === now);
    one.style.setProperty("--gone", gone < 0 ? 0 : Math.min(1, Math.max(0, (gone - one.dataset.begins) / one.dataset.minutes)));
  });
  const left = now ? Math.ceil((ends(now) - gone) * 60) : 0, rest = Math.ceil(clock.dataset.total - gone);
  const text = gone < 0 ? "" : now ? `The clock is at “${now.dataset.name}”: ${Math.floor(left / 60)}:${two(left % 60)} left of it, ${rest} min of the lesson.`
    : `The ${clock.dataset.total} minutes are over.`;
  if (clock.textContent !== text) clock.textContent = text;
};
element.addEventListener("click", event => {
  const pressed = event.target.closest("[data-step]");
  if (pressed) trigger("click", {step: pressed.dataset.step});
});
const timer = setInterval(() => element.isConnected ? tell() : clearInterval(timer), 1000);
new MutationObserver(tell).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-started", "data-total"]});
tell();"""


@dataclass(frozen=True)
class Page:
    """The parts of the stage. `line` holds the steps, `card` the one in hand, `now` and `sure` what the browser says when a button is pressed."""

    plan: gr.Radio
    clock: gr.Button
    again: gr.Button
    line: gr.HTML
    card: gr.HTML
    sheet: gr.Accordion
    note: gr.Textbox
    done: gr.Checkbox
    back: gr.Button
    following: gr.Button
    now: gr.Number
    sure: gr.Checkbox
    opens: list[gr.Button] = field(default_factory=list)

    @property
    def shown(self) -> list[Any]:
        """The order of the updates that `showing` gives."""
        return [self.plan, self.clock, self.line, self.card, self.sheet, self.note, self.done, self.back, self.following, *self.opens]


def build(learned: gr.BrowserState, noted: gr.BrowserState, doors: Doors) -> dict[str, Any]:
    """Lays out the stage and wires it. Both states are made outside of all tabs (kept.MEMORY, kept.NOTES), so that a reload keeps them.

    Returns "attach", the event for when the stage is opened.
    """
    gr.HTML(LEAD, padding=False)
    page = _page(doors)
    with gr.Accordion("Whose values?", open=False, elem_id="lesson-values"):
        gr.HTML(view.values(background()), padding=False)
    _wire(page, learned, noted, doors)

    def attach(kept: Any, notes: Any) -> tuple[Any, ...]:
        """Where no note is kept the field is left alone: somebody may be writing in it already."""
        found = Kept.read(kept)
        shown = showing(found, notes, doors)
        if found.here in notes_of(notes):
            return shown
        place = page.shown.index(page.note)
        return *shown[:place], gr.update(label=shown[place]["label"]), *shown[place + 1 :]

    return {"attach": {"fn": attach, "inputs": [learned, noted], "outputs": page.shown, **QUIETLY}}


def _page(doors: Doors) -> Page:
    kept = Kept.read(None)
    first = kept.plan.steps[kept.place].step
    with gr.Row(elem_classes="ps-beside"):
        names = [(f"{one.minutes} minutes: {one.name.lower()}", one.minutes) for one in plans().values()]
        plan = gr.Radio(names, value=kept.minutes, label="Plan", elem_id="lesson-plan", scale=4, min_width=300)
        clock = gr.Button(START, size="sm", elem_id="lesson-clock", scale=1, min_width=130)
        again = gr.Button("Begin again", size="sm", elem_id="lesson-again", scale=1, min_width=110)
    line = gr.HTML(view.line(kept.plan, 0, ()), elem_id="lesson-line", padding=False, js_on_load=LINE_JS)
    card = gr.HTML(view.card(kept.plan, 0), elem_id="lesson-step", padding=False)
    with gr.Accordion("The sheet (also on the handout)", open=False, visible=False, elem_id="lesson-sheet") as sheet:
        gr.HTML(view.sheet(exercise()), padding=False)
    with gr.Row():
        opens = [_door(doors, first, number) for number in range(MOST_PLACES)]
    note = gr.Textbox(label=first.note, lines=2, max_lines=8, max_length=LONGEST_NOTE, elem_id="lesson-note")
    with gr.Row():
        back = gr.Button("← Back", elem_id="lesson-back", interactive=False, min_width=130)
        done = gr.Checkbox(False, label="Done", elem_id="lesson-done", container=False, min_width=130)
        following = gr.Button("Done, next step →", elem_id="lesson-next", min_width=180)
    now, sure = gr.Number(visible=False), gr.Checkbox(visible=False)
    return Page(plan, clock, again, line, card, sheet, note, done, back, following, now, sure, opens)


def _door(doors: Doors, step: Step, number: int) -> gr.Button:
    here = doors.of(step)[number : number + 1]
    return gr.Button(
        words(here[0]) if here else "", visible=bool(here), variant="secondary" if number else "primary", elem_id=f"lesson-open-{number}",
        scale=0, min_width=270,
    )  # fmt: skip


def showing(kept: Kept, notes: Any, doors: Doors) -> tuple[Any, ...]:
    """Updates of all that a page shows of a lesson."""
    plan, place, written = kept.plan, kept.place, notes_of(notes)
    step = plan.steps[place].step
    prediction = written.get(FIRST, "") if step.id != FIRST else ""
    return (
        kept.minutes,
        gr.update(value=STOP if kept.started else START),
        view.line(plan, place, kept.done, kept.started),
        view.card(plan, place, prediction),
        gr.update(visible=step.id == FAULTS),
        gr.update(label=step.note, value=written.get(step.id, "")),
        step.id in kept.done,
        gr.update(interactive=place > 0),
        gr.update(interactive=place < len(plan.steps) - 1 or step.id not in kept.done),
        *doors.buttons(step),
    )


def _wire(page: Page, learned: gr.BrowserState, noted: gr.BrowserState, doors: Doors) -> None:
    outputs, inputs = [learned, noted, *page.shown], [learned, noted, page.note]
    changed: dict[str, Any] = {"outputs": outputs, **QUIETLY}

    def moved(kept: Any, notes: Any, text: Any, after: Kept) -> tuple[Any, ...]:
        """What was just typed goes along: the browser's notes may not have it yet."""
        written = written_down(text, kept, notes)
        return after.as_dict(), written, *showing(after, written, doors)

    def stepped(by: int) -> Callable[..., tuple[Any, ...]]:
        return lambda kept, notes, text: moved(kept, notes, text, _stepped(kept, by))

    def pressed(kept: Any, notes: Any, text: Any, event: gr.EventData) -> tuple[Any, ...]:
        wanted = event._data.get("step") if isinstance(event._data, dict) else None
        return moved(kept, notes, text, _at(kept, wanted))

    page.plan.input(lambda kept, notes, text, minutes: moved(kept, notes, text, _in_plan(kept, minutes)), [*inputs, page.plan], **changed)
    page.back.click(stepped(-1), inputs, **changed).then(None, js=TO_THE_STEP)
    page.following.click(stepped(1), inputs, **changed).then(None, js=TO_THE_STEP)
    page.done.input(
        lambda kept, notes, text, done: moved(kept, notes, text, Kept.read(kept).ticked(bool(done))), [*inputs, page.done], **changed
    )
    page.line.click(pressed, inputs, **changed)
    page.clock.click(_clocked, [learned, page.now], [learned, page.clock, page.line], js=NOW, **QUIETLY)

    anew = outputs
    page.again.click(lambda sure: _begun(doors) if sure else (gr.skip(),) * len(anew), page.sure, anew, js=SURE, **QUIETLY)
    # Not `input`, which is told of keys alone: on phones and by pasting, text comes without any.
    page.note.change(_noted, [page.note, learned, noted], noted, trigger_mode="always_last", **QUIETLY)
    for number, button in enumerate(page.opens):
        button.click(_opening(doors, number), learned, doors.outputs, **QUIETLY).then(None, js=UP)


def _begun(doors: Doors) -> tuple[Any, ...]:
    """All anew. What a browser keeps is written over: nothing at all (None) would leave it as it was."""
    return Kept().as_dict(), {}, *showing(Kept(), None, doors)


def _opening(doors: Doors, number: int) -> Any:
    def opened(kept: Any) -> dict[Any, Any]:
        found = Kept.read(kept)
        return doors.opened(found.plan.steps[found.place].step, number)

    return opened


def _in_plan(kept: Any, minutes: Any) -> Kept:
    """In another plan: at the same step where it has it, with the clock standing still."""
    found = Kept.read(kept)
    return Kept.read({**found.as_dict(), "minutes": minutes, "started": found.started if minutes == found.minutes else 0.0})


def _stepped(kept: Any, by: int) -> Kept:
    """One step on, with the step in hand done; or one step back."""
    found = Kept.read(kept)
    return (found.ticked(True) if by > 0 else found).at(found.place + by)


def _at(kept: Any, step_id: Any) -> Kept:
    found = Kept.read(kept)
    return found.at(found.plan.place_of(step_id))


def _clocked(kept: Any, now: Any) -> tuple[Any, ...]:
    """The clock begins at the browser's `now`, or stands again where it ran: what is kept, the button and the line."""
    found = Kept.read(kept)
    after = replace(found, started=0.0 if found.started else moment(now))
    line = view.line(after.plan, after.place, after.done, after.started)
    return after.as_dict(), gr.update(value=STOP if after.started else START), line


def written_down(text: Any, kept: Any, notes: Any) -> dict[str, str]:
    """The notes with this one on the step in hand."""
    return notes_of({**notes_of(notes), Kept.read(kept).here: text})


def _noted(text: Any, kept: Any, notes: Any) -> Any:
    """The notes, where this one changes them."""
    after = written_down(text, kept, notes)
    return gr.skip() if after == notes_of(notes) else after
