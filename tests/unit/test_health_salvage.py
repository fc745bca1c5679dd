"""Rows are read past damaged pages, logs and heads of a SQLite file: none is invented, none that stands on a whole page is lost."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.health.ballots import EVERYTHING
from pipelines.health.pages import Pages, decoded, varint
from pipelines.health.salvage import Salvaged, salvage
from pipelines.health.wal import newest_pages

PAGE = 4096
TABLES = ("ballots", "raters", "rounds", "codings", "reviews")
REVIEW = "abcdef012345"


def fill(opened: sqlite3.Connection, ballots: int = 1200) -> None:
    draw = random.Random(3)
    opened.executescript(EVERYTHING)
    opened.execute("BEGIN")
    opened.execute("INSERT INTO reviews VALUES (?, ?, ?, 1.25, NULL)", (REVIEW, "h" * 64, '{"long": "' + "ö" * 5000 + '"}'))
    for n in range(ballots):
        votes = "x" * 9000 if n % 100 == 0 else "é" * draw.randrange(30)
        opened.execute("INSERT INTO ballots VALUES (?, ?, ?, ?, '', 0)", (REVIEW, 1000 + n // 20, f"item {n % 20}", votes))
    for n in range(ballots // 20):
        opened.execute(
            "INSERT INTO raters VALUES (?, ?, ?, ?, ?, '')", (f"{n:064x}", f"{n + 10**6:064x}", REVIEW, 1000 + n, 1.5e9 + n + 0.5)
        )
        opened.execute("INSERT INTO rounds (round_id, review_id, kind, version, items) VALUES (?, ?, 'coding', 1, '[]')", (f"r{n}", REVIEW))
        opened.execute("INSERT INTO codings VALUES (?, ?, 1000, 'i', 'a', 'c', -1, 5, 'memo')", (f"r{n}", REVIEW))
    opened.execute("COMMIT")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("whole") / "ballots.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        fill(opened)
    return file


def rows(file: Path) -> dict[str, set[Any]]:
    with closing(sqlite3.connect(file)) as opened:
        return {table: set(opened.execute(f"SELECT * FROM {table}")) for table in TABLES}


def saved(data: bytes, folder: Path) -> tuple[Salvaged, dict[str, set[Any]]]:
    (folder / "damaged").write_bytes(data)
    result = salvage(folder / "damaged", folder / "saved", EVERYTHING)
    with closing(sqlite3.connect(folder / "saved")) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = rows(folder / "saved")
    (folder / "saved").unlink()
    return result, found


def test_a_whole_file_is_read_whole_with_long_texts_row_numbers_and_negative_numbers(whole: Path, tmp_path: Path) -> None:
    result, found = saved(whole.read_bytes(), tmp_path)
    assert found == rows(whole) and not any(result.lost.values()) and result.saved["ballots"] == 1200 and not result.by_shape
    with closing(sqlite3.connect(whole)) as opened:
        assert (
            len(Pages(whole).table(opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rounds'").fetchone()[0]).records) == 60
        )


@pytest.mark.parametrize("size", [512, 1024, 8192, 65536])
def test_pages_of_any_size_are_read(tmp_path: Path, size: int) -> None:
    with closing(sqlite3.connect(tmp_path / "b", isolation_level=None)) as opened:
        opened.execute(f"PRAGMA page_size={size}")
        fill(opened, 200)
    assert saved((tmp_path / "b").read_bytes(), tmp_path)[1] == rows(tmp_path / "b")


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_page_costs_its_own_rows_and_nothing_is_invented(whole: Path, tmp_path: Path, seed: int) -> None:
    draw, before = random.Random(seed), rows(whole)
    data = bytearray(whole.read_bytes())
    root = root_of(whole, "ballots")
    page = draw.choice([n for n in range(2, len(data) // PAGE + 1) if n != root and data[(n - 1) * PAGE] == 10])
    data[(page - 1) * PAGE : page * PAGE] = draw.randbytes(PAGE) if seed % 2 else bytes(PAGE)
    result, found = saved(bytes(data), tmp_path)
    missing = {table: len(before[table] - found[table]) for table in TABLES}
    assert all(found[table] <= before[table] for table in TABLES)
    assert 0 <= sum(missing.values()) <= 120 and sum(one > 0 for one in missing.values()) <= 1, "one page belongs to one table"
    assert bool(sum(missing.values())) <= bool(sum(result.lost.values())), "rows that are gone are told"


def root_of(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as opened:
        return int(opened.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])


@pytest.mark.timeout(30)
def test_pages_that_lead_back_to_themselves_are_read_once(whole: Path, tmp_path: Path) -> None:
    data, root = bytearray(whole.read_bytes()), root_of(whole, "ballots")
    start = (root - 1) * PAGE
    assert data[start] == 2, "it has pages below"
    data[start + 8 : start + 12] = root.to_bytes(4, "big")
    result, found = saved(bytes(data), tmp_path)
    assert (
        500 < len(found["ballots"]) <= 1200
        and found["ballots"] <= rows(whole)["ballots"]
        and result.saved["ballots"] == len(found["ballots"])
    )


def test_one_damaged_row_costs_one_row(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    place = data.find("é".encode() * 12)
    data[place] = 0xFF
    result, found = saved(bytes(data), tmp_path)
    assert len(rows(whole)["ballots"] - found["ballots"]) == 1 == result.lost["ballots"]


def test_a_value_of_another_kind_than_its_column_is_no_row(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    place = data.find(REVIEW.encode() + (1000).to_bytes(2, "big") + b"item 3")
    assert data[place - 7] == 7 and data[place - 3] % 2, "before it stand the kinds of its six values, the fourth a text"
    data[place - 3] -= 1
    result, found = saved(bytes(data), tmp_path)
    assert len(rows(whole)["ballots"] - found["ballots"]) == 1 == result.lost["ballots"] and found["ballots"] < rows(whole)["ballots"]


def test_half_a_file_gives_what_it_holds(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    result, found = saved(data[: len(data) // 2], tmp_path)
    before = rows(whole)
    assert 100 < len(found["ballots"]) < 1200 and all(found[table] <= before[table] for table in TABLES)
    assert result.lost["ballots"] > 0


def test_ballots_and_raters_are_known_by_their_shape_where_the_table_of_contents_is_lost(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    data[:PAGE] = os.urandom(PAGE)
    result, found = saved(bytes(data), tmp_path)
    before = rows(whole)
    assert result.by_shape and all(found[table] == before[table] for table in ("ballots", "raters", "reviews", "codings"))
    assert not {"coders", "codebooks", "readings"} & {table for table, count in result.saved.items() if count}, (
        "no guess where two could be"
    )


def test_what_stands_in_the_log_only_is_read_too_up_to_the_last_whole_commit(tmp_path: Path) -> None:
    file, copy = tmp_path / "b.sqlite", tmp_path / "damaged"
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        fill(opened, 200)
        before = rows(file)
        cut = file.with_name("b.sqlite-wal").stat().st_size
        opened.execute("INSERT INTO ballots VALUES (?, 999, 'last', ?, 'x', 0)", (REVIEW, "long" * 5000))
        shutil.copy(file, copy)
        shutil.copy(file.with_name("b.sqlite-wal"), tmp_path / "damaged-wal")
        after = rows(file)
    assert copy.stat().st_size < 10 * PAGE < (tmp_path / "damaged-wal").stat().st_size
    assert saved(copy.read_bytes(), tmp_path)[1] == after and after["ballots"] - before["ballots"]
    log = bytearray((tmp_path / "damaged-wal").read_bytes())
    log[-10] ^= 0xFF
    (tmp_path / "damaged-wal").write_bytes(log)
    result, found = saved(copy.read_bytes(), tmp_path)
    assert found == before and not any(result.lost.values()), "a torn commit counts for nothing"
    (tmp_path / "damaged-wal").write_bytes(log[: cut - 100])
    assert len(saved(copy.read_bytes(), tmp_path)[1]["ballots"]) < 200


@pytest.mark.parametrize("data", [b"", b"short", b"\x37\x7f\x06\x82" + bytes(28), os.urandom(5000)])
def test_a_log_that_is_none_has_no_pages(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log").write_bytes(data)
    assert newest_pages(tmp_path / "log", PAGE) == {} == newest_pages(tmp_path / "no log", PAGE)


@pytest.mark.parametrize("seed", range(8))
def test_no_bytes_whatever_break_the_reading_or_change_more_rows_than_were_hit(whole: Path, tmp_path: Path, seed: int) -> None:
    draw, data, before = random.Random(seed), bytearray(whole.read_bytes()), rows(whole)
    for _ in range(20):
        place = draw.randrange(len(data))
        data[place] = draw.randrange(256)
    assert len(data) and sum(len(found - before[table]) for table, found in saved(bytes(data), tmp_path)[1].items()) <= 20
    noise = draw.randbytes(draw.randrange(20_000))
    assert not any(saved(noise, tmp_path)[1].values()) and not any(saved(data[:100] + noise, tmp_path)[1].values())


def test_numbers_of_one_to_nine_bytes() -> None:
    assert varint(b"\x7f", 0) == (127, 1) and varint(b"\x81\x00", 0) == (128, 2)
    assert varint(b"\xff" * 9, 0) == (-1, 9) and varint(b"\x80" * 8 + b"\x05", 0) == (5, 9)


def test_a_row_whose_lengths_do_not_add_up_is_none() -> None:
    assert decoded(b"\x03\x0f\x01a\xff") == ("a", -1)
    for row in (b"\x03\x0f\x01a\xff\x00", b"\x03\x13\x01a\xff", b"\x02\x0f\x01a\xff", b"\x02\x0f\xff", b"\x03\x0a\x01\xff"):
        with pytest.raises(ValueError):
            decoded(row)
