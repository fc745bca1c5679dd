"""The guess game: rounds that length does not give away, guesses locked before the reveal, and a tally that claims no more than it saw."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.comparing.comparison import Turn
from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.records import Answer, Stamp
from pipelines.review.ballots import Box
from pipelines.review.design import FEWEST
from pipelines.review.guess import ALIKE, LENGTH, MISSING, NAMED, ROLES, deal, make_game
from pipelines.review.guesses import Guesses
from pipelines.review.intervals import exact
from pipelines.review.predictions import Plot, Predictions
from pipelines.review.store import FILE
from pipelines.review.tally import Guess, Share, tallied

DAY = 86_400


def answer(column: str, prompt: Prompt, text: str, **changes) -> Answer:
    stamp = Stamp("tiny", "b0b0b0b0b0b0", f"adapter-{column}", f"{column:0<12}", 1.0, 0.3, 0.9, 7, 72, "ph", "th")
    return Answer(column, prompt.text, text, 9, "eos", replace(stamp, **changes))


def turn(number: int, texts: dict[str, str] | None = None) -> tuple[Prompt, Turn]:
    """Words that betray no column: each answer only says which draw it is."""
    prompt = Prompt(f"p{number}", f"What about matter {number}?")
    words = texts or {role: f"Draw {number} {place} says this" for place, role in enumerate(ROLES)}
    return prompt, Turn(prompt.text, tuple(answer(column, prompt, text) for column, text in words.items()))


def turns(number: int = 6) -> list[tuple[Prompt, Turn]]:
    return [turn(one) for one in range(number)]


def fixed(number: int = 6, **settings):
    """A game that is the same at every run: its time is part of the hash that deals."""
    return replace(make_game("Class", turns(number), **settings), created="2026-01-01")


def played(folder: Path, guessers: int = 3, **settings):
    guesses = Guesses(folder)
    game_id = guesses.open_game(make_game("Class 9b", turns(), **settings))
    return guesses, game_id, [guesses.join(game_id, True) for _ in range(guessers)]


def truth(guesses: Guesses, game_id: str, token: str, round_id: str) -> dict[str, str]:
    one = next(one for one in deal(guesses.game(game_id), token) if one.round_id == round_id)
    return dict(zip("ABC", one.roles, strict=False))


def test_only_questions_whose_answers_have_matched_length_are_played_and_the_rest_is_counted():
    odd = [
        turn(10, {"left": "one two three four", "right": "one two three five", "placebo": "one two three four five six"}),
        turn(11, {"left": "one two three four", "right": "one two three five"}),
        turn(12, {"left": "one two three four", "right": " one two  three four", "placebo": "one two three five"}),
        turn(13, {"left": "As a progressive, I agree", "right": "one two three four five", "placebo": "one two three four six"}),
    ]
    game = make_game("Class", [*turns(3), *odd])
    assert {one.prompt_id for one in game.rounds} == {"p0", "p1", "p2"}
    assert game.left_out == {MISSING: 1, ALIKE: 1, NAMED: 1, LENGTH: 1}
    assert "3 of 7 questions" in game.sentence and "1 with lengths too different" in game.sentence
    assert len(make_game("Class", [*turns(3), *odd], tolerance=0.5).rounds) == 4


def test_the_stamp_and_not_the_name_decides_what_is_tuned():
    prompt, whole = turn(0)
    off = [
        (prompt, Turn(prompt.text, (replace(whole.answers[0], stamp=replace(whole.answers[0].stamp, strength=0.0)), *whole.answers[1:])))
    ]
    with pytest.raises(StudioError, match="No question can be guessed at: 1 with no whole answer"):
        make_game("Class", off)


def test_answers_that_were_drawn_in_different_ways_are_refused():
    prompt, whole = turn(1)
    warm = tuple(replace(one, stamp=replace(one.stamp, temperature=1.0)) for one in whole.answers)
    with pytest.raises(StudioError, match="different settings"):
        make_game("Class", [turn(0), (prompt, Turn(prompt.text, warm))])


def test_nothing_that_reaches_a_guesser_tells_a_column():
    game = make_game("Class", turns())
    sent = json.dumps([one.public for one in deal(game, "token")])
    assert not any(word in sent for word in ("left", "right", "placebo", "adapter", "stamp"))


@pytest.mark.parametrize(("kind", "hands"), [("trio", 6), ("pair", 4)])
def test_letters_are_dealt_evenly_and_apart_for_each_guesser_and_round(kind, hands):
    game = fixed(kind=kind)
    dealt = [one.roles for guesser in range(400) for one in deal(game, f"t{guesser}")]
    counts = Counter(dealt)
    assert len(counts) == hands
    expected, spread = len(dealt) / hands, math.sqrt(len(dealt) / hands)
    assert all(abs(count - expected) < 4 * spread for count in counts.values())
    assert deal(game, "t1") == deal(game, "t1") != deal(game, "t2")


def test_a_guess_gives_each_role_once_or_a_side_to_one_of_two():
    trio, pair = (deal(make_game("Class", turns(), kind=kind), "t")[0] for kind in ("trio", "pair"))
    for wrong in ({"A": "left", "B": "left", "C": "right"}, {"A": "left", "B": "right"}, {}):
        with pytest.raises(StudioError, match="not complete"):
            trio.by_role(wrong)
    for wrong in ({"A": "left", "B": "right"}, {"A": "placebo", "B": "placebo"}, {"A": "left", "B": "placebo", "C": "right"}):
        with pytest.raises(StudioError, match="not complete"):
            pair.by_role(wrong)
    assert pair.as_letters(pair.by_role({"A": "placebo", "B": "left"})) == {"A": "placebo", "B": "left"}


def test_a_guess_is_locked_and_revealed_only_after_the_teacher_says_so(tmp_path):
    guesses, game_id, people = played(tmp_path)
    token = people[0].token
    own = truth(guesses, game_id, token, "r1")
    guesses.lock(token, "r1", own)
    guesses.lock(token, "r1", own)
    with pytest.raises(StudioError, match="locked in"):
        guesses.lock(token, "r1", dict(zip("ABC", reversed(own.values()), strict=True)))
    with pytest.raises(StudioError, match="not revealed"):
        guesses.revealed(token, "r1")
    assert guesses.locked(game_id, "r1") == 1
    assert guesses.tally(game_id).guesses == 0
    assert guesses.progress(token).waiting == ("r1",)
    guesses.reveal(game_id, "r1")
    shown = guesses.revealed(token, "r1")
    assert shown.right and shown.roles == own
    assert [shown.marks[letter] for letter in "ABC"] == [
        "control: tuned without a side" if own[letter] == "placebo" else "deliberately biased" for letter in "ABC"
    ]
    with pytest.raises(StudioError, match="revealed already"):
        guesses.lock(people[1].token, "r1", truth(guesses, game_id, people[1].token, "r1"))
    assert guesses.revealed(people[1].token, "r1").right is None


def test_at_ones_own_pace_a_round_is_revealed_after_the_own_guess_and_a_reload_goes_on(tmp_path):
    guesses, game_id, people = played(tmp_path, pace="own", kind="pair")
    token = people[0].token
    first = guesses.progress(token).next
    guesses.lock(token, first.round_id, truth(guesses, game_id, token, first.round_id))
    assert guesses.revealed(token, first.round_id).right
    with pytest.raises(StudioError, match="not revealed"):
        guesses.revealed(people[1].token, first.round_id)
    again = Guesses(tmp_path).progress(token)
    assert (again.locked, again.total, again.waiting) == (1, 6, ())
    assert again.next.round_id != first.round_id


def test_nobody_joins_without_consent_or_after_the_end(tmp_path):
    guesses, game_id, people = played(tmp_path)
    with pytest.raises(StudioError, match="before you agree"):
        guesses.join(game_id, False)
    guesses.close(game_id)
    with pytest.raises(StudioError, match="over"):
        guesses.join(game_id, True)
    with pytest.raises(StudioError, match="over"):
        guesses.lock(people[0].token, "r1", truth(guesses, game_id, people[0].token, "r1"))
    assert guesses.progress(people[0].token).next is None


def test_withdrawal_and_expiry_clear_guesses_and_predictions(tmp_path):
    guesses, game_id, people = played(tmp_path, 2)
    predictions = Predictions(tmp_path)
    plot_id = predictions.open_plot(Plot("Where?", ("base", "left"), "study"))
    rater = predictions.join(plot_id, True)
    predictions.drop(rater.token, "base", 0.1, 0.2)
    for one in people:
        guesses.lock(one.token, "r1", truth(guesses, game_id, one.token, "r1"))
    box = Box(tmp_path)
    box.withdraw(people[0].receipt)
    assert guesses.locked(game_id, "r1") == 1
    with pytest.raises(StudioError, match="not joined"):
        guesses.progress(people[0].token)
    box.expire(now=4e9)
    with sqlite3.connect(tmp_path / FILE) as file:
        assert [file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("guesses", "predictions", "raters")] == [0, 0, 0]


def test_who_joins_a_game_or_a_prediction_twice_is_one_and_no_time_of_it_is_kept(tmp_path):
    guesses, game_id, _ = played(tmp_path, 0)
    predictions = Predictions(tmp_path)
    plot_id, nonce = predictions.open_plot(Plot("Where?", ("base", "left"), "study")), "0f" * 16
    for game, one in ((guesses, game_id), (predictions, plot_id)):
        first = game.join(one, True, nonce)
        assert game.join(one, True, nonce) == first != game.join(one, True) and game.joined(one) == 2
        game.close(one)
        assert game.join(one, True, nonce) == first
    with sqlite3.connect(tmp_path / FILE) as file:
        assert [expires % DAY for (expires,) in file.execute("SELECT expires FROM raters")] == [0] * 4


def test_the_database_holds_no_token_and_a_changed_game_is_refused(tmp_path):
    guesses, game_id, people = played(tmp_path)
    guesses.lock(people[0].token, "r1", truth(guesses, game_id, people[0].token, "r1"))
    with sqlite3.connect(tmp_path / FILE) as file:
        dump = "\n".join(file.iterdump())
        assert people[0].token not in dump and people[0].receipt not in dump
        file.execute("UPDATE games SET body = replace(body, 'Draw 0', 'Draw X')")
    with pytest.raises(StudioError, match="not a guess game"):
        guesses.game(game_id)


def test_games_are_not_listed_as_reviews_nor_predictions_as_games(tmp_path):
    guesses, game_id, _ = played(tmp_path)
    plot_id = Predictions(tmp_path).open_plot(Plot("Where?", ("base",), "study"))
    assert Box(tmp_path).reviews() == []
    assert guesses.listed() == [(game_id, False)]
    with pytest.raises(StudioError, match="no such game"):
        guesses.game(plot_id)


def wrong(own: dict[str, str]) -> dict[str, str]:
    """Left and right taken for each other."""
    turned = {"left": "right", "right": "left", "placebo": "placebo"}
    return {role: turned[role] for role in own}


def cells(kind: str, right: int, guessers: int = 6, rounds: int = 8) -> list[Guess]:
    """The first `right` rounds told apart by everybody, the others with the sides mixed up."""
    roles = ROLES if kind == "trio" else ("left", "placebo")
    own = {role: role for role in roles}
    return [Guess(who, f"r{place}", own if place < right else wrong(own)) for who in range(guessers) for place in range(rounds)]


def test_the_tally_has_exact_intervals_and_the_chance_line_of_each_thing():
    trio, pair = tallied("trio", cells("trio", 4)), tallied("pair", cells("pair", 4))
    assert [(one.id, one.right, one.chance) for one in trio.shares] == [
        ("all", 24, 1 / 6), ("left", 24, 1 / 3), ("right", 24, 1 / 3), ("placebo", 48, 1 / 3),
    ]  # fmt: skip
    assert [(one.id, one.right, one.chance) for one in pair.shares] == [("both", 24, 1 / 4), ("which", 48, 1 / 2), ("way", 24, 1 / 2)]
    assert (trio.shares[0].low, trio.shares[0].high) == exact(24, 48)


def test_the_side_can_be_right_at_the_wrong_answer():
    shares = tallied("pair", [Guess(who, f"r{who}", {"left": "placebo", "placebo": "left"}) for who in range(4)]).shares
    assert [one.right for one in shares] == [0, 0, 4]


def test_the_claim_speaks_of_this_class_and_says_plainly_what_is_not_established():
    said = tallied("pair", cells("pair", 8)).claim
    assert said.startswith("This class, these 8 pairs: ") and "Better than chance here." in said and "pure chance is 25%" in said
    assert said.endswith("It says nothing about other classes, questions or models.")
    assert "Not established" in tallied("pair", cells("pair", 3)).claim
    assert "Worse than chance here" in tallied("trio", cells("trio", 0, rounds=24)).claim
    assert tallied("trio", cells("trio", 4)).claim.startswith("This class, these 8 sets of three: ")


def test_a_hunch_that_a_class_shares_on_two_questions_is_not_taken_for_knowledge():
    share = tallied("trio", cells("trio", 2, guessers=30, rounds=3)).shares[0]
    assert share.low > share.chance and share.verdict == ""
    assert "Not established" in tallied("trio", cells("trio", 1, guessers=30, rounds=1)).claim


@pytest.mark.parametrize(("kind", "chance"), [("trio", 1 / 6), ("pair", 1 / 4)])
@pytest.mark.parametrize("rounds", [3, 5, 6, 7, 10, 15, 25, 40])
def test_a_class_of_one_mind_that_guesses_by_chance_seldom_gets_a_verdict(kind, chance, rounds):
    own = {role: role for role in (ROLES if kind == "trio" else ("left", "placebo"))}
    off = {"left": "right", "right": "placebo", "placebo": "left"} if kind == "trio" else {"left": "placebo", "placebo": "right"}
    found = {"better": 0.0, "worse": 0.0, "": 0.0}
    for count in range(rounds + 1):
        table = [Guess(who, f"r{place}", own if place < count else off) for who in range(3) for place in range(rounds)]
        chance_of = math.comb(rounds, count) * chance**count * (1 - chance) ** (rounds - count)
        found[tallied(kind, table).shares[0].verdict] += chance_of
    assert max(found["better"], found["worse"]) <= 0.025


def share(right: int, n: int, rounds: int, chance: float = 0.5) -> Share:
    """Intervals far off the line, so that only the class of one mind is left to decide."""
    ends = (0.9, 0.95) if right / n > chance else (0.05, 0.1)
    return Share("all", "all", right, n, right / n, *ends, *ends, chance, rounds)


def test_a_share_counts_in_whole_rounds_rounded_towards_chance():
    """Of 10 coins 9 or more come up in 1.1%, 8 or more in 5.5%."""
    assert [share(right, 300, 10).verdict for right in (240, 269, 270, 300)] == ["", "", "better", "better"]
    assert [share(right, 300, 10).verdict for right in (0, 30, 31, 60)] == ["worse", "worse", "", ""]
    assert share(29, 100, 100, 0.2).value * 100 < 29  # a whole number of rounds that floats miss, and just enough
    assert [share(right, 100, 100, 0.2).verdict for right in (28, 29)] == ["", "better"]


def test_two_rounds_establish_nothing_however_many_guess():
    two = [Guess(who, f"r{place}", {role: role for role in ROLES}) for who in range(40) for place in range(2)]
    mixed = [replace(one, taken=wrong(dict(one.taken))) if one.number % 5 == 0 else one for one in two]
    assert tallied("trio", two).shares[0].verdict == tallied("trio", mixed).shares[0].verdict == ""
    assert tallied("trio", cells("trio", 3, rounds=3)).shares[0].verdict == "better"


def test_totals_of_few_people_are_not_shown():
    tally = tallied("trio", cells("trio", 4, guessers=FEWEST - 1))
    assert tally.shares == () and "2 people have guessed" in tally.claim and "%" not in tally.claim
    assert tallied("trio", []).shares == ()


def test_a_class_that_guesses_by_letter_stays_at_the_chance_line():
    game = fixed(12)
    hands = [
        Guess(who, one.round_id, one.by_role({"A": "left", "B": "right", "C": "placebo"}))
        for who in range(60)
        for one in deal(game, f"t{who}")
    ]
    for share in tallied("trio", hands).shares:
        assert share.low < share.chance < share.high


def test_predictions_are_dropped_before_the_reveal_and_stay_after_it(tmp_path):
    predictions = Predictions(tmp_path)
    plot_id = predictions.open_plot(Plot("Where?", ("base", "left"), "study"))
    one = predictions.join(plot_id, True)
    predictions.drop(one.token, "base", 0.5, 0.5)
    predictions.drop(one.token, "base", 0.0, 0.1)
    with pytest.raises(StudioError, match="1 column has no guess"):
        predictions.reveal(one.token)
    for place in ((float("nan"), 0.0), (3.0, 0.0), ("0", 0.0), (True, 0.0)):
        with pytest.raises(StudioError, match="no place"):
            predictions.drop(one.token, "left", *place)
    with pytest.raises(StudioError, match="not predicted"):
        predictions.drop(one.token, "right", 0, 0)
    predictions.drop(one.token, "left", -0.5, -0.25)
    assert predictions.reveal(one.token) == {"base": (0.0, 0.1), "left": (-0.5, -0.25)}
    with pytest.raises(StudioError, match="stay as they are"):
        predictions.drop(one.token, "left", 0, 0)
    assert Predictions(tmp_path).own(one.token) == {"base": (0.0, 0.1), "left": (-0.5, -0.25)}


def test_the_cloud_shows_points_without_persons_and_only_of_those_who_have_seen_the_measured_ones(tmp_path):
    predictions = Predictions(tmp_path)
    plot_id = predictions.open_plot(Plot("Where?", ("base", "left"), "study"))
    people = [predictions.join(plot_id, True) for _ in range(4)]
    for place, one in enumerate(people):
        predictions.drop(one.token, "base", place / 10, 0)
        predictions.drop(one.token, "left", -place / 10, 0)
    for one in people[:2]:
        predictions.reveal(one.token)
    assert [cloud.points for cloud in predictions.tally(plot_id)] == [(), ()]
    predictions.reveal(people[2].token)
    base, left = predictions.tally(plot_id, {"base": (0.1, 0.0)})
    assert base.points == ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0)) and base.middle == (0.1, 0.0) and base.distance == pytest.approx(0.1)
    assert left.points == ((-0.2, 0.0), (-0.1, 0.0), (0.0, 0.0)) and left.distance is None
    predictions.close(plot_id)
    assert len(predictions.tally(plot_id)[0].points) == 4


def test_every_class_begins_its_predictions_anew(tmp_path):
    predictions = Predictions(tmp_path)
    made = Plot("Where?", ("base", "left"), "study")
    first, second = predictions.open_plot(made), predictions.open_plot(made)
    assert first != second and predictions.plot(first) == made
    with pytest.raises(StudioError, match="can't be predicted"):
        Plot("Where?", ("base", "base"), "study")
