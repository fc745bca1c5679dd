"""The doctor: each kind of thing is damaged; it is found, mended or moved whole into quarantine, and everything else stays as it was."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import health
from pipelines.commands.models import doctor
from pipelines.comparing import batch as batches
from pipelines.corpus import draft as draft_files
from pipelines.corpus import drafts
from pipelines.health import ballots, finding, leftovers, salvage
from pipelines.health.finding import FOLDER, REASONS
from pipelines.models import adapters, catalog, prepare
from pipelines.paths import Paths, read_json, write_json
from pipelines.review.ballots import Box
from pipelines.tuning import runs
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.training import journal
from studio import owning as marks
from studio.tabs.reviews import owning, settingwork
from tests.full_home import Home, digests, fill


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("made")
    return fill(Paths(folder / "home"), folder)


@pytest.fixture
def home(made_once: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A copy of its own, at another place, without the packaged models, which take seconds to read."""
    monkeypatch.setattr(health, "READS_MUCH", {})
    yield moved(made_once, tmp_path / "home")


def moved(home: Home, root: Path) -> Home:
    shutil.copytree(home.paths.root, root)
    there = {name: root / value.relative_to(home.paths.root) for name, value in vars(home).items() if isinstance(value, Path)}
    changed = {name: Run(root / value.folder.relative_to(home.paths.root)) for name, value in vars(home).items() if isinstance(value, Run)}
    return Home(**{**vars(home), **there, **changed, "paths": Paths(root)})


def bad(paths: Paths) -> list[str]:
    return [f"{row['what']}: {row['found']}" for row in health.examine(paths) if not row["ok"]]


def in_quarantine(paths: Paths) -> list[str]:
    """What lies there, by its name below STUDIO_HOME."""
    files = [one for one in (paths.root / FOLDER).rglob("*") if one.is_file() and one.name != REASONS]
    return sorted("/".join(one.relative_to(paths.root / FOLDER).parts[1:]) for one in files)


