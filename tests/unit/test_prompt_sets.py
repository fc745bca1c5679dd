"""Prompt sets: the bundled ones, and files of questions as people write them, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.comparing.prompts import LONGEST_QUESTION, MAX_BYTES, MOST_QUESTIONS, Prompt, bundled_sets, find, read_csv
from pipelines.errors import StudioError


def write(folder: Path, text: str | bytes, name: str = "own.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return folder / name


def texts(path: Path) -> list[str]:
    return [one.text for one in read_csv(path).prompts]


def test_the_bundled_sets_are_the_opinion_questions_the_everyday_ones_and_the_papers() -> None:
    sets = bundled_sets()
    assert {name: len(one.prompts) for name, one in sets.items()} == {"opinion": 40, "everyday": 20, "paper": 7}
    assert [name for name, one in sets.items() if one.name != name] == []
    assert all(len({prompt.id for prompt in one.prompts}) == len(one.prompts) for one in sets.values())
    assert sets["opinion"].prompts[0].topic in bundled.topics() and sets["everyday"].prompts[2].id == "day-03"


def test_only_the_papers_set_is_restricted_and_says_why() -> None:
    sets = bundled_sets()
    assert [name for name, one in sets.items() if one.restricted] == ["paper"]
    assert "living politicians" in sets["paper"].note and "class" in sets["paper"].note
    assert all("Explain the reason" in one.text for one in sets["paper"].prompts)


def test_nothing_of_the_papers_set_is_in_the_training_rows() -> None:
    trained = " ".join(text for row in bundled.pairs() for text in (row.prompt, row.left, row.right, row.neutral)).lower()
    assert not [name for name in ("trump", "sanders", "vaccin", "democratic party", "republican party") if name in trained]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("column", ["question", "Prompt", " TEXT "])
def test_a_table_is_read_whatever_its_separator_mark_and_the_columns_case(
    tmp_path: Path, separator: str, encoding: str, column: str
) -> None:
    lines = [["id", column, "topic"], ["a", "Is it fair?", "rent"], ["", "Ist das gerecht für „uns“?", ""]]
    file = write(tmp_path, "\r\n".join(separator.join(cells) for cells in lines), encoding=encoding)
    assert read_csv(file).prompts == (Prompt("a", "Is it fair?", "rent"), Prompt("q1", "Ist das gerecht für „uns“?"))


def test_the_name_of_a_set_is_its_files(tmp_path: Path) -> None:
    made = read_csv(write(tmp_path, "question\nIs it fair?\n", "My Questions.csv"))
    assert (made.name, made.title, made.restricted, made.note) == ("my-questions", "My Questions.csv", False, "")


@pytest.mark.parametrize("name", ["own.csv", "own.txt"])
def test_one_question_a_line_needs_no_header_and_may_have_commas(tmp_path: Path, name: str) -> None:
    lines = ["Is it fair, or not?", "", "Should rents be limited?", "Who pays, and why?"]
    assert texts(write(tmp_path, "\n".join(lines), name)) == [line for line in lines if line]


@pytest.mark.parametrize("name", ["own.csv", "own.txt"])
def test_a_line_that_says_question_is_a_header(tmp_path: Path, name: str) -> None:
    assert texts(write(tmp_path, "Question\nIs 1,000 dollars fair;or not?\n", name)) == ["Is 1,000 dollars fair;or not?"]


def test_a_single_question_is_a_set(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "Is it fair?")) == ["Is it fair?"]


def test_a_question_column_is_preferred_to_a_text_column(tmp_path: Path) -> None:
    assert texts(write(tmp_path, "text,question\nan essay,Is it fair?\n")) == ["Is it fair?"]


def test_quoted_questions_keep_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    file = write(tmp_path, 'id,question\r\na,"Is it ""fair"", or\r\nnot?"\r\nb,Next?\r\n')
    assert texts(file) == ['Is it "fair", or\nnot?', "Next?"]


def test_rows_without_a_question_are_left_out_and_counted(tmp_path: Path) -> None:
    made = read_csv(write(tmp_path, "id,question\na,\nb,Is it fair?\nc\n,,\n"))
    assert [one.id for one in made.prompts] == ["b"] and made.note == "2 rows without a question were left out."


def test_made_ids_avoid_given_ones(tmp_path: Path) -> None:
    made = read_csv(write(tmp_path, "id,question\n,One?\nq1,Two?\n,Three?\n"))
    assert [one.id for one in made.prompts] == ["q2", "q1", "q3"]


def test_another_encoding_is_guessed_and_told(tmp_path: Path) -> None:
    made = read_csv(write(tmp_path, "question\nWürden höhere Löhne ärmeren Familien nützen?\n", encoding="cp1252"))
    assert made.prompts[0].text == "Würden höhere Löhne ärmeren Familien nützen?" and "guessed as cp1252" in made.note


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "is empty"),
        (b"question\n", "holds no question"),
        (b"id,question\na,\nb,  \n", "holds no question"),
        (b",,\n,,\n", "holds no question"),
        (b"id,frage\na,Is it fair?\n", "there is “id”, “frage”"),
        (b"q1,Is it fair?\nq2,Is it good?\n", "no column called question"),
        (b"question\nIs it\x00 fair?\n", "Line 2 of own.csv holds a NUL"),
        ("question\nWär es gerecht?\nSchön? ".encode() + b"\xff\xfe?\n", "Line 3 of own.csv is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture"),
        (bytes(range(32)) * 50, "not text"),
        (b'id,question\na,Fine?\nb,"Is it fair?\nc,Or not?\n', "line 3 of own.csv can't be read (a quotation mark is never closed)"),
        (b'question\n"' + b"Is it fair? " * 20_000, "line 2 of own.csv can't be read (a quotation mark is never closed)"),
        (b'question,topic\n"Left" or right?,rent\n', "line 2 of own.csv can't be read (a quotation mark stands in a wrong place)"),
        (b"id,question\na,Is it fair, or not?\n", "line 2 of own.csv has more cells"),
        (b"id,question\na,One?\n\nb,Two?\na,Three?\n", "The id “a” in line 5 of own.csv is also in line 2"),
        (b"id,question\na,Fine?\nb," + b"x" * (LONGEST_QUESTION + 1) + b"\n", "The question in line 3 of own.csv has 601 characters"),
        (b"question\n" + b"Why?\n" * (MOST_QUESTIONS + 1), "more than 500 questions"),
        (b"question\n" + b"x" * MAX_BYTES, "larger than 1 MB"),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(tmp_path: Path, content: bytes, part: str) -> None:
    with pytest.raises(StudioError) as caught:
        read_csv(write(tmp_path, content))
    assert part in caught.value.message and caught.value.hint


def test_the_longest_question_and_the_most_questions_are_read(tmp_path: Path) -> None:
    made = read_csv(write(tmp_path, "question\n" + f"{'x' * LONGEST_QUESTION}\n" * MOST_QUESTIONS))
    assert len(made.prompts) == MOST_QUESTIONS


@pytest.mark.parametrize(("reference", "part"), [("nowhere.csv", "no file called"), ("left", "neither a prompt set"), ("a\x00.csv", "")])
def test_what_is_no_set_and_no_file_is_said(reference: str, part: str) -> None:
    with pytest.raises(StudioError) as caught:
        find(reference)
    assert part in caught.value.message
    assert find("everyday").name == "everyday"
