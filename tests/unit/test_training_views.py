"""What the Tune tab shows of runs, from run folders that hold only what a view reads."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.training import guard
from studio.theme import OTHERS
from studio.views import curves, runs, training
from studio.views.progress import latest, phases, total

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'"
FIGURES = (curves.loss, curves.preference, curves.shift, curves.damage)
OLD = Path(__file__).parents[2] / "assets" / "adapters" / "left"


def begin(step: int = 0, of: int = 10, *parts: tuple[str, int]) -> dict[str, Any]:
    return {"event": "begin", "step": step, "total": of, "phases": [{"method": m, "steps": n} for m, n in parts or [("sft", of)]]}


def step(number: int, loss: float | None = 2.0, of: int = 10, **more: Any) -> dict[str, Any]:
    return {"event": "step", "step": number, "total": of, "remaining": 70.0, "loss": loss, "learning_rate": 1e-3, **more}


def probe(number: int, **more: Any) -> dict[str, Any]:
    shift = {"economic": -0.1 * number, "social": 0.02 * number} if number else None
    values = {"perplexity_ratio": 1.0, "repetition": 0.05, "chosen": -2.0 + 0.1 * number, "rejected": -2.5, "shift": shift}
    return {"event": "probe", "step": number, "answers": [{"question": "Own?", "text": f"answer {number}"}], **values, **more}


def alarm(number: int, kind: str, text: str = "Something broke.") -> dict[str, Any]:
    return {"event": "guard", "step": number, "kind": kind, "text": text}


def short_run(steps: int = 5) -> list[dict[str, Any]]:
    return [probe(0), begin(0, steps), *(step(n, 3 - 0.1 * n, steps) for n in range(1, steps + 1)), probe(steps)]


def make(folder: Path, progress: Any = (), state: Any = "finished", message: str = "", metrics: Any = None, **changes: Any) -> Run:
    """A run folder; `changes` go into job.json, those called after a setting into its recipe."""
    known = Recipe().as_dict()
    recipe = {**known, **{name: changes.pop(name) for name in list(changes) if name in known}}
    data = {"name": "bundled", "kind": "mirrored", "hash": "d" * 64, "rows": 192}
    job = {
        "created": "2026-11-22T15:10:10+00:00", "side": "left", "data": data, "recipe": recipe, "recipe_hash": "c" * 64, "settings_hash": "5e" * 32,
        "prompts_hash": "9" * 64, "rows_hash": "1" * 64, "base": "smollm2-135m", "sample_question": "Own?", "group": None, "versions": {"torch": "2.13"},
    }  # fmt: skip
    (folder / "adapter").mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({**job, **changes}))
    (folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in progress))
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics))
    run = Run(folder)
    write_state(run, state, message)
    return run


def texts(figure: Any) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def lines_at(figure: Any) -> list[tuple[float, str]]:
    return [(shape.x0, shape.line.dash) for shape in figure.layout.shapes if shape.x0 == shape.x1]


@pytest.mark.parametrize("draw", FIGURES)
def test_an_empty_figure_says_what_will_appear_and_works_on_a_dark_page(draw: Any) -> None:
    figure = draw([])
    assert texts(figure) == ["The first step appears here"] and not figure.data
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)" and figure.layout.height <= 300


@pytest.mark.parametrize("draw", FIGURES)
def test_five_steps_show_a_mark_at_every_point_on_an_axis_that_does_not_move(draw: Any) -> None:
    figure, first = draw(short_run()), draw(short_run()[:2])
    marked = [trace for trace in figure.data if "markers" in trace.mode]
    assert marked and all(len(trace.x) >= 2 for trace in marked)
    assert "The first step appears here" not in texts(figure)
    low, high = figure.layout.xaxis.range
    assert (low, high) == tuple(first.layout.xaxis.range) and -1 < low < 0 and 5 < high < 6


def test_the_loss_has_every_step_and_leaves_out_what_is_no_number() -> None:
    figure = curves.loss([begin(), step(1, 3.0), step(2, math.nan), step(3, None), step(4, 2.5)])
    drawn = next(trace for trace in figure.data if trace.name == "loss")
    assert list(drawn.x) == [1, 4] and list(drawn.y) == [3.0, 2.5]
    assert next(trace for trace in figure.data if trace.name != "loss").yaxis == "y2"


def test_after_a_resume_the_later_line_counts_and_what_was_taken_back_is_gone() -> None:
    progress = [begin(), *(step(n, 1.0) for n in range(1, 6)), alarm(5, "repetition"), begin(3), step(4, 9.0)]
    assert [(line["step"], line["loss"]) for line in latest(progress, "step")] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 9.0)]
    assert latest(progress, "guard") == [] and latest([step(1, 1.0), step(1, 2.0)], "step")[0]["loss"] == 2.0


def test_two_alarms_at_one_step_are_both_kept() -> None:
    assert len(latest([alarm(4, "repetition"), alarm(4, "perplexity")], "guard")) == 2


def test_a_second_part_is_marked_where_it_begins() -> None:
    progress = [begin(0, 60, ("sft", 45), ("dpo", 15)), step(1, of=60)]
    assert phases(progress) == [("SFT", 0, 45), ("DPO", 45, 60)] and total(progress) == 60
    figure = curves.loss(progress)
    assert lines_at(figure) == [(45, "solid")] and texts(figure) == ["DPO begins"]


def test_alarms_are_dashed_lines_and_each_kind_has_one_label() -> None:
    progress = [*short_run(), alarm(3, "repetition"), alarm(5, "repetition"), alarm(5, "perplexity")]
    for figure in (curves.loss(progress), curves.damage(progress)):
        assert sorted(lines_at(figure)) == [(3, "dash"), (5, "dash"), (5, "dash")]
        assert [text for text in texts(figure) if "limit" not in text] == ["repeats itself", "garbles"]


def test_preference_shows_both_answers_and_where_they_were_before_training() -> None:
    figure = curves.preference(short_run())
    drawn = {trace.name: trace for trace in figure.data if "markers" in trace.mode}
    assert set(drawn) == {"chosen", "rejected"} and list(drawn["chosen"].y) == [-2.0, -1.5]
    assert [list(trace.y) for trace in figure.data if trace.line.dash == "dot"] == [[-2.5, -2.5], [-2.0, -2.0]]
    rejected, chosen = figure.data[:2]
    assert (rejected.name, chosen.name, chosen.fill) == ("rejected", "chosen", "tonexty")


def test_only_preference_methods_have_a_batch_margin() -> None:
    assert all(trace.yaxis in (None, "y") for trace in curves.preference(short_run()).data)
    with_margin: dict[str, Any] = {**step(4), "rewards/margins": 0.5}
    margins = [trace for trace in curves.preference([*short_run(), with_margin]).data if trace.yaxis == "y2"]
    assert [(list(trace.x), list(trace.y)) for trace in margins] == [([4], [0.5])]


@pytest.mark.parametrize("last,reach", [(2, 0.5), (20, 2.3)])
def test_the_shift_starts_at_the_base_and_its_axis_is_symmetric(last: int, reach: float) -> None:
    figure = curves.shift([probe(0), begin(0, 20), step(1, of=20), probe(last)])
    assert {trace.name: list(trace.x) for trace in figure.data} == {"economy": [0, last], "society": [0, last]}
    assert all(trace.y[0] == 0 for trace in figure.data)
    assert figure.layout.yaxis.range == pytest.approx((-reach, reach))
    assert {"base", "↑ right / traditional", "↓ left / progressive"} == set(texts(figure))
    assert "not a measurement" in figure.layout.title.subtitle.text
    assert figure.data[0].text[1].endswith("towards left") and figure.data[1].text[1].endswith("towards traditional")


def test_intervals_are_drawn_around_the_shifts_and_fit_into_the_picture() -> None:
    last = {**probe(20), "shift": {"economic": 1.0, "social": 0.1}, "interval": {"economic": [0.4, 3.0], "social": [0.1, 0.1]}}
    figure = curves.shift([probe(0), begin(0, 20), last])
    bars = figure.data[0].error_y
    assert list(bars.array) == [0, 2.0] and list(bars.arrayminus) == [0, pytest.approx(0.6)]
    assert figure.layout.yaxis.range[1] >= 3.0


def test_a_shift_that_is_never_measured_is_said_and_not_drawn_as_zero() -> None:
    figure = curves.shift([probe(0), step(1), probe(1, shift=None)])
    assert not figure.data and texts(figure) == ["This run did not note it"]


@pytest.mark.parametrize("first", [0.05, 0.4])
def test_the_limit_of_repetition_is_drawn_where_the_guard_fires(first: float) -> None:
    figure = curves.damage([probe(0, repetition=first), begin(), probe(5, repetition=first)])
    limit = next(trace.y[0] for trace in figure.data if trace.line.dash == "dot" and trace.yaxis == "y2")
    start = {"repetition": first, "perplexity": 20.0, "chosen": -2.0}
    assert not guard.alarms(start, {**start, "repetition": limit - 0.001}) and guard.alarms(start, {**start, "repetition": limit + 0.001})
    assert {f"limit {limit:.0%}", "limit 1.25"} == set(texts(figure))


def test_everyday_text_that_got_many_times_harder_has_a_logarithmic_axis() -> None:
    assert curves.damage([probe(0), probe(5, perplexity_ratio=1.1)]).layout.yaxis.type is None
    figure = curves.damage([probe(0), probe(5, perplexity_ratio=40.0)])
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis.range[1] > math.log10(40)


def test_an_older_run_shows_its_loss_and_says_what_it_did_not_note() -> None:
    progress = [line for line in Run(OLD).progress() if line["event"] != "probe"]
    assert len(next(trace for trace in curves.loss(progress).data if trace.name == "loss").x) == 60
    assert all(texts(draw(progress)) == ["This run did not note it"] for draw in FIGURES[1:])


def test_an_overlay_tells_eight_runs_apart_and_says_that_there_are_more() -> None:
    figure = curves.overlay([(f"run {n}", short_run(n + 2)) for n in range(9)])
    looks = {(trace.line.color, trace.line.dash) for trace in figure.data}
    assert len(figure.data) == len(looks) == 8 and {colour for colour, _ in looks} == set(OTHERS)
    assert figure.layout.title.subtitle.text == "the first 8 of 9 runs"
    assert figure.layout.xaxis.range[1] > 9


def test_a_part_of_an_unknown_method_is_escaped_in_the_figure() -> None:
    assert all("<img" not in text and "&lt;img" in text for text in texts(curves.loss([begin(0, 4, ("sft", 2), (HOSTILE, 2)), step(1)])))


def test_titles_in_an_overlay_are_escaped_and_short() -> None:
    name = curves.overlay([(HOSTILE * 3, short_run())]).data[0].name
    assert "<img" not in name and name.startswith("&lt;img") and len(name) < 90
    assert texts(curves.overlay([])) == ["The first step appears here"]


@pytest.mark.parametrize(
    "state,words",
    [
        ("waiting", ["Waiting to be started"]),
        ("queued", ["In the queue, place 3"]),
        ("starting", ["Starting", "Loading the model", "progressbar"]),
        ("interrupted", ["Interrupted", "Press “Go on” to start it again"]),
        ("failed", ["ps-error", "The run failed", "No memory", "start a new one"]),
        ("finished", ["ps-good", "Finished"]),
    ],
)
def test_every_state_has_a_sentence(tmp_path: Path, state: str, words: list[str]) -> None:
    run = make(tmp_path / "r", [{"event": "stage", "text": "Loading the model"}], state, "No memory." if state == "failed" else "")
    shown = training.status(run, run.progress(), 3)
    assert all(word in shown for word in words)


def test_the_next_run_of_the_queue_is_told_so(tmp_path: Path) -> None:
    run = make(tmp_path / "r", state="queued")
    assert "is next" in training.status(run, [], 1) and "place" not in training.status(run, [])


def test_a_training_run_shows_step_part_loss_and_time(tmp_path: Path) -> None:
    run = make(tmp_path / "r", state="training")
    progress = [begin(0, 60, ("sft", 30), ("dpo", 30)), step(31, 1.234, 60)]
    shown = training.status(run, progress)
    assert "step 31 of 60 · part 2 of 2: DPO · loss 1.23 · about 1 min 10 s left" in shown and 'aria-valuenow="52"' in shown
    assert "part 1 of 2: SFT" in training.status(run, [progress[0], step(30, 1.0, 60)])
    assert "part" not in training.status(run, [begin(), step(3)]).split("aria")[0]
    assert "loss is not a number" in training.status(run, [begin(), step(3, None)])


def test_an_interrupted_run_says_from_where_it_goes_on(tmp_path: Path) -> None:
    run = make(tmp_path / "r", state="interrupted")
    shown = training.status(run, [begin(), *(step(n) for n in range(1, 8)), {"event": "checkpoint", "step": 5}])
    assert "after step 7 of 10" in shown and "continue from step 5" in shown


def test_a_finished_run_says_what_was_dropped_and_which_adapter_was_kept(tmp_path: Path) -> None:
    metrics = {"steps": 60, "kept_step": 60, "rows": 1920, "rows_too_long": 3, "seconds": 126.1}
    shown = training.status(make(tmp_path / "a", metrics=metrics), [])
    assert "60 steps on 1,920 rows in 2 min 6 s. 3 rows were too long" in shown and "kept" not in shown
    hurt = {**metrics, "kept_step": 40, "guard": [alarm(60, "repetition"), alarm(60, "displacement")]}
    shown = training.status(make(tmp_path / "b", metrics=hurt), [])
    assert "The guard fired (repeated answers, chosen answers grown unlikely): the adapter of step 40 was kept." in shown
    assert "learned until then is kept" in training.status(make(tmp_path / "c", state="stopped", metrics=metrics), [])


def test_alarms_say_what_to_do_and_nothing_where_nothing_is_wrong() -> None:
    assert training.alarms(short_run()) == ""
    shown = training.alarms([*short_run(), alarm(3, "repetition"), alarm(5, "repetition", "42% came before."), alarm(5, "displacement")])
    assert shown.count("ps-alarm") == shown.count("What to do") == 2
    assert "Steps 3 to 5: 42% came before." in shown and "dpo-with-sft" in shown
    assert "The guard fired" in training.alarms([alarm(3, "new kind", "")])
    assert "no number any more" in training.alarms([step(1), step(2, None)])


def test_the_first_question_is_open_and_the_others_fold(tmp_path: Path) -> None:
    asked = [{"question": "Own?", "text": "The state helps."}, {"question": "Taxes?", "text": "Yes."}]
    later = [{"question": "Own?", "text": "The state must help."}, {"question": "Taxes?", "text": "Yes."}]
    shown = training.timeline(make(tmp_path / "r"), [probe(0, answers=asked), probe(5, answers=later)])
    assert shown.index("Own?") < shown.index("<details") < shown.index("Taxes?") and shown.count("<details") == 1
    assert "before training" in shown and "step 5" in shown and "(the same words)" in shown
    assert '<span class="ps-new">must help</span>' in shown


def test_a_long_timeline_keeps_the_first_and_the_newest_answers_in_sight(tmp_path: Path) -> None:
    shown = training.timeline(make(tmp_path / "r"), [probe(n) for n in range(10)])
    folded = shown[shown.index("<details") : shown.index("</details>")]
    assert "5 answers in between" in folded and "step 5" in folded and "step 6" not in folded and "before training" not in folded


def test_samples_of_older_runs_have_their_question(tmp_path: Path) -> None:
    shown = training.timeline(make(tmp_path / "r"), [{"event": "sample", "step": 0, "text": "Well."}])
    assert "Own?" in shown and "Well." in shown and "appear here" in training.timeline(make(tmp_path / "s"), [])


def test_the_facts_are_one_sentence_without_abbreviations_alone(tmp_path: Path) -> None:
    shown = training.facts(make(tmp_path / "r", side="neutral", method="dpo", top_layers=0))
    assert all(part in shown for part in ("neutral answers (placebo)", "192 rows", "dddddddd", "by preferring", "all layers", "0.002"))


def group_of(tmp_path: Path, **changes: dict[str, Any]) -> list[Run]:
    made = []
    for place, (side, mark) in enumerate({"left": "a", "right": "b", "neutral": "e"}.items()):
        metrics = {"last_loss": 1.5, "shift": {"economic": -0.5, "social": 0.25}} if place else None
        own = {"side": side, "rows_hash": mark * 64, **{name: values[side] for name, values in changes.items() if side in values}}
        made.append(make(tmp_path / side, short_run(10)[:6], "finished" if place else "training", metrics=metrics, **own))
    return made


def test_a_group_proves_that_only_the_data_differs(tmp_path: Path) -> None:
    shown = training.group(group_of(tmp_path))
    assert "Settings are identical in all 3 runs (settings hash 5e5e5e5e in each)" in shown and "ps-alarm" not in shown
    assert "left aaaaaaaa, right bbbbbbbb, neutral (placebo) eeeeeeee" in shown and "The questions are the same (99999999)" in shown
    assert "training, 4 of 10" in shown and "width:40%" in shown and "economy -0.50<br>society +0.25" in shown
    assert training.group([]) == ""


def test_a_group_with_other_settings_is_said_in_red(tmp_path: Path) -> None:
    shown = training.group(group_of(tmp_path, settings_hash={"right": "77" * 32}))
    assert "ps-alarm-red" in shown and "do not have the same settings" in shown and "right 77777777" in shown
    assert "identical" not in shown and "What to do" in shown


def test_a_group_of_older_runs_claims_nothing(tmp_path: Path) -> None:
    shown = training.group(group_of(tmp_path, settings_hash={"left": ""}))
    assert "made before that was noted" in shown and "identical" not in shown


def test_a_group_says_where_questions_or_seeds_differ(tmp_path: Path) -> None:
    assert "questions differ too" in training.group(group_of(tmp_path / "a", prompts_hash={"left": "8" * 64}))
    shown = training.group(group_of(tmp_path / "b", seed={"left": 8}))
    assert "seeds 7, 8" in shown and "left · seed 8" in shown


def test_the_list_has_a_row_to_press_for_every_run(tmp_path: Path) -> None:
    done = make(
        tmp_path / "done", metrics={"steps": 60, "last_loss": 1.96, "shift": {"economic": -0.6, "social": 0.0}}, method="sft-then-dpo"
    )
    (done.folder / "about.json").write_text(json.dumps({"title": "For Monday", "note": "word " * 60, "tags": ["lesson", "week 3"]}))
    going = make(tmp_path / "going", short_run(10)[:5], "training", side="neutral")
    shown = runs.table([done, going], picked=["going"])
    assert (
        shown.count("data-pick=") == 2
        and 'data-pick="going" aria-selected="true"' in shown
        and 'data-pick="done" aria-selected="false"' in shown
    )
    expected = ("For Monday", "lesson", "week 3", "SFT, then DPO", "1.96", "economy -0.60<br>society +0.00", "2026-11-22 15:10", "192 rows")
    assert all(part in shown for part in expected) and "word " * 30 not in shown
    assert "training, 3 of 10" in shown and "neutral (placebo)" in shown and "2.70" in shown


def test_an_empty_list_says_what_to_do() -> None:
    assert "Start tuning" in runs.table([]) == runs.empty()


def test_only_what_differs_is_listed_with_labels_in_words(tmp_path: Path) -> None:
    one = make(tmp_path / "a")
    other = make(tmp_path / "b", learning_rate=5e-3, side="right", data={"name": "mine", "hash": "e" * 64, "rows": 192})
    shown = runs.differences(one, other)
    assert all(part in shown for part in ("Learning rate", "0.002", "0.005", "mine", "<td>dddddddddddd</td><td>eeeeeeeeeeee</td>"))
    assert "Epochs" not in shown and "Rows<" not in shown
    assert "Nothing differs but the time" in runs.differences(one, make(tmp_path / "c", created="2027-01-01T00:00:00+00:00"))


def test_details_show_every_setting_under_its_group_with_its_hint(tmp_path: Path) -> None:
    run = make(
        tmp_path / "r",
        metrics={"kept_step": 20, "base_fingerprint": "b179c9523d0e"},
        recipe={**Recipe().as_dict(), "modules": [], "speed": 3},
    )
    for name in ("step-00010", "step-00020", "step-00030"):
        (run.folder / "checkpoints" / name).mkdir(parents=True)
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            (run.folder / "checkpoints" / name / file).write_text("{}")
    shown = runs.details(run)
    assert all(
        f"<h3>{name}</h3>" in shown for name in ("Method", "Learning", "Adapter", "Watching", "Machine", "Versions", "Hashes", "Kept")
    )
    assert '<dt title="Width of the adapter: how much it can change.">Rank</dt><dd>16</dd>' in shown
    assert all(part in shown for part in ("step 10, step 20, step 30", "every linear layer", "b179c9523d0e", "d" * 64, "2.13"))
    assert "<h3>Other</h3>" in shown and "<dt>speed</dt><dd>3</dd>" in shown


def test_nothing_that_a_run_holds_is_executed(tmp_path: Path) -> None:
    asked = [{"question": HOSTILE, "text": HOSTILE}]
    progress = [
        probe(0, answers=asked),
        begin(0, 10, (HOSTILE, 5), (HOSTILE, 5)),
        step(1),
        alarm(1, HOSTILE, HOSTILE),
        probe(1, answers=asked),
    ]
    job: dict[str, Any] = {
        "side": HOSTILE,
        "data": {"name": HOSTILE, "hash": HOSTILE, "rows": HOSTILE},
        "base": HOSTILE,
        "sample_question": HOSTILE,
        "method": HOSTILE,
    }
    hashes: dict[str, Any] = dict.fromkeys(("settings_hash", "prompts_hash", "rows_hash", "created"), HOSTILE)
    metrics = {"steps": HOSTILE, "kept_step": 4, "rows": HOSTILE, "guard": [alarm(1, HOSTILE)], "base_fingerprint": HOSTILE}
    run = make(tmp_path / "<b>run", progress, metrics=metrics, versions={HOSTILE: HOSTILE}, **job, **hashes)
    (run.folder / "about.json").write_text(json.dumps({"title": HOSTILE, "note": HOSTILE, "tags": ["<i>tag</i>"]}))
    other = make(tmp_path / "other", progress, "training")
    failed = make(tmp_path / "failed", progress, "failed", HOSTILE)
    pages = [
        *(training.status(one, progress) for one in (run, other, failed)), training.alarms(progress), training.timeline(run, progress),
        training.facts(run), training.group([run, other]), training.group([run, run]), runs.table([run, failed]), runs.differences(run, other), runs.details(run),
    ]  # fmt: skip
    for page in pages:
        assert not any(tag in page for tag in ("<img", "<script", "<i>tag", "<b>run"))
    assert all("&lt;img" in page for page in pages[2:])
