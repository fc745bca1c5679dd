"""A study as files: what a spreadsheet, Embedding Atlas and pandas get, and the numbers behind any plot."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import gradio as gr
import numpy as np
import plotly.graph_objects as go
import pyarrow.parquet as pq
import pytest

from pipelines.errors import StudioError
from pipelines.export import stance_files
from pipelines.figures import plane
from studio.tabs.stances import downloads
from tests.unit.test_plane import stamped, surveyed
from tests.unit.test_study import made_up


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_answer_is_a_line_with_its_question_scores_and_stamp() -> None:
    made = stamped(made_up())
    made.answers[0]["text"] = 'Two lines,\nand a "quote"; ünïcode'
    found = rows(stance_files.answers_csv(made))
    assert len(found) == 160 and found[0]["text"] == made.answers[0]["text"] and found[0]["base_fingerprint"] == "f"
    assert [float(row["economic"]) for row in found] == [a["economic"] for a in made.answers]
    assert {row["column"] for row in found} == set(made.columns) and {row["adapter"] for row in found if row["column"] == "left"} == {
        "left"
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_an_answer_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    made = stamped(made_up())
    made.answers[0]["text"] = text
    assert rows(stance_files.answers_csv(made))[0]["text"] == f"'{text}"


def test_a_study_of_earlier_versions_lacks_some_fields_and_is_written_all_the_same() -> None:
    made = stamped(made_up())
    assert "tokens" not in made.answers[0]
    assert {row["tokens"] for row in rows(stance_files.answers_csv(made))} == {""}


def test_the_parquet_file_has_words_places_and_vectors_as_embedding_atlas_reads_them(tmp_path: Path) -> None:
    made = stamped(made_up())
    vectors = np.random.default_rng(1).normal(size=(160, 8)).astype(np.float32)
    table = pq.read_table(stance_files.answers_parquet(made, vectors, tmp_path / "a.parquet"))
    assert str(table.schema.field("vector").type).startswith("list<") and "float" in str(table.schema.field("vector").type)
    frame = table.to_pandas()
    assert np.allclose(np.stack(frame["vector"]), vectors) and frame["id"].is_unique and len(frame) == 160
    assert frame["text"].tolist() == [a["text"] for a in made.answers] and set(frame["column"]) == set(made.columns)
    assert frame[["x", "y"]].abs().to_numpy().max() > 0 and frame["x"].dtype == np.float32
    assert frame.loc[frame["column"] == "base", "tuned"].any() == False and frame.loc[frame["column"] == "left", "tuned"].all()  # noqa: E712
    assert (
        frame.loc[0, "economic"] == pytest.approx(made.answers[0]["economic"])
        and "deliberately" in table.schema.metadata[b"mark"].decode().lower()
    )
    assert "not a stance" in table.schema.metadata[b"projection"].decode()


def test_vectors_of_another_study_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="do not belong together"):
        stance_files.answers_parquet(made_up(), np.zeros((3, 8)), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


def test_the_numbers_of_a_plot_are_a_line_a_point_with_its_error_bars() -> None:
    figure = go.Figure()
    figure.add_scatter(
        x=[1, 2], y=["a", "b"], name="shift", error_x={"type": "data", "symmetric": False, "array": [0.5, 0.6], "arrayminus": [0.1, 0.2]}
    )
    figure.add_bar(x=["n"], y=np.array([3.5]), name="=bar", error_y={"array": [1.0]})
    found = rows(stance_files.figure_csv(figure))
    assert [(r["trace"], r["x"], r["y"], r["x_minus"], r["x_plus"]) for r in found[:2]] == [
        ("shift", "1", "a", "0.1", "0.5"), ("shift", "2", "b", "0.2", "0.6"),
    ]  # fmt: skip
    assert (found[2]["trace"], found[2]["kind"], found[2]["y"], found[2]["y_minus"], found[2]["y_plus"]) == (
        "'=bar",
        "bar",
        "3.5",
        "1.0",
        "1.0",
    )


def test_grids_pies_and_gaps_are_written_too() -> None:
    figure = go.Figure([
        go.Heatmap(x=["a", "b"], y=["c"], z=[[1, None]]), go.Pie(labels=["yes", "no"], values=[3, 4]), go.Histogram(x=[5, 6]),
        go.Scatter(x=[1], y=[2], error_y={"type": "constant", "value": 0.3}), go.Scatter(x=[1], y=[None], error_y={"array": [1], "visible": False}),
    ])  # fmt: skip
    found = [(r["kind"], r["x"], r["y"], r["z"], r["y_plus"]) for r in rows(stance_files.figure_csv(figure))]
    assert found == [
        ("heatmap", "a", "c", "1", ""), ("heatmap", "b", "c", "", ""), ("pie", "yes", "3", "", ""), ("pie", "no", "4", "", ""),
        ("histogram", "5", "", "", ""), ("histogram", "6", "", "", ""), ("scatter", "1", "2", "", "0.3"), ("scatter", "1", "", "", ""),
    ]  # fmt: skip
    assert stance_files.figure_csv(go.Figure()).count("\n") == 1


@pytest.mark.parametrize("cloud", ["answers", "forms"])
def test_the_button_writes_the_numbers_that_the_browser_was_given(cloud: str) -> None:
    figure = plane.plot(surveyed(), cloud)
    figure.add_scatter(x=np.arange(3, dtype=np.float32), y=np.arange(3, dtype="i2"), name="packed")
    sent = gr.Plot().postprocess(figure)
    assert "bdata" in sent.plot
    found = rows(downloads.numbers(sent))
    assert [(float(r["x"]), float(r["y"])) for r in found if r["trace"] == "packed"] == [(0, 0), (1, 1), (2, 2)]
    assert len(found) == sum(len(trace.x) for trace in figure.data) and downloads.numbers(None) == ""
    assert json.loads(sent.plot)["data"][0]["name"] == found[0]["trace"]


def test_a_plot_without_an_id_can_not_be_downloaded() -> None:
    with gr.Blocks(), pytest.raises(ValueError, match="elem_id"):
        downloads.build(gr.Plot(), "x")
