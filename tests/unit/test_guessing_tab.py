"""The guess game's pages without a browser: what a guesser may read when, what the class's screen shows, and the stance plot's guesses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.review import guesses
from pipelines.review.ballots import Box
from pipelines.review.design import FEWEST
from pipelines.review.guess import ROLES, deal, make_game
from pipelines.review.guesses import Guesses
from pipelines.stance.study import BASE
from studio.access import Access
from studio.services import Services
from studio.tabs.reviews import guesshost, guessplay, guesstable, predicting
from studio.tabs.reviews.guesshost import RECORDED, Form, Screen
from studio.tabs.reviews.guesstable import Act, Seen, Table
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.visitor import Kept
from studio.tabs.stance import recorded
from studio.views import guessing as view
from studio.views import predicting as predicted
from tests.unit.test_guess import turns

TEACHER, STRANGER = Who("the-teacher", False), Who("somebody-else", False)


@pytest.fixture
def services(paths: Paths) -> Services:
    host = SimpleNamespace(base=None, source=None)
    return Services(paths, host, SimpleNamespace())  # type: ignore[arg-type]


@pytest.fixture
def table(services: Services) -> Table:
    return Table(services.paths.reviews)


def opened(table: Table, **settings) -> str:
    return table.open_game(make_game("Class 9b", turns(3), **settings))


def joined(table: Table, game_id: str) -> Kept:
    """A guesser who has agreed and kept the receipt."""
    _, kept, _ = guessplay.answer(table, Kept(), Act("join", game_id, consent=True))
    return guessplay.answer(table, kept, Act("begin", game_id))[1]


def truth(table: Table, kept: Kept, game_id: str, round_id: str) -> dict[str, str]:
    one = next(one for one in deal(table.game(game_id), kept.tokens[game_id]) if one.round_id == round_id)
    return dict(zip("ABC", one.roles, strict=False))


def lock(table: Table, kept: Kept, game_id: str, round_id: str) -> tuple[str, Seen]:
    page, _, seen = guessplay.answer(table, kept, Act("lock", game_id, round_id, truth(table, kept, game_id, round_id)))
    return page, seen


def secrets_of(table: Table, game_id: str) -> set[str]:
    """What may reach no guesser before the reveal: seals, fingerprints, hashes."""
    game = table.game(game_id)
    stamps = [one["stamp"] for round_ in game.rounds for one in round_.answers]
    seals = {one["seal"] for round_ in game.rounds for one in round_.answers}
    return seals | {stamp[name] for stamp in stamps for name in ("adapter", "adapter_fingerprint", "base_fingerprint")} | {game.hash}


def test_nobody_plays_or_reads_an_answer_before_agreeing(table: Table) -> None:
    game_id = opened(table)
    page, kept, _ = guessplay.answer(table, Kept(), Act("join", game_id, consent=False))
    assert "before you agree" in page and not kept.tokens and table.joined(game_id) == 0
    assert "says this" not in page and "says this" not in guessplay.answer(table, Kept(), Act("look", game_id))[0]


def test_no_page_before_the_reveal_tells_which_answer_is_which(table: Table) -> None:
    game_id = opened(table)
    kept = joined(table, game_id)
    first, _, _ = guessplay.answer(table, kept, Act("look", game_id))
    waiting, seen = lock(table, kept, game_id, "r1")
    assert seen.stage == "waiting" and "Locked in. 1 of 1" in waiting
    for page in (first, waiting, guessplay.answer(table, kept, Act("round", game_id, "r1"))[0]):
        assert not [secret for secret in secrets_of(table, game_id) if secret in page]
        assert "was:" not in page and "--side" not in page and "ps-mark" not in page
    assert "not revealed" in guessplay.answer(table, kept, Act("round", game_id, "r1"))[0]


def test_two_guessers_see_the_roles_under_letters_of_their_own(table: Table) -> None:
    game_id = opened(table)
    hands = {tuple(truth(table, joined(table, game_id), game_id, "r1").items()) for _ in range(20)}
    assert len(hands) > 2


def test_the_page_changes_by_itself_when_the_teacher_reveals(table: Table) -> None:
    game_id = opened(table)
    one, other = joined(table, game_id), joined(table, game_id)
    _, seen = lock(table, one, game_id, "r1")
    assert guessplay.ticked(table, one, seen) is None
    late = guessplay.answer(table, other, Act("look", game_id))[2]
    table.reveal(game_id, "r1")
    found, missed = guessplay.ticked(table, one, seen), guessplay.ticked(table, other, late)
    assert found and "You told them all apart" in found[0] and found[1].stage == "revealed" and not found[1].changes
    assert missed and "before you had locked in" in missed[0]


def test_a_waiting_page_counts_others_and_an_open_one_is_left_alone(table: Table) -> None:
    game_id = opened(table)
    one, other = joined(table, game_id), joined(table, game_id)
    _, seen = lock(table, one, game_id, "r1")
    open_page = guessplay.answer(table, other, Act("look", game_id))[2]
    lock(table, other, game_id, "r1")
    found = guessplay.ticked(table, one, seen)
    assert found and "2 of 2 have" in found[0]
    assert guessplay.ticked(table, other, open_page) is None, "what is being chosen must not be built anew"


def test_a_reload_goes_on_where_the_guesser_was(table: Table) -> None:
    game_id = opened(table)
    _, kept, _ = guessplay.answer(table, Kept(), Act("join", game_id, consent=True))
    again = Kept.read(json.loads(json.dumps(kept.as_dict())))
    assert kept.receipts[game_id] in guessplay.opened(table, again, "")[0]
    begun = guessplay.answer(table, again, Act("begin", game_id))[1]
    lock(table, begun, game_id, "r1")
    page, _, seen = guessplay.opened(Table(table.store.path.parent), Kept.read(begun.as_dict()), "")
    assert (seen.stage, seen.round) == ("waiting", "r1") and "Locked in" in page


def test_at_ones_own_pace_each_reveal_follows_the_own_guess(table: Table) -> None:
    game_id = opened(table, pace="own", kind="pair")
    kept = joined(table, game_id)
    for _ in range(3):
        seen = guessplay.answer(table, kept, Act("look", game_id))[2]
        page, after = lock(table, kept, game_id, seen.round)
        assert after.stage == "revealed" and page.count("You said so") == 2
    end, _, _ = guessplay.answer(table, kept, Act("next", game_id))
    assert "in 3 of 3 questions" in end and "teacher’s screen" in end


def test_a_withdrawal_clears_guesses_and_forgets_the_token(table: Table) -> None:
    game_id = opened(table)
    _, kept, _ = guessplay.answer(table, Kept(), Act("join", game_id, consent=True))
    lock(table, kept, game_id, "r1")
    box = Box(table.store.path.parent)
    said, nothing = guessplay.withdrawn(box, table, kept, "AAAA-BBBB-CCCC", "")
    assert "No ballots belong" in said and nothing is None and table.locked(game_id, "r1") == 1
    said, after = guessplay.withdrawn(box, table, kept, kept.receipts[game_id].lower(), "")
    assert "deleted" in said and after and not after[1].tokens and table.locked(game_id, "r1") == 0


@pytest.mark.parametrize("sent", [None, 7, {"act": "lock", "game": ["x"], "guess": "A"}, {"act": "lock", "game": "é" * 9}, {"act": "?"}])
def test_whatever_a_browser_sends_gets_a_page(table: Table, sent: object) -> None:
    page, kept, _ = guessplay.answer(table, Kept.read(sent), Act.read(sent))
    assert page and "Traceback" not in page and not kept.tokens


def test_the_recorded_answers_make_a_game_of_like_lengths(services: Services, table: Table) -> None:
    form = Form(RECORDED, "", "trio", "together", 5)
    made = guesshost.begin(services, table, TEACHER, form)
    game = table.game(made["screen"].game)
    assert len(game.rounds) == 5 and game.title == "Guess game"
    for one in game.rounds:
        lengths = [len(one.answer(role).text.split()) for role in ROLES]
        assert max(lengths) <= 1.4 * min(lengths)
        assert all(one.answer(role).stamp.adapter for role in ROLES)
    assert "23 of 40 questions" in guesshost.prepared(services, TEACHER, form)["plan"]


def test_only_the_teacher_who_started_a_game_may_reveal_end_or_see_it(services: Services, table: Table) -> None:
    seen = guesshost.begin(services, table, TEACHER, Form(RECORDED, "9b", "trio", "together", 2))["screen"]
    for work in (guesshost.reveal, guesshost.following, guesshost.ticked):
        with pytest.raises(StudioError, match="another browser"):
            work(services, table, STRANGER, seen)
    with pytest.raises(StudioError, match="another browser"):
        guesshost.end(services, table, STRANGER, seen, seen.game)
    assert guesshost.listed(services, table, STRANGER, seen.game)["screen"] == Screen()
    assert guesshost.listed(services, table, TEACHER, None)["screen"] == seen
    with pytest.raises(StudioError, match="public"):
        guesshost.begin(replace(services, access=Access(public=True)), table, TEACHER, Form(RECORDED, "9b", "trio", "together", 2))


def test_the_class_s_screen_shows_answers_and_tally_only_after_the_reveal(services: Services, table: Table) -> None:
    seen = guesshost.begin(services, table, TEACHER, Form(RECORDED, "9b", "trio", "together", 2))["screen"]
    guessers = [joined(table, seen.game) for _ in range(FEWEST)]
    for kept in guessers:
        lock(table, kept, seen.game, seen.round)
    before = guesshost.ticked(services, table, TEACHER, seen)
    texts = [one["text"][:30] for one in table.game(seen.game).by_id[seen.round].answers]
    assert f"{FEWEST} of {FEWEST} have locked in" in before["board"] and before["tally"] == ""
    assert not any(text in before["board"] for text in texts)
    after = guesshost.reveal(services, table, TEACHER, seen)
    assert "deliberately biased" in after["board"] and after["reveal"]["visible"] is False and after["next"]["visible"]
    assert "This class, this set" in after["tally"] and "pure chance is 17%" in after["tally"]
    assert 'class="ps-chance" style="left:16.7%"' in after["tally"]
    assert guesshost.following(services, table, TEACHER, seen)["screen"] == Screen(seen.game, "r2")


def test_a_reload_of_the_teachers_screen_stays_at_the_reveal_until_somebody_has_gone_on(services: Services, table: Table) -> None:
    seen = guesshost.begin(services, table, TEACHER, Form(RECORDED, "9b", "trio", "together", 2))["screen"]
    kept, first, second = joined(table, seen.game), seen.round, table.game(seen.game).rounds[1].id
    guesshost.reveal(services, table, TEACHER, seen)
    after = guesshost.shown(services, table, TEACHER, seen.game)
    assert after["screen"].round == first and after["next"]["visible"] and not after["reveal"]["visible"]
    assert guesshost.following(services, table, TEACHER, after["screen"])["screen"].round == second
    lock(table, kept, seen.game, second)
    assert guesshost.shown(services, table, TEACHER, seen.game)["screen"].round == second


def test_a_game_ends_at_the_second_press_only(services: Services, table: Table) -> None:
    seen = guesshost.begin(services, table, TEACHER, Form(RECORDED, "9b", "trio", "together", 2))["screen"]
    first = guesshost.end(services, table, TEACHER, seen, "")
    assert not table.is_closed(seen.game) and first["warned"] == seen.game
    last = guesshost.end(services, table, TEACHER, seen, first["warned"])
    assert table.is_closed(seen.game) and last["end"]["visible"] is False and last["clock"].active is False


def test_a_title_with_markup_is_shown_as_text(table: Table) -> None:
    game_id = table.open_game(make_game("<b onload=x>9b</b>", turns(2)))
    for page in (view.notice(game_id, table.game(game_id)), guessplay.answer(table, Kept(), Act("list"))[0]):
        assert "<b onload" not in page and "&lt;b onload" in page


def page_of_prediction(others: int = 1) -> predicting._Page:
    study = recorded()
    assert study
    return predicting._Page(study, ("left", "right", "placebo"), ("economic", "social"), others)


def test_the_covered_plot_holds_no_measured_point_but_the_base() -> None:
    page = page_of_prediction()
    figure = page.moved(-1, -1, 1, 1, 0, 0)
    assert [len(trace.x) for trace in figure.data] == [1, 1, 1, 1]
    assert {trace.marker.symbol for trace in figure.data[1:]} == {"triangle-left-open", "triangle-right-open", "square-open"}
    landed = predicted.means(page.study)
    assert figure.data[0].x[0] == landed[BASE][0] and landed["left"][0] not in {x for trace in figure.data for x in trace.x}


def test_dropping_a_guess_shows_it_beside_what_was_measured() -> None:
    page, request = page_of_prediction(), gr.Request()
    request.session_hash = "s"
    *shown, plot, other, kept = page.dropped(request, -1.0, -0.5, 1.0, 0.5, 0, 0)
    figure, told = shown[5], shown[6]
    assert {"triangle-left", "triangle-left-open"} <= {trace.marker.symbol for trace in figure.data if trace.mode == "markers"}
    assert "-1.0, -0.5" in told and re.search(r"\d+ of 480 answers lie outside", told)
    assert plot["visible"] is False and other["visible"] is True and kept["stage"] == "dropped"
    began = page.begun(request, -1.0, -0.5, 1.0, 0.5, 0, 0)
    assert began[-2]["visible"] is False and began[-3]["visible"] is False


def test_a_guess_survives_a_reload_and_nonsense_from_a_browser_changes_nothing() -> None:
    page, other = page_of_prediction(), gr.Request()
    other.session_hash = "another page"
    kept = {"stage": "dropped", "values": [9e9, -0.5, 1, 0.5, 0, float("nan")], "page": "s"}
    values = [update["value"] for update in page.restored(kept, other)[7:13]]
    assert values == [predicting.FARTHEST, -0.5, 1.0, 0.5, 0.0, 0.0]
    same = page.restored(None, other)
    for wrong in ({"stage": "dropped", "values": [1]}, {"stage": "?", "values": [0] * 6}, 7, {**kept, "page": "another page"}):
        assert len(page.restored(wrong, other)) == len(same) and page.restored(wrong, other)[0] == same[0]


def test_a_tally_is_counted_once_for_the_same_guesses_and_anew_after_each_change(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    game_id, counts = opened(table), []
    monkeypatch.setattr(guesses, "tallied", lambda *values, real=guesses.tallied: counts.append(1) or real(*values))
    people = [table.join(game_id, True) for _ in range(FEWEST + 1)]
    for one in people:
        lock(table, Kept({game_id: one.token}), game_id, "r1")
    changes = [
        lambda: table.reveal(game_id, "r1"),
        lambda: lock(table, Kept({game_id: people[0].token}), game_id, "r2"),
        lambda: table.close(game_id),
        lambda: Box(table.store.path.parent).withdraw(people[0].receipt),
    ]
    for number, change in enumerate(changes, 1):
        change()
        found = [table.tally(game_id) for _ in range(3)]
        assert found == [Guesses.tally(table, game_id)] * 3 and len(counts) == 2 * number
    assert table.tally(game_id).guessers == FEWEST


def test_tallies_of_the_last_games_only_are_kept(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesstable, "MOST_COUNTED", 2)
    games = [table.open_game(make_game(name, turns(3))) for name in ("a", "b", "c")]
    for game_id in games:
        table.tally(game_id)
    assert list(table._counted) == games[1:]


def test_a_press_repeated_after_a_lost_reply_is_the_same_guesser_and_shows_the_same_receipt(table: Table) -> None:
    game_id = opened(table)
    act = Act.read({"act": "join", "game": game_id, "consent": True, "nonce": "5a" * 16})
    (page, kept, _), (again, also, _) = (guessplay.answer(table, Kept(), act) for _ in range(2))
    assert kept == also and kept.receipts[game_id] in page and kept.receipts[game_id] in again and table.joined(game_id) == 1
    guessplay.answer(table, Kept(), Act("join", game_id, consent=True, nonce="5a"))
    assert table.joined(game_id) == 2


@pytest.mark.parametrize(("swept", "words"), [(True, "Nothing of it is left here."), (False, "written over within a day")])
def test_a_withdrawal_of_guesses_says_what_is_left_also_where_the_page_fails(
    table: Table, services: Services, monkeypatch: pytest.MonkeyPatch, swept: bool, words: str
) -> None:
    game_id, box = opened(table), services.box
    _, kept, _ = guessplay.answer(table, Kept(), Act("join", game_id, consent=True))
    with monkeypatch.context() as broken:
        broken.setattr(box, "is_swept", lambda: swept)
        broken.setattr(table, "progress", lambda token: (_ for _ in ()).throw(StudioError("The disk is gone.", "Wait.")))
        said, shown = guessplay.withdrawn(box, table, kept, kept.receipts[game_id], game_id)
    assert "is deleted" in said and words in said and "Nothing was deleted" not in said and shown is not None
    assert table.joined(game_id) == 0
