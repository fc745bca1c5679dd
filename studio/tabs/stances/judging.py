"""A language model as judge: address, model and key, an estimate first, then verdicts on answers of the study that is shown."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.endpoints.chat import KEY_VARIABLE, ChatClient
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.stance import human_codes, judge
from pipelines.stance.study import Study
from studio import results
from studio.owning import Me, Who
from studio.services import Services, following
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.curating.endpoint import ADDRESS_VARIABLE, MODEL_VARIABLE, Endpoint
from studio.tabs.stances.section import Section
from studio.telling import told
from studio.views import judging as view
from studio.views import messages

ANSWERS, SIDE_BY_SIDE, MOST, MOST_PUBLIC = 120, 4, 1_000_000, 40
OWNERS = "This public studio asks only the endpoint that its owner has set, if any. Questions and answers are sent there."
KEPT = "Every reply is stored as it comes and asked for only once: press “Judge” to go on."
STORED = "The replies are stored: to judge the same answers again asks nothing."
Found = dict[str, Any]
State = dict[str, Any] | None


def build(services: Services, current: gr.State, first: Study | None, me: gr.State) -> Section:
    """Lays out the section and wires it. `me` is what is remembered of the page (owning.py): who judges has the result. A public studio shows verdicts and offers no judging."""
    with gr.Accordion("A language model as judge", open=False, elem_id="judging"):
        gr.HTML(messages.note(view.LEAD), padding=False)
        if services.access.allows("endpoints"):
            fields, buttons, status = _lay_out(services.public)
        with gr.Accordion("What the judge is asked", open=False):
            gr.HTML(view.how(), padding=False)
        shown = gr.HTML(view.result(first) if first else "", elem_id="judged", padding=False)
    if services.access.allows("endpoints"):
        _wire(services, me, current, first, fields, buttons, status, shown)
    return Section([shown], lambda study: (view.result(study),))


def _lay_out(public: bool) -> tuple[list[Any], list[Any], Any]:
    """The fields (address, model, key, requests side by side, answers), the buttons (estimate, judge, stop, human codes) and the status."""
    told = (
        f"Any server that speaks the OpenAI protocol, on this machine or elsewhere. The key goes into this field or into {KEY_VARIABLE}; it is "
        "never written down. Questions and answers are sent to that address."
    )
    gr.HTML(messages.note(OWNERS if public else told), padding=False)
    with gr.Row(visible=not public):
        address = "" if public else os.environ.get(ADDRESS_VARIABLE, "")
        url = gr.Textbox(address, label="Address", placeholder="http://127.0.0.1:8000/v1", elem_id="judge-url", min_width=220)
        model = gr.Textbox(
            "" if public else os.environ.get(MODEL_VARIABLE, ""),
            label="Model",
            placeholder="its name there",
            elem_id="judge-model",
            min_width=180,
        )
        key = gr.Textbox(
            "", label="Key", type="password", placeholder="none needed for most local servers", elem_id="judge-key", min_width=180
        )
    with gr.Row():
        at_most = gr.Number(
            MOST_PUBLIC if public else ANSWERS,
            label="Answers at most (four requests each)",
            precision=0,
            elem_id="judge-answers",
            min_width=220,
        )
        beside = gr.Slider(1, 16, SIDE_BY_SIDE, step=1, label="Requests side by side", min_width=220)
    with gr.Row():
        estimate = gr.Button("Estimate calls and time (asks a few as a trial)", elem_id="judge-estimate", min_width=220)
        start = gr.Button("Judge", variant="primary", elem_id="judge-start", min_width=140)
        stop = gr.Button("Stop", interactive=False, elem_id="judge-stop", min_width=100)
    status = gr.HTML(elem_id="judge-status", padding=False)
    gr.HTML(messages.note(view.CODES_LEAD), padding=False)
    coded = gr.UploadButton("Open human codes (CSV)", file_types=[".csv"], size="sm", elem_id="judge-codes")
    return [url, model, key, beside, at_most], [estimate, start, stop, coded], status


def _wire(
    services: Services, me: gr.State, current: gr.State, first: Study | None, fields: list[Any], buttons: list[Any], status: Any, shown: Any
) -> None:
    estimate, start, stop, coded = buttons
    found = gr.State(None)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def tried(state: State, *values: Any) -> str:
        return _estimate(services, state, first, *values)

    def judged(request: gr.Request, known: Me, state: State, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from _judge(services, Who.at(request, known), state, first, request.session_hash or "", *values)

    def put(verdicts: Found | None, state: State) -> tuple[Any, ...]:
        return _put(verdicts, state, first)

    def end(request: gr.Request) -> Any:
        services.stop(f"judge-{request.session_hash}")
        return gr.update(interactive=False)

    begun = estimate.click(lambda: messages.note("Asking a few answers as a trial …"), None, status, **QUIETLY)
    begun.then(tried, [current, *fields], status, concurrency_id="judging", concurrency_limit=2, **quiet)
    ran = start.click(_begin, None, [status, found, start, stop], **QUIETLY)
    ran = ran.then(judged, [me, current, *fields], [status, found, start, stop], concurrency_id="judging", concurrency_limit=2, **quiet)
    ran.then(put, [found, current], [found, current, status, shown], **QUIETLY)
    stop.click(end, None, stop, **QUIETLY)

    def opened(request: gr.Request, known: Me, file: str | None, state: State) -> tuple[Any, ...]:
        return _coded(services, Who.at(request, known), file, state, first)

    coded.upload(opened, [me, coded, current], [current, status, shown], **QUIETLY)


def _begin() -> tuple[Any, ...]:
    return messages.note("Drawing the answers …"), None, gr.update(interactive=False), gr.update(interactive=True)


def _studied(state: State, first: Study | None) -> Study:
    """The study that is shown. Raises StudioError where there is none."""
    if state:
        return Study.from_dict(state)
    if first is None:
        raise StudioError("There is nothing to judge yet.", "Open “Measure anew” and press “Measure” first.")
    return first


def _client(services: Services, url: str, model: str, key: str, beside: float) -> ChatClient:
    """A client for what the fields say. Raises StudioError where a public studio has no judge, and where they say too little."""
    services.access.refuse("endpoints")
    if not services.public and not (url or "").strip():
        raise StudioError("No address is given.", "Write that of the judge, for example http://127.0.0.1:8000/v1.")
    return Endpoint(services).client(services.paths, url, model, key, beside)


def _drawn(services: Services, study: Study, at_most: Any) -> list[Any]:
    """The answers to judge. Raises StudioError for a number that is none, or too large where the judge is the owner's."""
    if not isinstance(at_most, int | float) or isinstance(at_most, bool) or not 1 <= at_most < MOST:
        raise StudioError("How many answers shall be judged?", "Write a whole number, 1 or more.")
    if services.public and at_most > MOST_PUBLIC:
        raise StudioError(f"At most {MOST_PUBLIC} answers are judged in this public studio.", "Ask for fewer.")
    return judge.draw(study.answers, int(at_most))


