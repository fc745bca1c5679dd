"""Stance: where the answers land, with intervals, a placebo and the ruler's validity beside the plot."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from functools import cache
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import read_json, write_json
from pipelines.records import Answer, Stamp
from pipelines.stance import study as studies
from pipelines.stance.study import BASE, Plan, Study
from studio.services import Services, following
from studio.views import cards, messages
from studio.views import stance as view

SIZES = {
    "Quick look: 8 questions, 1 answer each": (8, 1),
    "All 40 questions, 1 answer each": (40, 1),
    "Full: 40 questions, 3 answers each": (40, 3),
}
SECONDS_A_BATCH, SECONDS_A_COLUMN, SECONDS_TO_LOAD = 9, 10, 15
EXPLAIN = (
    "Every small point is one answer to a neutral question, placed by the ruler: a probe on sentence embeddings. Large marks are the means; "
    "arrows go from the base to the tuned model. The placebo was tuned in the same way on neutral answers: a shift counts only beyond the placebo's."
)


@cache
def recorded() -> Study | None:
    """The study that ships with the studio."""
    file = bundled.RECORDED / "stance.json"
    return Study.from_dict(read_json(file)) if file.is_file() else None


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab and wires it."""
    first = recorded()
    current = gr.State(None)
    gr.HTML(f'<p class="ps-lead">{EXPLAIN}</p>', padding=False)
    source = gr.HTML(_source(first), elem_id="stance-source", padding=False)
    plot = gr.Plot(view.plot(first) if first else None, show_label=False, elem_id="stance-plot")
    validity = gr.HTML(view.validity(first) if first else "", elem_id="validity", padding=False)
    gr.Markdown("### What can be claimed")
    verdict = gr.HTML(view.verdict(first) if first else "", padding=False)
    gr.Markdown("### Shift from the base")
    shifts = gr.HTML(view.shifts(first) if first else "", elem_id="shifts", padding=False)
    gr.Markdown("### What else changed")
    damage = gr.HTML(view.collateral(first) if first else "", padding=False)
    with gr.Accordion("Read the answers behind the points", open=False):
        pick = gr.Dropdown(_questions(first), label="Question", elem_id="stance-question")
        read = gr.HTML(elem_id="stance-answers", padding=False)
    gr.Markdown("### Recompute")
    with gr.Row():
        names = gr.CheckboxGroup(
            services.column_names(),
            value=[n for n in (BASE, *bundled.BUNDLED_SIDES) if n in services.column_names()],
            label="Columns",
            elem_id="stance-columns",
        )
        size = gr.Radio(list(SIZES), value=next(iter(SIZES)), label="How much", elem_id="stance-size")
    expected = gr.HTML(_expected([BASE, *bundled.BUNDLED_SIDES], next(iter(SIZES))))
    with gr.Row():
        start = gr.Button("Recompute", variant="primary", elem_id="recompute")
        stop = gr.Button("Stop", interactive=False, elem_id="stop-recompute")
    status = gr.HTML(elem_id="stance-status", padding=False)

    def recompute(chosen: list[str], how_much: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from _recompute(services, chosen, how_much, request.session_hash or "")

    def end(request: gr.Request) -> str:
        services.stop(f"study-{request.session_hash}")
        return messages.info("Stopping after the questions that are being answered.")

    shown = [source, plot, validity, verdict, shifts, damage, pick]
    waiting = start.click(
        lambda: messages.note("Waiting for the model; other visitors' answers come first …"),
        None,
        status,
        queue=False,
        show_progress="hidden",
    )
    waiting.then(
        recompute,
        [names, size],
        [status, start, stop, current, *shown],
        concurrency_id="model",
        concurrency_limit=1,
        show_progress="hidden",
    )
    stop.click(end, None, status, queue=False)
    for part in (names.change, size.change):
        part(_expected, [names, size], expected, show_progress="hidden")
    pick.change(lambda state, question: _read(state, question), [current, pick], read, show_progress="hidden")
    return {"columns": names}


def _source(study: Study | None) -> str:
    if study is None:
        return messages.info("Nothing is recorded yet. Press “Recompute” below.")
    tokens = study.sampling["max_new_tokens"]
    stamp = study.answers[0]["stamp"]
    when = study.notes.get("recorded", "")
    questions = len({a["question"] for a in study.answers})
    return messages.note(
        f"{'Recorded ' + when if when else 'Computed just now'}: {stamp['base']} ({stamp['base_fingerprint']}), {len(study.columns)} columns, {questions} questions, "
        f"temperature {study.sampling['temperature']}, at most {tokens} tokens, seeds shared by all columns."
    )


def _questions(study: Study | None) -> list[tuple[str, str]]:
    asked = {a["question"] for a in study.answers} if study else set()
    return [
        (f"{q.text} ({q.axis}, topic {'in' if q.topic_split == 'train' else 'not in'} the training data)", q.id)
        for q in bundled.questions()
        if q.id in asked
    ]


def _expected(names: list[str], how_much: str) -> str:
    count, _ = SIZES[how_much]
    seconds = SECONDS_A_BATCH * count / studies.QUESTIONS_A_BATCH + SECONDS_A_COLUMN * len(names) + SECONDS_TO_LOAD
    return messages.note(f"About {messages.duration(seconds)} on two cores. Other visitors' answers wait meanwhile.")


def _recompute(services: Services, chosen: list[str], how_much: str, session: str) -> Iterator[tuple[Any, ...]]:
    """Yields (status, start, stop, current, source, plot, validity, verdict, shifts, damage, pick)."""
    keep = [gr.skip()] * 8
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    count, samples = SIZES[how_much]
    event = services.new_stop(f"study-{session}")
    begun = time.monotonic()
    try:
        if BASE not in chosen or len(chosen) < 2:
            raise StudioError("The base and at least one tuned column are needed.", "Shifts are measured from the base: tick both.")
        questions = _spread(count)
        plan = Plan(tuple(services.columns(chosen)), questions, bundled.completions(), samples)
        yield messages.bar(0, "Loading the model and the ruler"), *busy, *keep
        result: Study | None = None
        for fraction, text, result in following(lambda report: studies.run(plan, services.host, services.ruler, report, event)):
            left = (time.monotonic() - begun) / fraction * (1 - fraction) if fraction > 0.02 else 0
            yield messages.bar(fraction, f"{text} · about {messages.duration(left)} left" if left else text or "Drawing"), *busy, *keep
        assert result is not None
        kept = services.paths.results / f"stance-{time.strftime('%Y%m%d-%H%M%S')}.json"
        write_json(kept, result.as_dict())
        yield (
            messages.good(f"Done in {messages.duration(result.seconds)}. Kept as {kept}"),
            *idle,
            result.as_dict(),
            *_show(result),
        )
    except StudioError as error:
        yield messages.error(error), *idle, *keep
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        traceback.print_exc()
        yield (
            messages.error(
                StudioError(f"The measurement broke off ({type(error).__name__}).", "The earlier results are still there; try again.")
            ),
            *idle,
            *keep,
        )
    finally:
        event.set()


def _spread(count: int) -> tuple[Any, ...]:
    """Questions spread evenly over axes and topics."""
    everything = bundled.questions()
    return everything[:: len(everything) // count][:count]


def _show(study: Study) -> tuple[Any, ...]:
    return (
        _source(study), view.plot(study), view.validity(study), view.verdict(study), view.shifts(study), view.collateral(study),
        gr.update(choices=_questions(study), value=None),
    )  # fmt: skip


def _read(state: dict[str, Any] | None, question: str | None) -> str:
    study = Study.from_dict(state) if state else recorded()
    if not study or not question:
        return ""
    text = next(q.text for q in bundled.questions() if q.id == question)
    found = [a for a in study.answers if a["question"] == question]
    rounds = []
    for sample in sorted({a["sample"] for a in found}):
        some = [a for a in found if a["sample"] == sample]
        answers = [Answer(a["column"], text, a["text"], a.get("tokens", 0), a["finished"], Stamp(**a["stamp"])) for a in some]
        rounds.append(cards.cards(f"{text} (draw {sample + 1})", answers))
    return "<br>".join(rounds)
