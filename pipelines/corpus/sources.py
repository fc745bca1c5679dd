"""Opens what people have: CSV, TSV, JSON, JSONL, TXT, a data set of the Hub by id, or a local folder in its format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.errors import StudioError

BUNDLED = "bundled"
MAX_BYTES = 200 << 20
MAX_ROWS = 200_000
Record = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows as they were found, with their source's name and the encoding that was recognized (for files)."""

    name: str
    rows: list[Record]
    encoding: str = ""

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(key for row in self.rows[:1000] for key in row))


def open_source(reference: str, split: str = "train", max_bytes: int = MAX_BYTES) -> Table:
    """Opens "bundled", a file, a folder in the Hub's format, or a Hub id such as owner/name.

    Raises StudioError with what to do where it can't be opened or holds no rows.
    """
    reference = reference.strip()
    if not reference:
        raise StudioError("No data was chosen.", "Drop a file, or give a folder or a Hub id such as owner/name.")
    if reference == BUNDLED:
        return Table(BUNDLED, [asdict(row) for row in bundled.pairs()])
    try:
        path = Path(reference).expanduser()
        is_folder = path.is_dir()
        table = _open_file(path, max_bytes) if path.is_file() else None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"“{reference[:80]}” can't be opened ({reason}).", "Check the path and its rights.") from error
    if table is None:
        if not is_folder and (reference.count("/") != 1 or reference.startswith((".", "/", "~"))):
            raise StudioError(
                f"“{reference}” is neither a file, nor a folder, nor a Hub id.", "Check the path; a Hub id looks like owner/name."
            )
        table = _open_dataset(reference, split)
    if not table.rows:
        raise StudioError(f"{table.name} holds no rows.", "It needs at least one row with text.")
    return table


def _open_file(path: Path, max_bytes: int) -> Table:
    size = path.stat().st_size
    if size == 0:
        raise StudioError(f"{path.name} is empty.", "Choose a file with at least one row.")
    if size > max_bytes:
        raise StudioError(
            f"{path.name} is {size / 1e6:.0f} MB; at most {max_bytes / 1e6:.0f} MB can be opened here.",
            "Use a part of it, or the command line with a folder in the Hub's format.",
        )
    if path.suffix.lower() == ".parquet":
        return Table(path.name, _parquet(path))
    text, encoding = _decode(path)
    readers = {".csv": _delimited, ".tsv": _delimited, ".json": _json, ".jsonl": _json_lines, ".ndjson": _json_lines, ".txt": _plain}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise StudioError(
            f"Files of the kind “{path.suffix or 'no ending'}” can't be opened.", f"Use one of {', '.join(readers)} or .parquet."
        )
    rows = list(reader(text, path.name))
    if len(rows) > MAX_ROWS:
        raise StudioError(f"{path.name} has {len(rows):,} rows; at most {MAX_ROWS:,} can be opened.", "Use a part of it.")
    return Table(path.name, rows, encoding)


def _decode(path: Path) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return raw.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    best = from_bytes(raw[: 1 << 20]).best()
    if best is None or b"\x00" in raw[:4096]:
        raise StudioError(f"{path.name} is not text in an encoding that is recognized.", "Save it as UTF-8 and try again.")
    return raw.decode(best.encoding, errors="replace"), best.encoding


def _delimited(text: str, name: str) -> Iterable[Record]:
    csv.field_size_limit(1 << 24)
    delimiter = "\t" if name.lower().endswith(".tsv") else _delimiter(text)
    try:
        rows = list(csv.DictReader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise StudioError(f"{name} can't be read as a table ({error}).", "Save it again as CSV with a line of column names.") from error
    return [{key: value for key, value in row.items() if key is not None} for row in rows]


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text.strip() else ""
    return max(",;\t", key=first.count)


def _json(text: str, name: str) -> Iterable[Record]:
    try:
        value = json.loads(text)
    except ValueError as error:
        if "\n" in text.strip() and text.lstrip().startswith("{"):
            return _json_lines(text, name)
        raise StudioError(
            f"{name} is not valid JSON ({error}).", "It must hold a list of objects, or one object a line (JSONL)."
        ) from error
    if isinstance(value, dict):
        value = next((part for part in value.values() if isinstance(part, list)), [value])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise StudioError(
            f"{name} is not a list of objects.", 'It should look like [{"prompt": "...", "chosen": "...", "rejected": "..."}].'
        )
    return value


def _json_lines(text: str, name: str) -> Iterable[Record]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise StudioError(
                f"Line {number} of {name} is not valid JSON ({error}).", "JSONL has one complete object on every line."
            ) from error
        if not isinstance(row, dict):
            raise StudioError(
                f"Line {number} of {name} is not an object.",
                'Each line should look like {"prompt": "...", "chosen": "...", "rejected": "..."}.',
            )
        rows.append(row)
    return rows


def _plain(text: str, _name: str) -> Iterable[Record]:
    return [{"text": line} for line in text.splitlines() if line.strip()]


def _parquet(path: Path) -> list[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        if file.metadata.num_rows > MAX_ROWS:
            raise StudioError(f"{path.name} has {file.metadata.num_rows:,} rows; at most {MAX_ROWS:,} can be opened.", "Use a part of it.")
        return file.read().to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise StudioError(f"{path.name} can't be read as Parquet ({str(error)[:120]}).", "Export it again, or use CSV.") from error


def _open_dataset(reference: str, split: str) -> Table:
    import datasets

    datasets.disable_progress_bars()
    try:
        folder = Path(reference).expanduser()
        if (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file():
            found: Any = datasets.load_from_disk(str(folder))
            found = found[split] if isinstance(found, datasets.DatasetDict) else found
        else:
            found = datasets.load_dataset(str(folder) if folder.is_dir() else reference, split=split)
    except Exception as error:  # the library raises many kinds; all mean the same to a person
        reason = str(error).splitlines()[0][:160] if str(error) else ""
        raise StudioError(
            f"The data set {reference} could not be opened ({type(error).__name__}: {reason}).",
            "Check name, split and connection; a local folder needs data files such as data/train-00000.parquet.",
        ) from error
    if len(found) > MAX_ROWS:
        raise StudioError(
            f"{reference} has {len(found):,} rows; at most {MAX_ROWS:,} can be opened.", "Choose a smaller split such as train[:1000]."
        )
    return Table(reference, list(found.to_list()))