def flip(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 0xFF
    file.write_bytes(data)


def test_a_whole_home_is_whole_and_looking_or_repairing_changes_nothing(home: Home) -> None:
    before = digests(home.paths.root)
    assert bad(home.paths) == [] and health.repair(home.paths) == []
    assert digests(home.paths.root) == before and not (home.paths.root / FOLDER).exists()
    words = " ".join(f"{row['what']} {row['found']}" for row in health.examine(home.paths))
    for part in (
        home.run.id,
        home.draft,
        home.version.name,
        home.batch.name,
        home.adapter.name,
        f"{home.ballots} rows of ballots",
        "20 rows of replies",
    ):
        assert part in words
    assert all(set(row) >= {"what", "ok", "found", "repair"} for row in health.examine(home.paths))


def test_an_empty_home_and_one_that_is_not_there_are_whole(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READS_MUCH", {})
    assert bad(paths) == [] and not paths.root.exists(), "looking makes nothing"
    paths.root.mkdir()
    assert bad(paths) == [] and list(paths.root.iterdir()) == []


Damage = Callable[[Home], Any]
MOVED: dict[str, tuple[Damage, str, str]] = {
    "a run without its job": (lambda home: (home.run.folder / "job.json").unlink(), "job.json", "runs/{run}/data.jsonl"),
    "a run whose job is torn": (lambda home: (home.run.folder / "job.json").write_text("{"), "job.json", "runs/{run}/job.json"),
    "rows of a run": (lambda home: flip(home.run.folder / "data.jsonl", 12), "data.jsonl", "runs/{run}/data.jsonl"),
    "other rows of a run": (
        lambda home: (file := home.run.folder / "data.jsonl").write_text(file.read_text().replace("So 1.", "So 9.")),
        "other rows than it was made with",
        "runs/{run}/data.jsonl",
    ),
    "metrics of a run": (lambda home: (home.run.folder / "metrics.json").write_text("["), "metrics.json", "runs/{run}/metrics.json"),
    "a checkpoint": (
        lambda home: (home.run.folder / "checkpoints/step-00010/adapter_config.json").write_text("{}"),
        "step 10",
        "runs/{run}/checkpoints/step-00010/adapter_config.json",
    ),
    "rows of a version": (lambda home: flip(home.version / "data/train.jsonl", 9), "damaged", "datasets/{version}/data/train.jsonl"),
    "a version's description": (
        lambda home: (home.version / "version.json").unlink(),
        "no data set version",
        "datasets/{version}/README.md",
    ),
    "rows of a draft": (lambda home: flip(source(home), 60), "rows that were opened", "drafts/{draft}/draft.json"),
    "a draft's description": (lambda home: about(home).write_text("{}"), "damaged", "drafts/{draft}/draft.json"),
    "owners": (lambda home: home.owners.write_text('{"a": 3}'), "no list of owners", "reviews/owners.json"),
    "a review being asked": (lambda home: (home.asking / "job.json").write_text("{}"), "can't be read", "reviews/asking/job.json"),
    "a comparison": (lambda home: flip(home.paths.comparisons / f"{home.link}.json", 30), "damaged", "comparisons/{link}.json"),
    "a batch's job": (lambda home: (home.batch / "job.json").write_text("["), "damaged", "batches/{batch}/answers.jsonl"),
    "a study": (lambda home: home.study.write_text("{}"), "stance-2026", "results/{study.name}"),
    "a series": (lambda home: home.series.write_text("{}"), "damaged", "results/{series}"),
    "a kept answer": (lambda home: kept(home).write_text("{"), "can't be read", "{kept}"),
    "an adapter from elsewhere": (
        lambda home: flip(home.adapter / "adapter/adapter_model.safetensors", -1),
        "not those that came in",
        "adapters/{adapter}/origin.json",
    ),
    "an adapter that would do harm": (
        lambda home: (home.adapter / "adapter/adapter_config.json").write_text('{"peft_type": "LORA", "init_lora_weights": "pissa"}'),
        "adapter",
        "adapters/{adapter}/adapter/adapter_model.safetensors",
    ),
    "what was half written": (lambda home: aged(home.paths.results / ".x.json.1234abcd.tmp"), "died", "results/.x.json.1234abcd.tmp"),
    "what was half deleted": (lambda home: aged(home.paths.runs / ".gone-1234/job.json"), "died", "runs/.gone-1234/job.json"),
    "data that was never read in": (
        lambda home: aged(home.paths.drafts / "new-1/source/kept-0.parquet"),
        "never read",
        "drafts/new-1/source/kept-0.parquet",
    ),
    "whose a draft is": (lambda home: (home.paths.drafts / home.draft / "owner").write_text("me"), "whose it is", "drafts/{draft}/owner"),
    "whose a batch is": (lambda home: (home.batch / "owner").write_bytes(b"\xff"), "whose it is", "batches/{batch}/owner"),
    "whose a study is": (lambda home: home.study.with_suffix(".owner").write_text("a" * 63), "whose it is", "results/{study.stem}.owner"),
    "a study that is somebody's": (
        lambda home: (home.study.write_text("{}"), home.study.with_suffix(".owner").write_text("a" * 64 + "\n")),
        "stance-2026",
        "results/{study.stem}.owner",
    ),
    "a log without its database": (
        lambda home: (home.replies.unlink(), home.replies.with_name("replies.sqlite-wal").write_text("x")),
        "without its database",
        "replies/replies.sqlite-wal",
    ),
}


def source(home: Home) -> Path:
    return next((home.paths.drafts / home.draft / "source").glob("*.parquet"))


def about(home: Home) -> Path:
    return home.paths.drafts / home.draft / "draft.json"


def kept(home: Home) -> Path:
    return next(home.paths.measured.glob("*/*.json"))


def aged(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half")
    for one in (file, file.parent, file.parent.parent):
        os.utime(one, (time.time() - 2 * leftovers.OLD,) * 2)


@pytest.mark.parametrize("name", MOVED)
def test_what_is_damaged_is_found_and_moved_whole_and_nothing_else_changes(home: Home, name: str) -> None:
    damage, words, place = MOVED[name]
    damage(home)
    names = {"run": home.run.id, "draft": home.draft, "link": home.link, "study": home.study} | {
        one: getattr(home, one).name for one in ("version", "batch", "series", "adapter")
    }
    place = place.format(**names, kept=kept(home).relative_to(home.paths.root))
    before = digests(home.paths.root)
    (found,) = bad(home.paths)
    assert words in found and digests(home.paths.root) == before, "looking changes nothing"
    (done,) = health.repair(home.paths)
    assert FOLDER in done and bad(home.paths) == [] and health.repair(home.paths) == []
    lies = in_quarantine(home.paths)
    assert place in lies
    after = {one: sum_ for one, sum_ in digests(home.paths.root).items() if not one.startswith(FOLDER)}
    assert after == {one: sum_ for one, sum_ in before.items() if one not in lies}, "all else is there byte for byte"
    assert {one: sum_ for one, sum_ in before.items() if one in lies} == {
        one.split("/", 2)[2]: sum_ for one, sum_ in digests(home.paths.root).items() if one.startswith(FOLDER) and not one.endswith(REASONS)
    }, "what was moved is whole"
    (stamp,) = (home.paths.root / FOLDER).iterdir()
    assert (
        stamp.stat().st_mode & 0o077 == stamp.parent.stat().st_mode & 0o077 == 0
        and json.loads((stamp / REASONS).read_text().splitlines()[0])["reason"]
    )


def test_names_that_the_interface_gives_are_the_doctors() -> None:
    assert (ballots.OWNERS, ballots.ASKING, ballots.JOB) == (owning.OWNERS, settingwork.ASKING, settingwork.JOB)
    assert finding.MARK_FILE == marks.FILE


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("code", ["mine", ""])
def test_marks_that_the_studio_writes_are_whole(home: Home, code: str, shared: bool) -> None:
    for thing in (home.study, home.batch, home.paths.drafts / home.draft):
        marks.Who(code).claim(thing)
        marks.share(thing, shared)
    assert bad(home.paths) == []


@pytest.mark.parametrize(
    "thing", ["runs/stranger/letter.txt", "datasets/mine/letter.txt", "batches/mine/letter.txt", "comparisons/mine.json"]
)
def test_what_is_not_ours_stays(home: Home, thing: str) -> None:
    (home.paths.root / thing).parent.mkdir(exist_ok=True)
    (home.paths.root / thing).write_text("keep me")
    assert bad(home.paths) == [] and health.repair(home.paths) == [] and (home.paths.root / thing).read_text() == "keep me"


def test_what_is_being_written_now_stays(home: Home) -> None:
    fresh = [home.paths.results / ".x.json.1234abcd.tmp", home.paths.drafts / "new-1" / "source" / "kept-0.parquet"]
    for file in fresh:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    assert bad(home.paths) == [] and health.repair(home.paths) == [] and all(file.is_file() for file in fresh)


def test_a_run_that_says_it_trains_while_no_process_does_is_noted_as_interrupted(home: Home) -> None:
    state = read_json(home.broken_off.folder / "state.json")
    write_json(home.broken_off.folder / "state.json", {**state, "state": "training", "pid": 2**22 + 1, "born": 1.0})
    (found,) = bad(home.paths)
    assert "says “training”, but the process" in found
    assert "tune --resume" in health.repair(home.paths)[0] and bad(home.paths) == []
    assert home.broken_off.written["state"] == "interrupted" and (home.broken_off.folder / "resume/part-1/checkpoint-10").is_dir()


def test_a_run_that_trains_is_left_alone(home: Home) -> None:
    write_state(home.run, "training")
    (home.run.folder / "progress.jsonl").write_text('{"event": "st')
    (home.run.folder / "metrics.json").write_text("{")
    assert bad(home.paths) == [] and health.repair(home.paths) == [] and home.run.state == "training"


@pytest.mark.parametrize("metrics,state", [({}, "finished"), ({"stopped_early": True}, "stopped"), (None, "interrupted")])
def test_a_damaged_state_is_worked_out_again(home: Home, metrics: dict[str, Any] | None, state: str) -> None:
    if metrics is None:
        (home.run.folder / "metrics.json").unlink()
    else:
        write_json(home.run.folder / "metrics.json", {**home.run.metrics, **metrics})
    (home.run.folder / "state.json").write_text("{")
    assert "state.json is damaged" in bad(home.paths)[0]
    assert state in health.repair(home.paths)[0] and home.run.state == state and bad(home.paths) == []


def test_lines_of_progress_that_were_cut_off_are_taken_out(home: Home) -> None:
    file, before = home.run.folder / "progress.jsonl", home.run.progress()
    file.write_text("\0\0\0\n" + file.read_text() + '{"event": "st')
    assert "progress.jsonl" in bad(home.paths)[0] and len(health.repair(home.paths)) == 1
    assert bad(home.paths) == [] and home.run.progress() == before and len(file.read_text().splitlines()) == len(before)
    assert in_quarantine(home.paths) == [f"runs/{home.run.id}/progress.jsonl"]


def test_a_damaged_adapter_comes_back_from_the_checkpoint_that_is_the_same(home: Home) -> None:
    before = adapters.inspect(home.run.adapter).fingerprint
    flip(home.run.adapter / adapters.WEIGHTS, -1)
    assert "not those that the run recorded" in bad(home.paths)[0]
    assert "step-00020" in health.repair(home.paths)[0] and bad(home.paths) == []
    assert adapters.inspect(home.run.adapter).fingerprint == before and home.run.state == "finished"


def test_a_damaged_adapter_without_a_twin_is_no_adapter_any_more(home: Home) -> None:
    shutil.rmtree(journal.folder_of(home.run, 20))
    (home.run.adapter / adapters.WEIGHTS).write_bytes(b"short")
    assert len(bad(home.paths)) == 1 and "no checkpoint" in health.repair(home.paths)[0]
    assert bad(home.paths) == [] and home.run.state == "failed" and FOLDER in home.run.message
    assert runs.usable(runs.list_runs(home.paths)) == [] and not home.run.adapter.exists()


def test_a_draft_goes_back_to_before_the_step_whose_rows_are_damaged_and_can_go_on(home: Home) -> None:
    draft = draft_files.load(home.draft, home.paths)
    flip(draft.rows.files[0], 60)
    assert "step 2" in bad(home.paths)[0] and "before step 2" in health.repair(home.paths)[0]
    shorter = draft_files.load(home.draft, home.paths)
    assert bad(home.paths) == [] and [step.key for step in shorter.steps] == ["normalize"]
    from pipelines.corpus.engine import Tools
    from pipelines.corpus.steps import registry

    again = drafts.apply(shorter, registry.make("exact"), Tools(home.paths))
    assert len(again.rows) == 2 and bad(home.paths) == []


def test_a_draft_in_work_is_not_cut_back(home: Home) -> None:
    flip(draft_files.load(home.draft, home.paths).rows.files[0], 60)
    with draft_files.working(home.draft, home.paths):
        assert "not repaired. Another step is still running" in health.repair(home.paths)[0]
    assert len(draft_files.load(home.draft, home.paths).steps) == 2 and not in_quarantine(home.paths)


@pytest.mark.parametrize("what", ["a changed line", "a torn line"])
def test_a_batch_keeps_the_lines_that_can_be_used(home: Home, what: str) -> None:
    file = home.batch / "answers.jsonl"
    lines = file.read_text().splitlines()
    lines[1] = lines[1].replace("Yes", "No!") if what == "a changed line" else lines[1]
    file.write_text("\n".join(lines) + ("\n" if what == "a changed line" else "\n{"))
    assert len(bad(home.paths)) == 1
    kept_lines = [lines[0], lines[2]] if what == "a changed line" else lines
    assert f"{len(kept_lines)} answered questions kept, {3 - len(kept_lines)} to be asked" in health.repair(home.paths)[0]
    assert file.read_text().splitlines() == kept_lines and bad(home.paths) == []
    assert len(batches.find(home.batch.name, home.paths).turns()) == len(kept_lines)


def test_the_ballots_that_can_be_read_come_into_a_new_database(home: Home) -> None:
    with sqlite3.connect(home.database) as opened:
        votes = opened.execute("SELECT rater_number, item_id, votes FROM ballots").fetchall()
    data = bytearray(home.database.read_bytes())
    place = data.rfind(votes[0][2].encode())
    data[place : place + 5] = b"\xff" * 5
    data[:16] = b"no database here"
    home.database.write_bytes(data)
    assert "ballots.sqlite is damaged: file is not a database" in bad(home.paths)[0]
    (done,) = health.repair(home.paths)
    assert f"ballots {home.ballots - 1}" in done and "could not be read: about 1 of ballots" in done and bad(home.paths) == []
    with sqlite3.connect(home.database) as opened:
        now = opened.execute("SELECT rater_number, item_id, votes FROM ballots").fetchall()
    assert len(now) == len(votes) - 1 and set(now) < set(votes)
    assert Box(home.paths.reviews).progress(home.rater.token)[1] > 0, "the rater's place is kept"
    assert home.database.stat().st_mode & 0o077 == 0 and "reviews/ballots.sqlite" in in_quarantine(home.paths)


def test_no_row_is_lost_where_only_the_head_of_the_database_is(home: Home) -> None:
    def told() -> Any:
        box = Box(home.paths.reviews)
        return box.votes(home.review), box.reviews(), box.progress(home.rater.token)

    before = told()
    for file, what in ((home.database, "ballots"), (home.replies, "replies")):
        data = bytearray(file.read_bytes())
        data[:100] = os.urandom(100)
        file.write_bytes(data)
        assert bad(home.paths)[0].startswith(what) and len(health.repair(home.paths)) == 1 and bad(home.paths) == []
    assert told() == before and len(before[0]) >= home.ballots > 20
    with sqlite3.connect(home.replies) as opened:
        assert opened.execute("SELECT count(*), max(text) FROM replies").fetchone() == (20, "reply 9")


def test_a_database_that_another_process_has_open_is_not_taken_from_it(home: Home) -> None:
    data = bytearray(home.database.read_bytes())
    data[:16] = b"no database here"
    home.database.write_bytes(data)
    code = "import sys; file = open(sys.argv[1], 'r+b'); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code, str(home.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout and other.stdout.readline() == b"open\n"
        (done,) = health.repair(home.paths)
        assert "not repaired" in done and f"process {other.pid}" in done and home.database.read_bytes() == data
    finally:
        other.communicate(timeout=20)
    assert "rows saved" in health.repair(home.paths)[0] and bad(home.paths) == []


def test_a_full_disk_is_said_and_takes_nothing_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def small(*given: Any, **named: Any) -> Any:
        opened = real(*given, **named)
        opened.execute(f"PRAGMA max_page_count={pages + 1}")
        return opened

    with real(":memory:") as empty:
        empty.executescript(ballots.EVERYTHING)
        (pages,) = empty.execute("PRAGMA page_count").fetchone()

    data = bytearray(home.database.read_bytes())
    data[:16] = b"no database here"
    home.database.write_bytes(data)
    monkeypatch.setattr(salvage, "sqlite3", SimpleNamespace(**{**vars(sqlite3), "connect": small}))
    (done,) = health.repair(home.paths)
    assert "not repaired" in done and "full" in done and home.database.read_bytes() == data
    assert not (home.paths.root / FOLDER).exists() and [one.name for one in home.paths.reviews.iterdir() if ".tmp" in one.name] == []


def test_what_shows_only_after_a_repair_is_repaired_too(home: Home) -> None:
    (home.run.folder / "state.json").write_text("{")
    flip(home.run.adapter / adapters.WEIGHTS, -1)
    (home.run.folder / "progress.jsonl").write_text('{"event": "st')
    assert len(health.repair(home.paths)) >= 2 and bad(home.paths) == [] and health.repair(home.paths) == []


@pytest.mark.parametrize("content", ["[" * 100_000, "null", "3", '"text"', "[]", "{}", "\0\0\0", '{"a": {"b": []}}'])
def test_whatever_stands_in_files_of_ours_is_found_and_repaired_without_a_crash(home: Home, content: str) -> None:
    for file in sorted(home.paths.root.rglob("*.json*")):
        file.write_text(content)
    assert len(bad(home.paths)) > 8
    health.repair(home.paths)
    assert bad(home.paths) == [], "one round of repair is enough"
    assert len(in_quarantine(home.paths)) >= 10


def test_a_review_whose_protocol_was_changed_is_told_and_its_ballots_stay(home: Home) -> None:
    with sqlite3.connect(home.database) as opened:
        opened.execute("UPDATE reviews SET protocol = replace(protocol, 'raters', 'doubters')")
    (found,) = bad(home.paths)
    assert f"review {home.review}" in found and "only a backup" in found
    assert health.repair(home.paths) == [] and len(bad(home.paths)) == 1


def test_a_converted_model_that_is_damaged_is_made_again(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "report", lambda paths: [])
    folder = prepare.converted_folder(paths)
    folder.mkdir(parents=True)
    (folder / prepare.WEIGHTS).write_bytes(b"weights")
    for origin in ({"weights_sha256": "a" * 64}, {}):
        write_json(folder / prepare.ORIGIN, origin)
        assert any(one.startswith("converted model") for one in bad(paths))
    assert "It is made again" in next(row["repair"] for row in health.examine(paths) if row["what"] == "converted model")
    assert any("converted model: moved to quarantine/" in one for one in health.repair(paths))
    assert not folder.exists() and not any(one.startswith("converted model") for one in bad(paths))


def test_what_can_not_be_looked_at_is_a_finding_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(paths: Paths) -> Iterator[Any]:
        raise PermissionError(13, "Permission denied", str(paths.runs))
        yield

    monkeypatch.setitem(health.LOOKS, "runs", closed)
    assert [one for one in bad(home.paths) if one.startswith("runs: it can't be read")]


def test_the_command_says_what_is_bad_what_repair_would_do_and_what_it_did(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    asked = SimpleNamespace(json=False, repair=False)
    assert doctor(asked, home.paths) == 0  # type: ignore[arg-type]
    home.owners.write_text("{")
    assert doctor(asked, home.paths) == 1  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert "BAD  owners of reviews: " in said and "     --repair moves it into quarantine. Reviews so far" in said
    asked.repair, asked.json = True, True
    assert doctor(asked, home.paths) == 0  # type: ignore[arg-type]
    told = json.loads(capsys.readouterr().out)
    assert "owners of reviews: moved to quarantine/" in told["repaired"][0] and all(row["ok"] for row in told["rows"])