def _texts() -> dict[str, str]:
    return {question.id: question.text for question in bundled.questions()}


def _estimate(services: Services, state: State, first: Study | None, url: str, model: str, key: str, beside: float, at_most: Any) -> str:
    """Calls, tokens and time, measured on a few requests whose replies are kept; and whether they could be read."""
    try:
        client = _client(services, url, model, key, beside)
        answers = _drawn(services, _studied(state, first), at_most)
        expected = judge.estimate(client, answers, _texts(), probe=True)
        tried = view.trial(judge.trial(client, answers, _texts()))
        return messages.info(f"{len(answers):,} answers: {expected.sentence} {tried}")
    except Exception as error:  # whatever it was, a sentence is shown
        return told(error, KEPT, "Judging broke off", KEPT)


def _judge(
    services: Services,
    who: Who,
    state: State,
    first: Study | None,
    session: str,
    url: str,
    model: str,
    key: str,
    beside: float,
    at_most: Any,
) -> Iterator[tuple[Any, ...]]:
    """Yields (status, verdicts, start, stop); the verdicts come last, with the mark of the study they are about."""
    idle, busy = (gr.update(interactive=True), gr.update(interactive=False)), (gr.update(interactive=False), gr.update(interactive=True))
    stop, begun = services.new_stop(f"judge-{session}"), time.monotonic()
    try:
        client, study = _client(services, url, model, key, beside), _studied(state, first)
        answers = _drawn(services, study, at_most)
        rows: list[dict[str, Any]] | None = None
        yield messages.bar(0, f"{len(answers):,} answers, four requests each"), gr.skip(), *busy
        for share, words, rows in following(lambda report: judge.measure(client, answers, _texts(), report, stop.is_set)):
            yield messages.bar(share, "Stopping" if stop.is_set() else words or "Reading the replies"), gr.skip(), *busy
        noted = judge.about(client, len(answers), len(study.answers))
        found = {"study": mark(study), "judged": rows, "judge": noted}
        said = f"Judged {len(answers):,} answers in {messages.duration(time.monotonic() - begun)}. {STORED}"
        yield messages.good(f"{said} {_keep(services, who, _with(study, found))}"), found, *idle
    except Exception as error:  # whatever it was, the visitor gets the buttons back and a sentence
        yield told(error, KEPT, "Judging broke off", KEPT), None, *idle
    finally:
        stop.set()


