"""What the page of “Prompt sets” shows: each function answers one event with updates by part name; parts it leaves out stay as they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.comparing import batch as batches
from pipelines.comparing import prompts
from pipelines.comparing.batch import Batch
from pipelines.comparing.keys import HIGHEST, LOWEST
from pipelines.comparing.prompts import PromptSet
from pipelines.entries import number
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs.comparing import forms, setrows, setstatus, setwork
from studio.tabs.comparing.setrows import AS_ASKED, COMPARATOR, Wanted
from studio.tabs.comparing.setwork import OWN, Job, Visit
from studio.views import messages
from studio.views.cards import title

REFRESH_SECONDS, PREVIEWED = 3.0, 3
SURE, UNSURE = "Press again to delete", "Delete this result"
Updates = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a page showed last: the chosen result, the batch that ran, how many answers, and when (seconds of the monotonic clock)."""

    chosen: str = ""
    running: str = ""
    answered: int = -1
    at: float = 0.0


@dataclass(frozen=True)
class View:
    """How the table is looked at, in the order in which the page sends it."""

    different: bool = False
    sort: str = AS_ASKED
    search: str = ""
    page: int = 1
    seen: Seen = Seen()


def choices(services: Services, own: PromptSet | None) -> list[tuple[str, str]]:
    """(name with count, value) of the sets that can be asked."""
    known = {**setwork.sets(services), **({OWN: own} if own else {})}
    return [(f"{one.title} ({len(one.prompts)})", name) for name, one in known.items()]


def prepared(services: Services, which: str | None, own: PromptSet | None, keys: Sequence[str] | None, dial: float, *drawn: Any) -> Updates:
    """What would be asked, who would answer, and how long that takes at most."""
    try:
        found = setwork.chosen_set(services, which, own)
    except StudioError as error:
        return {"preview": messages.error(error), "who": "", "start": gr.update(value="Ask all")}
    many = len(found.prompts)
    listed = services.catalog()
    names = [offer.shown for key in listed.kept(keys or []) if (offer := listed.find(key))]
    seconds = setwork.expected(many, len(names), int(drawn[2] or 0))
    by = f" The bias dial stands at {dial:g}." if dial != 1 else ""
    who = (
        f"{', '.join(names)} will answer: tick others under “Ask”.{by} Up to about {messages.duration(seconds)} on two cores; "
        "questions that are asked meanwhile take turns with it."
    )
    return {
        "preview": preview(found),
        "who": messages.note(who) if names else messages.error(StudioError("Nobody is ticked to answer.", "Tick columns under “Ask”.")),
        "start": gr.update(value=f"Ask all {many} questions" if many > 1 else "Ask this question"),
    }


def preview(found: PromptSet) -> str:
    """The first questions of a set, and what is to know about it, as HTML."""
    many = len(found.prompts)
    some = "".join(f'<li lang="en">{escape(one.text)}</li>' for one in found.prompts[:PREVIEWED])
    more = f"<li>and {many - PREVIEWED} more</li>" if many > PREVIEWED else ""
    count = f"{many} question{'s' * (many > 1)}:"
    return f'<div class="ps-note">{count}<ul style="margin:2px 0 0 18px">{some}{more}</ul></div>' + (
        messages.info(found.note) if found.note else ""
    )


def uploaded(services: Services, path: str | None, *rest: Any) -> Updates:
    """Reads the questions of a file and chooses them. Raises StudioError where they can't be read."""
    setwork.refuse_visitors(services)
    services.access.refuse("upload")
    own = prompts.read_csv(Path(path or ""))
    which = gr.update(choices=choices(services, own), value=OWN)
    return {"which": which, "own": own, "said": "", **prepared(services, OWN, own, *rest)}


def begin(visit: Visit, asked: Sequence[Any], view: View) -> Updates:
    """Begins to ask the chosen set. Raises StudioError where that can't be."""
    which, own, keys, dial, *drawn = asked
    found = setwork.chosen_set(visit.services, which, own)
    made = visit.begin(found, keys or [], forms.sampling_of(drawn), number(dial, "The bias dial", LOWEST, HIGHEST))
    return {"said": "", **_at(visit, made, view)}


def go_on(visit: Visit, chosen: str | None, view: View) -> Updates:
    """Goes on with the chosen batch. Raises StudioError where that can't be."""
    visit.go_on(chosen)
    return {"said": "", **look(visit, chosen, view, fresh=True)}


def stop(visit: Visit, chosen: str | None = None) -> Updates:
    """Asks the chosen batch to end where it is at work, else another one of this visitor's."""
    if not visit.stop(chosen):
        return {"said": messages.note("Nothing of yours is being asked.")}
    job = visit.job(chosen)
    return {"said": "", **({"status": setstatus.at_work(visit, job)} if job else {})}


def attached(visit: Visit, chosen: str | None, view: View) -> Updates:
    """For a page that was just loaded, or opened again: a batch at work, what was chosen, or else the newest result."""
    known = [one.id for one in visit.results()]
    at_work = [job.batch.id for job in visit.jobs() if job.batch.id in known]
    here = at_work[0] if at_work and not view.seen.chosen else chosen
    return _at(visit, here if here in known else next(iter(known), None), view)


