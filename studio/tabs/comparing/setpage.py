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
from pipelines.comparing.prompts import PromptSet
from pipelines.errors import StudioError
from studio.services import Services
from studio.tabs.comparing import forms, setrows, setwork
from studio.tabs.comparing.setrows import AS_ASKED, COMPARATOR, Wanted
from studio.tabs.comparing.setwork import OWN, Asker
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
    some = "".join(f"<li>{escape(one.text)}</li>" for one in found.prompts[:PREVIEWED])
    more = f"<li>and {many - PREVIEWED} more</li>" if many > PREVIEWED else ""
    count = f"{many} question{'s' * (many > 1)}:"
    return f'<div class="ps-note">{count}<ul style="margin:2px 0 0 18px">{some}{more}</ul></div>' + (
        messages.info(found.note) if found.note else ""
    )


def uploaded(services: Services, path: str | None, *rest: Any) -> Updates:
    """Reads the questions of a file and chooses them. Raises StudioError where they can't be read."""
    setwork.refuse_visitors(services)
    own = prompts.read_csv(Path(path or ""))
    which = gr.update(choices=choices(services, own), value=OWN)
    return {"which": which, "own": own, "said": "", **prepared(services, OWN, own, *rest)}


def begin(asker: Asker, asked: Sequence[Any], view: View) -> Updates:
    """Begins to ask the chosen set. Raises StudioError where that can't be."""
    which, own, keys, dial, *drawn = asked
    found = setwork.chosen_set(asker.services, which, own)
    made = asker.begin(found, keys or [], forms.sampling_of(drawn), float(dial))
    return {"said": "", **_at(asker, made, view)}


def go_on(asker: Asker, chosen: str | None, view: View) -> Updates:
    """Goes on with the chosen batch. Raises StudioError where that can't be."""
    asker.go_on(chosen)
    return {"said": "", **look(asker, chosen, view, fresh=True)}


def stop(asker: Asker) -> Updates:
    """Asks the running batch to end."""
    asker.stop()
    return {"status": messages.bar(*asker.progress), "said": ""} if asker.running else {"said": messages.note("Nothing is being asked.")}


def attached(asker: Asker, chosen: str | None, view: View) -> Updates:
    """For a page that was just loaded, or opened again: a running batch, what was chosen, or else the newest result."""
    known = [one.id for one in setwork.results(asker.services)]
    here = asker.running if asker.running in known and not view.seen.chosen else chosen
    return _at(asker, here if here in known else next(iter(known), None), view)


def chosen(asker: Asker, batch_id: str | None, view: View) -> Updates:
    """For whoever chose a result."""
    return {"said": "", **look(asker, batch_id, replace(view, page=1), fresh=True)}


def _at(asker: Asker, chosen: str | None, view: View) -> Updates:
    """The same page with another result chosen."""
    found = look(asker, chosen, replace(view, page=1), fresh=True)
    return {**found, "results": gr.update(choices=_results(asker), value=chosen)}


def look(asker: Asker, chosen: str | None, view: View, fresh: bool = False) -> Updates:
    """How far things are. A table that grows is drawn anew every few seconds at most, everything else when something began or ended."""
    setwork.refuse_visitors(asker.services)
    batch, running, seen = _found(asker, chosen), asker.running, view.seen
    abroad = batch is not None and batch.id != running and batch.state == "running"
    busy = running or (batch.id if batch and abroad else "")
    answered, now = batch.answered if batch else 0, time.monotonic()
    changed = fresh or (chosen or "", busy) != (seen.chosen, seen.running)
    found: Updates = {"status": _status(asker, batch, busy, seen)}
    if changed:
        found |= _standing(asker, batch, busy) | _chosen(batch, seen)
    if changed or (answered != seen.answered and now - seen.at >= REFRESH_SECONDS):
        found |= listing(asker.services, chosen, view)
        found["seen"] = Seen(chosen or "", busy, answered, now)
    return found


