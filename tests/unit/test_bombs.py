"""Small files that stand for large ones: refused while they are read, in bounded memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow
import pyarrow.parquet
import pytest

from pipelines.corpus.sources import open_source, parquet, read_all
from pipelines.errors import StudioError
from pipelines.paths import PROJECT
from pipelines.tuning.sharing.archive import unpack

LIMIT = 20 << 20  # of an upload in a public studio
MOST_MEGABYTES = 400  # at the peak, with Python and pyarrow themselves


def gz(target: Path, content: bytes, times: int) -> None:
    with gzip.open(target, "wb", compresslevel=1) as packed:
        for _ in range(times):
            packed.write(content)


def zstd(target: Path, content: bytes, times: int) -> None:
    with pyarrow.output_stream(str(target), compression="zstd") as packed:
        for _ in range(times):
            packed.write(content)


def repeated(target: Path, length: int, rows: int) -> None:
    """One long text that every row points to: a file of some hundred bytes for gigabytes."""
    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), pyarrow.array(["x" * length]))
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), target, compression="zstd")


def turns(target: Path) -> None:
    """The same within a conversation."""
    many = pyarrow.array([[{"role": "user", "content": "x" * 1_000_000}] * 100])
    pyarrow.parquet.write_table(pyarrow.table({"messages": many}), target, compression="zstd")


def pages(target: Path) -> None:
    """Pages that unpack to far more than the file."""
    texts = pyarrow.array(["x" * 110_000_000])
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), target, compression="zstd", use_dictionary=False, write_statistics=False)


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "1.csv.gz": (lambda path: gz(path, b"text\n" + b"a row of words\n" * 70_000, 40), "when unpacked"),
    "2.jsonl.zst": (lambda path: zstd(path, b'{"text": "a row of words"}\n' * 40_000, 40), "when unpacked"),
    "3.txt.gz": (lambda path: gz(path, b"x" * (1 << 20), 40), "when unpacked"),
    "4.parquet": (lambda path: repeated(path, 30_000_000, 500), "rows of more than 20 MB"),
    "5.parquet": (turns, "rows of more than 20 MB"),
    "6.parquet": (pages, "unpacks to more than 200 times"),
    "7.json.gz": (lambda path: gz(path, b"[" * (1 << 20), 40), "when unpacked"),
}  # fmt: skip
MEASURED = """
    import json, resource, sys, time
    from pathlib import Path
    from pipelines.corpus.sources import open_source
    from pipelines.errors import StudioError
    def peak():
        status = Path("/proc/self/status")  # elsewhere the figure is that of whoever started this, if it is larger
        if status.exists():
            return int(status.read_text().split("VmHWM:")[1].split()[0]) >> 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (10 if sys.platform != "darwin" else 20)

    told = []
    for bomb in sorted(Path(sys.argv[1]).iterdir()):
        begun, said = time.monotonic(), "opened"
        try:
            for batch in open_source(str(bomb), max_bytes=int(sys.argv[2])).batches():
                pass
        except StudioError as error:
            said = str(error)
        told.append([bomb.name, bomb.stat().st_size, said, time.monotonic() - begun, peak()])
    print(json.dumps(told))
"""


def test_bombs_are_refused_while_they_are_read(tmp_path: Path) -> None:
    for name, (make, _) in BOMBS.items():
        make(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURED), str(tmp_path), str(LIMIT)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    for name, size, said, seconds, peak in json.loads(done.stdout):
        print(f"{name}: {size:,} bytes, {seconds:.1f} s, at most {peak:,} MB until then: {said}")
        assert BOMBS[name][1] in said and size < 1 << 20 and peak < MOST_MEGABYTES, (name, said, peak)


@pytest.mark.parametrize(
    "large", [{"total_uncompressed_size": 1 << 40, "num_values": 1}, {"total_uncompressed_size": 1, "num_values": 1 << 40}]
)
def test_a_parquet_file_that_says_it_holds_too_much_is_believed(large: dict[str, int], tmp_path: Path) -> None:
    repeated(tmp_path / "rows.parquet", 5, 5)
    about = SimpleNamespace(num_row_groups=1, num_columns=1, row_group=lambda _: SimpleNamespace(column=lambda _: SimpleNamespace(**large)))
    with pytest.raises(StudioError, match="unpacks to more than 200 times"):
        parquet._refuse_bomb(about, tmp_path / "rows.parquet")


def test_long_and_repeated_texts_that_are_no_bomb_are_read_whole(tmp_path: Path) -> None:
    short, long = tmp_path / "short.parquet", tmp_path / "long.parquet"
    repeated(short, 100_000, 700)
    assert [len(row["text"]) for row in read_all(open_source(str(short)), 2_000)] == [100_000] * 700
    repeated(long, parquet.MAX_ROW_BYTES + 100, 3)
    with pytest.raises(StudioError, match="rows of more than"):
        open_source(str(long))


def test_parquet_of_all_kinds_reads_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        {"text": text, "kind": "a", "turns": [{"role": "user", "content": text}] if text else None, "n": number}
        for number, text in enumerate(["one", None, "", "two", "one"] * 300)
    ]
    table = pyarrow.Table.from_pylist(rows)
    table = table.set_column(1, "kind", table["kind"].dictionary_encode())
    pairs = pyarrow.array([[("k", one)] for one in table["text"].to_pylist()], pyarrow.map_(pyarrow.string(), pyarrow.string()))
    table = table.append_column("pairs", pairs)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=400)
    assert read_all(open_source(str(tmp_path / "rows.parquet")), 5_000) == table.to_pylist()


def test_an_adapters_archive_is_refused_before_a_byte_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("adapter_config.json", "{}")
        with packed.open("adapter_model.safetensors", "w", force_zip64=True) as part:
            part.write(bytes(8 << 20))
    (tmp_path / "out").mkdir()
    with pytest.raises(StudioError, match="archive bomb"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "a.zip").stat().st_size < 1 << 20 and not list((tmp_path / "out").iterdir())
