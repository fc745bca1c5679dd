"""Asking, following up, mixing columns and looking closer, with a host that answers at once and no model."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from pipelines.comparing import keys
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.errors import StudioError
from pipelines.models.adapters import inspect, settings_hash
from pipelines.models.host import Row
from pipelines.models.line import Line
from pipelines.models.tracing import Traced
from pipelines.models.unchanged import SelfTest
from pipelines.paths import Paths
from pipelines.records import Answer, Sampling, Stamp
from studio.services import Services
from studio.tabs.comparing import answering, asking, exploring, mixing, sharing
from studio.tabs.comparing.answering import Wish
from studio.views import cards

ALL = ["base", "left", "right"]
BUTTONS = slice(3, 8)


class Host:
    """Says the question back, word by word; notes what every row has read."""

    def __init__(self) -> None:
        self.read: list[list[list[dict[str, Any]]]] = []
        self.fails = False
        self.base_print = ""
        self.line, self.title, self.base, self.last_test = Line(), "a base", None, None

    def stream(
        self,
        rows: Sequence[Row],
        sampling: Sampling,
        stop: threading.Event,
        partial: bool = True,
        rounded: bool = False,
        ticket: Any = None,
    ) -> Iterator[list[Answer]]:
        self.read.append([list(row.messages) for row in rows])
        for finished in ("", "eos"):
            if self.fails and finished:
                raise ValueError("out of paper")
            yield [self.answer(row, sampling, finished) for row in rows]

    def answer(self, row: Row, sampling: Sampling, finished: str) -> Answer:
        files = [inspect(folder) for folder, _ in row.column.parts]
        prints = [f"{file.fingerprint}*{strength:g}" for file, (_, strength) in zip(files, row.column.parts, strict=True)]
        print_ = "+".join(prints) if len(files) > 1 else "".join(file.fingerprint for file in files)
        strength = 0.0 if row.column.is_base else 1.0 if row.column.also else row.column.strength
        name = "" if row.column.is_base else row.column.name
        settings = "+".join(map(settings_hash, files))
        stamp = Stamp("a base", self.base_print, name, print_, strength, sampling.temperature, 1, row.seed, 9, "p", "t", settings)
        text = f"{row.column.name} says {row.messages[-1]['content']} {row.seed}"
        return Answer(row.column.name, str(row.messages[-1]["content"]), text, 5, finished, stamp)

    def self_test(self, ticket: Any = None) -> SelfTest:
        return SelfTest(0.0)

    def trace(self, column: Any, messages: Any, answer: str) -> list[Traced]:
        return [Traced(answer, -1.0, -3.0)]


@pytest.fixture
def services(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Services:
    for name in ("STUDIO_PUBLIC", "SPACE_ID", "STUDIO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    made = Services.create()
    loaded = made.loaded()
    host = Host()
    host.base_print = loaded.fingerprint
    made.host = host  # type: ignore[assignment]
    monkeypatch.setattr(Services, "loaded", lambda self: loaded)
    return made


def run(services: Services, **wish: Any) -> list[tuple[Any, ...]]:
    asked = Wish(**{"question": "Why?", "keys": ALL, "dial": 1.0, "sampling": Sampling(), **wish})
    assert services.claim("me")
    return list(answering.respond(services, asked, "me", {"columns": list(asked.keys), "page": "me", "link": ""}))


def talked_before(services: Services) -> Comparison:
    services.host.fails = False  # type: ignore[attr-defined]
    made = talked(services)
    services.host.fails = True  # type: ignore[attr-defined]
    return made


def talked(services: Services, **wish: Any) -> Comparison:
    made = run(services, **wish)[-1][8]
    assert isinstance(made, Comparison)
    return made


def test_every_column_reads_its_own_earlier_answers(services: Services) -> None:
    first = talked(services, question="One?", system="Be brief.")
    both = talked(services, question="Two?", earlier=first)
    assert [turn.question for turn in both.turns] == ["One?", "Two?"]
    read = services.host.read[-1]  # type: ignore[attr-defined]
    assert [one["role"] for one in read[1]] == ["system", "user", "assistant", "user"]
    assert [row[2]["content"] for row in read] == [f"{name} says One? 1" for name in ALL]


def test_an_edited_question_takes_the_last_place_and_a_first_one_begins_anew(services: Services) -> None:
    first = talked(services, question="One?")
    both = talked(services, question="Two?", earlier=first)
    edited = talked(services, question="Three?", earlier=asking.before(both))
    assert [turn.question for turn in edited.turns] == ["One?", "Three?"]
    assert asking.before(first) is None, "nothing binds what is asked in place of a first question"


def test_what_is_edited_is_this_very_conversation_and_only_until_it_is_pressed_again(services: Services) -> None:
    first = talked(services)
    question, editing, said, button = asking._edit(first, "")
    assert (question, editing, button) == ("Why?", first.id, answering.REPLACE) and "takes the place" in said
    assert asking._edit(first, editing)[1] == "" and asking._edit(talked(services, question="Two?"), editing)[1] != editing
    assert "no question yet" in asking._edit(None, "")[2]


def test_a_follow_up_keeps_columns_and_strength_whatever_is_ticked_meanwhile(services: Services) -> None:
    first = talked(services, dial=0.5)
    last = run(services, earlier=first, keys=["placebo"], dial=2.0)[-1]
    both = last[8]
    assert "keeps the columns, the dial" in last[0] and last[9]["columns"] == ["placebo"]
    assert "keeps the columns" not in run(services, earlier=first, dial=0.5)[-1][0]
    assert both.keys == ("base", "left", "right") and {answer.stamp.strength for answer in both.last.answers} == {0.0, 0.5}


def test_the_dial_moves_only_columns_without_a_strength_of_their_own(services: Services) -> None:
    made = talked(services, keys=["left", "right*0.25", "left*0.5+right*1"], dial=2.0)
    assert [answer.stamp.strength for answer in made.last.answers] == [2.0, 0.25, 1.0]


def test_another_base_in_the_middle_of_a_conversation_is_caught(services: Services) -> None:
    first = talked(services)
    services.host.base_print = "c" * 12  # type: ignore[attr-defined]
    last = run(services, earlier=first, shown=first)[-1]
    assert "not the model that answered before" in last[0] and not isinstance(last[8], Comparison)
    assert last[1] == cards.conversation(first), "what was shown before stands there again"
    wrong = replace(first, turns=(Turn("Why?", tuple(replace(a, stamp=replace(a.stamp, strength=0.3)) for a in first.last.answers)),))
    assert "was changed since this answer" in run(services, earlier=wrong)[-1][0]


@pytest.mark.parametrize(
    "wish,words",
    [
        ({"question": " "}, "no question"),
        ({"question": "x" * 601}, "at most 600"),
        ({"system": "x" * 601}, "system prompt has 601"),
        ({"keys": []}, "No column"),
        ({"keys": ["left*9"]}, "no column “left*9”"),
        ({"keys": ["base*1"]}, "no column “base*1”"),
        ({"question": "half \ud83d"}, "half a character"),
        ({"keys": [f"left*{n / 10}" for n in range(7)]}, "at most 6"),
    ],
)
def test_what_can_not_be_asked_gets_a_sentence_and_free_buttons(services: Services, wish: dict[str, Any], words: str) -> None:
    last = run(services, **wish)[-1]
    assert words in last[0] and [one["interactive"] for one in last[BUTTONS]] == [True, True, False, True, True]


def test_a_failure_in_the_middle_frees_the_buttons_and_keeps_the_conversation(services: Services, capsys: Any) -> None:
    services.host.fails = True  # type: ignore[attr-defined]
    talk = talked_before(services)
    steps = run(services, question="And then?", shown=talk)
    assert steps[-1][1] == cards.conversation(talk)
    assert [one["interactive"] for one in steps[0][BUTTONS]] == [False, False, True, False, False]
    assert "broke off (ValueError)" in steps[-1][0] and steps[-1][BUTTONS][0]["interactive"] and not isinstance(steps[-1][8], Comparison)


def test_a_conversation_ends_before_it_grows_too_long(services: Services) -> None:
    talk = talked(services)
    long = replace(talk, turns=talk.turns * 12)
    assert "has 12 turns" in run(services, earlier=long)[-1][0]


def test_draw_again_counts_the_seed_up_unless_it_is_greedy() -> None:
    assert asking._next_seed(4, False, 0.3) == 5
    assert asking._next_seed(4, True, 0.3) == asking._next_seed(4, False, 0.0) == 4


def test_a_second_question_of_the_same_visitor_waits_for_the_first_and_others_do_not(services: Services) -> None:
    assert services.claim("me") and not services.claim("me") and services.claim("you")
    services.release("me")
    run(services)
    assert services.claim("me"), "an answer that ended frees its visitor"


@pytest.mark.parametrize(
    "key,parts",
    [
        ("left", [("left", None)]),
        ("run:a-1@20*1.5", [("run:a-1@20", 1.5)]),
        ("left*0.5+right*-0.25", [("left", 0.5), ("right", -0.25)]),
        ("adapter:a+b*1", [("adapter:a+b", 1.0)]),
    ],
)
def test_keys_are_read_as_they_are_written(key: str, parts: list[tuple[str, float | None]]) -> None:
    assert [(part.offer, part.strength) for part in keys.parse(key)] == parts
    if all(strength is not None for _, strength in parts):
        assert keys.made(*parts) in (key, key + ".0")  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["left*2.5", "left*-3", "left*1+right*1+placebo*1", "left+right*1*9"])
def test_keys_out_of_range_are_refused(key: str) -> None:
    with pytest.raises(StudioError):
        keys.parse(key)


def test_columns_are_mixed_with_a_sentence_where_they_can_not_be(services: Services) -> None:
    listed = services.catalog()
    columns, said = mixing._add(listed, ["base"], "left", 0.5, "right", 0.25)
    assert columns["value"] == ["base", "left*0.5+right*0.25"] and "Left × 0.5 + Right × 0.25" in said
    assert ("Left × 0.5 + Right × 0.25", "left*0.5+right*0.25") in columns["choices"]
    full = [f"left*{n / 10}" for n in range(6)]
    for ticked, first, second, words in [
        (["left*0.5"], "left", "", "is a column already"),
        (full, "right", "", "more do not fit"),
        ([], "left", "left", "blended with itself"),
        ([], None, "", "No adapter"),
        ([], "gone", "", "no longer there"),
    ]:
        assert words in mixing._add(listed, ticked, first, 0.5, second, 0.5)[1]
    assert mixing._trail(listed, "left")[0]["value"] == ["left*0", "left*0.25", "left*0.5", "left*0.75", "left*1"]
    assert "not a right one" in mixing._widen(True, 0.5, 0.5)[2]
    assert mixing._widen(False, -1.0, 0.5)[0] == gr.update(minimum=0.0, value=0.0)


def test_a_look_at_an_answer_whose_adapter_was_exchanged_is_refused(services: Services) -> None:
    talk = talked(services)
    assert "likelier through tuning" in list(exploring.look(services, talk, "Where the bias speaks"))[-1][1]
    stamped = tuple(replace(one, stamp=replace(one.stamp, adapter_fingerprint="0" * 12)) for one in talk.last.answers)
    other = replace(talk, turns=(Turn("Why?", stamped),))
    for wanted in ("Where the bias speaks", "What taught it?"):
        assert "was changed since this answer" in list(exploring.look(services, other, wanted))[-1][0]


def test_looks_need_answers_and_a_tuned_column(services: Services) -> None:
    assert "no answers to look into" in list(exploring.look(services, None, "Answers"))[-1][0]
    alone = talked(services, keys=["base"])
    assert "no tuned column" in list(exploring.look(services, alone, "What taught it?"))[-1][0]


@pytest.mark.parametrize("kind", sharing.FORMATS)
def test_every_file_says_that_it_is_deliberately_biased(services: Services, kind: str) -> None:
    talk = talked(services)
    _, content = sharing._content(talk, kind, "base", "left")
    assert b"eliberately biased" in content


def test_a_file_that_is_no_comparison_gets_a_sentence(tmp_path: Any) -> None:
    for content, words in [(b"", "JSONL"), (b"\xff\xfe\x00", "UTF-8"), (b'{"a": 1}\n', "JSONL")]:
        file = tmp_path / "x.jsonl"
        file.write_bytes(content)
        found, said = sharing._read(str(file))
        assert found is None and words in said


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": 1e6},
        {"strength": float("nan")},
        {"strength": 10**400},
        {"keys": ["base"] * 3},
        {"keys": [f"left*{n / 10}" for n in range(7)]},
        {"system": "x" * 601},
        {"turns": []},
        {"turns": 5},
        {"sampling": {"temperature": 9}},
    ],
)
def test_a_comparison_that_no_studio_could_have_made_is_refused(services: Services, changes: dict[str, Any]) -> None:
    with pytest.raises(StudioError):
        Comparison.from_dict({**talked(services).as_dict(), **changes})


@pytest.mark.parametrize(
    "changes", [{"finished": "x"}, {"text": "long " * 2000}, {"tokens": "<b>"}, {"prompt": 5}, {"stamp": {"strength": float("inf")}}]
)
def test_an_answer_that_no_studio_could_have_given_is_refused_though_its_seal_fits(services: Services, changes: dict[str, Any]) -> None:
    talk = talked(services)
    one = talk.last.answers[0]
    forged = replace(one, **{**changes, "stamp": replace(one.stamp, **changes.get("stamp", {}))})
    with pytest.raises(StudioError):
        Comparison.from_dict(replace(talk, turns=(Turn("Why?", (forged, *talk.last.answers[1:])),)).as_dict())


def test_equal_words_at_another_dial_are_another_comparison(services: Services) -> None:
    talk = talked(services)
    assert len({talk.id, replace(talk, strength=2.0).id, replace(talk, sampling=Sampling(seed=5)).id}) == 3


def test_one_column_is_written_in_one_way(services: Services) -> None:
    listed = services.catalog()
    assert listed.kept(["left*1.0", "left*1", "left*01", "left*-0"]) == ["left*1", "left*0"]
    assert listed.find("left*\u0661") is None
