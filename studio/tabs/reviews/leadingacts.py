"""What the owner does in “Lead the coding”: each function answers a press with the whole page anew, and a sentence beside the button."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import StudioError
from pipelines.review.codebook import changes, read_yaml, starter
from pipelines.review.intervals import counted
from studio.tabs.reviews.leadingpage import Act, Form, counts_and_quotes, looked
from studio.tabs.reviews.leadingwork import Leader
from studio.tabs.reviews.owning import Who
from studio.tabs.wiring import Updates
from studio.telling import told
from studio.views import messages


def use(leader: Leader, who: Who, chosen: str | None, form: Form) -> Updates:
    """Publishes the starter codebook."""
    leader.publish(who, chosen, starter())
    return {**looked(leader, who, chosen, form), "book_said": messages.good("The starter codebook is in use. Next: calibrate with it.")}


def uploaded(leader: Leader, who: Who, chosen: str | None, form: Form, path: str | None) -> Updates:
    """Publishes an uploaded codebook as the next version. Raises StudioError for a file that is none, or with another number."""
    leader.services.access.refuse("upload")
    old = leader.standing(who, chosen).book
    new = leader.publish(who, chosen, read_yaml(Path(path or "")))
    said = " ".join(changes(old, new)[:6]) if old else f"It has {counted(len(new.codes), 'code')}."
    again = " Calibrate with it; rounds with an older version stay as they are." if old else " Next: calibrate with it."
    return {**looked(leader, who, chosen, form), "book_said": messages.good(f"Version {new.version} is in use. {said}{again}")}


def calibrate(leader: Leader, who: Who, chosen: str | None, form: Form) -> Updates:
    made = leader.calibrate(who, chosen, form.raters or (), form.count)
    said = f"Open: {counted(len(made.raters), 'rater')} now find {counted(len(made.items), 'pair')} under “Code answers” on their page."
    return {**looked(leader, who, chosen, form), "calibration_said": messages.good(said)}


def code(leader: Leader, who: Who, chosen: str | None, form: Form) -> Updates:
    made = leader.open_coding(who, chosen, form.coders or ())
    pairs = sum(len(one.items) for one in made)
    said = f"Open: {counted(pairs, 'pair')}, each in two raters' hands, in {counted(len(made), 'round')}. Raters find them under “Code answers” on their page."
    return {**looked(leader, who, chosen, form), "coding_said": messages.good(said)}


def acted(leader: Leader, who: Who, chosen: str | None, form: Form, act: Act) -> Updates:
    """Accepts a calibration, settles a difference or turns to another one; what goes wrong is said there and loses no reason."""
    try:
        if act.name == "accept":
            leader.accept(who, chosen, act.key, act.reason)
        elif act.name in ("applies", "not"):
            leader.settle(who, chosen, act.key, act.name == "applies", act.reason)
    except Exception as error:
        return looked(leader, who, chosen, form, Act(act.name, act.key, act.reason, told(error)))
    return looked(leader, who, chosen, form, act)


def ticked(leader: Leader, who: Who, chosen: str | None, key: str, wanted: bool) -> Updates:
    """Takes a quote into the report or out of it; the list is drawn anew only where that failed."""
    try:
        leader.tick(who, chosen, key, wanted)
    except StudioError as error:
        return {"found": counts_and_quotes(leader, leader.standing(who, chosen)), "found_said": messages.error(error)}
    picked = len(leader.settling.picked(chosen or ""))
    return {"found_said": messages.good(f"In the report now: {counted(picked, 'quote')}.")}
