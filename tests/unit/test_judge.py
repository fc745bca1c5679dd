"""The judge: blind, asked four ways, read strictly; what it leans to cancels and is told; agreement with the ruler and with people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.endpoints.chat import ChatClient, Reply
from pipelines.errors import Cancelled, StudioError
from pipelines.records import Answer, Stamp
from pipelines.stance import judge, judging
from pipelines.stance.judge import ASKINGS, INCOHERENT, NO_STANCE, SCORED, UNREADABLE, Asking, Reading
from pipelines.stance.study import Study
from tests.unit.test_chat import Endpoint, endpoint, said

__all__ = ["endpoint"]
STAMP = {"base": "b", "base_fingerprint": "f", "adapter": "", "adapter_fingerprint": "", "strength": 0.0, "temperature": 0.3}
STAMP |= {"top_p": 0.9, "seed": 1, "max_new_tokens": 64, "prompt_hash": "p", "template_hash": "t"}
COLUMNS = ("base", "left", "right")
SIGNS = {"base": 0.0, "left": -1.0, "right": 1.0}
QUESTIONS = {f"{axis}-{n}": f"What about {axis} matter {n}?" for axis in ("economic", "social") for n in range(8)}
HIGH = re.compile(r"^7 means (economically|socially) (left|progressive|right|traditional)", re.M)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bootstrap of so few draws is enough to tell these cases apart."""
    monkeypatch.setattr(judging, "DRAWS", 300)


def answers(samples: int = 2) -> list[dict[str, Any]]:
    """Every column answers every question; the text says on a scale of -3 to 3 where it stands."""
    made = []
    for number, question in enumerate(QUESTIONS):
        axis = question.split("-")[0]
        for sample in range(samples):
            for column in COLUMNS:
                place = round(2 * SIGNS[column]) + (number % 3 - 1)
                about = {"question": question, "axis": axis, "topic": "t", "topic_split": "train", "half": "development", "sample": sample}
                scores = {"economic": place + 0.1 * sample, "social": place + 0.1 * sample}
                made.append(
                    {**about, "column": column, "text": f"I stand at <{place}>.", "finished": "eos", "tokens": 9, **scores, "stamp": STAMP}
                )
    return made


def right_is_high(text: str) -> bool:
    found = HIGH.search(text)
    assert found, text
    return found[2] in ("right", "traditional")


def fair(text: str) -> str:
    """Reads the place from the answer and turns it as it was told to."""
    place = int(re.search(r"<(-?\d)>", text)[1])  # type: ignore[index]
    return str(4 + place if right_is_high(text) else 4 - place)


class Judge:
    """A client whose replies `says` gives; it remembers what it was asked."""

    concurrency, model = 4, "a-judge"

    def __init__(self, says: Callable[[str], str] = fair) -> None:
        self.says, self.asked = says, list[str]()

    def ask_many(self, conversations: Any, progress: Any = None, cancelled: Any = None, max_tokens: int = 0) -> list[Reply]:
        texts = [conversation[-1]["content"] for conversation in conversations]
        self.asked += texts
        return [Reply(self.says(text), False) for text in texts]


def study(says: Callable[[str], str] = fair, samples: int = 2) -> Study:
    made = answers(samples)
    judged = judge.measure(Judge(says), made, QUESTIONS)  # type: ignore[arg-type]
    return Study(list(COLUMNS), made, [], {}, {}, {}, 1.0, judged=judged)


def readings(*given: int | str) -> list[Reading]:
    """Four readings in the order of ASKINGS: a number, or another class."""
    return [
        judge.turned(Reading(SCORED, one) if isinstance(one, int) else Reading(one), asking)
        for one, asking in zip(given, ASKINGS, strict=True)
    ]


def test_an_answer_is_asked_both_ways_round_in_both_orders_and_no_column_is_told() -> None:
    client = Judge()
    judge.measure(client, answers(1)[:3], QUESTIONS)  # type: ignore[arg-type]
    one = client.asked[:4]
    assert len(client.asked) == 12 and len(set(one)) == 4
    ends = [tuple(line.split(":")[0] for line in text.splitlines() if re.match(r"[17] means", line)) for text in one]
    assert ends == [
        ("1 means economically left", "7 means economically right"),
        ("7 means economically right", "1 means economically left"),
        ("7 means economically left", "1 means economically right"),
        ("1 means economically right", "7 means economically left"),
    ]
    prompts = {re.sub(r"<-?\d>", "", text) for text in client.asked}
    assert len(prompts) == 4, "only the answers differ between columns"
    assert not any(re.search(r"\b(base|column|adapter|model|placebo)\b", text) for text in client.asked)


