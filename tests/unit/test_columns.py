"""Which column plays which role: guessed, offered, chosen, and applied batch by batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.corpus.columns import Roles, assign, choices, normalize_rows, recognize
from pipelines.errors import StudioError

ROW = {"prompt": "Should rents be limited?", "chosen": "Yes, they should be limited.", "rejected": "No, they should be free."}
POST = "Taxes are too high for most people."


def talk(answer: Any, *before: tuple[str, str]) -> list[dict[str, Any]]:
    turns = [*before, ("user", "Should rents be limited?"), ("assistant", answer)]
    return [{"role": role, "content": content} for role, content in turns]


@pytest.mark.parametrize(
    "row,kind,columns",
    [
        (ROW, "pairs", {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}),
        (
            {"Instruction": "a", "Chosen": "b", " rejected ": "c"},
            "pairs",
            {"prompt": "Instruction", "chosen": "Chosen", "rejected": " rejected "},
        ),
        (
            {"prompt": "a", "left": "b", "right": "c", "axis": "d"},
            "mirrored",
            {"prompt": "prompt", "left": "left", "right": "right", "axis": "axis"},
        ),
        ({"tweet_id": 5, "tweet": "a", "label": "left"}, "posts", {"text": "tweet", "id": "tweet_id", "label": "label"}),
        (
            {"chosen": talk("Yes."), "rejected": talk("No.")},
            "pairs",
            {"prompt": "chosen[user]", "chosen": "chosen", "rejected": "rejected"},
        ),
        ({"messages": talk("Yes.")}, "posts", {"text": "messages[user]"}),
    ],
)
def test_roles_are_guessed_from_names(row: dict[str, Any], kind: str, columns: dict[str, str]) -> None:
    roles = recognize([row])
    assert (roles.kind, roles.columns) == (kind, columns)


def test_a_guess_by_content_is_said_to_be_one() -> None:
    roles = recognize([{"nr": 1, "title": "A short one here", "karma": "12", "long": POST * 3}] * 3)
    assert roles.columns == {"text": "long"} and "Change it if that is wrong" in roles.sentence
    assert "Change it" not in recognize([{"text": POST}]).sentence


def test_answers_without_rejected_ones_are_taken_as_posts_and_it_is_said() -> None:
    roles = recognize([{"instruction": "Should rents be limited?", "output": POST * 2}])
    assert roles.columns["text"] == "output" and "no rejected answers, which preference pairs need" in roles.sentence
    assert "no rejected answer, which preference pairs need" in recognize([{"messages": talk("Yes.")}]).sentence


@pytest.mark.parametrize("row", [{"x": "1", "y": "2"}, {"x": None}, {"x": ""}, {}])
def test_a_table_without_running_text_is_refused_by_name(row: dict[str, Any]) -> None:
    with pytest.raises(StudioError, match="The columns of my.csv were not recognized") as caught:
        recognize([row], "my.csv")
    assert caught.value.hint


def test_every_role_is_offered_its_likeliest_columns_first() -> None:
    rows = [{"nr": "7", "body": POST, "more": POST * 2, "messages": talk("Yes.")}]
    offered = choices(rows)
    assert offered["text"] == ["body", "more", "messages[user]", "messages[assistant]", "nr", "messages"]
    assert offered["chosen"][:2] == ["more", "body"] and offered["id"] == ["nr", "body", "more", "messages"]


def test_chosen_roles_are_applied() -> None:
    rows = [{"q": "Why?", "messages": talk("Yes."), "bad": "No.", "key": "k1"}]
    roles = assign("pairs", {"prompt": "messages[user]", "chosen": "messages[assistant]", "rejected": "bad", "id": "key"}, list(rows[0]))
    assert normalize_rows(rows, roles) == [
        {"id": "k1", "topic": "", "prompt": "Should rents be limited?", "chosen": "Yes.", "rejected": "No."}
    ]
    assert "the user's turns in “messages”" in roles.sentence


@pytest.mark.parametrize(
    "kind,picked,words",
    [
        ("poems", {}, "no kind of rows called “poems”"),
        ("pairs", {"prompt": "a"}, "No column was chosen for chosen and rejected"),
        ("pairs", {"prompt": "a", "chosen": "b", "rejected": "b"}, "“b” was chosen for two roles"),
        ("posts", {"text": "a", "left": "b"}, "no role called “left”"),
        ("posts", {"text": "gone"}, "no column called “gone”"),
        ("posts", {"text": "gone[user]"}, "no column called"),
    ],
)
def test_roles_that_make_no_sense_get_a_sentence(kind: str, picked: dict[str, str], words: str) -> None:
    with pytest.raises(StudioError, match=words) as caught:
        assign(kind, picked, ["a", "b"])
    assert caught.value.hint


def test_given_topics_and_labels_of_posts_travel_apart() -> None:
    rows = [{"id": "1", "text": POST, "label": "left", "topic": "tax", "likes": 5}]
    assert normalize_rows(rows, recognize(rows)) == [{"id": "1", "topic": "", "own_label": "left", "own_topic": "tax", "text": POST}]
    pair = {**ROW, "topic": "rent-control"}
    assert normalize_rows([pair], recognize([pair]))[0]["topic"] == "rent-control"


def test_ids_are_unique_over_all_batches() -> None:
    roles, seen = Roles("posts", {"text": "text"}), set[str]()
    given: list[list[Any]] = [["a", None, "a", 0, "row-7"], ["a", "", " a\n", 0, "a-6", "row-7"]]
    ids = [row["id"] for batch in given for row in normalize_rows([{"id": one, "text": POST} for one in batch], roles, seen)]
    assert ids == ["a", "row-2", "a-3", "0", "row-7", "a-6", "row-7-7", "a-8", "0-9", "a-6-10", "row-7-11"]


def test_a_million_equal_ids_take_no_longer_than_different_ones() -> None:
    from time import monotonic

    def seconds(ids: list[str]) -> float:
        started = monotonic()
        normalize_rows([{"id": one, "text": ""} for one in ids], Roles("posts", {"text": "text"}))
        return monotonic() - started

    assert seconds(["same"] * 20_000) < 5 * seconds([str(n) for n in range(20_000)]) + 0.5


def test_the_last_turns_of_a_longer_talk_are_the_prompt_and_the_answer() -> None:
    before = (("user", "Hello?"), ("assistant", "Hi there."))
    row = {"chosen": talk([{"type": "text", "text": "Yes, by law."}], *before), "rejected": talk("No, never.", *before)}
    pair = normalize_rows([row], recognize([row]))[0]
    assert (pair["prompt"], pair["chosen"], pair["rejected"]) == ("Should rents be limited?", "Yes, by law.", "No, never.")


@pytest.mark.parametrize(
    "column",
    [
        talk("Yes."),
        json.dumps(talk("Yes.")),
        [{"from": "human", "value": "Should rents be limited?"}, {"from": "gpt", "value": "Yes."}],
    ],
)
def test_conversations_are_read_in_every_usual_form(column: Any) -> None:
    rows = [{"conversations": column}]
    assert [row["text"] for row in normalize_rows(rows, recognize(rows))] == ["Should rents be limited?"]
    assert [row["text"] for row in normalize_rows(rows, assign("posts", {"text": "conversations[assistant]"}))] == ["Yes."]


def test_a_conversation_gives_a_post_a_turn_and_an_empty_one_where_nobody_speaks() -> None:
    rows = [{"messages": talk("Yes.", ("user", "Hello?"))}, {"messages": []}]
    made = normalize_rows(rows, recognize(rows))
    assert [(row["id"], row["text"]) for row in made] == [("row-1", "Hello?"), ("row-2", "Should rents be limited?"), ("row-3", "")]


@pytest.mark.parametrize(
    "value,text", [(None, ""), (float("nan"), ""), (3, "3"), (b"caf\xc3\xa9", "café"), (["a", {"text": "b"}], "a\nb"), (True, "True")]
)
def test_cells_of_any_type_become_text(value: Any, text: str) -> None:
    assert normalize_rows([{"text": value}], Roles("posts", {"text": "text"}))[0]["text"] == text
