"""Mirror: two opposite askings of one question, answered by the base and a tuned column, and how even the manner is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing import curated, mirror
from pipelines.comparing.columns import BASE_NAME
from pipelines.comparing.mirror import Asking
from pipelines.errors import StudioError
from pipelines.models.shared import Update
from pipelines.records import Column, Sampling
from studio.services import Services
from studio.tabs.comparing.answering import STOPPED
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.comparing.forms import MODEL, sampling_of
from studio.telling import told
from studio.views import messages
from studio.views import mirror as views

LEAD = (
    '<p class="ps-lead">One question, asked both ways. An even-handed model answers both with equal care: look at length, '
    "hedging and refusals. Choose a pair, or write your own.</p>"
)

LISTED = LEAD.replace("Choose a pair, or write your own.", "Choose a pair.")


def build(services: Services, levers: Sequence[Any], greedy: Any) -> None:
    """Lays out the stage and wires it. `levers` are the sampling form's, in the order of the dataclass."""
    first, free = mirror.askings()[0], services.access.allows("questions")
    gr.HTML(LEAD if free else LISTED, padding=False)
    with gr.Row():
        pair = gr.Dropdown(_pairs(), value=first.id, label="Topic", elem_id="mirror-pair", scale=3, min_width=280)
        tuned = gr.Dropdown(_tuned(services), value="left", label="Tuned column", elem_id="mirror-tuned", scale=2, min_width=200)
    with gr.Row():
        pro = gr.Textbox(first.pro, label="Asked one way", elem_id="mirror-pro", min_width=280, max_length=mirror.LONGEST, interactive=free)
        con = gr.Textbox(
            first.con, label="Asked the other way", elem_id="mirror-con", min_width=280, max_length=mirror.LONGEST, interactive=free
        )
    with gr.Row():
        send = gr.Button("Ask both ways", variant="primary", elem_id="mirror-ask", min_width=160)
        stop = gr.Button("Stop", elem_id="mirror-stop", interactive=False, min_width=100)
    status = gr.HTML(padding=False, elem_id="mirror-status")
    panes = gr.HTML(
        messages.note("Four answers appear here, two of the base and two of the tuned column."), padding=False, elem_id="mirror-panes"
    )

    def ask(request: gr.Request, key: str, one: str, other: str, which: str, *drawn: Any) -> Iterator[Any]:
        yield from _ask(services, key, one, other, which, drawn, f"mirror-{request.session_hash}", request)

    def halt(request: gr.Request) -> None:
        services.stop(f"mirror-{request.session_hash}")

    pair.input(_chosen, pair, [pro, con], trigger_mode="always_last", **QUIETLY)
    tuned.focus(lambda: gr.update(choices=_tuned(services)), None, tuned, **QUIETLY)
    waits = send.click(lambda: (messages.note("Waiting for the model …"), gr.update(interactive=False)), None, [status, send], **QUIETLY)
    asked = waits.then(
        ask, [pair, pro, con, tuned, *levers, greedy], [status, panes, send, stop],
        api_name="mirror", **MODEL,
    )  # fmt: skip
    asked.failure(_unlocked, None, [status, send, stop], **QUIETLY)
    stop.click(halt, queue=False, api_visibility="private")


def _unlocked() -> tuple[Any, ...]:
    problem = StudioError("A setting can't be used.", "Look through the settings under “Ask”, then ask again.")
    return messages.error(problem), gr.update(interactive=True), gr.update(interactive=False)


def _pairs() -> list[tuple[str, str]]:
    return [(f"{bundled.topics()[one.topic].name} ({one.axis})", one.id) for one in mirror.askings()]


def _tuned(services: Services) -> list[tuple[str, str]]:
    return services.catalog().tuned_choices()


def _chosen(key: str) -> tuple[Any, Any]:
    found = next((one for one in mirror.askings() if one.id == key), None)
    return (found.pro, found.con) if found else (gr.skip(), gr.skip())


def _asking(key: str, pro: str, con: str) -> Asking:
    """The bundled pair as long as its words are unchanged, else the visitor's own."""
    known = next((one for one in mirror.askings() if one.id == key and (one.pro, one.con) == (pro.strip(), con.strip())), None)
    return known or mirror.own(pro, con)


def _ask(
    services: Services, key: str, pro: str, con: str, which: str, drawn: Sequence[Any], work: str, request: Any
) -> Iterator[tuple[Any, ...]]:
    """Yields (status, panes, send, stop). Four rows in one batch, with the same random numbers."""
    busy, idle = (gr.update(interactive=False), gr.update(interactive=True)), (gr.update(interactive=True), gr.update(interactive=False))
    try:
        asking = _asking(key, pro or "", con or "")
        sampling = sampling_of(drawn)
        if not services.access.allows("questions"):
            curated.refuse_long(sampling)
            if asking not in mirror.askings():
                services.access.refuse("questions")
        columns = services.columns([BASE_NAME, which], 1.0)
        if len(columns) < 2:
            raise StudioError("No tuned column is chosen.", "Choose an adapter.")
        services.access.take(request)
        yield messages.note("The columns read both askings …"), gr.skip(), *busy
        stop = services.new_stop(work)
        shown = gr.skip()
        for said, shown in _grown(services, asking, columns, sampling, stop, work):
            yield said, shown, *busy
        yield messages.note(STOPPED if stop.is_set() else "Done."), shown, *idle
    except Exception as error:
        yield told(error, "Ask again.", "The answers broke off"), gr.skip(), *idle


def _grown(
    services: Services, asking: Asking, columns: list[Column], sampling: Sampling, stop: Event, visitor: str
) -> Iterator[tuple[str, Any]]:
    """(status, panes): the place in the line, the answers while they grow, then the table of how they differ, unless they were stopped."""
    last, said = Update(), ""
    for last in services.answers.ask(mirror.rows(columns, asking, sampling), sampling, stop, visitor):
        if not last.answers:
            yield messages.in_line(last.place), gr.skip()
            continue
        most = max(answer.tokens for answer in last.answers)
        said = messages.bar(most / sampling.max_new_tokens, f"Answering both ways · {most} of at most {sampling.max_new_tokens} tokens")
        yield said, views.growing(asking, mirror.from_answers(asking, columns, last.answers))
    if last.answers:
        found = mirror.from_answers(asking, columns, last.answers)
        yield said, views.growing(asking, found) if last.stopped else views.mirrored(asking, found, mirror.gaps(found))