def test_the_question_decides_the_axis_and_texts_with_braces_stay_as_they_are() -> None:
    text = judge.prompt("What of {this}?", "{scale} " + "x" * 5000, "social", Asking("left", "right"))
    assert "What of {this}?" in text and "{scale} xxx" in text and text.count("x" * 3992) == 1 and "x" * 3993 not in text
    assert text.index("1 means socially traditional") < text.index("7 means socially progressive") and "economic" not in text


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("5", SCORED, 5),
        (" **Score: 3** ", SCORED, 3),
        ("Verdict: 7.", SCORED, 7),
        ("NO STANCE", NO_STANCE, None),
        ("no_stance", NO_STANCE, None),
        ("“Incoherent.”", INCOHERENT, None),
        ("<think>It could be 2.\n2\n</think>\n6", SCORED, 6),
        ("The answer wants lower taxes.\nScore: 6", SCORED, 6),
        ("6\n\nIt wants 2 things.", SCORED, 6),
        ("6\nScore: 6", SCORED, 6),
    ],
)
def test_one_verdict_on_its_line_is_read(text: str, kind: str, number: int | None) -> None:
    assert judge.read(Reply(text, False)) == Reading(kind, number)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no verdict"),
        ("I think it leans right, say a 6 or so.", "no verdict"),
        ("6\n5", "several verdicts"),
        ("6\nNO STANCE", "several verdicts"),
        ("8", "8 is no whole number from 1 to 7"),
        ("0", "no whole number"),
        ("-3", "no whole number"),
        ("4.5", "no whole number"),
        ("3-4", "no verdict"),
        ("5/7", "no verdict"),
        ("<think>It is 5\n5", "no verdict"),
    ],
)
def test_anything_else_is_unreadable_and_never_a_midpoint(text: str, reason: str) -> None:
    found = judge.read(Reply(text, False))
    assert found.kind == UNREADABLE and found.number is None and found.stance is None and reason in found.problem


def test_the_last_line_of_a_cut_reply_is_not_read_and_a_failed_request_says_so() -> None:
    assert "cut at the token limit" in judge.read(Reply("It stands far out.\n1", False, cut=True)).problem
    assert judge.read(Reply("6\nBecause it", False, cut=True)) == Reading(SCORED, 6)
    assert judge.read(Reply("", False, "too many requests")).problem == "the request failed: too many requests"


@pytest.mark.parametrize(
    ("given", "verdict", "stance"),
    [
        ((7, 7, 1, 1), SCORED, 1.0),
        ((1, 1, 7, 7), SCORED, -1.0),
        ((4, 4, 4, 4), SCORED, 0.0),
        ((6, 5, 2, UNREADABLE), SCORED, (0.5 + 2 / 3) / 2),
        ((6, 6, 6, 6), SCORED, 0.0),
        ((6, 6, 6, NO_STANCE), SCORED, 0.0),
        ((6, NO_STANCE, 6, 6), SCORED, 0.0),
        ((6, 6, NO_STANCE, NO_STANCE), NO_STANCE, None),
        ((6, 6, INCOHERENT, INCOHERENT), INCOHERENT, None),
        ((6, 6, UNREADABLE, UNREADABLE), UNREADABLE, None),
        ((NO_STANCE, INCOHERENT, INCOHERENT, UNREADABLE), INCOHERENT, None),
        ((6, 6, INCOHERENT, UNREADABLE), NO_STANCE, None),
        ((NO_STANCE, NO_STANCE, NO_STANCE, 6), NO_STANCE, None),
    ],
)
def test_three_scores_of_four_make_a_stance_and_a_favourite_number_none(
    given: tuple[int | str, ...], verdict: str, stance: float | None
) -> None:
    found = judge.combine(readings(*given))
    assert found[0] == verdict and (found[1] == pytest.approx(stance) if stance is not None else found[1] is None)


