"""Stage 5: preference pairs from posts - matched offline, or written by an endpoint as in the paper."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.pairing import Match
from pipelines.corpus.steps.writing import Synthesize
from pipelines.errors import StudioError
from studio.tabs.curating import forms
from studio.tabs.curating.desk import Desk
from studio.tabs.curating.endpoint import Endpoint
from studio.views import messages

MOST_PUBLIC = 40
MATCHED = (
    "A pair needs a question, an answer to learn (chosen) and one to avoid (rejected). Offline, each post is joined with the nearest post of the other "
    "side on the same topic and a neutral question from our bank. Such pairs are matched, not written: the posts were not answers to that question."
)


def build(desk: Desk, endpoint: Endpoint) -> None:
    """Lays out the stage."""
    gr.HTML(messages.note(MATCHED), padding=False)
    with gr.Row():
        match_form = forms.build(Match)
    match = gr.Button("Match posts into pairs", variant="primary", elem_id="match")
    with gr.Accordion("Or let a language model write them, as in the paper", open=False):
        gr.HTML(messages.note("Uses the endpoint set under “Score”. Pairs that fail a gate are dropped with the reason."), padding=False)
        write_form = forms.build(Synthesize)
        write = gr.Button("Write pairs with the endpoint", elem_id="synthesize")
    desk.act(match.click, _match, match_form, "match")
    desk.act(write.click, _writer(endpoint), [*write_form, *endpoint.inputs], "synthesize")


def _match(draft: Draft, tools: Tools, *values: Any) -> tuple[Draft, str]:
    draft = drafts.apply(draft, forms.read(Match, values), tools)
    return draft, f"{len(draft.rows):,} pairs, matched from posts. Next: look at the checks."


def _writer(endpoint: Endpoint) -> Any:
    def work(draft: Draft, tools: Tools, *values: Any) -> tuple[Draft, str]:
        size = len(forms.names(Synthesize))
        endpoint.services.access.refuse("endpoints")
        if endpoint.services.public and (len(draft.rows) > MOST_PUBLIC or str(values[0]).strip()):
            raise StudioError(
                f"In this public studio a model writes at most {MOST_PUBLIC} pairs, with our own prompt.",
                "Select fewer posts, or match them.",
            )
        tools.client = endpoint.client(tools.paths, *values[size:])
        draft = drafts.apply(draft, forms.read(Synthesize, values[:size]), tools)
        return draft, f"{len(draft.rows):,} pairs written by {tools.client.model}. Next: look at the checks."

    return work
