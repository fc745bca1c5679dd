"""What “Lead the coding” shows: each function answers one event with updates by part name; parts it leaves out stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from pipelines.comparing.naming import mark
from pipelines.records import Answer
from pipelines.review import coded as results
from pipelines.review.ballots import Listed
from pipelines.review.codebook import starter
from pipelines.review.intervals import counted
from studio.tabs.reviews import leadingsteps as steps
from studio.tabs.reviews.leadingstate import Standing
from studio.tabs.reviews.leadingwork import Leader, quote_key
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.visitor import word_of
from studio.tabs.wiring import Updates
from studio.views import codecounts, coded, messages
from studio.views.ballot import page

NO_REVIEW = "There is no review of yours here. Set one up first."
OPEN_CALIBRATION, AGAIN = "Open the calibration", "Calibrate again with other pairs"
OPEN_CODING, SHARE = "Open the coding of all pairs", "Share out what is left"
TELLS = ("said", "book_said", "calibration_said", "coding_said", "found_said")


@dataclass(frozen=True)
class Form:
    """What is ticked. `offered` are the review and the raters that could be ticked when it was: whoever came since is ticked for them."""

    raters: Sequence[int] = ()
    coders: Sequence[int] = ()
    count: float | None = None
    offered: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """A press in a page, and what goes wrong with it: `said` is shown beside the field, which keeps its `reason`."""

    name: str = ""
    key: str = ""
    reason: str = ""
    said: str = ""

    @classmethod
    def read(cls, value: Any) -> Act:
        """Whatever a browser sends."""
        found = value if isinstance(value, dict) else {}
        return cls(*(word_of(found.get(name)) for name in ("act", "key", "reason")))


def looked(leader: Leader, who: Who, chosen: str | None, form: Form, act: Act = Act()) -> Updates:
    """The chosen review of one's own, or else the one that is being coded, with all its steps."""
    own = leader.own(who)
    here = _chosen(leader, own, chosen)
    choices = [(f"{one.title} · {one.created[:10]} · {'closed' if one.is_closed else 'open'}", one.id) for one in own]
    shown: Updates = {
        "reviews": gr.update(choices=choices, value=here),
        "box": gr.update(visible=here is not None),
        **dict.fromkeys(TELLS, ""),
    }
    if here is None:
        return {**shown, "standing": messages.info(NO_REVIEW)}
    now = leader.standing(who, here)
    offered = {"review": here, "raters": now.joined, "coders": now.coders}
    rows, following = steps.rows(now), steps.following(now)
    shown |= {
        "standing": coded.standing(rows, following, not now.listed.is_closed),
        **_book(now),
        **_calibration(leader, now, form, act),
        **_coding(leader, now, form),
        "settling_head": coded.step(4, "Settle differences", *steps.settling(now)),
        "settling": _settling(now, act),
        "found_head": coded.step(5, "Counts and quotes", *steps.found(now)),
        "found": counts_and_quotes(leader, now),
        "offered": offered,
    }
    if act.said and act.said not in shown["calibration"] + shown["settling"]:
        shown["said"] = act.said  # what it was about is not on the page any more
    return shown


def _chosen(leader: Leader, own: Sequence[Listed], chosen: str | None) -> str | None:
    """Without a choice the newest open review with rounds, so that a reload comes back to it; else the newest open one."""
    if any(one.id == chosen for one in own):
        return chosen
    still = [one for one in own if not one.is_closed]
    coding = [one for one in still if leader.codes.rounds(one.id)]
    return next((one.id for one in (*coding, *still, *own)), None)


def _book(now: Standing) -> Updates:
    (state, words), is_open = steps.book(now), not now.listed.is_closed
    shown = now.book or starter()
    return {
        "book_head": coded.step(1, "Codebook", state, words),
        "book": coded.codebook(shown, now.book is not None, now.books[:-1]),
        "use": gr.update(visible=now.book is None and is_open),
        "upload": gr.update(visible=is_open, label="Upload the next version (YAML)" if now.book else "Upload your own (YAML)"),
    }


def _calibration(leader: Leader, now: Standing, form: Form, act: Act) -> Updates:
    (state, words), is_open = steps.calibration(now), not now.listed.is_closed
    can = not steps.before_calibration(now)
    ticked = _kept(now, form, "raters", now.joined, form.raters, now.joined)
    return {
        "calibration_head": coded.step(2, "Calibration", state, words),
        "raters": gr.update(choices=_named(now.joined), value=ticked, interactive=can, visible=bool(now.joined) and is_open),
        "count": gr.update(interactive=can, visible=is_open),
        "calibrate": gr.update(**_button(AGAIN if now.calibrations else OPEN_CALIBRATION, can, not now.calibrations), visible=is_open),
        "calibration": _calibrated(leader, now, act),
    }


