"""Even-handedness: both askings in mixed batches with shared seeds, gaps tested over pairs, and no gap is ever called even."""

import threading
from dataclasses import asdict
from pathlib import Path

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.figures import evenness as figure
from pipelines.models.host import MAX_LOADED, Row
from pipelines.records import Answer, Column, Sampling, Stamp
from pipelines.stance import evenness, paired
from pipelines.stance.askings import askings
from pipelines.stance.study import Study
from studio.tabs.stances import manners as section
from studio.views import manners as view

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 64, "p", "t")
SIX = askings()[:6]
COLUMNS = (Column("base"), Column("left", Path("l")))
SAID = {"base": "Some people argue for it.", "left": "Yes, it is fair, and everyone should gain from it."}


class Host:
    """Answers every row with its column's sentence, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[Row]] = []

    def answer_all(self, rows: list[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        self.batches.append(list(rows))
        said = [SAID.get(row.column.name, "No.") for row in rows]
        return [Answer(row.column.name, row.messages[-1]["content"], text, 5, "eos", STAMP) for row, text in zip(rows, said, strict=True)]


def record(asking: str, column: str, side: str, words: int = 40, hedges: float = 0.0, refusal: bool = False, finished: str = "eos") -> dict:
    known = {one.id: one for one in askings()}[asking]
    return {"asking": asking, "topic": known.topic, "axis": known.axis, "column": column, "side": side, "text": f"<b>{side}</b>", "words": words, "hedges": hedges, "refusal": refusal, "finished": finished, "stamp": asdict(STAMP)}  # fmt: skip


def made(records: list[dict], roles: dict[str, list[str]] | None = None) -> Study:
    columns = list(dict.fromkeys(["base", *(row["column"] for row in records)]))
    damage = {
        name: {"perplexity": 20.0, "facts": [], "repetition": 0.0, "hedging": 0.0, "unfinished": 0.0, "words": 40.0} for name in columns
    }
    return Study(columns, [], [], damage, {}, {"max_new_tokens": 64}, 1.0, roles=roles or {}, evenness=records)


def uneven(more: dict[str, int], wobble: int = 2) -> Study:
    """A study of all askings in which a column writes so many words more for the asking from the left, give or take a few."""
    records = []
    for n, one in enumerate(askings()):
        for column, extra in more.items():
            records += [
                record(one.id, column, "pro", 40 + extra + wobble * (n % 5 - 2), hedges=1.0),
                record(one.id, column, "con", 40, hedges=n % 3),
            ]
    return made(records)


def rows_of(study: Study, **wanted: str) -> list[dict]:
    return [row for row in evenness.gaps(study) if all(row[name] == value for name, value in wanted.items())]


def test_both_askings_are_answered_by_every_column_with_one_seed_a_pair() -> None:
    host = Host()
    found = evenness.measure(host, COLUMNS, SIX, Sampling(seed=3))  # type: ignore[arg-type]
    assert len(found) == 6 * 2 * 2 and len({(row["asking"], row["column"], row["side"]) for row in found}) == 24
    seeds = {
        one.id: {row.seed for rows in host.batches for row in rows if row.messages[-1]["content"] in (one.pro, one.con)} for one in SIX
    }
    assert all(len(some) == 1 for some in seeds.values()) and len({min(some) for some in seeds.values()}) == 6
    assert max(map(len, host.batches)) <= paired.ROWS_A_BATCH
    assert all({row.column.name for row in rows} == {"base", "left"} for rows in host.batches), "columns are mixed in every batch"


def test_a_record_tells_the_manner_of_its_answer() -> None:
    first = {row["column"]: row for row in evenness.measure(Host(), COLUMNS, SIX[:1], Sampling())}  # type: ignore[arg-type]
    assert (first["base"]["words"], first["base"]["hedges"], first["base"]["refusal"]) == (5, 20.0, False)
    assert first["base"]["stamp"]["base"] == "b" and first["base"]["axis"] == "economic" and first["base"]["topic"] == SIX[0].topic


def test_more_adapters_than_the_host_holds_are_asked_in_parts() -> None:
    host, heard = Host(), list[tuple[float, str]]()
    many = [Column("base"), *(Column(f"run {n}", Path(str(n))) for n in range(MAX_LOADED + 2))]
    found = evenness.measure(host, many, SIX[:2], Sampling(), lambda *told: heard.append(told))  # type: ignore[arg-type]
    assert len(found) == 2 * 2 * (MAX_LOADED + 3)
    assert all(len({row.column.adapter for row in rows if row.column.adapter}) <= MAX_LOADED for rows in host.batches)
    assert [share for share, _ in heard] == sorted(share for share, _ in heard) and heard[-1][0] == pytest.approx(1)
    assert "2 of 2 mirrored askings answered by 2 of 11 columns" in heard[-1][1]


def test_a_stopped_measurement_gives_nothing() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StudioError, match="stopped"):
        evenness.measure(Host(), COLUMNS, SIX, Sampling(), stop=stop)  # type: ignore[arg-type]


def test_a_column_that_writes_more_for_one_side_has_a_gap_and_an_even_one_has_none() -> None:
    study = uneven({"base": 0, "left": 9, "placebo": 0})
    left, base = (rows_of(study, column=name, axis="pooled", kind="gap", measure="words")[0] for name in ("left", "base"))
    assert left["mean"] == pytest.approx(9, abs=0.2) and left["n"] == 24 and left["low"] > 7 and left["p_holm"] < 0.001
    assert left["pro"] - left["con"] == pytest.approx(left["mean"])
    assert base["low"] < 0 < base["high"] and base["p_holm"] > 0.05
    assert {(row["axis"], row["n"]) for row in rows_of(study, column="left")} == {("pooled", 24), ("economic", 12), ("social", 12)}


def test_the_change_is_paired_with_the_bases_own_gap() -> None:
    study = uneven({"base": 5, "left": 9})
    change = rows_of(study, column="left", axis="pooled", kind="change", measure="words")[0]
    assert change["mean"] == pytest.approx(4) and change["alike"], "the pairs wobble alike in both, so the change doesn't"
    assert change["pro"] - change["con"] - change["before"] == pytest.approx(4)
    assert "Its gap" in view.gaps(study, evenness.gaps(study))
    assert not rows_of(study, column="base", kind="change")


def test_p_values_are_adjusted_over_the_three_measures() -> None:
    rows = rows_of(uneven({"base": 0, "left": 1}), column="left", axis="pooled", kind="gap")
    assert [row["measure"] for row in rows] == ["words", "hedges", "refusals"]
    lowest = min(rows, key=lambda row: row["p"])
    assert 0 < lowest["p"] < 1 and lowest["p_holm"] == pytest.approx(min(1, 3 * lowest["p"]))


def test_the_length_of_an_answer_that_was_cut_does_not_count_but_its_hedges_do() -> None:
    study = uneven({"base": 0, "left": 9})
    for row in study.evenness:
        if row["column"] == "base" or row["asking"] == "ask-econ-01":
            row["finished"] = "length"
    rows = {row["measure"]: row for row in rows_of(study, column="left", axis="pooled", kind="gap")}
    assert (rows["words"]["n"], rows["words"]["left_out"], rows["hedges"]["n"], rows["hedges"]["left_out"]) == (23, 1, 24, 0)
    base = rows_of(study, column="base", axis="pooled", measure="words")[0]
    assert (base["n"], base["left_out"], base["pro"]) == (0, 24, None)
    assert rows_of(study, column="left", axis="pooled", kind="change", measure="words")[0]["n"] == 0
    assert "24 pairs have an answer cut at the token cap" in view.reading(base)


def test_no_refusal_in_24_pairs_leaves_an_eighth_of_them_open() -> None:
    row = rows_of(uneven({"base": 0}), axis="pooled", measure="refusals")[0]
    assert row["mean"] == 0 and row["alike"] and row["high"] == pytest.approx(1 - 0.05 ** (1 / 24)) == pytest.approx(0.117, abs=0.001)
    assert row["low"] == -row["high"] and "12% of such pairs may still differ" in view.reading(row)


def test_refusing_one_side_only_is_a_gap_towards_the_other() -> None:
    records = [record(one.id, "base", side, refusal=side == "pro") for one in askings() for side in ("pro", "con")]
    row = next(one for one in evenness.gaps(made(records)) if one["axis"] == "pooled" and one["measure"] == "refusals")
    assert row["mean"] == row["high"] == 1 and row["low"] == pytest.approx(1 - 2 * paired.unseen(24))
    assert row["p"] == 2 / 2**24 and view.reading(row) == "uneven: more when asked from the left"


def test_seeds_of_a_role_are_averaged_pair_by_pair_and_a_column_without_records_is_left_out() -> None:
    study = uneven({"base": 0, "left (seed 7)": 4, "left (seed 8)": 10})
    study.columns.append("right")
    study.roles = {"left": ["left (seed 7)", "left (seed 8)"]}
    row = rows_of(study, column="left", axis="pooled", kind="gap", measure="words")[0]
    assert row["mean"] == pytest.approx(7, abs=0.2) and row["seeds"] == 2 and row["n"] == 24
    assert {one["column"] for one in evenness.gaps(study)} == {"base", "left"}
    assert figure.called(study, "left") == "Left, 2 seeds"


def test_an_asking_with_one_answer_missing_does_not_count() -> None:
    study = uneven({"base": 0})
    study.evenness = study.evenness[:-1]
    row = rows_of(study, axis="pooled", measure="hedges")[0]
    assert row["n"] == 23 and row["left_out"] == 1


def test_an_older_study_was_not_measured() -> None:
    study = made([])
    assert (
        evenness.gaps(study) == [] and "not measured" in view.gaps(study, []) and view.pairs(study) == [] and view.pair(study, None) == ""
    )
    assert figure.plot(study).layout.title.text == "Gaps over 0 mirrored askings"


def test_an_interval_that_contains_zero_is_read_by_its_width_and_never_as_even() -> None:
    row = {"measure": "words", "n": 24, "left_out": 0, "mean": 1.0, "low": -3.0, "high": 6.2, "alike": False, "p_holm": 0.4, "kind": "gap"}
    assert view.reading(row) == "no gap shown; up to 6.2 words is not ruled out"
    assert view.reading({**row, "p_holm": 0.01}) == "uneven: more when asked from the left"
    assert view.reading({**row, "p_holm": 0.01, "mean": -1.0}).endswith("from the right")
    assert "too few pairs" in view.reading({**row, "n": 5, "p_holm": 0.01}) and "not measured" in view.reading({**row, "n": 0})
    page = view.gaps(uneven({"base": 0, "left": 9, "placebo": 0}), rows_of(uneven({"base": 0, "left": 9, "placebo": 0})))
    assert "does not show that a column is even" in page and "uneven: more when asked from the left" in page and "Placebo" in page


def test_the_figure_has_a_mark_with_its_interval_for_every_column_and_measure() -> None:
    drawn = figure.plot(uneven({"base": 0, "left": 9, "placebo": 1}))
    assert len(drawn.data) == 9 and {trace.marker.symbol for trace in drawn.data} == {"circle", "triangle-left", "square"}
    words = next(trace for trace in drawn.data if trace.name == "Left" and trace.xaxis == "x")
    assert words.x[0] == pytest.approx(9, abs=0.2) and words.error_x.array[0] > 0 and words.error_x.arrayminus[0] > 0
    said = [note.text for note in drawn.layout.annotations]
    assert said.count("n = 24") + said.count("all 24 alike") == 9 and {"Words", "Hedges per 100 words", "Share refused"} <= set(said)


def test_a_column_that_was_cut_has_no_mark_but_a_reason() -> None:
    study = uneven({"base": 0, "left": 9})
    for row in study.evenness:
        row["finished"] = "length"
    drawn = figure.plot(study)
    assert [note.text for note in drawn.layout.annotations].count("cut: no lengths") == 2
    assert not [trace for trace in drawn.data if trace.xaxis == "x"]


def test_both_answers_of_every_column_can_be_read_and_run_no_html() -> None:
    study = uneven({"base": 0, "left": 9})
    first = askings()[0]
    page = view.pair(study, first.id)
    assert first.pro in page and first.con in page and page.count("<article") == 4
    assert "Asked from the left" in page and "<b>pro</b>" not in page and "&lt;b&gt;pro" in page
    assert len(view.pairs(study)) == 24 and view.pair(study, "gone") == ""


@pytest.mark.parametrize("first", [None, made([]), uneven({"base": 0, "left": 9})])
def test_the_section_fills_every_part_whatever_was_measured(first: Study | None) -> None:
    with gr.Blocks():
        built = section.build(None, gr.State(None), first)  # type: ignore[arg-type]
    for study in (made([]), uneven({"base": 0, "left": 9})):
        shown = dict(zip(built.outputs, built.show(study), strict=True))
        plot = next(part for part in built.outputs if isinstance(part, gr.Plot))
        assert shown[plot]["visible"] is bool(study.evenness)
        asking = next(part for part in built.outputs if getattr(part, "elem_id", "") == "evenness-asking")
        assert len(shown[asking]["choices"]) == (24 if study.evenness else 0)
