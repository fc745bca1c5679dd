"""What happens when a question is asked: all columns answer together, and the conversation has one more turn."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from pipelines.comparing.columns import MAX_COLUMNS
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.errors import StudioError
from pipelines.models.host import Row
from pipelines.records import Answer, Column, Sampling
from studio.services import Services
from studio.views import cards, messages

MAX_QUESTION, MAX_SYSTEM, MAX_TURNS = 600, 600, 12
DONE = "Done. Every card carries its stamp: open it to see what exactly was asked of whom."
STOPPED = "Stopped; what was said until then is kept."


@dataclass(frozen=True)
class Wish:
    """What a visitor wants asked. `earlier` is the conversation that it goes on with; None begins a new one."""

    question: str
    keys: Sequence[str]
    dial: float
    sampling: Sampling
    system: str = ""
    earlier: Comparison | None = None


@dataclass(frozen=True)
class Parts:
    """What the page shows at a moment, in the order of the outputs; None where nothing changes."""

    status: str
    panes: str | None = None
    check: str | None = None
    busy: bool = False
    talk: Comparison | None = None

    def updates(self, page: str) -> tuple[Any, ...]:
        """Updates of status, panes, check, the five buttons, the conversation and what the browser remembers of it."""
        kept = {"comparison": self.talk.as_dict(), "columns": list(self.talk.keys), "page": page} if self.talk else None
        panes, check, *rest = (gr.skip() if one is None else one for one in (self.panes, self.check, self.talk, kept))
        return self.status, panes, check, *buttons(self.busy), *rest


def buttons(busy: bool) -> tuple[Any, ...]:
    """Updates of: ask, follow up, stop, draw again, edit. Nothing can be sent until every column has finished."""
    ask = gr.update(interactive=not busy, value="Answering …" if busy else "Ask all")
    return (
        ask,
        gr.update(interactive=not busy),
        gr.update(interactive=busy),
        gr.update(interactive=not busy),
        gr.update(interactive=not busy),
    )


def respond(services: Services, wish: Wish, session: str) -> Iterator[tuple[Any, ...]]:
    """Yields updates while the answers grow. Whatever goes wrong, the visitor gets the buttons back and a sentence."""
    try:
        for parts in _respond(services, wish, session):
            yield parts.updates(session)
    except StudioError as error:
        yield Parts(messages.error(error)).updates(session)
    except Exception as error:
        traceback.print_exc()
        broken = StudioError(f"The answer broke off ({type(error).__name__}).", "Nothing is lost; press “Ask all” again.")
        yield Parts(messages.error(broken)).updates(session)


def _respond(services: Services, wish: Wish, session: str) -> Iterator[Parts]:
    begun_with = wish.earlier or _new(services, wish)
    columns = columns_of(services, begun_with)
    question = checked(wish.question, "question", MAX_QUESTION)
    earlier = begun_with if begun_with.turns else None
    stop = services.new_stop(session)
    waiting = cards.waiting(question, [column.name for column in columns], earlier)
    yield Parts(messages.note("The columns read your question together …"), waiting, busy=True)
    rows = [Row(column, begun_with.messages(place, question), wish.sampling.seed) for place, column in enumerate(columns)]
    answers: list[Answer] = []
    begun = time.monotonic()
    for answers in services.host.stream(rows, wish.sampling, stop):
        yield Parts(_so_far(answers, wish.sampling, begun), cards.growing(question, answers, earlier), busy=True)
    test = services.host.self_test()
    talk = replace(begun_with, sampling=wish.sampling).then(Turn(question, tuple(answers)))
    said = messages.note(STOPPED if stop.is_set() else DONE)
    yield Parts(said, cards.conversation(talk), cards.self_test(test), talk=talk)


def _new(services: Services, wish: Wish) -> Comparison:
    """An empty conversation. Raises StudioError where no columns, or too many, are chosen."""
    listed = services.catalog()
    unknown = [key for key in wish.keys or [] if not listed.find(key)]
    if unknown:
        raise StudioError(
            f"There is no column “{unknown[0][:80]}”.", "Take it out; strengths are written like left*0.5, blends like left*0.5+right*0.5."
        )
    kept = listed.kept(wish.keys or [])
    if not kept:
        raise StudioError("No column is chosen.", "Choose the base and at least one adapter below.")
    if len(kept) > MAX_COLUMNS:
        raise StudioError(f"{len(kept)} columns are chosen; at most {MAX_COLUMNS} fit side by side.", "Take some out.")
    system = checked(wish.system, "system prompt", MAX_SYSTEM) if (wish.system or "").strip() else ""
    return Comparison(tuple(kept), (), wish.sampling, float(wish.dial), system)


def columns_of(services: Services, talk: Comparison) -> list[Column]:
    """The columns of a conversation, in its order. Raises StudioError where one is gone."""
    listed = services.catalog()
    found = [listed.find(key) for key in talk.keys]
    gone = [key for key, offer in zip(talk.keys, found, strict=True) if offer is None]
    if gone:
        raise StudioError(f"A column of this conversation is no longer there ({', '.join(gone)}).", "Press “Ask all” to begin a new one.")
    if len(talk.turns) >= MAX_TURNS:
        raise StudioError(f"This conversation has {MAX_TURNS} turns, and more are not read.", "Press “Ask all” to begin a new one.")
    return [offer.column(talk.strength) for offer in found if offer]


def checked(text: str | None, what: str, most: int) -> str:
    """The text without spaces around it. Raises StudioError where there is none or it is too long."""
    words = (text or "").strip()
    if not words:
        raise StudioError(f"There is no {what}.", "Type one, or choose one of the suggestions.")
    if len(words) > most:
        raise StudioError(f"The {what} has {len(words)} characters; at most {most} are read.", "Shorten it.")
    return words


def _so_far(answers: list[Answer], sampling: Sampling, begun: float) -> str:
    """Tokens and the time that is left at most."""
    most = max(answer.tokens for answer in answers)
    left = (time.monotonic() - begun) / max(1, most) * (sampling.max_new_tokens - most)
    text = f"Answering together · {most} of at most {sampling.max_new_tokens} tokens · at most {messages.duration(left)} left"
    return messages.bar(most / sampling.max_new_tokens, text)
