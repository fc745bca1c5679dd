"""Decks, codes and totals of a class: what can be played, what no phone may learn too early, and what no total gives away."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from pipelines.classroom import code, network, printed, tally
from pipelines.classroom.deck import KINDS, PAPER, Card, read_deck
from pipelines.errors import StudioError
from pipelines.review.design import FEWEST
from pipelines.review.guess import ROLES

RENTS = "Should landlords be free to set the rent?"


def written(folder: Path, card: str, title: str = "A deck") -> Path:
    file = folder / "deck.yaml"
    file.write_text(f"title: {title}\ncards:\n{card}", encoding="utf-8")
    return file


def test_the_deck_that_ships_has_every_kind_of_card_and_an_answer_for_each_column() -> None:
    deck = read_deck()
    assert {card.kind for card in deck.cards} == set(KINDS) and len(deck.cards) >= 8
    for card in deck.cards:
        assert [card.answer(column).column for column in card.columns] == list(card.columns)
        assert Card.from_dict(json.loads(json.dumps(card.as_dict()))) == card
    shown = [(card.question, column) for card in deck.cards for column in card.columns]
    assert len(set(shown)) == len(shown), "what one card reveals gives nothing away of another"
    assert any(card.right is not None for card in deck.cards) and any(card.find for card in deck.cards)


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("  - {id: a-b, kind: predict, ask: What then}", "a prediction needs choices"),
        ("  - {id: a-b, kind: predict, ask: What then, choices: [one]}", "give 2 to 6"),
        ("  - {id: a-b, kind: predict, ask: What then, choices: [one, two], right: 3}", "not the number of a choice"),
        ("  - {id: a-b, kind: predict, ask: What then, choices: [Yes, No]}", "something else than text"),
        ("  - {id: a-b, kind: quiz, ask: What then}", "unknown kind"),
        ("  - {id: A b, kind: discuss, ask: What then}", "small letters"),
        ("  - {id: a-b, kind: discuss}", "lacks id, kind or ask"),
        ("  - {id: a-b, kind: discuss, ask: What then, secret: 1}", "something else than"),
        ("  - {id: a-b, kind: discuss, ask: What then}\n  - {id: a-b, kind: discuss, ask: Why then}", "Two cards"),
        ("  - {id: a-b, kind: compare, ask: What then, question: Never asked, columns: [base]}", "no recorded answer"),
        (f"  - {{id: a-b, kind: compare, ask: What then, question: '{RENTS}', columns: [base, nobody]}}", "no recorded answer"),
        (f"  - {{id: a-b, kind: compare, ask: What then, question: '{RENTS}', columns: [base, left], find: base}}", "whose name is hidden"),
        (f"  - {{id: a-b, kind: guess, ask: What then, question: '{RENTS}', columns: [base, left, right]}}", "left, right and placebo"),
        ('  - {id: a-b, kind: guess, ask: What then, question: "How should society deal with crime?"}', "give them away"),
        ("  - {id: live-1, kind: discuss, ask: What then}", "asks itself"),
        ("  - [a, b]", "something else than"),
        ("", "needs a title and a list"),
    ],
)
def test_a_deck_that_can_not_be_played_fairly_is_refused_with_a_sentence(tmp_path: Path, card: str, says: str) -> None:
    with pytest.raises(StudioError, match=says):
        read_deck(written(tmp_path, card))


def test_in_a_guess_letters_are_dealt_to_each_student_and_else_to_the_class() -> None:
    guess = next(card for card in read_deck().cards if card.kind == "guess")
    hands = Counter(tuple(guess.dealt(f"student {one}").values()) for one in range(1200))
    assert len(hands) == 6 and all(120 < count < 290 for count in hands.values()), hands
    assert guess.dealt("one") == guess.dealt("one")


def test_ballots_on_paper_hold_every_card_and_what_was_what_only_on_the_sheet_for_the_teacher() -> None:
    deck = read_deck()
    page = printed.page(deck.called("<b>Class & 9b</b>"))
    ballot, _, key = page.partition('class="key"')
    assert "<b>Class" not in page and "Class &amp; 9b" in page and "http" not in page
    assert page.count("<section>") == 2 * len(deck.cards) and 'class="box"' in ballot
    for card in deck.cards:
        assert (
            not card.told or card.told.split("“")[0][:40].replace("'", "&#x27;") not in ballot
        ) and "deliberately biased" not in ballot.split("</p>", 1)[1]
        if card.hide == "names":
            assert ", ".join(f"{letter} {column.title()}" for letter, column in card.dealt(PAPER).items()) in key


def test_codes_are_read_however_they_are_typed_and_differ() -> None:
    made = {code.new_code() for _ in range(200)}
    assert len(made) > 195 and all(len(one) == code.LENGTH and set(one) <= set(code.LETTERS) for one in made)
    assert not set(code.LETTERS) & set("ILOQSBZGU0123456789AE")
    assert code.is_right(" cdf-hjk ", "CDFHJK") and code.is_right("cdfhjk", "CDFHJK")
    assert (
        not code.is_right("", "CDFHJK")
        and not code.is_right("CDFHJ", "CDFHJK")
        and not code.is_right("", "")
        and not code.is_right("ﬃ" * 99, "CDFHJK")
    )


def test_from_totals_nobody_can_work_out_what_one_or_two_people_said() -> None:
    """Every small class: whoever knows the rule and the number of replies still finds two values for each count that is kept back."""
    for cells, most, spared in ((2, 9, None), (3, 8, None), (3, 8, 0), (4, 7, 2)):
        seen: dict[tuple[int, tuple[int | None, ...]], list[tuple[int, ...]]] = {}
        for counts in product(range(most + 1), repeat=cells):
            if FEWEST <= sum(counts) <= most:
                seen.setdefault((sum(counts), tuple(tally.covered(counts, spared))), []).append(counts)
        for (_, shown), could_be in seen.items():
            for place, count in enumerate(shown):
                values = {counts[place] for counts in could_be}
                assert count is not None or len(values) > 1, (shown, could_be)
                assert count is None or not 0 < count < FEWEST


def test_totals_of_each_kind_are_counted_with_the_line_of_pure_chance() -> None:
    cards = read_deck().cards
    tapped = next(card for card in cards if card.right is not None)
    found = tally.counted(tapped, [0] * 6 + [1] * 4 + [99, None])
    assert (found.answered, [bar.count for bar in found.bars][:2]) == (10, [6, 4]) and found.bars[0].chance == 1 / len(tapped.choices)
    assert found.bars[0].is_right and found.bars[0].low is not None and found.bars[0].low < 0.6 < (found.bars[0].high or 0)
    search = next(card for card in cards if card.find)
    assert [bar.is_right for bar in tally.counted(search, ["base"] * 3).bars].index(True) == search.columns.index("base")
    guess = next(card for card in cards if card.kind == "guess")
    right, swapped = dict(zip(ROLES, ROLES, strict=True)), {"left": "right", "right": "left", "placebo": "placebo"}
    bars = tally.counted(guess, [right] * 4 + [swapped] * 3).bars
    assert [bar.count for bar in bars] == [4, 4, 4, 7] and bars[0].chance == 1 / 6


def test_the_exported_table_holds_no_small_cell_and_no_formula() -> None:
    card = replace(read_deck().cards[0], ask="=1+1")
    played = [(card, tally.counted(card, [0] * 9 + [1]))]
    rows = list(csv.DictReader(io.StringIO(tally.as_csv(played))))
    assert [row["count"] for row in rows] == ["", "", "0", "0"] and rows[0]["asked"] == "'=1+1" and rows[0]["answered"] == "10"
    whole = json.loads(tally.as_json("A class", 2, played))
    assert (
        whole["joined"] is None and [row["count"] for row in whole["rows"]] == [None, None, 0, 0] and "Deliberately biased" in whole["mark"]
    )


def test_addresses_are_not_loopback_and_a_used_port_is_passed_over() -> None:
    import socket

    assert not [one for one in network.addresses() if one.startswith(("127.", "169.254."))]
    with socket.socket() as taken:
        taken.bind((network.EVERYWHERE, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert network.free_port(port) > port
