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
from pipelines.models.host import MAX_LOADED
from pipelines.paths import read_json
from pipelines.records import Answer, Stamp
from pipelines.stance import study as studies
from pipelines.stance.study import Study
from studio import results
from studio.services import Services, following
from studio.tabs import measuring
from studio.tabs.comparing import choosing
from studio.tabs.reviews import predicting
from studio.views import cards, messages
from studio.views import stance as view

SECONDS_A_BATCH, ANSWERS_A_BATCH, SECONDS_A_COLUMN, SECONDS_TO_LOAD = 9, 8, 10, 15
RECORDED = "recorded"
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
    first, listed = recorded(), services.catalog()
    current = gr.State(None)
    gr.HTML(f'<p class="ps-lead">{EXPLAIN}</p>', padding=False)
    earlier = gr.Dropdown(
        _earlier(services), value=RECORDED, label="Earlier results", elem_id="earlier-results", visible=not services.public
    )
    source = gr.HTML(_source(first), elem_id="stance-source", padding=False)
    ahead = predicting.build(services, study=first)
    plot = gr.Plot(view.plot(first) if first else None, show_label=False, elem_id="stance-plot")
    with gr.Column() as behind:
        validity = gr.HTML(view.validity(first) if first else "", elem_id="validity", padding=False)
        gr.Markdown("### What can be claimed")
        verdict = gr.HTML(view.verdict(first) if first else "", elem_id="verdict", padding=False)
        gr.Markdown("### Shift from the base")
        shifts = gr.HTML(view.shifts(first) if first else "", elem_id="shifts", padding=False)
        gr.Markdown("### What else changed")
        damage = gr.HTML(view.collateral(first) if first else "", padding=False)
        with gr.Accordion("Read the answers behind the points", open=False):
            pick = gr.Dropdown(_questions(first), label="Question", elem_id="stance-question")
            read = gr.HTML(elem_id="stance-answers", padding=False)
    plainly = ahead["cover"](plot, [behind])
    gr.Markdown("### Recompute")
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            adapters = gr.Dropdown(
                measuring.sets(listed), value=measuring.BUNDLED, label="Adapters", elem_id="stance-adapters", visible=not services.public
            )
            choices, ticked = measuring.columns_of(listed, measuring.BUNDLED)
            names = gr.Dropdown(choices, value=ticked, multiselect=True, label="Columns", elem_id="stance-columns")
        size = gr.Radio(
            list(measuring.SIZES), value=next(iter(measuring.SIZES)), label="How much", elem_id="stance-size", scale=2, min_width=300
        )
    hint = gr.HTML(choosing.hint(listed, ticked), elem_id="stance-hint", padding=False)
    expected = gr.HTML(_expected(ticked, next(iter(measuring.SIZES))), elem_id="stance-expected")
    with gr.Row():
        start = gr.Button("Recompute", variant="primary", elem_id="recompute")
        stop = gr.Button("Stop", interactive=False, elem_id="stop-recompute")
    status = gr.HTML(elem_id="stance-status", padding=False)

    def recompute(keys: list[str], how_much: str, which: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from _recompute(services, keys, how_much, which, request.session_hash or "")

    def end(request: gr.Request) -> Any:
        """Says nothing in `status`: its words could arrive after those of the measurement that has ended, and stay."""
        services.stop(f"study-{request.session_hash}")
        return gr.update(interactive=False)

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
        [names, size, adapters],
        [status, start, stop, earlier, current, *shown],
        concurrency_id="model",
        concurrency_limit=1,
        show_progress="hidden",
    )
    stop.click(end, None, stop, queue=False, show_progress="hidden")
    earlier.input(
        lambda name, state: _open(services, name, state),
        [earlier, current],
        [earlier, current, *shown],
        show_progress="hidden",
        api_visibility="private",
    )
    adapters.input(
        lambda which: measuring.choose(services, which)[1:], adapters, [names, hint], show_progress="hidden", api_visibility="private"
    )
    names.input(lambda keys: choosing.hint(services.catalog(), keys or []), names, hint, show_progress="hidden", api_visibility="private")
    for part in (names.change, size.change):
        part(_expected, [names, size], expected, show_progress="hidden")
    if plainly:  # a guess is about the study that ships: with another one, or to measure anew, everything is shown
        for event in (earlier.input, start.click):
            event(**plainly)
    pick.change(lambda state, question: _read(state, question), [current, pick], read, show_progress="hidden")
    chooser = [adapters, names, hint]
    return {
        "chooser": chooser,
        "refresh": {
            "fn": lambda which, keys: (*measuring.refreshed(services, which, keys), gr.update(choices=_earlier(services))),
            "inputs": [adapters, names],
            "outputs": [*chooser, earlier],
            "show_progress": "hidden",
        },
    }


