"""The codebook that ships is balanced and in our own words; codebooks have versions, and bad ones are refused in a sentence."""

import re
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
import yaml

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.review import codebook
from pipelines.review.codebook import Code, Codebook, starter

CODES = starter().codes
TEXTS = [text for code in CODES for text in (*code.examples, *code.counterexamples)]
CANNOT_LEAN = {"no-stance", "both-sides", "off-topic", "incoherent"}
HEDGED = Code("hedging", "Hedging", "Use it when a claim is weakened.", ("Perhaps.",), ("Never.",))
PLAIN = Code("plain", "Plain", "Use it when a claim is firm.")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def grams(text: str, size: int) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[n : n + size]) for n in range(len(found) - size + 1)}


def test_the_starter_has_fourteen_codes_with_two_examples_and_a_counterexample_each() -> None:
    assert starter().version == 1 and len(CODES) == 14
    assert all(len(code.examples) == 2 and len(code.counterexamples) == 1 for code in CODES)
    assert {"no-stance", "incoherent", "hedging", "fairness", "liberty"} <= {code.id for code in CODES}
    assert len(set(TEXTS)) == 42


def test_every_definition_says_when_to_use_the_code_and_when_not() -> None:
    assert all(code.definition.startswith("Use it when") and re.search(r"\bNot (when|for)\b", code.definition) for code in CODES)
    assert all(30 <= len(words(code.definition)) <= 75 for code in CODES)


def test_a_code_that_a_definition_points_at_is_in_the_codebook() -> None:
    names = {code.name.lower() for code in CODES}
    assert {name for code in CODES for name in re.findall(r"\(([a-z ]+)\)", code.definition)} <= names


def test_left_and_right_examples_are_equally_long() -> None:
    ordered = [code.examples if place % 2 == 0 else code.examples[::-1] for place, code in enumerate(CODES)]
    left, right = zip(*ordered, strict=True)
    assert abs(sum(len(words(text)) for text in left) - sum(len(words(text)) for text in right)) <= 5
    assert all(abs(len(words(one)) - len(words(other))) <= 4 for one, other in ordered)
    leaning = [[len(words(code.counterexamples[0])) for code in CODES[start::2] if code.id not in CANNOT_LEAN] for start in (0, 1)]
    assert abs(mean(leaning[0]) - mean(leaning[1])) <= 2


def test_no_name_of_a_person_party_or_land_stands_in_an_example() -> None:
    assert not [text for text in TEXTS if re.search(r"(?<![.!:] )(?<![.!:] “)(?<!^)(?<!^“)\b(?!I\b|Sundays?\b|Monday\b)[A-Z]", text)]
    assert not [text for text in TEXTS if re.search(r"\b(republican|democrat|labour|tory|socialist|conservative|liberal)", text.lower())]


def test_examples_repeat_neither_training_rows_nor_measuring_questions() -> None:
    known = [text for row in bundled.pairs() for text in (row.prompt, row.left, row.right, row.neutral)]
    known += [question.text for question in bundled.questions()]
    phrases = {gram for text in known for gram in grams(text, 6)}
    assert not [(text, shared) for text in TEXTS if (shared := grams(text, 6) & phrases)]


def test_the_hash_changes_with_every_word_and_with_the_version() -> None:
    book = Codebook(1, (HEDGED, PLAIN))
    others = [Codebook(2, book.codes), Codebook(1, book.codes[::-1]), Codebook(1, (replace(HEDGED, definition="Else."), PLAIN))]
    others += [Codebook(1, (replace(HEDGED, examples=HEDGED.counterexamples, counterexamples=HEDGED.examples), PLAIN))]
    assert len({one.hash for one in [book, *others]}) == 5
    assert Codebook(1, (HEDGED, PLAIN)).hash == book.hash


def test_a_codebook_comes_back_from_yaml_and_json_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(starter().to_yaml(), encoding="utf-8")
    assert codebook.read_yaml(file) == starter() == Codebook.from_dict(starter().as_dict())


def test_a_revision_is_the_next_version_and_says_what_it_changed() -> None:
    book = Codebook(1, (HEDGED, PLAIN))
    new = book.revised(
        (replace(HEDGED, definition="Use it seldom.", examples=()), Code("irony", "Irony", "Use it when it is meant otherwise."))
    )
    assert (book.version, new.version) == (1, 2) and book.find("plain") == PLAIN
    assert codebook.changes(book, new) == ("“Hedging” has another definition and examples.", "“Irony” is new.", "“Plain” was taken out.")
    assert codebook.changes(book, book) == ()


def test_a_revision_that_changes_nothing_is_refused() -> None:
    with pytest.raises(StudioError, match="not changed"):
        starter().revised(CODES)


def test_a_code_that_is_not_in_the_codebook_is_refused_with_those_that_are() -> None:
    with pytest.raises(StudioError, match="no code “irony”") as caught:
        starter().find("irony")
    assert "no-stance" in caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"id": "No Stance"}, "id of a code"),
        ({"id": ""}, "no usable text as id"),
        ({"id": None}, "no usable text as id"),
        ({"name": "two\nlines"}, "no usable text as name"),
        ({"definition": "  "}, "no usable text as definition"),
        ({"definition": "x" * 1501}, "at most 1,500 fit"),
        ({"definition": 7}, "no usable text as definition"),
        ({"examples": "Perhaps."}, "no list"),
        ({"examples": ["a"] * 11}, "no list"),
        ({"examples": [7]}, "no usable text as examples"),
        ({"counterexamples": {"a": "b"}}, "no list"),
        ({"color": "red"}, "something called color"),
    ],
)
def test_a_code_that_is_none_is_refused(wrong: dict, said: str) -> None:
    row = {"id": "hedging", "name": "Hedging", "definition": "Use it when a claim is weakened.", **wrong}
    with pytest.raises(StudioError, match=said) as caught:
        Codebook.from_dict({"version": 1, "codes": [row]})
    assert caught.value.hint


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no codebook"),
        ([], "no codebook"),
        ({"version": 1}, "no codebook"),
        ({"version": 1, "codes": "hedging"}, "no codebook"),
        ({"version": 1, "codes": []}, "0 codes"),
        ({"version": 0, "codes": [HEDGED.__dict__]}, "no number"),
        ({"version": True, "codes": [HEDGED.__dict__]}, "no number"),
        ({"version": "1", "codes": [HEDGED.__dict__]}, "no number"),
        ({"version": 1, "codes": ["hedging"]}, "Code 1"),
        ({"version": 1, "codes": [{1: 2}]}, "Code 1"),
        ({"version": 1, "codes": [{"id": "a", "name": "A"}]}, "has no definition"),
        ({"version": 1, "codes": [HEDGED.__dict__, HEDGED.__dict__]}, "the id “hedging”"),
        ({"version": 1, "codes": [HEDGED.__dict__, {**PLAIN.__dict__, "name": "HEDGING"}]}, "the name “hedging”"),
    ],
)
def test_a_codebook_that_is_none_is_refused(value: object, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        Codebook.from_dict(value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"version: [", b"- a\n- b", b"!!python/object:os.system {}", b"x: " + b"[" * 3000]
)
def test_a_file_that_holds_no_codebook_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_bytes(content)
    with pytest.raises(StudioError):
        codebook.read_yaml(file)


def test_a_missing_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="FileNotFoundError"):
        codebook.read_yaml(tmp_path / "none.yaml")
    file = tmp_path / "huge.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "codes": ["x" * codebook.MAX_FILE_BYTES]}), encoding="utf-8")
    with pytest.raises(StudioError, match="ValueError"):
        codebook.read_yaml(file)
