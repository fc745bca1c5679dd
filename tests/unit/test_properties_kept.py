"""Recipes, codebooks, keys, comparisons, studies, series, batches, plans: altered anywhere they are whole or refused, and they come back.

The examples are the same in every run (derandomize). To look for others: take that out of tests/drawn.py and add --hypothesis-seed=N.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines import bundled
from pipelines.commands import audit
from pipelines.comparing import batch_folder, comparison, keys, prompts
from pipelines.comparing.comparison import Comparison
from pipelines.export.comparison import COLUMNS, FORMULA, from_jsonl, to_csv, to_jsonl, to_markdown
from pipelines.paths import Paths, read_json, write_json
from pipelines.review import codebook
from pipelines.review.codebook import Code, Codebook
from pipelines.review.design import Design
from pipelines.review.protocol import Protocol
from pipelines.stance import series_file
from pipelines.stance.series_plan import at_strengths, parsed
from pipelines.tuning.recipe import Recipe
from tests.bad_inputs.kept import JOB
from tests.drawn import BOOK, MANY, altered, dumped, json_values, told, values, whole_words, words, written

RECORDED = {name: read_json(bundled.RECORDED / f"{name}.json") for name in ("comparison", "dose")}
STUDY = {
    "columns": ["base", "left"], "answers": [{"question": "q", "sample": 0, "column": "base", "text": "Yes."}], "completions": [{"id": "c"}],
    "collateral": {"base": {}, "left": {}}, "validity": {}, "sampling": {"seed": 1}, "seconds": 1.5, "notes": {"computed": "now"}, "roles": {"left": ["left"]},
}  # fmt: skip
PLAN = Design("Housing", "To find out.", ("base", "left"), (prompts.Prompt("q", "Who pays?"), prompts.Prompt("r", "Who votes?"))).as_dict()
NAMES = [one.name for one in fields(Recipe)]


@MANY
@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), words), values, max_size=4))
def test_any_settings_are_a_recipe_or_a_sentence_and_a_recipe_comes_back_from_its_file(given_values: dict[str, Any]) -> None:
    made = told(lambda: Recipe.from_dict(given_values))
    if made is not None:
        with written("r.yaml", made.to_yaml("About this: # recipe")) as path:
            assert Recipe.from_yaml(path) == made and Recipe.from_yaml(path).hash == made.hash


def _lever(one: Any) -> st.SearchStrategy[Any]:
    about = one.metadata
    if about["choices"]:
        return st.sampled_from(about["choices"])
    if isinstance(one.default, bool):
        return st.booleans()
    if isinstance(one.default, int):
        return st.integers(int(about["low"]), int(about["high"]))
    if isinstance(one.default, float):
        return st.floats(about["low"], about["high"])
    if one.name == "modules":
        return st.lists(st.text(st.characters(categories=("Ll", "Lu", "Lo")), min_size=1, max_size=30), max_size=50)
    return whole_words.filter(lambda text: text.strip() and len(text) <= 1_000 and not any(ord(letter) < 32 for letter in text))


@MANY
@given(st.fixed_dictionaries({one.name: _lever(one) for one in fields(Recipe)}))
def test_every_recipe_in_range_comes_back_from_its_file(given_values: dict[str, Any]) -> None:
    made = Recipe.from_dict(
        {**given_values, "modules": [name for name in given_values["modules"] if name.isidentifier() and name != "lm_head"]}
    )
    with written("r.yaml", made.to_yaml()) as path:
        assert Recipe.from_yaml(path) == made


@MANY
@given(st.one_of(altered(BOOK, values), values))
def test_any_value_is_a_codebook_or_a_sentence_and_a_codebook_comes_back_from_its_file(value: Any) -> None:
    made = told(lambda: Codebook.from_dict(value))
    if made is not None:
        with written("b.yaml", made.to_yaml()) as path:
            assert codebook.read_yaml(path) == made == Codebook.from_dict(made.as_dict())


@MANY
@given(st.lists(st.tuples(words, words, words), max_size=3))
def test_codes_of_any_words_are_a_codebook_or_a_sentence(rows: list[tuple[str, str, str]]) -> None:
    made = told(lambda: Codebook(1, tuple(Code(*row) for row in rows)))
    assert made is None or len(made.hash) == 64


@MANY
@given(
    st.one_of(words, st.lists(st.tuples(words, st.floats(-3, 3)), max_size=3).map(lambda parts: "+".join(f"{o}*{s:g}" for o, s in parts)))
)
def test_any_key_is_a_column_or_a_sentence_and_has_one_way_to_be_written(key: str) -> None:
    parts = told(lambda: keys.parse(key))
    if parts is not None:
        once = keys.canonical(key)
        assert keys.canonical(once) == once and keys.parse(once) == parts


@MANY
@given(st.lists(st.tuples(st.from_regex(r"[a-z]+(:[a-z0-9-]+)?(@[0-9]+)?", fullmatch=True), st.floats(-2, 2)), min_size=1, max_size=2))
def test_a_key_that_is_made_is_read_as_its_parts(parts: list[tuple[str, float]]) -> None:
    read = keys.parse(keys.made(*parts))
    assert [(one.offer, one.strength) for one in read] == [(offer, round(strength, 3) + 0.0) for offer, strength in parts]


@MANY
@given(st.one_of(words, st.lists(st.one_of(words, st.floats().map(str)), max_size=5).map(",".join)))
def test_any_text_of_strengths_is_columns_or_a_sentence(text: str) -> None:
    found = told(lambda: at_strengths("left", Path("left"), parsed(text)))
    assert found is None or all(-2 <= x <= 2 and x for x in found)


@MANY
@given(altered(RECORDED["comparison"]))
def test_an_altered_comparison_is_refused_or_whole(value: Any) -> None:
    made = told(lambda: Comparison.from_dict(json.loads(dumped(value))))
    if made is not None:
        assert Comparison.from_dict(json.loads(json.dumps(made.as_dict()))).id == made.id
        assert from_jsonl(to_jsonl(made)).id == made.id and to_csv(made) and to_markdown(made)
        with tempfile.TemporaryDirectory() as folder:
            assert comparison.opened(comparison.keep(made, Paths(Path(folder))), Paths(Path(folder))) == made


LINES = to_jsonl(Comparison.from_dict(RECORDED["comparison"])).splitlines()


@MANY
@given(st.one_of(words, st.lists(json_values.map(dumped), max_size=3).map("\n".join), st.integers(0, len(LINES) - 1).flatmap(
    lambda place: altered(json.loads(LINES[place])).map(lambda value: "\n".join([*LINES[:place], dumped(value), *LINES[place + 1 :]])))))  # fmt: skip
def test_any_text_as_a_saved_comparison_is_one_or_a_sentence(text: str) -> None:
    made = told(lambda: from_jsonl(text))
    assert made is None or isinstance(made, Comparison)


@MANY
@given(altered(STUDY))
def test_an_altered_study_is_refused_or_whole(value: Any) -> None:
    with written("s.json", dumped(value)) as path:
        made = told(lambda: audit.opened(path))
    assert made is None or all(isinstance(one, dict) for one in made.answers)


@MANY
@given(altered(RECORDED["dose"]))
def test_an_altered_series_is_refused_or_whole(value: Any) -> None:
    with written("s.json", dumped(value)) as path:
        made = told(lambda: series_file.read(path))
        if made is not None:
            write_json(path, made.as_dict())
            assert str(series_file.read(path)) == str(made)


@MANY
@given(altered(JOB))
def test_an_altered_batch_is_refused_or_whole(value: Any) -> None:
    with written(batch_folder.JOB, dumped(value)) as path:
        made = told(lambda: batch_folder.opened(path.parent))
        assert made is None or (made.state == "waiting" and made.turns() == [])


@MANY
@given(st.one_of(altered(PLAN, values), values))
def test_an_altered_plan_of_a_review_is_refused_or_whole(value: Any) -> None:
    told(lambda: Protocol.from_dict({"design": value, "items": [], "answers": [], "planned": [], "created": "now"}))
    try:
        made = told(lambda: Design.from_dict(value))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return  # what from_dict says that it raises
    if made is not None:
        assert Design.from_dict(json.loads(json.dumps(made.as_dict()))).total == made.total and made.notice


@MANY
@given(whole_words, whole_words, whole_words)
def test_an_exported_table_reads_back_as_the_same_words_and_holds_no_formula(question: str, text: str, name: str) -> None:
    first = Comparison.from_dict(RECORDED["comparison"])
    turn = first.turns[0]
    answers = tuple(replace(one, text=text, column=f"{name}{place}") for place, one in enumerate(turn.answers))
    table = to_csv(replace(first, turns=(replace(turn, question=question, answers=answers),)))
    head, *rows = csv.reader(io.StringIO(table, newline=""))
    assert tuple(head) == COLUMNS and len(rows) == len(answers)
    for row, one in zip(rows, answers, strict=True):
        for column, wanted in (("question", question), ("text", text), ("column", one.column)):
            cell = row[head.index(column)]
            assert not cell.startswith(FORMULA) and cell == (f"'{wanted}" if wanted.startswith(FORMULA) else wanted)
