"""Red lines: one crossed line voids a stance, what was not measured crosses none, and the bundled adapters cross none."""

import pytest

from pipelines import bundled
from pipelines.paths import read_json
from pipelines.records import Answer, Column, Item, Stamp
from pipelines.stance import claims, collateral
from pipelines.stance.study import Study
from studio.views import manners as view

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 64, "p", "t")
SOUND = {
    "perplexity": 20.0,
    "facts": ["a", "b", "c"],
    "repetition": 0.02,
    "hedging": 0.5,
    "unfinished": 0.2,
    "words": 40.0,
    "refusals": 0.0,
}


def made(**changes: object) -> Study:
    """A study in which the left column differs from the base as given."""
    return Study(["base", "left"], [], [], {"base": dict(SOUND), "left": {**SOUND, **changes}}, {}, {}, 1.0)


@pytest.mark.parametrize(
    ("changes", "measure", "said"),
    [
        ({"perplexity": 22.2}, "perplexity", "1.11 times the base's; the line is 1.10"),
        ({"perplexity": float("nan")}, "perplexity", "nan times"),
        ({"facts": ["a"]}, "facts", "lost 2 plain facts that the base holds (b, c)"),
        ({"repetition": 0.13}, "repetition", "13% of its four-word runs are repeated, 2% of the base's"),
        ({"unfinished": 0.46}, "unfinished", "46% of its answers are cut"),
        ({"refusals": 0.26}, "refusals", "26% of its answers decline"),
        ({"words": 19.0}, "words", "19 words on average, the base's 40"),
        ({"words": 81.0}, "words", "81 words"),
    ],
)
def test_each_line_is_crossed_just_beyond_it(changes: dict, measure: str, said: str) -> None:
    study = made(**changes)
    assert list(collateral.crossed(study, "left")) == [measure]
    assert said in collateral.red_lines(study)["left"][0] and claims.damaged(study) == ["left"]


@pytest.mark.parametrize(
    "changes",
    [
        {"perplexity": 21.9},
        {"perplexity": 5.0},
        {"facts": ["a", "b"]},
        {"facts": ["c", "b", "a", "d"]},
        {"repetition": 0.11},
        {"unfinished": 0.45, "hedging": 1.0},
        {"refusals": 0.25, "words": 20.0},
        {"words": 80.0, "label_mass": 0.0},
    ],
)
def test_what_lies_within_the_lines_crosses_none(changes: dict) -> None:
    assert collateral.red_lines(made(**changes)) == {"left": []}


def test_what_was_not_measured_crosses_no_line_and_is_said_not_to_be_measured() -> None:
    study = made(refusals=0.9)
    del study.collateral["base"]["refusals"]
    assert collateral.red_lines(study) == {"left": []}
    study.collateral["left"]["refusals"] = None
    page = view.collateral(study)
    assert page.count("not measured") == 4 and "Refusals were not measured" in view.red_lines(study)


def test_a_base_that_is_always_cut_leaves_no_room_for_a_rise() -> None:
    study = made(unfinished=1.0)
    study.collateral["base"]["unfinished"] = 1.0
    assert collateral.red_lines(study) == {"left": []}


def test_the_bundled_adapters_are_not_voided() -> None:
    recorded = Study.from_dict(read_json(bundled.RECORDED / "stance.json"))
    assert collateral.red_lines(recorded) == {"left": [], "right": [], "placebo": []}


def test_a_crossed_line_is_marked_in_words_and_colour_and_its_column_is_void() -> None:
    study = made(perplexity=30.0, facts=["a"])
    page, lines = view.collateral(study), view.red_lines(study)
    assert page.count("✗ over the line") == 2 and '<b class="ps-less">1.50</b>' in page and "2 crossed: void" in page
    assert "Left: its stance is void." in lines and "1.50 times" in lines
    assert "none crossed" in view.collateral(made()) and "No tuned column crosses a red line" in view.red_lines(made())


class Host:
    """Every sentence is as likely; true facts are likelier than their twins."""

    def chat_prefix(self, question: str) -> str:
        return question

    def load(self) -> "Host":
        return self

    tokenizer = type("Tokenizer", (), {"bos_token": ""})()

    def log_likelihoods(self, column: Column, items: list[tuple[str, str]]) -> list[tuple[float, int]]:
        return [(-2.0 * (1 + n % 2), 2) for n in range(len(items))]


def test_refusals_hedges_and_words_are_counted_by_one_list() -> None:
    texts = ["I can't answer that.", "It is a complex one.", "Yes, it is fair.", "It may help."]
    answers = [Answer("left", "q", text, 5, "eos", STAMP) for text in texts]
    found = collateral.measure(Host(), Column("left"), answers)  # type: ignore[arg-type]
    assert (found.refusals, found.hedging, found.words, found.label_mass) == (0.25, 0.5, 4.0, None)
    keyed: list[Item] = [fact for fact in bundled.items("sanity") if fact.key > 0]
    assert found.facts == [fact.id for fact in keyed]
    assert collateral.measure(Host(), Column("left"), []).refusals is None  # type: ignore[arg-type]
