"""What happens when a question is asked: all columns answer together, and the conversation has one more turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from pipelines import incidents
from pipelines.comparing.columns import Catalog
from pipelines.comparing.comparison import LONGEST_QUESTION, MOST_TURNS, Comparison, Turn
from pipelines.comparing.keys import HIGHEST, LOWEST, MAX_COLUMNS
from pipelines.entries import is_blank, is_torn, number
from pipelines.errors import StudioError
from pipelines.models.attached import inspected, settings_of, stamped
from pipelines.models.host import Row
from pipelines.models.shared import Update
from pipelines.records import Answer, Column, Sampling
from studio.services import Services
from studio.tabs.comparing import listed as demo
from studio.views import cards, messages

DONE = "Done. One answer is one draw: a column can miss its side. Draw again, or see Stance for the average over 40 questions."
FOLLOW, REPLACE = "Ask as a follow-up", "Replace the last question"
STOPPED = "Stopped; what was said until then is kept."
NOT_ASKED = "Stopped before it was your turn; nothing was asked."
SAME = "Just this was asked before, with the same columns and settings: these are the same answers, not drawn again."
AS_BEFORE = "This conversation keeps the columns, the dial and the system prompt that it began with; “Ask all” begins a new one with yours."


@dataclass(frozen=True)
class Wish:
    """What a visitor wants asked. `earlier` is the conversation that it goes on with (None: a new one), `shown` the one on the page."""

    question: str
    keys: Sequence[str]
    dial: float
    sampling: Sampling
    system: str = ""
    earlier: Comparison | None = None
    shown: Comparison | None = None


@dataclass(frozen=True)
class Parts:
    """What the page shows at a moment, in the order of the outputs; None where nothing changes."""

    status: str
    panes: str | None = None
    check: str | None = None
    busy: bool = False
    talk: Comparison | None = None

    def updates(self, here: dict[str, Any]) -> tuple[Any, ...]:
        """Updates of status, panes, check, the five buttons, the conversation and what the browser remembers of it, with `here`."""
        kept = {**here, "comparison": self.talk.as_dict()} if self.talk else None
        panes, check, *rest = (gr.skip() if one is None else one for one in (self.panes, self.check, self.talk, kept))
        return self.status, panes, check, *buttons(self.busy), *rest


def buttons(busy: bool) -> tuple[Any, ...]:
    """Updates of: ask, follow up, stop, draw again, edit. Nothing can be sent until every column has finished."""
    ask = gr.update(interactive=not busy, value="Answering …" if busy else "Ask all")
    follow = gr.update(interactive=not busy, value=FOLLOW)
    stop, again, edit = (gr.update(interactive=free) for free in (busy, not busy, not busy))
    return ask, follow, stop, again, edit


def respond(services: Services, wish: Wish, session: str, here: dict[str, Any], request: Any = None) -> Iterator[tuple[Any, ...]]:
    """Yields updates while the answers grow. Whatever goes wrong, the visitor gets the buttons, the last answers and a sentence."""
    before = cards.conversation(wish.shown) if wish.shown else None
    try:
        for parts in _respond(services, wish, session, request):
            yield parts.updates(here)
    except StudioError as error:
        yield Parts(messages.error(error), before).updates(here)
    except Exception as error:
        broken = incidents.unexpected(error, "The answer broke off", "Nothing is lost; press “Ask all” again.")
        yield Parts(messages.error(broken), before).updates(here)
    finally:
        services.release(session)


def _respond(services: Services, wish: Wish, session: str, request: Any) -> Iterator[Parts]:
    listed = services.catalog()
    begun_with = wish.earlier or _new(listed, wish)
    columns = columns_of(listed, begun_with)
    question = checked(wish.question, "question", LONGEST_QUESTION)
    for column, answer in zip(columns, wish.earlier.last.answers if wish.earlier else (), strict=bool(wish.earlier)):
        refuse_another(services, column, answer)
    known = demo.at_once(services, question, begun_with.keys, wish.dial, wish.sampling, begun_with.system, wish.earlier)
    if known:
        yield Parts(demo.said(), cards.conversation(known), talk=known)
        return
    services.access.take(request)
    waiting = cards.waiting(question, [column.name for column in columns], wish.earlier)
    yield Parts(messages.note("The columns read your question together …"), waiting, busy=True)
    rows = [Row(column, begun_with.messages(place, question), wish.sampling.seed) for place, column in enumerate(columns)]
    last = Update()
    with services.asking(session) as stop:
        for last, said in _growing(services, rows, wish.sampling, stop, session):
            yield Parts(said, cards.growing(question, last.answers, wish.earlier) if last.answers else waiting, busy=True)
    if not last.answers:
        yield Parts(messages.note(NOT_ASKED), cards.conversation(wish.shown) if wish.shown else None)
        return
    test = last.test or services.host.last_test
    talk = replace(begun_with, sampling=wish.sampling).then(Turn(question, tuple(last.answers)))
    words = [STOPPED if last.stopped else DONE, SAME if last.again else "", AS_BEFORE if _other_settings(listed, wish) else ""]
    yield Parts(messages.note(" ".join(filter(None, words))), cards.conversation(talk), cards.self_test(test), talk=talk)


def _growing(
    services: Services, rows: Sequence[Row], sampling: Sampling, stop: threading.Event, session: str
) -> Iterator[tuple[Update, str]]:
    """How far the answers are, each time with a sentence: the place in the line, then tokens and the time that is left."""
    begun = 0.0
    for update in services.answers.ask(rows, sampling, stop, session):
        begun = begun or (time.monotonic() if update.answers else 0.0)
        yield update, _so_far(update.answers, sampling, begun) if update.answers else messages.in_line(update.place)


def _new(listed: Catalog, wish: Wish) -> Comparison:
    """An empty conversation. Raises StudioError where no columns, unknown ones, or too many are chosen."""
    unknown = [key for key in wish.keys or [] if not listed.find(key)]
    if unknown:
        hint = "Take it out; strengths are written like left*0.5, blends like left*0.5+right*0.5."
        raise StudioError(f"There is no column “{unknown[0][:80]}”.", hint)
    kept = listed.kept(wish.keys or [])
    if not kept:
        raise StudioError("No column is chosen.", "Choose the base and at least one adapter below.")
    if len(kept) > MAX_COLUMNS:
        raise StudioError(f"{len(kept)} columns are chosen; at most {MAX_COLUMNS} fit side by side.", "Take some out.")
    if len({column.name for column in listed.columns(kept)}) < len(kept):
        raise StudioError("Two columns have the same name.", "Take one out, or give its run another title.")
    system = checked(wish.system, "system prompt", LONGEST_QUESTION) if (wish.system or "").strip() else ""
    return Comparison(tuple(kept), (), wish.sampling, float(number(wish.dial, "The bias dial", LOWEST, HIGHEST)), system)


def _other_settings(listed: Catalog, wish: Wish) -> bool:
    """Whether the page's columns, dial or system prompt are not those of the conversation that goes on."""
    if wish.earlier is None:
        return False
    now = (tuple(listed.kept(wish.keys or [])), round(wish.dial, 3), (wish.system or "").strip())
    return now != (wish.earlier.keys, round(wish.earlier.strength, 3), wish.earlier.system)


