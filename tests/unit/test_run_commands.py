"""`runs` and `adapters` in this process, on run folders written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.models import facts, prepare
from pipelines.paths import Paths, write_json
from pipelines.tuning.run import Run
from pipelines.tuning.runs import list_runs
from pipelines.tuning.shelf.about import About, about
from tests.adapter_files import METRICS, SHAPES, write_run
from tests.handmade import JOB, make, progress, put, put_adapter


@pytest.fixture
def three(paths: Paths) -> list[Run]:
    """Two sound runs, of which one is in a group, and a damaged one."""
    first = make(paths, "run-a")
    write_json(first.folder / "metrics.json", {"steps": 20, "kept_step": 20, "id": "a lie"})
    put_adapter(first.folder / "checkpoints" / "step-00010")
    progress(first, {"event": "guard", "step": 10, "kind": "repetition", "text": "It repeats itself."})
    group = {"id": "g1", "name": "Both", "seeds": 1, "role": "placebo"}
    make(paths, "run-b", "failed", side="neutral", group=group, settings_hash="s", prompts_hash="p")
    put(make(paths, "run-c").folder / "job.json", "{")
    return [Run(paths.runs / f"run-{letter}") for letter in "abc"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    assert main([*arguments, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def text(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main([*arguments]) == code
    return capsys.readouterr().out


def test_an_empty_list_says_so(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert text(capsys, "runs") == "There are no runs yet.\n" and call(capsys, "runs") == []
    assert "no run groups yet" in text(capsys, "runs", "--groups")


def test_all_runs_are_listed_also_those_that_are_damaged(three: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    rows = call(capsys, "runs")
    assert [(row["id"], row["state"]) for row in rows] == [("run-b", "failed"), ("run-a", "finished"), ("run-c", "damaged")]
    assert rows[1]["steps"] == 20 and rows[0]["group"] == "g1" and rows[1]["group"] is None
    assert len(text(capsys, "runs").splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("cafe", "left"), "a"),
        (("state:failed",), "b"),
        (("list",), "bac"),
        (("list", "damaged"), "c"),
        (("nothing", "here"), ""),
        (("tag:x",), ""),
    ],
)
def test_words_find_runs(three: list[Run], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], found: str) -> None:
    assert [row["id"] for row in call(capsys, "runs", *words)] == [f"run-{letter}" for letter in found]
    assert found or text(capsys, "runs", *words) == "No run has these words.\n"


@pytest.mark.parametrize("words", [("run-a",), ("show", "run-a"), ("--id", "run-a")])
def test_one_run_is_shown_with_its_settings_and_checkpoints(
    three: list[Run], capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    found = call(capsys, "runs", *words)
    assert [(one["step"], one["is_kept"]) for one in found["checkpoints"]] == [(10, False), (20, True)] and found["job"] == JOB
    assert found["bytes"]["checkpoints"] == 7 and [one["step"] for one in found["alarms"]] == [10]
    said = text(capsys, "runs", *words)
    assert "step 10, step 20 (kept)" in said and "learning_rate 0.002" in said and "It repeats itself." in said and "--replay run-a" in said


def test_of_a_damaged_run_is_shown_what_there_is(three: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "runs", "run-c")["state"] == "damaged" and "checkpoints: step 0 (kept)" in text(capsys, "runs", "show", "run-c")


def test_runs_get_titles_notes_and_tags(three: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "runs", "rename", "run-a", "My", "first run") == {"id": "run-a", "title": "My first run", "note": "", "tags": []}
    call(capsys, "runs", "note", "run-a", "two\nlines")
    assert "run-a: My first run · rent, draft · two\nlines" in text(capsys, "runs", "tag", "run-a", "Rent, draft,,")
    assert about(three[0]) == About("My first run", "two\nlines", ("rent", "draft"))
    assert call(capsys, "runs", "tag:rent")[0]["title"] == "My first run"
    call(capsys, "runs", "rename", "run-a", "")
    call(capsys, "runs", "tag", "run-a", "")
    assert about(three[0]) == About("", "two\nlines", ())


def test_two_runs_are_compared(three: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    found = {one["name"]: (one["first"], one["second"]) for one in call(capsys, "runs", "diff", "run-a", "run-b")}
    assert found == {"side": ("left", "neutral"), "group": ("-", "Both")}
    assert "Side: left -> neutral\n" in text(capsys, "runs", "diff", "run-a", "run-b")
    assert "Nothing differs" in text(capsys, "runs", "diff", "run-a", "run-a")


def test_nothing_is_deleted_before_somebody_says_yes(three: list[Run], paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    would = call(capsys, "runs", "delete", "run-a", "run-c")["would_delete"]
    assert [one["id"] for one in would] == ["run-a", "run-c"] and "with --yes" in text(capsys, "runs", "delete", "run-a")
    assert len(list_runs(paths)) == 2 and three[2].folder.is_dir()
    done = call(capsys, "runs", "delete", "run-a", "run-c", "--yes")
    assert done == {"freed": sum(one["bytes"] for one in would), "kept": []}
    assert [run.id for run in list_runs(paths)] == ["run-b"] and not three[2].folder.exists()


def test_a_run_that_can_not_be_deleted_stays_and_says_why(three: list[Run], paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    make(paths, "run-d", "training")
    (kept,) = call(capsys, "runs", "delete", "run-d", "run-a", "--yes", code=2)["kept"]
    assert kept["id"] == "run-d" and "its state is training" in kept["reason"] and not three[0].folder.exists()


def test_groups_are_listed_with_their_runs(three: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    (group,) = call(capsys, "runs", "--groups")
    assert group == {
        "id": "g1",
        "name": "Both",
        "seeds": [7],
        "same_settings": True,
        "runs": [{"id": "run-b", "role": "placebo", "state": "failed"}],
    }
    assert "placebo   failed      run-b" in text(capsys, "runs", "--groups")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "nobody"), "no run called “nobody”"),
        (("nobody",), "no run called “nobody”"),
        (("--id", "nobody"), "no run called “nobody”"),
        (("delete", "run-a", "nobody", "--yes"), "no run called “nobody”"),
        (("rename", "run-a"), "Write: runs rename RUN TITLE"),
        (("diff", "run-a"), "Write: runs diff RUN OTHER"),
        (("diff", "run-a", "run-b", "run-c"), "Write: runs diff RUN OTHER"),
        (("delete",), "Write: runs delete RUN ... --yes"),
        (("tag", "run-a", 'a"b'), "quotation mark"),
        (("rename", "run-a", "x" * 81), "81 characters"),
    ],
)
def test_mistakes_with_runs_are_sentences(
    three: list[Run], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    found = call(capsys, "runs", *arguments, code=2)
    assert words in f"{found['error']} {found['hint']}" and all(run.folder.is_dir() for run in three)


@pytest.fixture
def tuned(paths: Paths) -> Run:
    return write_run(paths.runs / "run-a", {"recipe": {"base": "owner/tiny", "seed": 7}})


def test_an_adapter_goes_out_and_comes_in_again(
    tuned: Run, paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = facts.BaseFacts("owner/tiny", METRICS["base_fingerprint"], 32, 2, 400, "model.layers", SHAPES)
    monkeypatch.setattr(prepare, "ensure", lambda *given: tmp_path)
    monkeypatch.setattr(facts, "base_facts", lambda folder, public_id: base)
    out = call(capsys, "adapters", "export", "run-a", "--output", str(tmp_path / "a.zip"))
    assert out["file"] == str(tmp_path / "a.zip") and out["bytes"] == (tmp_path / "a.zip").stat().st_size
    kept = call(capsys, "adapters", "export", "run-a", "--output", str(tmp_path), "--step", "20")["file"]
    assert Path(kept).parent == tmp_path and kept != out["file"]
    assert text(capsys, "adapters", "list") == "No adapter was brought in yet.\n"
    came = call(capsys, "adapters", "import", out["file"])
    assert came["base"] == "owner/tiny" and came["warning"] == "" and call(capsys, "adapters", "list") == [came]
    assert call(capsys, "adapters", "forget", came["name"]) == {"forgotten": came["name"]} and call(capsys, "adapters", "list") == []


def test_a_push_can_be_tried_and_proposes_a_name(tuned: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert "your-name/deliberately-biased-left-my-rows" in call(capsys, "adapters", "push", "run-a", code=2)["hint"]
    options = ("adapters", "push", "run-a", "me/deliberately-biased-left", "--dry-run")
    plan = call(capsys, *options)
    assert plan["private"] and plan["url"] == "" and "adapter_model.safetensors" in plan["files"]
    assert call(capsys, *options, "--public")["private"] is False and "Nothing was sent" in text(capsys, *options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "nobody"), "no run called"),
        (("export", "run-a", "--step", "7"), "no checkpoint of step 7"),
        (("push", "run-a", "me/nice-model", "--dry-run"), "does not say that the adapter is biased"),
        (("forget", "nobody"), "No adapter from elsewhere"),
    ],
)
def test_mistakes_with_adapters_are_sentences(
    tuned: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in call(capsys, "adapters", *arguments, code=2)["error"]
