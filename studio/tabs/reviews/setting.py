"""Set up: a review is designed, its models are asked, and all of it is frozen before the first ballot; then it is watched and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import gradio as gr
from gradio.components import Component

from pipelines.comparing import prompts
from pipelines.comparing.columns import MAX_COLUMNS
from pipelines.records import Sampling
from pipelines.review.ballots import Box
from pipelines.review.design import ASKED, LONGEST_PURPOSE, LONGEST_REASON, LONGEST_TITLE
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.comparing import setpage
from studio.tabs.reviews import addresses, settinglist, settingpage
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.settinglist import CLOSE
from studio.tabs.reviews.settingpage import KINDS, NEVER_NOTED, PURPOSE, RATERS, Form
from studio.tabs.reviews.settingwork import Setter
from studio.tabs.wiring import Updates, attaching, wiring

POLL_SECONDS, FIRST_COUNT, FIRST_COLUMNS = 1.0, 10, ["base", "left"]
LEAD = (
    '<p class="ps-note">A blind review: people read two answers without knowing whose they are, and vote. Everything is decided, frozen and '
    "hashed before the first ballot.</p>"
)
FORM = tuple(one.name for one in fields(Form))
NOTED = tuple(name for name in FORM if name not in NEVER_NOTED)
MEMORY: dict[str, Any] = {"default_value": None, "storage_key": "politune-review-form", "secret": "politune-studio"}
SHOWN = ("review", "close", "warned", "ending")
LISTED = ("box", "reviews", *SHOWN)
LOOKED = ("status", "start", "stop", "resume", "discard", "timer", *LISTED)


def build(services: Services, box: Box, owner: gr.BrowserState, noted: gr.BrowserState) -> dict[str, Any]:
    """Lays out the stage and wires it. `owner` is gr.BrowserState(**OWNER) and `noted`, the form as it was left, gr.BrowserState(**MEMORY).

    Both are made outside of all tabs, so that a reload keeps them.
    Returns "attach", the event for when the stage is opened, and "setter", which asks and freezes.
    """
    setter = Setter(services, box)
    gr.HTML(LEAD, padding=False)
    parts: dict[str, Any] = {
        "owner": owner,
        "noted": noted,
        "recalled": gr.State(False),
        **_form(services),
        **_start_form(),
        **_reviews_form(),
    }
    unlocking.build(services, "review")
    _wire(setter, parts)

    def attach(request: gr.Request, code: Any, chosen: str | None, before: Any, is_recalled: bool, *values: Any) -> Updates:
        found = {} if is_recalled else settingpage.recalled(services, before)
        return {**settingpage.attached(setter, Who.of(request, code), chosen, Form(*values), found), "recalled": True}

    inputs = ["owner", "reviews", "noted", "recalled", *FORM]
    return {"attach": attaching(parts, attach, inputs, ["recalled", *NOTED, "plan", *LOOKED], "said"), "setter": setter}


def _wire(setter: Setter, parts: dict[str, Any]) -> None:
    wire, services = wiring(parts, "said"), setter.services
    last: dict[str, Any] = {"trigger_mode": "always_last"}

    def of_form(work: Callable[..., Updates]) -> Callable[..., Updates]:
        return lambda _, *values: work(services, Form(*values))

    for name in FORM:
        if name not in ("own", "title", "purpose", "which", "kind"):
            wire(f"{name}.change", of_form(settingpage.prepared), FORM, ["plan"], **last)
    for name in NOTED:
        wire(f"{name}.change", lambda _, *values: {"noted": settingpage.noted(Form(*values))}, FORM, ["noted"], **last)
    wire("which.input", of_form(settingpage.sized), FORM, ["count", "plan"])
    wire("kind.input", of_form(settingpage.turned), FORM, ["raters", "plan"])
    wire(
        "upload.upload",
        lambda _, path, *values: settingpage.uploaded(services, path, Form(*values)),
        ["upload", *FORM],
        ["which", "own", "count", "plan"],
    )

    def owned(work: Callable[..., Updates]) -> Callable[..., Updates]:
        return lambda request, code, *values: work(setter, Who.of(request, code), *values)

    def begin(request: gr.Request, code: Any, *values: Any) -> Updates:
        form = Form(*values)
        if form.kind == "class":
            unlocking.refuse_others(services, request)
        return settingpage.begin(setter, Who.of(request, code), form)

    wire("start.click", begin, ["owner", *FORM], ["owner", *LOOKED])
    for name, work in (("resume", settingpage.go_on), ("stop", settingpage.stop), ("discard", settingpage.discard)):
        wire(f"{name}.click", owned(work), ["owner"], LOOKED)
    wire("timer.tick", owned(settingpage.look), ["owner", "reviews"], LOOKED, concurrency_limit=None)
    ends = wiring(parts, "ending")
    ends("reviews.input", owned(settinglist.shown), ["owner", "reviews"], SHOWN)
    ends("again.click", owned(settinglist.listed), ["owner", "reviews"], LISTED)
    ends("close.click", unlocking.needed(services, owned(settinglist.close)), ["owner", "reviews", "warned"], LISTED)


def _form(services: Services) -> dict[str, Component]:
    """What is decided before anything is asked."""
    found = services.catalog()
    with gr.Row():
        title = gr.Textbox("", label="Title", placeholder="Housing answers, November", max_length=LONGEST_TITLE, elem_id="review-title", scale=2, min_width=240)  # fmt: skip
        kind = gr.Radio(KINDS, value="research", label="Kind", elem_id="review-kind", scale=3, min_width=300)
    purpose = gr.Textbox(PURPOSE, label="What it is for (raters read this before they agree)", lines=2, max_length=LONGEST_PURPOSE, elem_id="review-purpose")  # fmt: skip
    with gr.Row(elem_classes="ps-beside"):
        which = gr.Dropdown(setpage.choices(services, None), value="opinion", label="Set of questions", elem_id="review-set", scale=3, min_width=240)  # fmt: skip
        upload = gr.UploadButton("Bring your own (CSV)", file_types=list(prompts.ENDINGS), elem_id="review-file", scale=1, min_width=170, visible=services.access.allows("upload"))  # fmt: skip
        count = gr.Slider(1, 40, FIRST_COUNT, step=1, label="Questions drawn", elem_id="review-count", scale=3, min_width=240)
    with gr.Row():
        columns = gr.Dropdown(
            found.choices(), value=found.kept(FIRST_COLUMNS), multiselect=True, allow_custom_value=True, max_choices=MAX_COLUMNS,
            label="Columns that meet, each with each", elem_id="review-columns", scale=3, min_width=280,
        )  # fmt: skip
        raters = gr.Number(RATERS["research"], label="Raters", precision=0, elem_id="review-raters", scale=1, min_width=120)  # fmt: skip
    asked = gr.CheckboxGroup([(one.text, one.id) for one in ASKED], value=[one.id for one in ASKED], label="Asked of every pair (a comment is always possible)", elem_id="review-asked")  # fmt: skip
    with gr.Accordion("How answers are drawn, how long ballots are kept, raters' own politics", open=False):
        with gr.Row():
            tokens = gr.Slider(
                16, 256, Sampling().max_new_tokens, step=8, label="Longest answer (tokens)", elem_id="review-tokens", min_width=220
            )
            seed = gr.Number(
                None,
                label="Seed (draws questions and answers)",
                precision=0,
                placeholder="empty: drawn by lot",
                elem_id="review-seed",
                min_width=200,
            )
            days = gr.Number(30, label="Days until ballots are deleted", precision=0, elem_id="review-days", min_width=200)  # fmt: skip
        politics = gr.Textbox(
            "", label="Why raters are asked where they stand themselves", placeholder="empty: they are not asked", max_length=LONGEST_REASON,
            info="Only with a reason, which raters read; they may decline.", elem_id="review-politics",
        )  # fmt: skip
    return {
        "title": title, "kind": kind, "purpose": purpose, "which": which, "upload": upload, "own": gr.State(None), "count": count,
        "columns": columns, "raters": raters, "asked": asked, "tokens": tokens, "seed": seed, "days": days, "politics": politics,
    }  # fmt: skip


def _start_form() -> dict[str, Component]:
    """What it would cost, the button, and how far it is."""
    plan = gr.HTML(elem_id="review-plan", padding=False)
    with gr.Row():
        start = gr.Button("Ask the models and freeze", variant="primary", elem_id="review-start", min_width=220)
        resume = gr.Button("Go on", visible=False, elem_id="review-resume", min_width=110)
        discard = gr.Button("Discard", visible=False, elem_id="review-discard", min_width=110)
        stop = gr.Button("Stop", visible=False, elem_id="review-stop", min_width=110)
    said = gr.HTML(elem_id="review-said", padding=False)
    status = gr.HTML(elem_id="review-status", padding=False)
    timer = gr.Timer(POLL_SECONDS, active=False)
    return {
        "plan": plan,
        "start": start,
        "resume": resume,
        "discard": discard,
        "stop": stop,
        "said": said,
        "status": status,
        "timer": timer,
    }


def _reviews_form() -> dict[str, Any]:
    """Reviews that are frozen. Nothing of them is on the page before it asks."""
    with gr.Column(visible=False) as box:
        gr.Markdown("### Reviews")
        with gr.Row(elem_classes="ps-beside"):
            reviews = gr.Dropdown([], label="Newest first", elem_id="review-list", scale=4, min_width=240)
            again = gr.Button("Look again", size="sm", elem_id="review-again", scale=1, min_width=110)
            close = gr.Button(CLOSE, size="sm", variant="stop", visible=False, elem_id="review-close", scale=1, min_width=170)
        ending = gr.HTML(elem_id="review-ending", padding=False)
        review = gr.HTML(elem_id="review-card", padding=False, js_on_load=addresses.LINKS_JS)
    return {"box": box, "reviews": reviews, "again": again, "close": close, "review": review, "ending": ending, "warned": gr.State("")}