def _calibrated(leader: Leader, now: Standing, act: Act) -> str:
    """Who has read how much; of the newest finished calibration how far its raters agree, and the way on."""
    parts = [coded.reading(f"Calibration, {counted(len(one.round.items), 'pair')}", [one]) for one in now.running]
    last = now.calibration
    agreed = leader.agreement([last], now.protocol) if last else None
    if last is None or agreed is None:
        return page("".join(parts)) if parts else ""
    book, key = last.round.codebook, last.round.id
    what = f"Calibration, {counted(len(last.round.items), 'pair')}, finished"
    shown = coded.reading(what, [last]) + coded.agreement(agreed.alphas, agreed.given, agreed.answers, agreed.raters, book)
    shown += coded.differed(results.differences(last, now.protocol), book)
    if last.round.accepted:
        parts += [messages.good(f"Accepted: {last.round.accepted}"), coded.folded(what, shown)]
        return page("".join(parts), counted=f"accept-{key}")
    if now.listed.is_closed:
        return page("".join(parts) + coded.folded(what, shown))
    parts.append(shown)
    said, reason = (act.said, act.reason) if (act.name, act.key) == ("accept", key) else ("", "")
    return coded.accepting(key, "".join(parts), said, reason)


def _coding(leader: Leader, now: Standing, form: Form) -> Updates:
    (state, words), is_open = steps.coding(now), not now.listed.is_closed
    can = not steps.before_coding(now)
    newest = now.circles[0] if now.circles else ()
    ticked = _kept(now, form, "coders", now.coders, form.coders, newest)
    agreed = leader.agreement(now.coding, now.protocol)
    shown = coded.reading(f"Coding, {counted(len(now.coding), 'round')}", now.coding) if now.coding else ""
    if agreed and now.book:
        found = coded.agreement(agreed.alphas, agreed.given, agreed.answers, agreed.raters, now.book)
        shown += coded.folded("How far coders agree", found, not now.listed.is_closed)
    return {
        "coding_head": coded.step(3, "Coding", state, words),
        "coders": gr.update(choices=_named(now.coders), value=ticked, interactive=can, visible=bool(now.coders) and is_open),
        "code": gr.update(**_button(SHARE if now.coding else OPEN_CODING, can and state != "done", not now.coding), visible=is_open),
        "coding": shown,
    }


def _button(text: str, can: bool, is_next: bool) -> dict[str, Any]:
    return {"value": text, "interactive": can, "variant": "primary" if is_next else "secondary"}


def _kept(now: Standing, form: Form, name: str, offered: Sequence[int], ticked: Sequence[int] | None, first: Collection[int]) -> list[int]:
    """Ticks as they were; whoever could not be ticked before is ticked if among `first`."""
    before = form.offered.get(name, ()) if form.offered.get("review") == now.listed.id else ()
    return [one for one in offered if (one in (ticked or ()) if one in before else one in first)]


def _named(numbers: Sequence[int]) -> list[tuple[str, int]]:
    return [(f"Rater {number}", number) for number in numbers]


def _settling(now: Standing, act: Act) -> str:
    """The difference that is asked for, or else the first that is not settled; `act` may have settled one."""
    found = now.disputes
    if not found:
        return ""
    done, is_open = len(found) - len(now.open_disputes), not now.listed.is_closed
    keys = [one.key for one in found]
    kept = act.key if act.name in ("applies", "not") and not act.said else ""
    wanted = act.key if act.key in keys and not kept else _following(now, keys.index(kept) if kept in keys else -1)
    if not wanted:
        return coded.settled_all(len(found), keys[-1], is_open, kept)
    place = keys.index(wanted)
    one = found[place]
    code = next(each.round.codebook for each in now.coding if each.round.id == one.round_id).find(one.difference.code_id)
    beside = (keys[place - 1] if place else "", keys[place + 1] if place + 1 < len(keys) else "")
    said, reason = (act.said, act.reason) if act.said and act.key == wanted else ("", "")
    return coded.disputed(one.difference, code, one.key, (place + 1, len(found), done), one.earlier, beside, is_open, said, reason, kept)


def _following(now: Standing, place: int) -> str:
    """The next difference after a place that is not settled, else the first one; "" where all are."""
    left = [one.key for one in now.open_disputes]
    later = [one.key for one in now.disputes[place + 1 :] if one.key in left]
    return next(iter((*later, *left)), "")


def counts_and_quotes(leader: Leader, now: Standing) -> str:
    """Counts and quotes, which know the columns: only when they may be seen."""
    if steps.before_found(now):
        return ""
    counts = leader.settling.counts(now.listed.id)
    if not counts:
        return ""
    quotes = [(quote_key(one), one) for one in leader.settling.quotes(now.listed.id)]
    picked = {quote_key(one) for one in leader.settling.picked(now.listed.id)}
    book = max((one.round.codebook for one in now.sheets if one.round.kind == "coding"), key=lambda one: one.version)
    answers = map(Answer.from_dict, now.protocol.answers[: len(now.protocol.columns)])
    return codecounts.found(counts, quotes, picked, book, {one.column: mark(one) for one in answers})