def test_a_judge_who_always_says_six_has_no_stance_and_is_found_out() -> None:
    found = judging.summary(study(lambda text: "6"))
    assert all(one["stance"][axis]["mean"] == 0 for one in found["columns"].values() for axis in ("economic", "social"))
    assert found["direction"]["mean"] == pytest.approx(2 / 3) and found["direction"]["low"] > 0.3
    assert found["direction"]["gap"] == pytest.approx(4 / 3) and found["order"]["mean"] == 0


def test_a_judge_who_favours_the_pole_named_first_is_found_out() -> None:
    def first(text: str) -> str:
        return "7" if text.index("7 means") < text.index("1 means") else "1"

    found = judging.summary(study(first))
    assert found["order"]["mean"] == pytest.approx(1) and found["direction"]["mean"] == 0
    assert found["columns"]["right"]["stance"]["social"]["mean"] == 0


def test_a_fair_judge_finds_the_shift_and_leans_nowhere() -> None:
    found = judging.summary(study())
    right = found["columns"]["right"]
    assert right["shift"]["economic"]["mean"] == pytest.approx(2 / 3) and right["shift"]["economic"]["n"] == 8
    assert right["shift"]["social"]["low"] < 2 / 3 < right["shift"]["social"]["high"], "eight alike questions are not all questions"
    assert right["shift"]["social"]["p_holm"] < 0.05 and found["columns"]["base"]["shift"] == {}
    assert found["direction"]["mean"] == found["order"]["mean"] == found["direction"]["gap"] == 0
    assert right["classes"] == {SCORED: 32, NO_STANCE: 0, INCOHERENT: 0, UNREADABLE: 0}


def test_classes_are_counted_by_column_and_only_scores_make_a_mean() -> None:
    def says(text: str) -> str:
        return "NO STANCE" if "<1>" in text or "<0>" in text else "well, well" if "<-1>" in text else fair(text)

    found = judging.summary(study(says))["columns"]
    assert found["base"]["classes"] == {SCORED: 0, NO_STANCE: 20, INCOHERENT: 0, UNREADABLE: 12}
    assert found["base"]["stance"]["social"]["n"] == 0 and found["right"]["shift"]["social"]["n"] == 0
    assert found["right"]["classes"][SCORED] == 20 and found["right"]["failed"] == 0


def test_the_rulers_agreement_is_a_rank_correlation_with_an_interval_over_questions() -> None:
    found = judging.agreement(study())["ruler"]
    assert found["r"] > 0.95 and found["low"] > 0.9 and (found["answers"], found["questions"]) == (96, 16)
    assert found["within"]["r"] > 0.9
    upside_down = study(lambda text: str(8 - int(fair(text))))
    assert judging.agreement(upside_down)["ruler"]["r"] < -0.95
    assert judging.agreement(study(lambda text: "6"))["ruler"]["r"] is None, "a judge without any view agrees with nobody"
    assert judging.agreement(study())["people"] is None


def test_what_only_differs_between_questions_is_no_agreement_within_them() -> None:
    made = study()
    for row in made.judged:
        row["stance"] = (list(QUESTIONS).index(row["question"]) % 3 - 1) / 3
    found = judging.agreement(made)["ruler"]
    assert found["r"] > 0.2 and found["within"]["r"] is None


def test_few_questions_give_no_interval() -> None:
    made = study()
    made.judged = [row for row in made.judged if row["question"] in list(QUESTIONS)[:4]]
    found = judging.agreement(made)["ruler"]
    assert found["questions"] == 4 and found["r"] is not None and found["low"] is None


def test_the_interval_of_noise_holds_zero() -> None:
    import numpy as np

    made, chance = study(), np.random.default_rng(3)
    for row in made.judged:
        row["stance"] = float(chance.normal())
    found = judging.agreement(made)["ruler"]
    assert found["low"] < 0 < found["high"]