def known_again(visit: Visit) -> Updates:
    """For a page whose visitor is known now, or asked for what others made."""
    return {"results": gr.update(choices=setstatus.listed(visit)), "said": ""}


def chosen(visit: Visit, batch_id: str | None, view: View) -> Updates:
    """For whoever chose a result."""
    return {"said": "", **look(visit, batch_id, replace(view, page=1), fresh=True)}


def _at(visit: Visit, chosen: str | None, view: View) -> Updates:
    """The same page with another result chosen."""
    found = look(visit, chosen, replace(view, page=1), fresh=True)
    return {**found, "results": gr.update(choices=setstatus.listed(visit), value=chosen)}


def look(visit: Visit, chosen: str | None, view: View, fresh: bool = False) -> Updates:
    """How far things are. A table that grows is drawn anew every few seconds at most, everything else when something began or ended."""
    setwork.refuse_visitors(visit.services)
    batch, job, seen = _found(visit, chosen), visit.job(chosen), view.seen
    abroad = batch is not None and batch.id not in visit.asker.jobs and batch.state == "running"
    busy = job.batch.id if job else batch.id if batch and abroad else ""
    answered, now = batch.answered if batch else 0, time.monotonic()
    here = batch.id if batch else ""
    changed = fresh or (here, busy) != (seen.chosen, seen.running)
    found: Updates = {
        "status": setstatus.at_work(visit, job)
        if job
        else setstatus.standing(visit, batch, abroad, batch is not None and seen.running == batch.id)
    }
    if changed:
        found |= _standing(visit, batch, busy, job) | _chosen(batch, seen)
    if changed or (answered != seen.answered and now - seen.at >= REFRESH_SECONDS):
        found |= listing(visit, chosen, view)
        found["seen"] = Seen(here, busy, answered, now)
    return found


def _found(visit: Visit, chosen: str | None) -> Batch | None:
    try:
        return visit.in_hand(chosen)
    except StudioError:
        return None


def _standing(visit: Visit, batch: Batch | None, busy: str, job: Job | None) -> Updates:
    """Buttons, clock and the list of results, as they are while `busy` runs, "" for none."""
    listed = setstatus.listed(visit)
    gone = {} if batch else {"value": None}
    return {
        "start": gr.update(interactive=visit.waits < setwork.MOST_WAITING),
        "stop": gr.update(visible=job is not None),
        "resume": _resume(visit, batch),
        "timer": gr.Timer(active=bool(busy)),
        "box": gr.update(visible=bool(listed)),
        "results": gr.update(choices=listed, **gone),
    }


def _resume(visit: Visit, batch: Batch | None) -> Any:
    at_work = batch is None or batch.id in visit.asker.jobs or batch.state == "running"
    left = 0 if batch is None or at_work else len(batch.prompts) - batch.answered
    return gr.update(visible=left > 0, value=f"Go on with “{batch.title}” ({left} left)" if batch and left > 0 else "Go on")


def _chosen(batch: Batch | None, seen: Seen) -> Updates:
    """What belongs to the result that was chosen before is put away."""
    if (batch.id if batch else "") == seen.chosen:
        return {}
    names = [(title(name), name) for name in batch.names] if batch else []
    sides = [gr.update(choices=names, value=names[n][1] if len(names) > 1 else None) for n in range(2)]
    hidden = gr.update(value=None, visible=False)
    return {
        "first": sides[0],
        "second": sides[1],
        "file": hidden,
        "delete": gr.update(value=UNSURE, variant="secondary"),
        "warned": "",
        "told": "",
    }


def listing(visit: Visit, chosen: str | None, view: View) -> Updates:
    """The rows that are wanted, a page of them."""
    return setrows.listing(visit, chosen, Wanted(bool(view.different), view.sort, view.search or ""), view.page)


def sides(kind: str) -> Updates:
    """Only LLM Comparator asks which two columns."""
    wanted = gr.update(visible=kind == COMPARATOR)
    return {"first": wanted, "second": wanted}


def export(visit: Visit, chosen: str | None, kind: str, first: str | None, second: str | None) -> Updates:
    """Makes the file. Raises StudioError where there is nothing to write."""
    made = setrows.export(visit, chosen, kind, first, second)
    said = messages.note("Every answer in it carries its stamp, its seal and the mark of its column.")
    return {"file": gr.update(value=str(made), visible=True), "told": said}


def delete(visit: Visit, chosen: str | None, warned: str, view: View) -> Updates:
    """Deletes a result at the second press. Raises StudioError where it is at work, gone or another one's."""
    batch = visit.in_hand(chosen)
    if warned != batch.id:
        said = f"“{batch.title}” with its {batch.answered} answered questions goes for good. Press once more to delete it."
        return {"told": messages.info(said), "delete": gr.update(value=SURE, variant="stop"), "warned": batch.id}
    if batch.id in visit.asker.jobs:
        raise StudioError(f"“{batch.title}” is being asked already, or waits for it.", "Stop it first.")
    batches.delete(batch.id, visit.services.paths)
    visit.asker.problems.pop(batch.id, None)
    newest = next((one.id for one in visit.results()), None)
    return {**_at(visit, newest, view), "told": messages.good(f"“{batch.title}” was deleted.")}
