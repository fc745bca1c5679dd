"""The teacher's side of the guess game: which answers are played with, and what the screen in front of the class shows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from pipelines import bundled
from pipelines.comparing.comparison import Turn
from pipelines.comparing.naming import role
from pipelines.comparing.prompts import Prompt
from pipelines.entries import whole_number
from pipelines.errors import StudioError
from pipelines.paths import read_json
from pipelines.records import Answer, Stamp
from pipelines.review.guess import ROLES, Game, make_game
from pipelines.review.intervals import counted
from studio.services import Services
from studio.tabs.comparing import setwork
from studio.tabs.reviews import addresses, owning
from studio.tabs.reviews.guesstable import Table
from studio.tabs.reviews.owning import Who
from studio.tabs.wiring import Updates
from studio.views import guessing as view
from studio.views import messages

RECORDED = "recorded"
KINDS = [("Three answers: which is which?", "trio"), ("Two answers: which was tuned, and which way?", "pair")]
PACES = [("Together: the teacher reveals", "together"), ("Each at their own pace", "own")]
COUNT = "The number of questions played"
REVEAL, END, SURE = "Reveal this question", "End the game", "Press again to end it"
NO_GAME = StudioError("No game is chosen.", "Choose one of your games, or start one.")


@dataclass(frozen=True)
class Form:
    """How a game is made, in the order of the page."""

    source: str | None
    name: str | None
    kind: Any
    pace: Any
    count: int | None


@dataclass(frozen=True)
class Screen:
    """What the teacher's page shows: a game and one of its rounds."""

    game: str = ""
    round: str = ""


def sources(services: Services, who: Who) -> list[tuple[str, str]]:
    """(name, value) of the answers that can be played with: the recorded ones, and their own finished sets with a column of each role."""
    found = [("Recorded answers, ship with the studio", RECORDED)]
    for batch in setwork.results(services, who):
        if batch.answered >= len(batch.prompts) and set(ROLES) <= {role(name) for name in batch.names}:
            found.append((f"{batch.title} · {batch.created[:16].replace('T', ' ')} UTC", batch.id))
    return found


def turns(services: Services, who: Who, source: str | None) -> list[tuple[Prompt, Turn]]:
    """The questions and answers of a source. Raises StudioError where it is gone or another one's."""
    if source != RECORDED:
        return setwork.in_hand(services, who, source).turns()
    texts = {question.id: question for question in bundled.questions()}
    study = read_json(bundled.RECORDED / "stance.json")
    answers: dict[str, list[Answer]] = {}
    for one in study["answers"]:
        question = texts.get(one["question"])
        if question and one["sample"] == 0:
            made = Answer(one["column"], question.text, one["text"], one.get("tokens", 0), one["finished"], Stamp(**one["stamp"]))
            answers.setdefault(question.id, []).append(made)
    return [(Prompt(key, texts[key].text, texts[key].topic), Turn(texts[key].text, tuple(own))) for key, own in answers.items()]


def _made(services: Services, who: Who, form: Form, count: int, seed: int) -> Game:
    name = " ".join((form.name or "").split()) or "Guess game"
    return make_game(name, turns(services, who, form.source), form.kind, form.pace, count, seed)


def prepared(services: Services, who: Who, form: Form) -> Updates:
    """How many questions can be played."""
    game = _made(services, who, form, 0, 1)
    short = f" Only {len(game.rounds)} can be played." if whole_number(form.count or 0, COUNT) > len(game.rounds) else ""
    return {"plan": messages.note(game.sentence + short)}


def begin(services: Services, table: Table, who: Who, form: Form) -> Updates:
    """Starts a game of this browser's. Raises StudioError where none can be made."""
    owning.refuse_visitors(services)
    known = replace(who, code=who.code or owning.new_code())
    game = _made(services, who, form, whole_number(form.count or 0, COUNT), secrets.randbelow(2**31))
    game_id = table.open_game(game)
    owning.note(services.paths, game_id, owning.mark_of(known.code))
    return {
        **listed(services, table, known, game_id),
        "owner": known.code,
        "name": "",
        "setup": gr.update(open=False),
        "said": messages.good("The game is open. Show the link to the class."),
    }


def listed(services: Services, table: Table, who: Who, chosen: str | None) -> Updates:
    """The games of this browser's owner, newest first, and the chosen one's screen."""
    choices = []
    for game_id, closed in table.listed():
        if owning.owns(services, who, game_id):
            game = table.game(game_id)
            what = f"{counted(len(game.rounds), 'question')}{', over' if closed else ''}"
            choices.append((f"{game.title} · {what} · {game.created[:16].replace('T', ' ')} UTC", game_id))
    known = [game_id for _, game_id in choices]
    picked = chosen if chosen in known else next(iter(known), None)
    games = gr.update(choices=choices, value=picked, visible=bool(choices))
    return {"games": games, **shown(services, table, who, picked)}


