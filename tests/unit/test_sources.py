"""Opening data in every form, a batch at a time, with what was mended said in sentences."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.corpus.columns import normalize_rows, recognize
from pipelines.corpus.sources import open_source, read_all
from pipelines.corpus.sources.delimited import guess_delimiter
from pipelines.errors import StudioError
from tests.conftest import SHARED

ROW = {"prompt": "Should rents be limited?", "chosen": "Yes, they should be limited.", "rejected": "No, they should be free."}
POST = "Taxes are too high for most people"


def write(folder: Path, name: str, text: str | bytes, encoding: str = "utf-8") -> str:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return str(folder / name)


def rows_of(reference: str, **options: Any) -> list[dict[str, Any]]:
    return read_all(open_source(reference, **options), 1_000_000)


def many(count: int) -> str:
    return "id,text\n" + "".join(f"{n},{POST} {n}\n" for n in range(count))


def zstd(text: str) -> bytes:
    import pyarrow

    return pyarrow.compress(text.encode(), codec="zstd", asbytes=True)


TABLE = "prompt,chosen,rejected\n" + ",".join(f'"{value}"' for value in ROW.values()) + "\n"


@pytest.mark.parametrize(
    "name,content",
    [
        ("a.csv", TABLE),
        ("a.tsv", "prompt\tchosen\trejected\n" + "\t".join(ROW.values())),
        ("a.jsonl", json.dumps(ROW)),
        ("a.NDJSON", json.dumps(ROW)),
        ("a.json", json.dumps([ROW])),
        ("a.json", json.dumps({"data": [ROW]}, indent=1)),
        ("a.json", json.dumps(ROW)),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("a.jsonl.gz", gzip.compress(json.dumps(ROW).encode(), mtime=0)),
        ("a.jsonl.zst", zstd(json.dumps(ROW))),
    ],
)
def test_pairs_open_in_every_format(tmp_path: Path, name: str, content: str | bytes) -> None:
    source = open_source(write(tmp_path, name, content))
    assert rows_of(source.reference) == [ROW] and source.notes == []
    assert (source.name, source.total, source.encoding) == (name, 1, "utf-8")


def test_a_post_a_line_opens_and_empty_lines_are_no_posts(tmp_path: Path) -> None:
    assert rows_of(write(tmp_path, "a.txt", "first, post\n\n  \r\nsecond\u2028post")) == [
        {"text": "first, post"},
        {"text": "second\u2028post"},
    ]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "txt", "json", "parquet"])
def test_all_rows_come_in_batches_of_the_stated_size_again_and_again(tmp_path: Path, suffix: str) -> None:
    import pandas

    frame = pandas.DataFrame({"text": [f"{POST} {n}" for n in range(2_500)]})
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        lines = {"csv": frame.to_csv(index=False), "txt": "\n".join(frame["text"]), "json": frame.to_json(orient="records")}
        path.write_text(lines.get(suffix) or frame.to_json(orient="records", lines=True), encoding="utf-8")
    source = open_source(str(path), batch_rows=1_000)
    for _ in range(2):
        batches = list(source.batches())
        assert [len(batch) for batch in batches] == [1_000, 1_000, 500]
        assert [row["text"] for batch in batches for row in batch] == list(frame["text"])
    assert source.head == batches[0]
    assert source.total == (2_500 if suffix == "parquet" else None)


def test_a_file_is_never_held_in_memory(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "id,text\n" + "".join(f"{n},{'word ' * 40}{n}\n" for n in range(60_000)))
    assert Path(file).stat().st_size > 12_000_000
    tracemalloc.start()
    try:
        assert sum(len(batch) for batch in open_source(file, batch_rows=1_000).batches()) == 60_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000


def test_batches_of_very_long_texts_are_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.corpus.sources import source

    monkeypatch.setattr(source, "BATCH_CHARACTERS", 10_000)
    file = write(tmp_path, "a.txt", ("x" * 5_000 + "\n") * 1_200)
    assert {len(batch) for batch in open_source(file).batches()} == {2}


def test_notes_speak_of_all_rows_once_they_were_read(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "a.csv", many(2_000) + "x\n" * 3))
    assert source.notes == []
    assert sum(map(len, source.batches())) == 2_003
    assert source.notes == ["3 rows had fewer cells than the header; the missing ones are empty (the first in line 2,002)."]


def test_reading_all_refuses_more_rows_than_allowed(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "a.csv", many(50)))
    assert len(read_all(source, 50)) == 50
    with pytest.raises(StudioError, match="more than 49 rows"):
        read_all(source, 49)


@pytest.mark.parametrize(
    "lines,delimiter",
    [
        (["prompt;chosen;rejected", "Yes, or no?;Yes, of course, always;No, not, never"], ";"),
        (["a|b", "x, y|z"], "|"),
        (["a,b;c", "1,2;3", "4,5;6;7"], ","),
        (["id\ttext, written", "1\ta, b, c"], "\t"),
        (["text", "one, two; three"], "\x1f"),
    ],
)
def test_the_delimiter_is_the_one_that_fits_header_and_rows(lines: list[str], delimiter: str) -> None:
    assert guess_delimiter(lines) == delimiter


@pytest.mark.parametrize(
    "text,encoding",
    [
        ("Soll die Straße größer werden? Ja, für Fußgänger", "cp1252"),
        ("À quel âge doit-on voter? Déjà à seize ans", "latin-1"),
        ("“Taxes are too high” – that’s what they say", "cp1252"),
        ("Podatki są zbyt wysokie, państwo powinno żądać mniej. Źródło łez", "cp1250"),
        ("Налоги слишком высокие для бедных людей", "cp1251"),
        ("Οι φόροι είναι πολύ υψηλοί για τους φτωχούς", "cp1253"),
        ("税金は貧しい人々にとって高すぎると思います", "shift_jis"),
        ("对于穷人来说税收太高了我认为应该降低", "gb18030"),
        ("Größe zählt – wie “überall”", "utf-16"),
        ("Taxes are too high, says the café", "utf-16-be"),
        ("Größe zählt", "utf-8-sig"),
        ("Größe zählt", "utf-32"),
    ],
)
def test_encodings_are_recognized(tmp_path: Path, text: str, encoding: str) -> None:
    source = open_source(write(tmp_path, "a.txt", f"{text}\n{text}\n", encoding))
    assert source.head == [{"text": text}] * 2
    assert any("was guessed" in note for note in source.notes) == (encoding not in ("utf-16", "utf-8-sig", "utf-32"))


def test_a_csv_with_semicolons_in_another_encoding_opens(tmp_path: Path) -> None:
    text = "prompt;chosen;rejected\nSoll die Straße größer werden?;Ja, überall größer, für Fußgänger;Nein, schöne Gärten wären schöner\n"
    row = open_source(write(tmp_path, "a.csv", text, "cp1252")).head[0]
    assert row["prompt"] == "Soll die Straße größer werden?" and "Gärten" in row["rejected"]


@pytest.mark.parametrize(
    "name,kind,columns",
    [
        ("bundled", "mirrored", {"id", "topic", "axis", "prompt", "left", "right", "neutral"}),
        ("bundled-posts", "posts", {"id", "topic", "text", "own_label", "own_topic"}),
        ("bundled-confounded", "pairs", {"id", "topic", "prompt", "chosen", "rejected"}),
    ],
)
def test_the_bundled_data_opens_by_name(name: str, kind: str, columns: set[str]) -> None:
    source = open_source(name)
    roles = recognize(source.head)
    rows = normalize_rows(read_all(source, 10_000), roles)
    assert (source.name, roles.kind, set(rows[0])) == (name, kind, columns)
    assert len(rows) == source.total and len({row["id"] for row in rows}) == len(rows)
    if kind == "posts":
        assert {row["topic"] for row in rows} == {""} and {row["own_topic"] for row in rows} - {""} <= set(bundled.topics())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published sample rows are not beside this checkout")
@pytest.mark.parametrize(
    "name,count", [("left-sample.csv", 250), ("right-sample.csv", 250), ("left-sample.json", 50), ("right-sample.json", 50)]
)
def test_published_rows_just_open(name: str, count: int) -> None:
    source = open_source(str(SHARED / f"politune-{name}"))
    rows = normalize_rows(read_all(source, 1_000), recognize(source.head))
    assert len(rows) == count and source.notes == []
    assert all(row["prompt"] and row["chosen"] and row["rejected"] for row in rows)


@pytest.mark.parametrize(
    "reference,words",
    [
        ("", "No data"),
        ("/no/such/file.csv", "neither a file"),
        ("just-a-name", "neither a file"),
        ("nobody/nothing-at-all", "could not be opened"),
    ],
)
def test_references_that_lead_nowhere_get_a_sentence(reference: str, words: str) -> None:
    with pytest.raises(StudioError, match=words) as caught:
        open_source(reference)
    assert caught.value.hint


def test_an_oversized_file_is_refused_before_it_is_read_and_opens_without_a_limit(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", many(50_000))
    with pytest.raises(StudioError, match="at most 1.0 MB"):
        open_source(file, max_bytes=1_000_000)
    assert len(open_source(file).head) == 1_000
