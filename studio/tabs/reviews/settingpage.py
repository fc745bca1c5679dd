"""What the stage “Set up” shows: each function answers one event with updates by part name; parts it leaves out stay as they are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr

from pipelines.comparing import prompts
from pipelines.comparing.prompts import PromptSet
from pipelines.entries import whole_number
from pipelines.errors import StudioError
from pipelines.records import Sampling
from pipelines.review.design import ASKED, MOST_DAYS, MOST_RATERS, Design
from pipelines.review.intervals import counted
from pipelines.review.power import out_of_reach, power_so_far, tests_of
from studio.services import Services
from studio.tabs.comparing import setpage, setwork
from studio.tabs.comparing.setwork import OWN
from studio.tabs.reviews import owning, settinglist
from studio.tabs.reviews.owning import Who, new_code
from studio.tabs.reviews.settingwork import Setter
from studio.tabs.wiring import Updates
from studio.views import messages

KINDS = [("Research: revealed at the end", "research"), ("Class: each pair revealed after the vote", "class")]
RATERS = {"research": 3, "class": 25}
WORDS_A_TOKEN, WORDS_A_SECOND, SECONDS_A_VOTE, SECONDS_A_QUESTION = 0.75, 4, 6, 4
PURPOSE = "To find out whether people notice on which side a language model's answers stand."
UNTITLED = "Untitled"
LOST = "The questions that you had uploaded are not kept over a reload: upload the file again, or choose another set."
BOUNDS = {"count": (1, 40), "raters": (1, MOST_RATERS), "days": (1, MOST_DAYS), "tokens": (16, 256)}
NEVER_NOTED = ("own", "seed")  # an uploaded set may be large; the next review shall not have the last one's answers


@dataclass(frozen=True)
class Form:
    """The form's values in the order in which the page sends them."""

    which: str | None
    own: PromptSet | None
    count: float | None
    columns: Sequence[str] | None
    title: str | None
    purpose: str | None
    kind: str | None
    raters: float | None
    asked: Sequence[str] | None
    days: float | None
    politics: str | None
    tokens: float | None
    seed: float | None


def designed(services: Services, form: Form) -> Design:
    """The design that the form describes. Raises StudioError where it can't be reviewed."""
    found = setwork.chosen_set(services, form.which, form.own, "review").prompts
    keys = services.catalog().kept(form.columns or [])
    if len(keys) < len(set(form.columns or [])):
        raise StudioError("A chosen column can't answer here (any more).", "Take it away, or choose another one.")
    count = min(whole_number(form.count or 0, "The number of questions drawn"), len(found))
    return Design(
        " ".join((form.title or "").split()),
        (form.purpose or "").strip(),
        tuple(keys),
        found,
        tuple(one for one in ASKED if one.id in (form.asked or [])),
        raters=whole_number(form.raters or 0, "The number of raters"),
        seed=sampled(form).seed,
        keep_days=whole_number(form.days or 0, "The number of days"),
        kind="class" if form.kind == "class" else "research",
        own_politics=(form.politics or "").strip(),
        count=0 if count == len(found) else count,
    )


def sampled(form: Form) -> Sampling:
    """How the answers are drawn."""
    return Sampling(max_new_tokens=form.tokens or 0, seed=form.seed or 0)  # type: ignore[arg-type]  # judged there


def prepared(services: Services, form: Form) -> Updates:
    """What a rater would have to do, what that could find, and how long the models take."""
    try:
        owning.refuse_visitors(services)
        made = designed(services, replace(form, title=form.title or UNTITLED, purpose=form.purpose or PURPOSE))
        return {"plan": plan(made, sampled(form))}
    except StudioError as error:
        return {"plan": messages.error(error)}


def plan(made: Design, sampling: Sampling) -> str:
    """A design's cost and power in sentences, as HTML."""
    pairs, votes = len(made.drawn) * len(made.pairs), len(made.drawn) * made.raters
    extra = f" + {made.repeated} again with sides swapped" * bool(made.repeated) + f" + {len(made.doubled)} of one model against itself" * bool(made.doubled)  # fmt: skip
    asking = setwork.expected(len(made.drawn), len(made.keys), sampling.max_new_tokens)
    asking += setwork.expected(len(made.doubled), 1, sampling.max_new_tokens) if made.doubled else 0
    parts = (
        ("Each rater", f"{made.total} pairs of answers ({pairs}{extra}), about {max(1, round(minutes(made, sampling)))} minutes."),
        ("Votes", f"{votes:,} on each two columns and thing asked, if {counted(made.raters, 'rater')} judge everything and nobody says “same”."),
        ("Power", out_of_reach(len(made.drawn), tests_of(made)) or power_so_far(votes, tests_of(made)).sentence),
        ("The models", f"{len(made.drawn)} questions to {len(made.keys)} columns: up to about {messages.duration(asking)} on two cores."),
    )  # fmt: skip
    return f'<dl class="ps-plan">{"".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in parts)}</dl>'


def minutes(made: Design, sampling: Sampling) -> float:
    """About how long a rater needs: two answers at their longest at 240 words a minute, and a few seconds a vote."""
    reading = 2 * sampling.max_new_tokens * WORDS_A_TOKEN / WORDS_A_SECOND
    return made.total * (SECONDS_A_QUESTION + reading + SECONDS_A_VOTE * len(made.asked)) / 60


