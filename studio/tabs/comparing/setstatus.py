"""What the page says of prompt sets: how far one is, how one stands, and what a visitor has."""

from __future__ import annotations

from pipelines.comparing.batch import Batch
from studio.tabs.comparing.setwork import Job, Visit
from studio.views import messages
from studio.views.cards import title


def at_work(visit: Visit, job: Job) -> str:
    """A bar while a batch is asked, else its place; of other visitors' sets only the number is told."""
    place = job.ticket.place
    if job.ticket.is_served or not place.ahead:
        return messages.bar(*visit.asker.progress(job))
    if job.stop.is_set():
        return messages.note(f"“{job.batch.title}” gives its place up.")
    others = "1 other set is" if place.ahead == 1 else f"{place.ahead} other sets are"
    wait = f"up to about {messages.duration(max(1.0, place.seconds))}"
    return messages.note(f"“{job.batch.title}” waits for its turn: {others} asked before it, {wait}. The page need not stay open.")


def standing(visit: Visit, batch: Batch | None, abroad: bool, has_ended: bool) -> str:
    """How the chosen batch stands where it is not at work here; `has_ended` is whether the page saw it at work."""
    if batch is None:
        return ""
    many, done = len(batch.prompts), batch.answered
    if abroad:
        words = f"{batch.title}: {done} of {many} questions answered; it was begun by another studio or on the command line"
        return messages.bar(done / many, words)
    if batch.id in visit.asker.problems and done < many:
        return visit.asker.problems[batch.id]
    if done >= many:
        said = f"“{batch.title}”: all {many} questions are answered." if many > 1 else f"“{batch.title}”: the question is answered."
        return messages.good(said) if has_ended else messages.note(said)
    kept = f"stopped with {done} of {many} questions answered, which are kept" if batch.base_fingerprint else "not begun yet"
    return messages.info(f"“{batch.title}”: {kept}. “Go on” asks {'the others' if done else 'them all'}.")


def listed(visit: Visit) -> list[tuple[str, str]]:
    """(name, id), newest first: when, what, of whom, and how far where it is not finished."""
    return [(named(visit, one), one.id) for one in visit.results()]


def named(visit: Visit, batch: Batch) -> str:
    many, done, job = len(batch.prompts), batch.answered, visit.asker.jobs.get(batch.id)
    far = f"{many} questions" if done >= many else f"{done} of {many} questions"
    if job:
        far = "being asked" if job.ticket.is_served else "waiting"
    when = batch.created[:16].replace("T", " ")
    return f"{batch.title} · {', '.join(map(title, batch.names))} · {far} · {when} UTC"
