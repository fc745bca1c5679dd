"""Review: blind studies of pairs of answers that can be defended, and a guess game; raters and classes have pages of their own."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio import languages
from studio.services import Services
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.reviews import addresses, coding, guessing, leading, outcome, setting, voting
from studio.tabs.reviews.codingscript import PLACE

WAS_CODING_JS = f"() => sessionStorage.getItem('{PLACE}') || ''"
HEAD = (
    '<div class="ps-head">{}<h1>{}</h1><p class="ps-warn"><b>The answers come from a very small model, some of them from versions that were '
    "deliberately biased. It holds no opinions.</b></p></div>"
)
LEAD = (
    '<h2 class="ps-unseen">Review</h2><p class="ps-lead">Chat shows; a review establishes. Whoever runs one works here; its raters judge on a page of their own, where nothing else '
    f"of the studio is: {addresses.link(addresses.RATE)}. A class plays the guess game at {addresses.link(addresses.GUESS)}.</p>"
)


def build(services: Services, owner: gr.BrowserState, noted: gr.BrowserState) -> dict[str, Any]:
    """Lays out the owner's and the teacher's stages; `owner` and `noted` as in setting.build, made outside of all tabs.

    Returns "attach", the event for when the tab is opened, and "stages", its own tabs.
    """
    stages: dict[str, Any] = {}
    gr.HTML(LEAD, padding=False, js_on_load=addresses.LINKS_JS)
    with gr.Tabs(elem_id="review-stages", selected="setup") as kinds:
        with gr.Tab("Set up", id="setup") as stages["setup"]:
            first = setting.build(services, services.box, owner, noted)["attach"]
        with gr.Tab("Coding", id="coding") as stages["coding"]:
            lead = leading.build(services, services.box, owner)["attach"]
        with gr.Tab("Results", id="results") as stages["results"]:
            found = outcome.build(services, services.box, owner)["attach"]
        with gr.Tab("Guess game", id="guess") as stages["guess"]:
            game = guessing.build(services, owner)["attach"]
    for name, attach in {"setup": first, "coding": lead, "results": found, "guess": game}.items():
        stages[name].select(**attach)
    return {"attach": first, "stages": kinds}


def build_rating(services: Services, page: gr.Blocks) -> None:
    """Lays out what raters see, within a page of its own (addresses.RATE): votes, and codes for those who give them."""
    rater = gr.BrowserState(**voting.MEMORY)
    gr.HTML(HEAD.format(languages.choice(), "Blind review"), padding=False)
    languages.build(page)
    with gr.Tabs(elem_id="rating-stages", selected="vote") as stages:
        with gr.Tab("Judge pairs", id="vote") as judge:
            votes = voting.build(services, rater)
        with gr.Tab("Code answers", id="code") as code:
            codes = coding.build(services, rater)
    page.load(None, js="() => { document.title = 'Blind review'; }")
    page.load(**votes["restore"])
    was_coding = gr.Textbox(visible=False)
    page.load(lambda place: gr.Tabs(selected="code") if place else gr.skip(), was_coding, stages, js=WAS_CODING_JS, **QUIETLY)
    judge.select(**votes["attach"])
    code.select(**codes["attach"])


def build_guessing(services: Services, page: gr.Blocks) -> None:
    """Lays out what a class sees of a guess game, within a page of its own (addresses.GUESS)."""
    guesser = gr.BrowserState(**guessing.MEMORY)
    gr.HTML(HEAD.format(languages.choice(), "Guess game"), padding=False)
    languages.build(page)
    page.load(None, js="() => { document.title = 'Guess game'; }")
    page.load(**guessing.build_play(services, guesser)["attach"])