def sized(services: Services, form: Form) -> Updates:
    """For another set of questions: how many of them can be drawn."""
    try:
        most = len(setwork.chosen_set(services, form.which, form.own, "review").prompts)
        count = min(whole_number(form.count or 1, "The number of questions drawn"), most)
    except StudioError as error:
        return {"plan": messages.error(error)}
    return {"count": gr.update(maximum=max(2, most), value=count), **prepared(services, replace(form, count=count))}


def uploaded(services: Services, path: str | None, form: Form) -> Updates:
    """Reads the questions of a file and chooses them. Raises StudioError where they can't be read."""
    owning.refuse_visitors(services)
    services.access.refuse("upload")
    own = prompts.read_csv(Path(path or ""))
    which = gr.update(choices=setpage.choices(services, own), value=OWN)
    return {"which": which, "own": own, "said": "", **sized(services, replace(form, which=OWN, own=own))}


def turned(services: Services, form: Form) -> Updates:
    """For the other kind of review: as many raters as it usually has."""
    raters = RATERS.get(form.kind or "", RATERS["research"])
    return {"raters": raters, **prepared(services, replace(form, raters=raters))}


def begin(setter: Setter, who: Who, form: Form) -> Updates:
    """Begins to ask the models. Raises StudioError where the review can't be set up."""
    owning.refuse_visitors(setter.services)
    known = replace(who, code=who.code or new_code())
    if form.seed is None:  # with a seed that is always the same, the answers of one review could be looked up in another one
        form = replace(form, seed=secrets.randbelow(2**31 - 1))
    setter.begin(designed(setter.services, form), sampled(form), known)
    return {"owner": known.code, "said": "", **look(setter, known, None)}


def go_on(setter: Setter, who: Who) -> Updates:
    """Goes on with what is not frozen yet. Raises StudioError where nothing is left."""
    setter.go_on(who)
    return {"said": "", **look(setter, who, None)}


def stop(setter: Setter, who: Who) -> Updates:
    setter.stop(who)
    return {"status": messages.bar(*setter.progress), "said": ""}


def discard(setter: Setter, who: Who) -> Updates:
    setter.discard(who)
    return {**look(setter, who, None), "said": messages.note("It is discarded; nothing of it was frozen.")}


def look(setter: Setter, who: Who, chosen: str | None, follows: bool = True) -> Updates:
    """How far the asking is; when it has ended also the list, with the new review chosen if the page `follows` the asking."""
    owning.refuse_visitors(setter.services)
    busy, job = setter.running, setter.job
    left = bool(job) and not busy and who.owns(job.mark if job else "")
    shown: Updates = {
        "status": _status(setter, who),
        "start": gr.update(interactive=not busy and job is None),
        "stop": gr.update(visible=busy),
        "resume": gr.update(visible=left),
        "discard": gr.update(visible=left),
        "timer": gr.Timer(active=busy),
    }
    return shown if busy else {**shown, **settinglist.listed(setter, who, (setter.frozen if follows else "") or chosen)}


def _status(setter: Setter, who: Who) -> str:
    if setter.running:
        return messages.bar(*setter.progress)
    if setter.job:
        done, total = setter.answered
        design = setter.job.design
        left = messages.info(
            f"“{design.title}” is not frozen yet: {done} of {total} requests to the models are answered. “Go on” asks the rest of its "
            f"{counted(len(design.drawn), 'question')} and freezes it as it was planned; the form above is for the next review."
        )
        return setter.problem + left
    if setter.frozen and owning.owns(setter.services, who, setter.frozen) and not setter.box.is_closed(setter.frozen):
        title = setter.box.review(setter.frozen).design.title
        return messages.good(f"“{title}” is frozen and open: give its link, below, to the raters.")
    return setter.problem


def noted(form: Form) -> dict[str, Any]:
    """What the browser keeps of a form, so that a reload does not empty it."""
    return {name: value for name, value in vars(form).items() if name not in NEVER_NOTED}


def recalled(services: Services, kept: Any) -> dict[str, Any]:
    """The form's values that a browser kept, as far as they can still be used; anything may come from there."""
    found = kept if isinstance(kept, dict) else {}
    values: dict[str, Any] = {name: found[name] for name in ("title", "purpose", "politics") if isinstance(found.get(name), str)}
    for name, (least, most) in BOUNDS.items():
        if isinstance(number := found.get(name), int | float) and not isinstance(number, bool) and least <= number <= most:
            values[name] = number
    known = {"which": [name for _, name in setpage.choices(services, None)], "kind": [name for _, name in KINDS]}
    values |= {name: found[name] for name, names in known.items() if found.get(name) in names}
    if found.get("which") == OWN:
        values["which"] = None
    offered = {"columns": services.catalog().kept, "asked": lambda ids: [one.id for one in ASKED if one.id in ids]}
    for name, usable in offered.items():
        if isinstance(several := found.get(name), list) and all(isinstance(one, str) for one in several):
            values[name] = list(usable(several))
    return values


def attached(setter: Setter, who: Who, chosen: str | None, form: Form, found: Mapping[str, Any] = MappingProxyType({})) -> Updates:
    """For a page that was just loaded, or opened again, with what was `recalled` of its form; ballots whose time is over go."""
    owning.refuse_visitors(setter.services)
    setter.box.expire()
    listed, filled = setter.services.catalog(), replace(form, **found)
    columns = gr.update(choices=listed.choices(kept := listed.kept(filled.columns or [])), value=kept)
    shown = {**prepared(setter.services, filled), **look(setter, who, chosen, follows=False)}
    said = messages.info(LOST) if found.get("which", "") is None else ""
    return {**found, "columns": columns, **shown, "said": said}