def _put(found: Found | None, state: State, first: Study | None) -> tuple[Any, ...]:
    """Updates of found, current, status and the result: verdicts are put into the study that they are about, and into no other."""
    if found is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    study = _studied(state, first)
    if mark(study) != found["study"]:
        other = (
            "Another study is shown by now. The judged one is among the earlier results; where it is not, open it again and press “Judge”, "
            "which asks nothing twice."
        )
        return None, gr.skip(), messages.info(other), gr.skip()
    judged = _with(study, found)
    return None, judged.as_dict(), gr.skip(), view.result(judged)


def _coded(services: Services, who: Who, file: str | None, state: State, first: Study | None) -> tuple[Any, ...]:
    """Updates of current, status and the result: people's codes are put into the study that is shown."""
    if not file:
        return gr.skip(), gr.skip(), gr.skip()
    try:
        services.access.refuse("upload")
        study = _studied(state, first)
        codes = human_codes.read(Path(file), study)
        coded = replace(study, notes=study.notes | human_codes.noted(codes))
        said = f"{len(codes):,} human codes of {len({key[0] for key in codes})} questions. {_keep(services, who, coded)}"
        return coded.as_dict(), messages.good(said), view.result(coded)
    except StudioError as error:
        return gr.skip(), messages.error(error), gr.skip()
    except OSError:
        return gr.skip(), messages.error(StudioError("This file can't be read.", "Choose it again.")), gr.skip()


def _with(study: Study, found: Found) -> Study:
    """The study with the verdicts on its answers."""
    return replace(study, judged=list(found["judged"]), notes=study.notes | {"judge": found["judge"]})


def _keep(services: Services, who: Who, study: Study) -> str:
    """Keeps a study with its verdicts and codes among the earlier results, and says where; nothing is kept in a public studio."""
    if services.public:
        return ""
    group = study.notes.get("group", {}).get("name", "")
    try:
        kept = results.keep(study, services.paths, who, f"{group} judged" if study.judged else f"{group} coded")
    except OSError as error:
        return f"The result could not be kept ({type(error).__name__}): it is lost when the page is loaded again. Is the disk full?"
    return f"The study is kept among the earlier results, as {kept}"


def mark(study: Study) -> str:
    """Twelve hexadecimal digits that name the answers of a study."""
    return content_hash([[a["question"], a["sample"], a["column"], a["text"]] for a in study.answers])[:12]