def _nothing() -> Updates:
    hidden = gr.update(visible=False)
    return {"stage": hidden, "screen": Screen(), "clock": gr.Timer(active=False), "warned": ""}


def shown(services: Services, table: Table, who: Who, game_id: str | None) -> Updates:
    """A game's screen: where the class is, also after a reload. Raises StudioError where it is another one's.

    That is the last round that was revealed, until somebody has locked in for the next one.
    """
    if not game_id:
        return _nothing()
    owning.refuse_others(services, who, game_id)
    hidden, rounds = _hidden(table, game_id), [one.id for one in table.game(game_id).rounds]
    revealed = [one for one in rounds if one not in hidden]
    goes_on = hidden and (not revealed or table.locked(game_id, hidden[0]))
    return _at(table, game_id, hidden[0] if goes_on else revealed[-1])


def _at(table: Table, game_id: str, first: str) -> Updates:
    return _screen(table, Screen(game_id, first)) | {"warned": "", "end": gr.update(value=END)} | _standing(table, Screen(game_id, first))


def ticked(services: Services, table: Table, who: Who, seen: Screen) -> Updates:
    """The same round anew: more have locked in, or more have guessed."""
    if not seen.game:
        return {}
    owning.refuse_others(services, who, seen.game)
    return _screen(table, seen)


def reveal(services: Services, table: Table, who: Who, seen: Screen) -> Updates:
    """Ends a round for all. Raises StudioError where the game is another one's."""
    owning.refuse_others(services, who, seen.game)
    table.reveal(seen.game, seen.round)
    return _screen(table, seen) | _standing(table, seen)


def following(services: Services, table: Table, who: Who, seen: Screen) -> Updates:
    """The next round that is not revealed yet."""
    owning.refuse_others(services, who, seen.game)
    hidden = _hidden(table, seen.game)
    return _at(table, seen.game, hidden[0] if hidden else seen.round)


def end(services: Services, table: Table, who: Who, seen: Screen, warned: str) -> Updates:
    """Ends the game at the second press: all rounds are revealed then, and nobody can guess any more."""
    owning.refuse_others(services, who, seen.game)
    if warned != seen.game:
        said = messages.info("All questions are revealed then and nobody can guess any more. Press once more to end the game.")
        return {"warned": seen.game, "end": gr.update(value=SURE), "said": said}
    table.close(seen.game)
    return {**listed(services, table, who, seen.game), "said": messages.good("The game is over.")}


def _hidden(table: Table, game_id: str) -> list[str]:
    seen = table.shown(game_id)
    return [one.id for one in table.game(game_id).rounds if one.id not in seen]


def _screen(table: Table, seen: Screen) -> Updates:
    """What the class looks at. Before a reveal it holds no answer."""
    game, joined, over = table.game(seen.game), table.joined(seen.game), table.is_closed(seen.game)
    number = next(n for n, one in enumerate(game.rounds, 1) if one.id == seen.round)
    if game.pace == "own":
        top = messages.note(
            f"{counted(joined, 'person has', 'people have')} joined; each plays through {counted(len(game.rounds), 'question')}."
        )
    elif over or seen.round in table.shown(seen.game):
        top = view.solved(number, len(game.rounds), game.rounds[number - 1])
    else:
        top = view.asking(number, len(game.rounds), game.rounds[number - 1].prompt, table.locked(seen.game, seen.round), joined)
    found = table.tally(seen.game)
    return {"board": top, "tally": view.tally(found) if found.guesses else "", "screen": seen, "clock": gr.Timer(active=not over)}


def _standing(table: Table, seen: Screen) -> Updates:
    """Link and buttons, as they are now."""
    game, over, left = table.game(seen.game), table.is_closed(seen.game), _hidden(table, seen.game)
    together = game.pace == "together" and not over
    return {
        "stage": gr.update(visible=True),
        "link": _link(seen.game) if not over else messages.note("This game is over."),
        "reveal": gr.update(visible=together and seen.round in left),
        "next": gr.update(visible=together and seen.round not in left and bool(left)),
        "end": gr.update(visible=not over, value=END),
    }


def _link(game_id: str) -> str:
    """For the class; the browser fills in the whole address."""
    return f'<p class="ps-note">For the class: {addresses.link(addresses.of_game(game_id))}<br>{addresses.ELSEWHERE}</p>'