def columns_of(listed: Catalog, talk: Comparison) -> list[Column]:
    """The columns of a conversation, in its order. Raises StudioError where one is gone."""
    found = [listed.find(key) for key in talk.keys]
    gone = [key for key, offer in zip(talk.keys, found, strict=True) if offer is None]
    if gone:
        raise StudioError(f"A column of this conversation is no longer there ({', '.join(gone)}).", "Press “Ask all” to begin a new one.")
    if len(talk.turns) >= MOST_TURNS:
        raise StudioError(f"This conversation has {MOST_TURNS} turns, and more are not read.", "Press “Ask all” to begin a new one.")
    return [offer.column(talk.strength) for offer in found if offer]


def refuse_another(services: Services, column: Column, answer: Answer) -> None:
    """Raises StudioError where the model or the adapters are no longer those that gave the answer."""
    stamp, files = answer.stamp, inspected(column)
    prints, strength = stamped([(file.fingerprint, strength) for file, strength in files])
    same_settings = stamp.adapter_settings in ("", settings_of(files))  # answers of earlier versions do not tell
    if (stamp.adapter_fingerprint, round(stamp.strength, 3)) != (prints, round(strength, 3)) or not same_settings:
        raise StudioError(f"The adapter of “{answer.column}” was changed since this answer.", "Press “Ask all” to ask anew.")
    base = services.loaded().fingerprint
    if base and stamp.weights != base:
        raise StudioError(f"“{answer.column}” answered on another base ({stamp.base_fingerprint}).", "Press “Ask all” to ask anew.")


def checked(text: str | None, what: str, most: int) -> str:
    """The text without spaces around it. Raises StudioError where there is none, it is too long, or holds half characters."""
    words = (text or "").strip()
    if is_blank(words):
        raise StudioError(f"There is no {what}.", "Type one, or choose one of the suggestions.")
    if len(words) > most:
        raise StudioError(f"The {what} has {len(words)} characters; at most {most} are read.", "Shorten it.")
    if is_torn(words):
        raise StudioError(f"The {what} holds half a character.", "Type it again without it.")
    return words


def _so_far(answers: Sequence[Answer], sampling: Sampling, begun: float) -> str:
    """Tokens and the time that is left at most."""
    most = max(answer.tokens for answer in answers)
    left = (time.monotonic() - begun) / max(1, most) * (sampling.max_new_tokens - most)
    text = f"Answering together · {most} of at most {sampling.max_new_tokens} tokens · at most {messages.duration(left)} left"
    return f'<div aria-live="off">{messages.bar(most / sampling.max_new_tokens, text)}</div>'