def _found(asker: Asker, chosen: str | None) -> Batch | None:
    try:
        return setwork.in_hand(asker.services, chosen)
    except StudioError:
        return None


def _status(asker: Asker, batch: Batch | None, busy: str, seen: Seen) -> str:
    """A bar while something runs, else how the chosen batch stands."""
    if asker.running:
        return messages.bar(*asker.progress)
    if batch is None:
        return ""
    many, done = len(batch.prompts), batch.answered
    if busy:
        words = f"{batch.title}: {done} of {many} questions answered; it was begun by another studio or on the command line"
        return messages.bar(done / many, words)
    if batch.id in asker.problems and done < many:
        return asker.problems[batch.id]
    if done >= many:
        said = f"“{batch.title}”: all {many} questions are answered." if many > 1 else f"“{batch.title}”: the question is answered."
        return messages.good(said) if seen.running == batch.id else messages.note(said)
    kept = f"stopped with {done} of {many} questions answered, which are kept" if batch.base_fingerprint else "not begun yet"
    return messages.info(f"“{batch.title}”: {kept}. “Go on” asks {'the others' if done else 'them all'}.")


def _standing(asker: Asker, batch: Batch | None, busy: str) -> Updates:
    """Buttons, clock and the list of results, as they are while `busy` runs, "" for none."""
    listed = _results(asker)
    gone = {} if batch else {"value": None}
    return {
        "start": gr.update(interactive=not asker.running),
        "stop": gr.update(visible=bool(asker.running)),
        "resume": _resume(batch, busy),
        "timer": gr.Timer(active=bool(busy)),
        "box": gr.update(visible=bool(listed)),
        "results": gr.update(choices=listed, **gone),
    }


def _resume(batch: Batch | None, busy: str) -> Any:
    left = len(batch.prompts) - batch.answered if batch and not busy else 0
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


def _results(asker: Asker) -> list[tuple[str, str]]:
    """(name, id), newest first: when, what, of whom, and how far where it is not finished."""
    return [(_named(asker, one), one.id) for one in setwork.results(asker.services)]


def _named(asker: Asker, batch: Batch) -> str:
    many, done = len(batch.prompts), batch.answered
    far = "being asked" if asker.running == batch.id else f"{many} questions" if done >= many else f"{done} of {many} questions"
    when = batch.created[:16].replace("T", " ")
    return f"{batch.title} · {', '.join(map(title, batch.names))} · {far} · {when} UTC"


def listing(services: Services, chosen: str | None, view: View) -> Updates:
    """The rows that are wanted, a page of them."""
    return setrows.listing(services, chosen, Wanted(bool(view.different), view.sort, view.search or ""), view.page)


def sides(kind: str) -> Updates:
    """Only LLM Comparator asks which two columns."""
    wanted = gr.update(visible=kind == COMPARATOR)
    return {"first": wanted, "second": wanted}


def export(services: Services, chosen: str | None, kind: str, first: str | None, second: str | None) -> Updates:
    """Makes the file. Raises StudioError where there is nothing to write."""
    made = setrows.export(services, chosen, kind, first, second)
    said = messages.note("Every answer in it carries its stamp, its seal and the mark of its column.")
    return {"file": gr.update(value=str(made), visible=True), "told": said}


def delete(asker: Asker, chosen: str | None, warned: str, view: View) -> Updates:
    """Deletes a result at the second press. Raises StudioError where it runs or is gone."""
    batch = setwork.in_hand(asker.services, chosen)
    if warned != batch.id:
        said = f"“{batch.title}” with its {batch.answered} answered questions goes for good. Press once more to delete it."
        return {"told": messages.info(said), "delete": gr.update(value=SURE, variant="stop"), "warned": batch.id}
    batches.delete(batch.id, asker.services.paths)
    asker.problems.pop(batch.id, None)
    newest = next((one.id for one in setwork.results(asker.services)), None)
    return {**_at(asker, newest, view), "told": messages.good(f"“{batch.title}” was deleted.")}
