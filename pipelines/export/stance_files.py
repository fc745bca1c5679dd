"""A study as files: every answer as CSV, answers with their vectors as Parquet, and the numbers behind any plot as CSV.

Embedding Atlas (Apple, MIT licence) opens the Parquet file with the map that is in it, or with one of its own from the vectors:

    embedding-atlas answers.parquet --text text --x x --y y
    embedding-atlas answers.parquet --text text --vector vector
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from pipelines.errors import StudioError
from pipelines.export.comparison import MARK, STAMP, harmless
from pipelines.figures.answer_map import projected
from pipelines.figures.look import texts
from pipelines.stance.study import Study

if TYPE_CHECKING:
    import numpy as np

ABOUT = (
    "question", "asked", "axis", "topic", "topic_split", "half", "sample", "column", "text", "finished", "tokens", "economic", "social"
)  # fmt: skip
FIGURE = ("trace", "kind", "x", "y", "z", "x_minus", "x_plus", "y_minus", "y_plus")


def answers_csv(study: Study) -> str:
    """A line an answer with its question, ruler scores and stamp, in UTF-8 with a header.

    Cells that a spreadsheet would take for a formula get an apostrophe in front. `economic` and `social` are ruler scores (the sides are
    at -1 and +1), on the question's own axis and on the other one.
    """
    asked = texts(study)
    rows = ({**answer, "asked": asked[answer["question"]], **answer["stamp"]} for answer in study.answers)
    return _csv(rows, (*ABOUT, *STAMP))


def answers_parquet(study: Study, vectors: np.ndarray, path: Path) -> Path:
    """Every answer with its vector (list of 32-bit floats) and its place x, y in the map of wording, for Embedding Atlas and pandas.

    `vectors` are those of `study.answers`, shape (answers, dimensions). Raises StudioError where their number differs.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(vectors) != len(study.answers):
        raise StudioError("Vectors and answers do not belong together.", f"{len(vectors)} vectors, {len(study.answers)} answers.")
    places, shares = projected(vectors)
    asked = texts(study)
    rows = [{"id": identity(a), **a, "question_id": a["question"], "question": asked[a["question"]]} for a in study.answers]
    words = ("id", "text", "question", "question_id", "column", "axis", "topic", "topic_split", "half", "finished")
    columns = {name: pa.array([str(row.get(name, "")) for row in rows]) for name in words}
    columns |= {"tuned": pa.array([bool(row["stamp"].get("adapter")) for row in rows]), "sample": pa.array([row["sample"] for row in rows])}
    columns |= {axis: pa.array([float(row[axis]) for row in rows], pa.float32()) for axis in ("economic", "social")}
    columns |= {name: pa.array(places[:, place].astype("float32")) for place, name in enumerate(("x", "y"))}
    columns["vector"] = pa.array(list(vectors.astype("float32")), pa.list_(pa.float32()))
    about = {"mark": MARK, "projection": f"PCA of sentence embeddings, {sum(shares):.1%} of the variance; not a stance"}
    pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
    return path


def figure_csv(figure: go.Figure | Mapping[str, Any]) -> str:
    """The numbers of any plot: a line a point with its trace's name and kind, x, y, z where there is one, and the lengths of error bars.

    Bars of a histogram or a box plot are given by what they are made of; slices of a pie by label (x) and value (y). An error bar's
    length is counted from its point, so an interval goes from x - x_minus to x + x_plus. Traces without data are left out.
    """
    traces = figure.to_plotly_json()["data"] if isinstance(figure, go.Figure) else figure.get("data", ())
    return _csv((row for trace in traces for row in _points(trace)), FIGURE)


def identity(answer: Mapping[str, Any]) -> str:
    """The name of an answer within its study: "QUESTION/SAMPLE/COLUMN"."""
    return f"{answer['question']}/{answer['sample']}/{answer['column']}"


def _points(trace: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a point of a trace; of a grid of values one a cell."""
    about: dict[str, Any] = {"trace": trace.get("name") or "", "kind": trace.get("type", "scatter")}
    x, y, z = (_values(trace.get(name)) for name in ("x", "y", "z"))
    if about["kind"] == "pie":
        x, y = _values(trace.get("labels")), _values(trace.get("values"))
    if about["kind"] in ("heatmap", "contour", "surface"):
        grid = [_values(row) for row in z]
        for down, row in enumerate(grid):
            for across, value in enumerate(row):
                yield {**about, "x": _at(x, across, across), "y": _at(y, down, down), "z": value}
        return
    bars: dict[str, list[Any]] = {
        f"{axis}_{way}": _bar(trace.get(f"error_{axis}"), way, len(x or y)) for axis in "xy" for way in ("minus", "plus")
    }
    for place in range(max(len(x), len(y))):
        yield {**about, **{name: _at(values, place, "") for name, values in {"x": x, "y": y, "z": z, **bars}.items()}}


def _at(values: Sequence[Any], place: int, other: Any) -> Any:
    value = values[place] if place < len(values) else other
    return "" if value is None else value


def _bar(error: Any, way: str, count: int) -> list[Any]:
    """Lengths of the error bars of a trace in one direction; none where it has none."""
    if not error or error.get("visible") is False:
        return []
    if error.get("array") is None:
        return [error["value"]] * count if error.get("type") == "constant" and "value" in error else []
    plus = _values(error["array"])
    return plus if way == "plus" or error.get("arrayminus") is None else _values(error["arrayminus"])


def _values(values: Any) -> list[Any]:
    """A plain list of what a figure holds: a list, an array, or an array as the browser gets it (a dict of its type and its bytes)."""
    if values is None:
        return []
    if isinstance(values, Mapping):
        values = _unpacked(values)
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _unpacked(packed: Mapping[str, Any]) -> Any:
    import numpy as np

    shape = [int(part) for part in str(packed["shape"]).split(",")] if packed.get("shape") else [-1]
    return np.frombuffer(base64.b64decode(packed["bdata"]), dtype=np.dtype(packed["dtype"])).reshape(shape)


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, columns, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(row.get(name, "")) for name in columns})
    return target.getvalue()