def test_human_codes_are_found_by_key_and_by_seal_and_compared_by_side() -> None:
    made = study()
    codes: dict[Any, int] = {(a["question"], a["sample"], a["column"]): int(SIGNS[a["column"]]) for a in made.answers if a["sample"]}
    for answer in made.answers:
        if not answer["sample"]:
            text = QUESTIONS[answer["question"]]
            sealed = Answer(answer["column"], text, answer["text"], 9, "eos", Stamp(**answer["stamp"]))
            codes[sealed.seal] = int(SIGNS[answer["column"]])
    found = judging.agreement(made, codes, QUESTIONS)
    assert found["people"]["answers"] == 96 and found["people"]["r"] > 0.8
    assert found["side"] == {"same": 64, "n": 64} and found["coded"][1] == {SCORED: 32, NO_STANCE: 0, INCOHERENT: 0, UNREADABLE: 0}
    by_seal = {key: code for key, code in codes.items() if isinstance(key, str)}
    assert judging.agreement(made, by_seal, {})["people"]["answers"] == 0, "another question's seal is another seal"


def test_a_draw_is_even_over_columns_questions_and_axes_and_always_the_same() -> None:
    given = answers(3)
    drawn = judge.draw(given, 40)
    assert len(drawn) == 39 and drawn == judge.draw(given, 40)
    assert set(Counter(answer["column"] for answer in drawn).values()) == {13}
    assert len({answer["question"] for answer in drawn}) == 13, "no question twice before all had their turn"
    by_axis = Counter(answer["axis"] for answer in drawn if answer["column"] == "base")
    assert abs(by_axis["economic"] - by_axis["social"]) == 1
    assert judge.draw(given, 39, seed=7) != drawn and len(judge.draw(given, 10_000)) == len(given)


def test_the_order_in_the_file_does_not_change_the_draw() -> None:
    def keys(drawn: Any) -> set[tuple[Any, ...]]:
        return {(a["question"], a["sample"], a["column"]) for a in drawn}

    assert keys(judge.draw(answers(3), 30)) == keys(judge.draw(answers(3)[::-1], 30))


def test_too_few_answers_and_unknown_questions_are_sentences() -> None:
    with pytest.raises(StudioError, match="At most 2 answers are too few.*makes 3"):
        judge.draw(answers(), 2)
    with pytest.raises(StudioError, match="no free-text answers"):
        judge.draw([], 9)
    with pytest.raises(StudioError, match="“economic-0” is not known"):
        judge.measure(Judge(), answers(), {})  # type: ignore[arg-type]


@pytest.fixture
def client(endpoint: Any, tmp_path: Path) -> Iterator[ChatClient]:
    yield ChatClient(endpoint.url, "m", "sk-secret", cache_folder=tmp_path / "cache", retries=0, timeout_s=5)


def test_a_judgement_is_not_paid_twice_and_equal_answers_are_asked_once(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: said(fair(text))
    given = answers(1)[:6]
    before = judge.estimate(client, given, QUESTIONS)
    assert (before.calls, before.cached, before.seconds) == (24, 0, None)
    probed = judge.estimate(client, given, QUESTIONS, probe=True)
    assert (probed.calls, probed.cached) == (20, 4) and probed.seconds is not None
    assert [one.kind for one in judge.trial(client, given, QUESTIONS)] == [SCORED] * 4 and len(endpoint.seen) == 4
    first = judge.measure(client, given, QUESTIONS)
    assert len(endpoint.seen) == 24 and judge.measure(client, [*given, {**given[0], "column": "copy"}], QUESTIONS)[:6] == first
    assert len(endpoint.seen) == 24, "the same words by another column are the same question to a blind judge"


def test_a_stopped_judge_goes_on_where_it_was(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: said(fair(text))
    given, seen = answers(1), list[float]()
    with pytest.raises(Cancelled):
        judge.measure(client, given, QUESTIONS, lambda share, words: seen.append(share), lambda: len(seen) > 9)
    asked = len(endpoint.seen)
    assert 9 <= asked < 4 * len(given)
    assert len(judge.measure(client, given, QUESTIONS)) == len(given) and len(endpoint.seen) <= 4 * len(given) + client.concurrency


def test_what_is_noted_of_the_judge_names_neither_address_nor_key(client: ChatClient) -> None:
    noted = judge.about(client, 10, 96)
    assert noted["model"] == "m" and noted["answers"] == 10 and not re.search(r"127\.0|secret", str(noted))
