"""The Compare views: HTML of turns, highlighted answers, differing words, training rows, the mirror and tables of answers."""

import math
import re
from html import unescape
from pathlib import Path

import pytest

from pipelines.comparing import naming
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.mirror import Asking, Mirrored, gaps
from pipelines.comparing.prompts import Prompt
from pipelines.comparing.taught import Neighbor
from pipelines.models.tracing import Traced
from pipelines.records import Answer, Sampling, Stamp
from studio.theme import COLOURS, colour, css, role
from studio.views import answers, cards, mirror, spotlight, taught, wording

EVIL = '"><img src=x onerror=alert(1)>'


def said(column: str, text: str = "Yes, it should. And more.", finished: str = "eos", strength: float = 1.0) -> Answer:
    adapter = "" if column == "base" else column
    stamp = Stamp("a base", "b" * 12, adapter, adapter and "a" * 12, strength, 0.3, 0.9, 1, 72, "p" * 12, "t" * 12)
    return Answer(column, "q", text, 7, finished, stamp)


def talk(*turns: tuple[str, list[Answer]], system: str = "") -> Comparison:
    made = tuple(Turn(question, tuple(given)) for question, given in turns)
    return Comparison(tuple(one.column for one in turns[-1][1]), made, Sampling(), system=system)


def words(html: str) -> str:
    """What a reader reads of some HTML."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def texts(page: str) -> list[str]:
    """The answers in the cards of a page, as a reader reads them."""
    return [words(one) for one in re.findall(r'<p class="ps-text[^"]*">(.*?)</p>', page, re.DOTALL)]


def test_every_card_is_an_article_named_by_its_heading_and_no_id_stands_twice() -> None:
    pair = [said("base"), said("left")]
    page = cards.conversation(talk(("One?", pair), ("Two?", pair), ("Two?", pair)))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 3 + 6
    assert page.count("<article") == 6 and set(re.findall(r'aria-labelledby="([^"]+)"', page)) == set(ids)


def test_turns_are_numbered_where_there_are_several_and_only_the_last_one_is_loud() -> None:
    pair = [said("base"), said("left")]
    assert "Turn 1" not in cards.conversation(talk(("One?", pair)))
    page = cards.conversation(talk(("One?", pair), ("Two?", pair)))
    assert page.count("ps-earlier") == 1 and page.index("Turn 1") < page.index("One?") < page.index("Turn 2") < page.index("Two?")


def test_a_growing_turn_is_busy_has_a_cursor_and_announces_nothing() -> None:
    earlier = talk(("One?", [said("base"), said("left")]))
    page = cards.growing("Two?", [said("base", "No", ""), said("left", "", "eos")], earlier)
    assert page.count('aria-busy="true"') == 1 and page.count("ps-text live") == 1 and "Turn 2" in page
    assert "aria-live" not in page and 'role="status"' not in page
    assert "aria-busy" not in cards.conversation(earlier)
    assert page.count("<details>") == 3, "a stamp would close at every token, so it comes when the answer is done"


def test_columns_that_wait_have_empty_cards_below_the_turns_so_far() -> None:
    page = cards.waiting("Two?", ["base", "left × 0.5"], talk(("One?", [said("base"), said("left")])))
    assert (
        page.count("reading the question") == 2 and "Left × 0.5" in page and page.index("One?") < page.index("Turn 2") < page.index("Two?")
    )


def test_the_row_of_cards_can_be_reached_by_keyboard_and_tells_how_many_there_are() -> None:
    page = cards.cards("q", [said("base"), said("left"), said("right")])
    assert re.search(r'<div class="ps-cards[^"]*" tabindex="0" role="group" aria-label="Answers, 3 columns[^"]*"', page)
    assert [f"{n} / 3" in page for n in (1, 2, 3)] == [True] * 3


def test_the_stamp_shows_the_seal_of_the_answer() -> None:
    answer = said("left")
    assert answer.seal in cards.cards("q", [answer])


def test_the_first_sentence_is_set_off_in_every_column_alike_and_no_word_is_lost() -> None:
    given = ["No, it should not be. Rents are high.", "1. Yes it should. It is good.", "One sentence only", "Short\nThen a line.", ""]
    page = cards.cards("q", [said("base", text) for text in given])
    first = [words(one) for one in re.findall(r'<span class="ps-first">(.*?)</span>', page)]
    assert first == ["No, it should not be.", "1. Yes it should.", "One sentence only", "Short"]
    assert texts(page) == [*given[:4], "(no words)"]
    assert "ps-first" not in cards.cards("q", [said("base", "so " * 100 + "end. More.")])


def test_nothing_that_models_or_people_write_runs_as_html() -> None:
    traced = [Traced(EVIL, -1, -3), Traced(EVIL, -1, -1)]
    evil = said(EVIL, EVIL * 2)
    pages = [
        cards.conversation(talk((EVIL, [evil]), (EVIL, [said("base"), evil]), system=EVIL), show="words"),
        cards.conversation(talk((EVIL, [evil])), show="bias", traces={0: traced}),
        cards.waiting(EVIL, [EVIL]),
        wording.legend(EVIL),
        taught.neighbors(EVIL, [Neighbor(EVIL, EVIL, EVIL, EVIL, 0.5, (EVIL,), EVIL)]),
        answers.table([(0, Prompt("1", EVIL, EVIL), Turn(EVIL, (evil,)), 0.5)]),
        mirror.mirrored(Asking("a", "t", "economic", EVIL, EVIL), both := Mirrored(Turn(EVIL, (evil,)), Turn(EVIL, (evil,))), gaps(both)),
    ]
    assert all("<img" not in page for page in pages)


def test_strengths_keep_the_color_and_name_of_their_side_and_blends_have_none() -> None:
    assert role("left × 0.5") == role("left · lesson × -1") == role("left @ step 20 × 2") == "left" and role("neutral × 0.5") == "placebo"
    assert role("left × 0.5 + right × 0.5") == role("left · lesson × 0.5 + right · lesson × 0.5") == role("placebo × 1 + left × 1") == ""
    assert colour("right × 0.25", 3) == COLOURS["right"] != colour("right × 0.25 + left × 1", 3)
    assert naming.title("left × 0.5 + right × -0.25") == "Left × 0.5 + Right × -0.25" and naming.title("left × 2") == "Left × 2"
    assert naming.title("a + b") == "a + b" and naming.title("my run × 0.5") == "my run × 0.5"


def test_a_mark_tells_the_strength_once_and_a_blend_with_the_placebo_is_biased() -> None:
    def mark(name: str, strength: float) -> str:
        return naming.mark(said(name, strength=strength))

    assert mark("left", 0.5) == "deliberately biased · strength 0.5" and mark("left × 0.5", 0.5) == "deliberately biased"
    assert mark("left × 0", 0) == "adapter switched off" and "control" in mark("placebo × 0.5", 0.5)
    assert mark("placebo × 0.5 + left × 0.5", 1) == "deliberately biased"


PIECES = [Traced("No", -0.1, -3.1), Traced(", it", -1.0, -1.2), Traced(" is\n", -2.0, -1.5), Traced("\n\n", -1.0, -4.0), Traced(" 5 < 6", -4.0, -1.0)]  # fmt: skip


def test_a_highlighted_answer_is_the_answer_character_by_character() -> None:
    assert words(spotlight.highlighted(PIECES)) == "".join(one.piece for one in PIECES)


def test_shade_line_and_direction_follow_the_difference() -> None:
    found = re.findall(r'<span class="ps-tok ([^"]*)" style="--w:([\d.]+)"', spotlight.highlighted(PIECES))
    assert found == [("ps-up ps-strong", "1.00"), ("ps-down", "0.17"), ("ps-up ps-strong ps-gap", "1.00"), ("ps-down ps-strong", "1.00")]
    assert "ps-tok" not in spotlight.highlighted([Traced("even", -1, -1.29), Traced("nothing", math.nan, -1)])


def test_numbers_are_told_to_pointer_and_keyboard_but_small_ones_are_no_stop_of_the_tab_key() -> None:
    page = spotlight.highlighted([Traced("tax", math.log(0.12), math.log(0.03)), Traced(" cut", -1.0, -1.5), Traced(" now", -9.0, -1.0)])
    assert 'tabindex="0" data-tip="tuned 12% · base 3% · +1.4 nats" aria-description="tuned 12% · base 3% · +1.4 nats"' in page
    assert page.count('tabindex="0"') == 2 and page.count('tabindex="-1"') == 1 and "tuned &lt;0.1% · base 37% · −8.0 nats" in page


def test_the_summary_names_what_was_pushed_most() -> None:
    assert words(spotlight.summary(PIECES)) == "2 of 5 pieces are clearly likelier through tuning, most of all No (+3.0 nats)."
    assert spotlight.summary(PIECES[1:3]).startswith("None of 2")


def test_the_legend_says_both_ends_the_unit_and_what_it_does_not_show() -> None:
    said = words(spotlight.legend())
    assert all(part in said for part in ("likelier for the base", "likelier through tuning", "1 nat = 2.7 times", "not why"))


def test_a_trace_lights_up_only_the_answer_that_it_is_of() -> None:
    given = talk(("q", [said("base", "Yes."), said("left", "No."), said("right", "Yes.")]))
    page = cards.conversation(given, show="bias", traces={1: [Traced("No.", -0.1, -3)], 2: [Traced("Other.", -0.1, -3)]})
    assert page.count("data-tip") == 1 and "Not traced" in page and "what the others are held against" in page
    assert texts(page) == ["Yes.", "No.", "Yes."]
    assert "ps-legend" not in cards.conversation(given, show="bias", traces={}), "a legend of nothing"


def test_words_that_differ_are_marked_in_phrases_and_every_character_is_kept() -> None:
    pieces = [
        ("“", False),
        ("Yes", True),
        (", ", False),
        ("indeed", True),
        (" & ", False),
        ("no", False),
        (" ", False),
        ("doubt", True),
        (".\n", False),
    ]
    page = wording.marked(pieces)
    assert page == '“<mark class="ps-differs">Yes, indeed</mark> &amp; no <mark class="ps-differs">doubt</mark>.\n'
    assert words(page) == "".join(text for text, _ in pieces) and wording.marked([]) == "" and wording.marked([("\n", True)]) == "\n"


def test_the_words_view_marks_the_last_turn_against_its_first_column() -> None:
    turn = [said("base", "Rents are fine."), said("left", "Rents are unfair."), said("right", "")]
    page = cards.conversation(talk(("One?", turn), ("Two?", turn)), show="words")
    assert re.findall(r'<mark class="ps-differs">(\w+)</mark>', page) == ["Marked", "fine", "unfair"]
    assert texts(page)[3:] == ["Rents are fine.", "Rents are unfair.", "(no words)"]


def test_training_rows_show_shared_phrases_numbers_and_that_they_are_no_cause() -> None:
    row = Neighbor(
        "rent-3", "Limit rents?", "A fair rate, for all. A FAIR rate\nfor all; affair rates.", "rent", 0.714, ("fair rate for all",), "ours"
    )
    page = taught.neighbors("left × 0.5", [row])
    assert re.findall(r'<mark class="ps-shared">([^<]*)</mark>', page) == ["fair rate, for all", "FAIR rate\nfor all"]
    assert all(
        part in words(page) for part in ("Left × 0.5: rows", "similar, not cause", "0.71", "row rent-3", "topic rent", "data set ours")
    )
    assert COLOURS["left"] in page and "no row" in taught.neighbors("left", [])


def test_the_mirror_shows_both_rows_both_values_and_says_that_one_asking_is_an_anecdote() -> None:
    one = Asking("a", "rent", "economic", "Why limit rents?", "Why not limit rents?")
    pro = Turn(one.pro, (said("base", "It may help some people."), said("left", "It helps.")))
    con = Turn(one.con, (said("base", "It may hurt."), said("left", "As an AI model, I can't answer that.")))
    page = mirror.mirrored(one, Mirrored(pro, con), gaps(Mirrored(pro, con)))
    rows = [words(re.sub(r"</t[hd]>", "|", row)) for row in re.findall(r"<tr>(.*?)</tr>", page)][1:]
    assert rows[0].startswith("Base|+2 5 / 3|") and rows[0].endswith("|neither|") and rows[1].endswith("|only the second|")
    assert page.count("<article") == 4 and "Asked from the left" in page and "anecdote" in page and "Even-handed" in page
    own = Asking("own", "", "", one.pro, one.con)
    assert "Asked one way" in mirror.growing(own, Mirrored(pro, con)) and "<table" not in mirror.growing(own, Mirrored(pro, con))


def test_equal_manners_have_no_sign() -> None:
    turn = Turn("q", (said("base", "It helps."),))
    page = mirror.mirrored(Asking("a", "t", "social", "q", "q"), both := Mirrored(turn, turn), gaps(both))
    assert "<b>0</b>" in page and "<b>0.0</b>" in page


def test_rows_of_answers_can_be_pressed_and_say_in_words_whether_they_differ() -> None:
    turn = Turn("q", (said("base", "Yes"), said("left", "x" * 2000)))
    page = answers.table([(4, Prompt("a", "First?", "rent"), turn, 0.0), (9, Prompt("b", "Second?"), turn, 0.428)], picked=9)
    assert re.findall(r'<tr tabindex="0" data-pick="(\d+)" aria-selected="(\w+)"', page) == [("4", "false"), ("9", "true")]
    assert [words(one) for one in re.findall(r'<td class="num">(.*?)</td>', page)] == ["0.00same", "0.43different"]
    assert len(page) < 4000 and 'class="ps-clip"' in page and words(page).startswith("QuestionBaseLeftWords differ")
    assert "<table" not in answers.table([]) and "Nothing to show" in answers.table([])


@pytest.mark.parametrize("view", ["cards", "spotlight", "wording", "taught", "mirror", "answers"])
def test_every_class_of_the_compare_views_has_a_style(view: str) -> None:
    source = (Path(cards.__file__).parent / f"{view}.py").read_text(encoding="utf-8")
    used = {name for name in re.findall(r"\bps-[a-z][a-z-]*[a-z]\b", source) if not name.startswith(("ps-of", "ps-error"))}
    missing = {name for name in used if f".{name}" not in css()}
    assert used and not missing
