"""Data sets of the Hub by id, and local folders in its format, through `datasets`. Loading scripts are never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.corpus.sources.source import Notes, Reader, Record, Source
from pipelines.errors import StudioError

STREAM_ABOVE = 200 << 20
FETCH_ROWS = 1_000
SAVED = ("state.json", "dataset_dict.json")
TEXTUAL = ("Value", "ClassLabel", "List", "LargeList", "Sequence", "dict", "list", "Json", "Translation")
SLICE = re.compile(r"([^\[\]]+)\[(\d*):(\d*)\]")


def open_dataset(
    reference: str, split: str, config: str, revision: str, max_bytes: int | None, batch_rows: int, stranger: bool = False
) -> Source:
    """Opens a folder or a Hub id; what is larger than STREAM_ABOVE bytes, or of unknown size, is streamed.

    For a `stranger` everything is streamed, and without the token of whoever runs the studio.

    `split` may be a slice such as train[:1000]. Raises StudioError where it can't be opened, or has no such split.
    """
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # its errors are raised as well, and shown as sentences
    base, start, stop = _parts(split)
    folder = Path(reference).expanduser()
    try:
        if folder.is_dir():
            _refuse_scripts(folder)
            found, size = _local(folder, config), 0
        else:
            found, size = _remote(reference, base, config, revision, stranger)
        data = _sliced(_chosen(found, base, reference), start, stop)
        total = _total(data, base, start, stop)
    except StudioError:
        raise
    except Exception as error:  # the library raises many kinds; all mean the same to a person
        raise _unopened(reference, error) from error
    details = {key: value for key, value in {"split": split, "config": config, "revision": revision}.items() if value}
    return Source(
        folder.name if folder.is_dir() else reference, _reader(data, reference), reference, "", total, size, batch_rows, max_bytes, details
    )


def _parts(split: str) -> tuple[str, int, int | None]:
    """The split's name and the first and last row of a slice. Raises StudioError for any other kind of slice."""
    split = split.strip() or "train"
    if "[" not in split:
        return split, 0, None
    match = SLICE.fullmatch(split)
    if not match:
        raise StudioError(f"The split “{split}” is not understood.", "Give a name, or a name with row numbers such as train[:1000].")
    return match[1], int(match[2] or 0), int(match[3]) if match[3] else None


def _refuse_scripts(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]
    if any(file.suffix == ".py" for file in files) and all(file.suffix in (".py", ".md", ".txt") for file in files):
        raise StudioError(
            f"The folder {folder.name} holds a loading script, and code of a data set is never run.", "Export its rows as Parquet."
        )


def _local(folder: Path, config: str) -> Any:
    import datasets

    if any((folder / name).is_file() for name in SAVED):
        return datasets.load_from_disk(str(folder))
    return datasets.load_dataset(str(folder), config or None, streaming=True)


def _remote(reference: str, base: str, config: str, revision: str, stranger: bool) -> tuple[Any, int]:
    import datasets

    if stranger:
        return datasets.load_dataset(reference, config or None, revision=revision or None, streaming=True, token=False), 0

    builder = datasets.load_dataset_builder(reference, config or None, revision=revision or None)
    size = builder.info.dataset_size or builder.info.download_size or 0
    if 0 < size <= STREAM_ABOVE:
        if builder.info.splits and base not in builder.info.splits:
            raise _no_split(reference, base, builder.info.splits)
        return datasets.load_dataset(reference, config or None, revision=revision or None, split=base), size
    return datasets.load_dataset(reference, config or None, revision=revision or None, streaming=True), size


def _chosen(found: Any, base: str, reference: str) -> Any:
    if not isinstance(found, dict):
        return found
    if base not in found:
        raise _no_split(reference, base, found)
    return found[base]


def _no_split(reference: str, base: str, splits: Any) -> StudioError:
    return StudioError(f"{reference} has no split called “{base}”.", f"It has: {', '.join(splits)}.")


def _sliced(data: Any, start: int, stop: int | None) -> Any:
    if hasattr(data, "select"):
        stop = len(data) if stop is None else min(stop, len(data))
        return data if (start, stop) == (0, len(data)) else data.select(range(start, stop) if start < stop else [])
    data = data.skip(start) if start else data
    return data if stop is None else data.take(max(0, stop - start))


def _total(data: Any, base: str, start: int, stop: int | None) -> int | None:
    """Number of rows where it is known without reading them; a streamed slice is counted while it is read."""
    if hasattr(data, "__len__"):
        return len(data)
    known = (data.info.splits or {}).get(base)
    return known.num_examples or None if known is not None and not start and stop is None else None


def _reader(data: Any, reference: str) -> Reader:
    features = data.features or {}
    left_out = [name for name, feature in features.items() if type(feature).__name__ not in TEXTUAL]
    names = {name: feature.names for name, feature in features.items() if type(feature).__name__ == "ClassLabel"}
    plain = data.remove_columns(left_out) if left_out else data

    def read(notes: Notes) -> Iterator[Record]:
        if left_out:
            notes.say(f"Columns that hold no text were left out: {', '.join(left_out)}.")
        try:
            for columns in plain.iter(batch_size=FETCH_ROWS):
                for values in zip(*columns.values(), strict=True):
                    yield _named(dict(zip(columns, values, strict=True)), names)
        except Exception as error:  # a broken file or connection, in as many kinds as there are formats
            raise _unopened(reference, error) from error

    return read


def _named(row: Record, names: dict[str, list[str]]) -> Record:
    """Class numbers replaced by their names; -1 means none."""
    for column, labels in names.items():
        number = row[column]
        row[column] = labels[number] if isinstance(number, int) and 0 <= number < len(labels) else None
    return row


def _unopened(reference: str, error: Exception) -> StudioError:
    here = f"{Path.cwd()}/"  # the library names the folder in which it looked for one of that name: a path of this machine
    reason = incidents.discreet(str(error)).replace(here, "").strip().split("\n")[0][:160]
    return StudioError(
        f"The data set {reference} could not be opened ({type(error).__name__}: {reason}).",
        "Check name, configuration, split and connection; a local folder needs data files such as data/train-00000.parquet.",
    )