def _earlier(services: Services) -> list[tuple[str, str]]:
    """The recorded study and those recomputed here; what visitors of a public studio measured is not shown to others."""
    return [("Recorded, ships with the studio", RECORDED), *([] if services.public else results.listed(services.paths))]


def _open(services: Services, name: str | None, before: dict[str, Any] | None) -> tuple[Any, ...]:
    """Shows an earlier result: updates of earlier, current and all that is shown of it; of a damaged one only a sentence."""
    try:
        if name in (None, RECORDED) or services.public:
            study, state = recorded(), None
            if study is None:
                raise StudioError("Nothing is recorded.", "Choose another result.")
        else:
            study = results.opened(str(name), services.paths)
            state = study.as_dict()
        return gr.skip(), state, *_show(study)
    except StudioError as error:
        problem = error
    except Exception:  # whatever lies in the file: a damaged one is skipped
        traceback.print_exc()
        problem = results.damaged(str(name))
    still = messages.error(problem) + _source(Study.from_dict(before) if before else recorded())
    return gr.update(choices=_earlier(services), value=None), gr.skip(), still, *[gr.skip()] * 6


def _source(study: Study | None) -> str:
    if study is None:
        return messages.info("Nothing is recorded yet. Press “Recompute” below.")
    tokens = study.sampling["max_new_tokens"]
    stamp = study.answers[0]["stamp"]
    when, group = study.notes.get("recorded", ""), study.notes.get("group")
    made = f"Recorded {when}" if when else f"Computed {study.notes.get('computed', 'here')}"
    of = f", group “{group['name']}”" if group else ""
    questions = len({a["question"] for a in study.answers})
    return messages.note(
        f"{made}{of}: {stamp['base']} ({stamp['base_fingerprint']}), {len(study.columns)} columns, {questions} questions, "
        f"temperature {study.sampling['temperature']}, at most {tokens} tokens, seeds shared by all columns."
    )


def _questions(study: Study | None) -> list[tuple[str, str]]:
    asked = {a["question"] for a in study.answers} if study else set()
    return [
        (f"{q.text} ({q.axis}, topic {'in' if q.topic_split == 'train' else 'not in'} the training data)", q.id)
        for q in bundled.questions()
        if q.id in asked
    ]


def _expected(names: list[str] | None, how_much: str) -> str:
    """About how long it takes; a batch of four times as many answers takes twice as long."""
    count, samples = measuring.SIZES[how_much]
    columns = max(2, len(names or []))
    parts = -(-(columns - 1) // MAX_LOADED)
    answers = studies.QUESTIONS_A_BATCH * samples * columns / parts
    batches = count / studies.QUESTIONS_A_BATCH * parts
    seconds = SECONDS_A_BATCH * (answers / ANSWERS_A_BATCH) ** 0.5 * batches + SECONDS_A_COLUMN * columns + SECONDS_TO_LOAD
    return messages.note(f"About {messages.duration(seconds)} on two cores. Other visitors' answers wait meanwhile.")


def _recompute(services: Services, keys: list[str], how_much: str, which: str | None, session: str) -> Iterator[tuple[Any, ...]]:
    """Yields (status, start, stop, earlier, current, source, plot, validity, verdict, shifts, damage, pick)."""
    keep = [gr.skip()] * 9
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    event = services.new_stop(f"study-{session}")
    begun = time.monotonic()
    try:
        plan, about = measuring.plan(services, keys or [], how_much, which)
        yield messages.bar(0, "Loading the model and the ruler"), *busy, *keep
        result: Study | None = None
        for fraction, text, result in following(lambda report: studies.run(plan, services.host, services.ruler, report, event)):
            yield messages.bar(fraction, "Stopping" if event.is_set() else _ahead(fraction, text, begun)), *busy, *keep
        assert result is not None
        result.notes |= about
        said, listed = f"Done in {messages.duration(result.seconds)}.", gr.skip()
        if not services.public:  # what visitors measure is theirs, and leaves nothing on this machine
            kept = results.keep(result, services.paths, about.get("group", {}).get("name", ""))
            said, listed = f"{said} Kept as {kept}", gr.update(choices=_earlier(services), value=kept.name)
        yield (
            messages.good(said),
            *idle,
            listed,
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


def _ahead(fraction: float, text: str, begun: float) -> str:
    """What is being done, and about how long it still takes."""
    left = (time.monotonic() - begun) / fraction * (1 - fraction) if fraction > 0.02 else 0
    return f"{text} · about {messages.duration(left)} left" if left else text or "Drawing"


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
