"""Whatever a file, a reply or a name holds, every parser gives a value or a sentence (StudioError), and what was taken comes back as it was.

The examples are the same in every run (derandomize). To look for others: take that out of tests/drawn.py and add --hypothesis-seed=N.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from pipelines.commands import audit
from pipelines.comparing import batch, comparison, prompts
from pipelines.corpus import drafts, versions
from pipelines.corpus.annotate import prompts as annotating
from pipelines.corpus.columns import normalize_rows, recognize
from pipelines.corpus.sources import open_source
from pipelines.endpoints.failures import address
from pipelines.models import adapters
from pipelines.paths import Paths, entry
from pipelines.review import codebook
from pipelines.review.ballots import Box
from pipelines.stance import human_codes, own_items, series_file
from pipelines.tuning import groups, runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.sharing import archive, exchange
from tests.adapter_files import PLAIN, tensors
from tests.drawn import BOOK, FEW, MANY, altered, dumped, json_values, spoilt, told, whole_words, words, written

ANSWERED: Any = SimpleNamespace(answers=[{"question": "q-1", "sample": 0, "column": "base"}])
contents = st.one_of(st.binary(max_size=300), words.map(lambda text: text.encode("utf-8", "surrogatepass")))
table_texts = st.lists(st.lists(words, min_size=1, max_size=5), max_size=5).map(lambda rows: "".join(",".join(row) + "\n" for row in rows))


@MANY
@given(
    st.sampled_from(["csv", "tsv", "txt", "json", "jsonl", "parquet", "csv.gz"]),
    st.one_of(contents, table_texts.map(lambda text: text.encode("utf-8", "replace"))),
)
def test_any_bytes_as_data_are_rows_or_a_sentence(ending: str, content: bytes) -> None:
    def opened(path: Path) -> list[dict[str, str]]:
        source = open_source(str(path))
        roles, seen = recognize(source.head, source.name), set[str]()
        return [row for some in source.batches() for row in normalize_rows(some, roles, seen)]

    with written(f"a.{ending}", content) as path:
        rows = told(lambda: opened(path)) or []
    "".join("".join(row.values()) for row in rows).encode()
    assert len({row["id"] for row in rows}) == len(rows)


@MANY
@given(
    st.one_of(
        json_values,
        st.lists(st.dictionaries(st.sampled_from(["text", "prompt", "chosen", "rejected", "messages", "id"]), json_values), max_size=4),
    )
)
def test_any_json_as_data_is_rows_or_a_sentence(value: Any) -> None:
    with written("a.json", dumped(value)) as path:
        source = told(lambda: open_source(str(path)))
        roles = source and told(lambda: recognize(source.head, source.name))
        rows = normalize_rows(source.head, roles) if roles else []
    assert all(isinstance(cell, str) and cell.encode() is not None for row in rows for cell in row.values())


SMALL: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "own statements": (".csv", own_items.read),
    "prompt set": (".csv", prompts.read_csv),
    "prompt list": (".txt", prompts.read_csv),
    "people's codes": (".csv", lambda path: human_codes.read(path, ANSWERED)),
    "recipe": (".yaml", Recipe.from_yaml),
    "codebook": (".yaml", codebook.read_yaml),
    "studio.json": (".json", archive.read_about),
    "adapter": (".zip", lambda path: exchange.bring_in(path, Paths(path.parent / "home"))),
    "study": (".json", audit.opened),
    "series": (".json", series_file.read),
}
HEADS = {
    "own statements": "text,opposite,axis,key,topic\n", "prompt set": "id,question,topic\n", "people's codes": "question,sample,column,code\n",
    "recipe": "seed: ", "codebook": "version: 1\ncodes:\n- {id: ",
}  # fmt: skip


@pytest.mark.parametrize("parser", SMALL)
@MANY
@given(content=st.one_of(contents, table_texts), headed=st.booleans())
def test_any_small_file_is_a_value_or_a_sentence(parser: str, content: bytes | str, headed: bool) -> None:
    ending, read = SMALL[parser]
    head = HEADS.get(parser, "") if headed else ""
    whole = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    with written(f"a{ending}", head.encode() + whole) as path:
        told(lambda: read(path))


cells = st.lists(whole_words.filter(lambda text: "\x00" not in text), min_size=5, max_size=5)


@FEW
@given(st.lists(cells, max_size=4))
def test_a_table_of_any_words_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    """Prompt sets: a question that is taken is the cell, without the space around it."""
    target = io.StringIO()
    csv.writer(target).writerows([["id", "question", "topic", "x", "y"], *rows])
    with written("a.csv", target.getvalue()) as path:
        found = told(lambda: prompts.read_csv(path))
    wanted = [row[1].replace("\r\n", "\n").strip() for row in rows]
    assert found is None or [one.text for one in found.prompts] == [text for text in wanted if text and not prompts.is_blank(text)]


SETTINGS = {**PLAIN, "target_modules": ["q_proj", "v_proj", "down_proj"], "layers_to_transform": None}
WEIGHTS_THERE = save(tensors())
START = 8 + int.from_bytes(WEIGHTS_THERE[:8], "little")
HEADER = json.loads(WEIGHTS_THERE[8:START])


def _headed(header: Any) -> bytes:
    text = dumped(header).encode()
    return len(text).to_bytes(8, "little") + text + WEIGHTS_THERE[START:]


@MANY
@given(
    st.one_of(st.just(SETTINGS), altered(SETTINGS)),
    st.one_of(st.just(WEIGHTS_THERE), spoilt(WEIGHTS_THERE), altered(HEADER).map(_headed)),
)
def test_an_altered_adapter_passes_as_a_plain_one_or_is_refused(settings: Any, weights: bytes) -> None:
    with written("adapter_config.json", dumped(settings)) as path:
        (path.parent / "adapter_model.safetensors").write_bytes(weights)
        file = told(lambda: adapters.inspect(path.parent))
    assert file is None or (file.shapes and 1 <= file.settings["r"] <= 256)


FINDERS: dict[str, Callable[[str, Paths], Any]] = {
    "run": runs.find, "group": groups.find, "version": versions.load, "draft": drafts.load, "batch": batch.find, "link": comparison.opened,
    "series": series_file.opened, "imported": exchange.forget_imported, "review": lambda name, paths: Box(paths.reviews).review(name),
    "receipt": lambda name, paths: Box(paths.reviews).withdraw(name),
}  # fmt: skip


@pytest.mark.parametrize("kind", FINDERS)
@FEW
@given(name=words)
def test_any_name_finds_nothing_with_a_sentence(kind: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert told(lambda: FINDERS[kind](name, Paths(Path(folder)))) is None or name == "bundled"


@MANY
@given(st.one_of(words, st.lists(st.sampled_from(["..", ".", "/", "\\", "a", "\x00", "~", "C:"]), max_size=5).map("".join)))
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    found = entry(Path("/home/studio"), name)
    assert found is None or (found.parent == Path("/home/studio") and found.resolve().parent == Path("/home/studio").resolve())


@MANY
@given(st.one_of(words, json_values.map(dumped), altered({"economic": 1.5, "social": None, "quality": 3, "topic": "none"}).map(dumped)))
def test_any_reply_is_an_annotation_or_says_why_not(reply: str) -> None:
    made = annotating.annotation(reply)
    made.problem.encode()
    assert made.problem or (made.quality is not None and 0 <= made.quality <= 10)


@MANY
@given(st.one_of(words, words.map(lambda text: f"http://{text}/v1"), words.map(lambda text: f"https://example.org/{text}")))
def test_any_address_is_an_endpoint_or_a_sentence(text: str) -> None:
    found = told(lambda: address(text))
    assert found is None or (found.startswith("http") and found.isprintable())


@FEW
@given(st.lists(st.tuples(whole_words, st.sampled_from(["left", "right"])), min_size=1, max_size=5))
def test_a_saved_data_set_opens_as_the_same_rows(texts: list[tuple[str, str]]) -> None:
    rows = tuple({"id": str(place), "text": text, "topic": topic} for place, (text, topic) in enumerate(texts))
    with tempfile.TemporaryDirectory() as folder:
        saved = versions.save(versions.Dataset("drawn", "posts", rows), Paths(Path(folder)))
        assert [(row["id"], row["text"]) for row in versions.load(saved.name, Paths(Path(folder))).rows] == [
            (row["id"], row["text"]) for row in rows
        ]


@MANY
@given(spoilt(yaml.safe_dump(BOOK).encode()))
def test_a_spoilt_codebook_is_one_or_a_sentence(content: bytes) -> None:
    with written("b.yaml", content) as path:
        told(lambda: codebook.read_yaml(path))
