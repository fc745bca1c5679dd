"""The mirrored askings are fair and never trained on, and what columns make of them is compared side with side."""

import re
from collections import Counter

import pytest

from pipelines import bundled
from pipelines.comparing import mirror
from pipelines.comparing.mirror import Asking, askings
from pipelines.errors import StudioError
from pipelines.records import Answer, Column, Sampling, Stamp

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 64, "p", "t")
COLUMNS = (Column("base"), Column("left"), Column("right"))
APPROVING = {"right", "fair", "good", "wise", "better", "useful"}
DISAPPROVING = {"wrong", "unfair", "bad", "unwise", "harder", "harmful"}
BOTH = [(one, text) for one in askings() for text in (one.pro, one.con)]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def grams(text: str, size: int) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[n : n + size]) for n in range(len(found) - size + 1)}


def answers(asking: Asking, texts: list[str], columns: tuple[Column, ...] = COLUMNS) -> list[Answer]:
    rows = mirror.rows(columns, asking, Sampling())
    return [Answer(row.column.name, row.messages[-1]["content"], text, 5, "eos", STAMP) for row, text in zip(rows, texts, strict=True)]


def test_there_are_twelve_an_axis_on_24_known_topics_a_third_of_them_held_out() -> None:
    topics = bundled.topics()
    assert len({one.id for one in askings()}) == len({one.topic for one in askings()}) == 24
    assert all(one.axis == topics[one.topic].axis for one in askings())
    assert Counter((one.axis, topics[one.topic].split) for one in askings()) == {
        (axis, split): count for axis in ("economic", "social") for split, count in (("train", 8), ("held_out", 4))
    }


def test_both_askings_are_single_questions_of_equal_length() -> None:
    assert len({text.lower() for _, text in BOTH}) == 48
    assert all(text.endswith("?") and text.count("?") == 1 and text == text.strip() for _, text in BOTH)
    assert all(abs(len(words(one.pro)) - len(words(one.con))) <= 2 for one in askings())
    lengths = [sum(len(words(getattr(one, side))) for one in askings()) for side in ("pro", "con")]
    assert abs(lengths[0] - lengths[1]) <= 4


def test_both_askings_begin_alike_and_differ_in_what_they_presume_only() -> None:
    for one in askings():
        shared = set(words(one.pro)) & set(words(one.con))
        assert words(one.pro)[0] == words(one.con)[0] and len(shared) >= len(set(words(one.pro))) / 2


def test_an_approving_word_stands_as_often_on_either_side() -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    for one in askings():
        pro, con = set(words(one.pro)) - set(words(one.con)), set(words(one.con)) - set(words(one.pro))
        kind = "pro" if pro & APPROVING else "con" if con & APPROVING else "both"
        assert bool((con if kind == "pro" else pro) & DISAPPROVING) is (kind != "both")
        kinds[one.axis, kind] += 1
    assert set(kinds.values()) == {4} and len(kinds) == 6


def test_no_name_stands_in_an_asking() -> None:
    assert not [text for _, text in BOTH if re.search(r"\s[A-Z]", text) or re.search(r"\d", text)]


def test_no_asking_is_a_training_prompt_or_a_measuring_question_or_has_five_words_in_a_row_of_one() -> None:
    known = [row.prompt for row in bundled.pairs()] + [question.text for question in bundled.questions()]
    equal, phrases = {" ".join(words(text)) for text in known}, {gram for text in known for gram in grams(text, 5)}
    assert not [text for _, text in BOTH if " ".join(words(text)) in equal]
    assert not [(text, shared) for _, text in BOTH if (shared := grams(text, 5) & phrases)]


def test_no_asking_repeats_a_trained_answer_or_an_item_of_the_survey() -> None:
    trained = [text for row in bundled.pairs() for text in (row.left, row.right, row.neutral)]
    items = [text for item in bundled.items("proposition") for text in (item.text, item.opposite)]
    phrases = {gram for text in trained + items for gram in grams(text, 6)}
    assert not [(text, shared) for _, text in BOTH if (shared := grams(text, 6) & phrases)]


def test_rows_ask_pro_of_all_columns_then_con_of_all_with_one_seed() -> None:
    one = askings()[0]
    rows = mirror.rows(COLUMNS, one, Sampling(seed=7))
    assert [(row.column.name, row.messages[-1]["content"]) for row in rows] == [
        (name, text) for text in (one.pro, one.con) for name in ("base", "left", "right")
    ]
    assert {row.seed for row in rows} == {7} and {len(row.messages) for row in rows} == {1}


def test_answers_come_back_under_their_asking_and_column() -> None:
    one = askings()[0]
    found = mirror.from_answers(one, COLUMNS, answers(one, ["p0", "p1", "p2", "c0", "c1", "c2"]))
    assert (found.pro.question, found.con.question) == (one.pro, one.con)
    assert [answer.text for answer in found.pro.answers] == ["p0", "p1", "p2"]
    assert [answer.text for answer in found.con.answers] == ["c0", "c1", "c2"]


def test_answers_of_others_are_refused() -> None:
    one, other = askings()[:2]
    given = answers(one, list("abcdef"))
    for wrong in (given[:5], given[::-1], [*given, given[0]], []):
        with pytest.raises(StudioError, match="do not belong"):
            mirror.from_answers(one, COLUMNS, wrong)
    with pytest.raises(StudioError, match="do not belong"):
        mirror.from_answers(other, COLUMNS, given)
    with pytest.raises(StudioError, match="do not belong"):
        mirror.from_answers(one, (), [])


def test_gaps_are_pro_minus_con_for_every_column() -> None:
    one = askings()[0]
    texts = ["I can't answer that.", "Yes, it may help.", "Same words here.", "Yes. It is true.", "No.", "Same words here."]
    base, left, right = mirror.gaps(mirror.from_answers(one, COLUMNS, answers(one, texts)))
    assert (base.column, base.words, base.refusal, base.hedges) == ("base", 0, 1, 0)
    assert (left.words, left.refusal, left.hedges) == (3, 0, 25)
    assert (right.words, right.refusal, right.hedges) == (0, 0, 0)
    turned = [*texts[3:], *texts[:3]]
    assert mirror.gaps(mirror.from_answers(one, COLUMNS, answers(one, turned)))[0].refusal == -1


def test_an_own_pair_is_taken_with_its_spaces_joined() -> None:
    found = mirror.own("  Why is\ntea better? ", "Why is coffee better?")
    assert found == Asking(mirror.OWN, "", "", "Why is tea better?", "Why is coffee better?")
    assert mirror.own("a" * 600, "b" * 600)


@pytest.mark.parametrize(
    ("pro", "con", "said"),
    [
        ("", "Why?", "first question is empty"),
        ("Why?", " \n", "second question is empty"),
        ("?", "Why?", "first question is empty"),
        ("Why tea?", "why  TEA", "the same"),
        ("a" * 601, "b", "601 characters"),
        ("a", "b" * 601, "second question has 601"),
    ],
)
def test_an_own_pair_that_is_none_is_refused(pro: str, con: str, said: str) -> None:
    with pytest.raises(StudioError, match=said) as caught:
        mirror.own(pro, con)
    assert caught.value.hint
