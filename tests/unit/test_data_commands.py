"""The data commands of the command line in this process, with a toy embedder: curate, check, diff, push."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.commands import data as data_commands
from pipelines.commands.data import parse_settings, steps_of
from pipelines.corpus import drafts, versions
from pipelines.corpus.layout import DATA
from pipelines.corpus.steps.registry import STEPS
from pipelines.corpus.steps.text import Length
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json
from pipelines.stance.ruler import Ruler
from tests.unit.test_annotators import WordCounter
from tests.unit.test_drafts import known

PAIR = {"prompt": "Should rents be capped?", "chosen": "Yes, since homes are for people.", "rejected": "No, since caps stop all building."}


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    """No test here loads a model."""
    monkeypatch.setattr(data_commands, "_ruler", lambda paths: Ruler(WordCounter()))  # type: ignore[arg-type]


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    """A file of three pairs, of which the last repeats the first but for a handle."""
    rows = [PAIR, {**PAIR, "prompt": "Ask @mia_k: who builds?"}, PAIR]
    return str(written(tmp_path / "pairs.jsonl", rows))


def written(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def curate(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a curation that works says as JSON."""
    assert main(["curate", *arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def go_on(said: str) -> list[str]:
    """The words after `python -m pipelines` of the command that an interrupted curation proposes."""
    (line,) = [line for line in said.splitlines() if "Go on with: " in line]
    return shlex.split(line.partition("Go on with: ")[2])[3:]


@pytest.mark.parametrize(
    ("wanted", "kind", "last", "count"),
    [("clean", "posts", "spam", 7), ("score", "posts", "weak", 9), ("pairs", "posts", "match", 11), ("pairs", "pairs", "exact", 4)],
)
def test_stages_are_the_steps_of_the_kind_up_to_there(wanted: str, kind: str, last: str, count: int) -> None:
    keys = steps_of(wanted, kind)
    assert keys[0] == "normalize" and keys[-1] == last and len(keys) == count and all(kind in STEPS[key].kinds for key in keys)


def test_steps_can_be_listed_one_by_one() -> None:
    assert steps_of(" exact, mask ,", "pairs") == ["exact", "mask"]


def test_settings_are_read_as_json_where_they_are_and_as_text_elsewhere() -> None:
    given = [
        "select.count=3",
        "select.strategy=extreme",
        "weak.off_topic=false",
        "annotate.prompt=a=b {text}",
        "near.similarity = 0.8",
        "select.seeds=",
    ]
    assert parse_settings(given) == {
        "select": {"count": 3, "strategy": "extreme", "seeds": ""},
        "weak": {"off_topic": False},
        "annotate": {"prompt": "a=b {text}"},
        "near": {"similarity": 0.8},
    }


@pytest.mark.parametrize("wrong", ["count=3", "select.count", "select.=3", ".count=3", "", "=", "select count=3"])
def test_settings_of_another_form_are_refused(wrong: str) -> None:
    with pytest.raises(StudioError, match=r"is not a setting.*step\.setting=value"):
        parse_settings([wrong])


def test_curating_saves_a_version_and_leaves_no_draft(pairs: str, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    found = curate(capsys, "--input", pairs, "--name", "Rents", "--set", "length.shortest=2")
    saved = versions.load(found["name"], paths)
    assert found["kind"] == "pairs" and found["rows"] == 2 and found["hash"] == saved.hash and found["name"].startswith("rents-")
    assert [row["prompt"] for row in saved.rows] == [PAIR["prompt"], "Ask [user]: who builds?"]
    assert [(step["key"], step["dropped"]) for step in found["steps"]] == [("normalize", 0), ("mask", 0), ("length", 0), ("exact", 1)]
    assert found["steps"][2]["settings"]["shortest"] == 2 and known(paths) == []


def test_people_read_what_each_step_did(pairs: str, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "--input", pairs]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Preference pairs. Recognized: prompt = ")
    assert "Mask people: 3 -> 3 (changed 1)" in said and "Exact duplicates: 3 -> 2 (changed 0): 1 same words as an earlier row" in said
    assert said[-1] == f"Saved in {paths.datasets / versions.available(paths)[1]}"


def test_posts_become_pairs_in_one_command(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    found = curate(capsys, "--input", "bundled-posts", "--steps", "pairs", "--set", "select.count=40", "--set", "match.towards=both")
    keys = [step["key"] for step in found["steps"]]
    assert keys == ["normalize", "mask", "language", "length", "exact", "near", "spam", "annotate", "weak", "select", "match"]
    assert found["kind"] == "mirrored" and 0 < found["rows"] <= 40 == found["steps"][9]["after"]
    about = read_json(Path(found["folder"]) / "version.json")
    assert about["from_posts"] and about["license"] == "apache-2.0" and about["source"]["reference"] == "bundled-posts"


def test_a_saved_version_can_be_curated_further_and_compared(pairs: str, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    first = curate(capsys, "--input", pairs, "--steps", "normalize")
    second = curate(capsys, "--input", first["name"], "--steps", "mask,exact", "--name", "second")
    assert read_json(Path(second["folder"]) / "version.json")["parents"] == [first["hash"]] and second["rows"] == 2
    assert main(["diff", first["name"], second["name"], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"first": 3, "second": 2, "added": 0, "removed": 1, "changed": 1, "same": 1} and found["changed"] == ["row-2"]
    assert [(step["label"], step["where"]) for step in found["steps"]] == [
        ("Normalize", "first"),
        ("Mask people", "second"),
        ("Exact duplicates", "second"),
    ]
    assert main(["diff", first["name"], second["name"]]) == 0
    said = capsys.readouterr().out
    assert (
        said.startswith("3 first, 2 second, 0 added, 1 removed") and "step Mask people: second" in said and "changed row-2: prompt" in said
    )


def test_a_folder_of_ones_own_gets_the_version_and_strangers_stay(
    pairs: str, paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = curate(capsys, "--input", pairs, "--output", str(tmp_path / "out"), "--name", "Mine")
    assert versions.open_version(tmp_path / "out").hash == found["hash"] and versions.available(paths) == ["bundled"]
    assert read_json(tmp_path / "out" / "version.json")["name"] == "Mine"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert main(["curate", "--input", pairs, "--output", str(tmp_path / "mine")]) == 2
    said = capsys.readouterr().err
    assert "exists and holds other things" in said and [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    again = go_on(said)
    again[again.index("--output") + 1] = str(tmp_path / "free")
    assert main(again) == 0 and versions.open_version(tmp_path / "free").hash == found["hash"]


def test_ctrl_c_keeps_the_draft_and_the_command_it_names_ends_as_if_nothing_had_happened(
    paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        "--input",
        "bundled-posts",
        "--steps",
        "score",
        "--set",
        "length.shortest=4",
        "--set",
        "weak.quality=3.5",
        "--name",
        "two words",
    ]
    whole = curate(capsys, *asked)

    def stop(*given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Length, "start", stop)
        assert main(["curate", *asked, "--json"]) == 130
    (draft_id,) = known(paths)
    assert [step.key for step in drafts.load(draft_id, paths).steps] == ["normalize", "mask", "language"]
    assert main(go_on(capsys.readouterr().err)) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["hash"], again["name"]) == (whole["hash"], whole["name"]) and known(paths) == []
    assert [(step["key"], step["settings"]) for step in again["steps"]] == [(step["key"], step["settings"]) for step in whole["steps"]]


def test_a_step_that_fails_after_others_keeps_what_they_did(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "--input", "bundled-posts", "--steps", "exact,annotate", "--set", "annotate.annotator=endpoint"]) == 2
    said = capsys.readouterr().err
    assert "No endpoint is set" in said
    again = [word.replace("annotator=endpoint", "annotator=offline") for word in go_on(said)]
    assert main(again) == 0 and "Exact duplicates: 656 -> " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "No data was chosen"),
        (("--resume", "nothing"), "not here any more"),
        (("--input", "FILE", "--steps", "normalise"), "no curation step called “normalise”"),
        (("--input", "FILE", "--steps", "select"), "works on posts; these are pairs"),
        (("--input", "FILE", "--set", "select.count=3"), "settings for select, which is not among the steps"),
        (("--input", "FILE", "--set", "length.short=3"), "no setting called short"),
        (("--input", "FILE", "--set", "length.shortest=0"), "between 1 and 200"),
        (("--input", "FILE", "--set", "length.shortest=2.5"), "whole number"),
        (("--input", "FILE", "--set", "length.shortest"), "is not a setting"),
        (("--input", "FILE", "--set", "length.shortest=100"), "would drop every row (3 chosen is too short)"),
        (("--input", "bundled-posts", "--steps", "annotate", "--set", "annotate.prompt=5"), "must be text"),
    ],
)
def test_mistakes_are_sentences(
    pairs: str, paths: Paths, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert main(["curate", *(pairs if word == "FILE" else word for word in arguments), "--json"]) == 2
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert words in f"{found['error']} {found['hint']}" and words in said.err and "Traceback" not in said.err
    assert len(known(paths)) == ("Go on with" in said.err) == ("drop every" in words)
    assert versions.available(paths) == ["bundled"]


def test_the_exit_code_of_check_is_1_where_a_light_is_red(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = curate(capsys, "--input", "bundled-confounded", "--steps", "normalize")
    assert main(["check", "--data", bad["name"], "--json"]) == 1
    assert "red" in {light["state"] for light in json.loads(capsys.readouterr().out)}
    assert main(["check", "--data", bad["name"]]) == 1
    assert any(line.startswith("red  ") for line in capsys.readouterr().out.splitlines())
    monkeypatch.setattr(data_commands, "_ruler", lambda paths: SimpleNamespace(embedder=None))
    assert main(["check"]) == 0 and "green  Leakage" in capsys.readouterr().out
    posts = curate(capsys, "--input", "bundled-posts", "--steps", "mask")
    assert main(["check", "--data", posts["name"]]) == 2 and "holds posts" in capsys.readouterr().err


def test_a_push_can_be_tried_and_unmasked_posts_are_refused(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    masked, bare = (curate(capsys, "--input", "bundled-posts", "--steps", step)["name"] for step in ("mask", "normalize"))
    assert main(["push", masked, "me/it", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["repo_id"] == "me/it" and plan["private"] and plan["url"] == "" and set(DATA) < set(plan["files"])
    assert main(["push", masked, "me/it", "--dry-run"]) == 0 and "Nothing was sent; to me/it would go:" in capsys.readouterr().out
    for name, words in ((bare, "not masked are"), ("bundled", "no data set version"), ("nobody", "no data set version called “nobody”")):
        assert main(["push", name, "me/it", "--dry-run"]) == 2
        assert words in capsys.readouterr().err
