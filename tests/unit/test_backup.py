"""One zip file holds all that a studio can't make again, and gives it back whole or not at all."""

import json
import os
import shutil
import sqlite3
import stat
import struct
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import cli, health
from pipelines.comparing import batch as batches
from pipelines.comparing import comparison
from pipelines.corpus import draft as draft_files
from pipelines.corpus import versions
from pipelines.endpoints.replies import Replies
from pipelines.errors import StudioError
from pipelines.health import backup, parcel
from pipelines.health import restore as restoring
from pipelines.health.backup import back_up
from pipelines.health.restore import restore
from pipelines.paths import Paths, read_json, write_json
from pipelines.review.ballots import Box
from pipelines.stance import series_file
from pipelines.tuning import runs
from pipelines.tuning.run import write_state
from pipelines.tuning.sharing import exchange
from pipelines.tuning.training import journal
from studio import results
from studio.owning import Who
from tests import frozen
from tests.full_home import Home, digests, fill

AT_HOME = Who(home=True, everything=True)
LATER = {"made_by": "politune-studio", "version": parcel.VERSION + 1, "made": "", "left_out": [], "files": {}}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A full studio; tests only read it."""
    folder = tmp_path_factory.mktemp("made")
    return fill(Paths(folder / "home"), folder)


@pytest.fixture(scope="module")
def packed(made_once: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return back_up(made_once.paths, tmp_path_factory.mktemp("packed") / "studio.zip").file


@pytest.fixture
def small(paths: Paths) -> Paths:
    """A home with two files."""
    write_json(paths.results / "stance-a.json", {"some": "thing " * 100})
    write_json(paths.results / "stance-b.json", [1, 2])
    return paths


def left(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def told(paths: Paths, home: Home) -> list[Any]:
    """What the studio's own readers see."""
    box, (draft, _), batch = Box(paths.reviews), draft_files.recent(paths, 9)[0], batches.list_batches(paths)[0]
    with Replies(paths.replies) as replies:
        replied = replies.find(["key-0", "key-19"])
    seen: list[Any] = [
        [(run.id, run.state, run.job, run.metrics, run.progress(), run.pairs()) for run in runs.list_runs(paths)],
        [one.id for one in runs.usable(runs.list_runs(paths))],
        [(one.name, one.title, one.warning) for one in exchange.list_imported(paths)],
        versions.available(paths),
        versions.load(home.version.name, paths).rows,
        list(draft_files.load(draft, paths).rows.rows()),
        comparison.opened(home.link, paths),
        (batch.id, batch.state, batch.turns()),
        (
            results.listed(paths, AT_HOME),
            results.opened(home.study.name, paths, AT_HOME),
            series_file.read(paths.results / home.series.name),
        ),
        replied,
        (box.reviews(), box.votes(home.review), box.progress(home.rater.token)[:2]),
        read_json(paths.reviews / "owners.json"),
        batches.list_batches(Paths(paths.reviews / "asking"))[0].turns(),
    ]
    box.store.close()
    return seen


def test_the_studio_sees_the_same_things_in_the_restored_folder(made_once: Home, packed: Path, tmp_path: Path) -> None:
    restored = Paths(tmp_path / "fresh" / "home")
    manifest = restore(packed, restored.root)
    assert told(restored, made_once) == told(made_once.paths, made_once) and manifest.left_out == []
    assert not [row for row in health.examine(restored, models=False) if not row["ok"]]
    before, after = digests(made_once.paths.root), digests(restored.root)
    not_whole = {one for one in before if "checkpoint-20" in one or one.endswith(".sqlite")}
    assert len(not_whole) == 3 and set(after) == set(before) - {one for one in not_whole if "checkpoint" in one}
    assert all(after[one] == before[one] for one in set(before) - not_whole), "byte for byte, but for databases"
    assert left(tmp_path / "fresh") == ["home"]
    times = [(root / "results" / made_once.study.name).stat().st_mtime for root in (made_once.paths.root, restored.root)]
    assert times[1] == pytest.approx(times[0], rel=0, abs=0.001), "lists are sorted by it"


def test_a_run_that_was_cut_off_can_go_on_from_its_last_whole_checkpoint(made_once: Home, packed: Path, tmp_path: Path) -> None:
    restore(packed, tmp_path / "home")
    there = tmp_path / "home" / "runs" / made_once.broken_off.id
    found = journal.latest(there / "resume" / "part-1")
    assert found and found.name == "checkpoint-10" and (found / "optimizer.pt").read_bytes() == b"state 10"


def test_nobody_else_may_read_a_backup_or_the_ballots_in_it(packed: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    restore(packed, tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home" / "reviews" / "ballots.sqlite").stat().st_mode) == 0o600


def test_every_folder_of_a_studio_is_kept_or_made_again() -> None:
    folders = {name for name in vars(Paths) if isinstance(getattr(Paths, name), property)}
    assert {getattr(Paths(Path()), name).name for name in folders} <= {*parcel.KEPT, *parcel.MADE_AGAIN} and len(folders) > 9


def test_models_locks_and_half_written_things_stay_behind_and_strangers_are_named(small: Paths, tmp_path: Path) -> None:
    for name in ("models/m/model.safetensors", "busy/x", "log/studio.log", "quarantine/x/y", "runs/.launch.lock", "results/.x.tmp", "letter.txt",
                 "runs/r/.training.lock", "runs/r/reserve", "runs/r/job.json", "runs/.gone-1/job.json", "results/od:d.json"):  # fmt: skip
        (small.root / name).parent.mkdir(parents=True, exist_ok=True)
        (small.root / name).write_text("x")
    (small.runs / "far.elsewhere").write_text("/somewhere")
    (small.results / "link.json").symlink_to("/etc/hostname")
    (small.runs / "linked").symlink_to(tmp_path)
    manifest = back_up(small, tmp_path / "b.zip").manifest
    assert set(manifest.files) == {"results/stance-a.json", "results/stance-b.json", "runs/r/job.json", "runs/far.elsewhere"}
    named = " ".join(manifest.left_out)
    assert all(
        one in named
        for one in ("letter.txt: it is not", "runs/far: its folder lies", "link.json: links", "runs/linked: links", "od:d.json")
    )
    assert len(manifest.left_out) == 5


def test_a_half_written_last_line_stays_behind(home_copy: Home, tmp_path: Path) -> None:
    for file in (home_copy.run.folder / "progress.jsonl", home_copy.batch / "answers.jsonl"):
        with file.open("a") as handle:
            handle.write('{"event": "st')
    restore(back_up(home_copy.paths, tmp_path / "b.zip").file, tmp_path / "there")
    assert not [row for row in health.examine(Paths(tmp_path / "there"), models=False) if not row["ok"]]


@pytest.fixture
def home_copy(made_once: Home, tmp_path: Path) -> Home:
    from tests.unit.test_health import moved

    return moved(made_once, tmp_path / "copied")


def test_what_goes_away_in_the_middle_is_left_out_whole_and_named(home_copy: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a whole folder, right after its last file was packed, and once one file of two that belong together."""
    real = backup._Packing._add

    def add(self: Any, file: Path, name: str) -> Any:
        packed = real(self, file, name)
        if name == f"datasets/{home_copy.version.name}/data/train.jsonl":
            shutil.rmtree(home_copy.version)
        if name == f"runs/{home_copy.run.id}/checkpoints/step-00010/adapter_config.json":
            (file.parent / "adapter_model.safetensors").unlink()
        return packed

    monkeypatch.setattr(backup._Packing, "_add", add)
    manifest = back_up(home_copy.paths, tmp_path / "b.zip").manifest
    restored = Paths(tmp_path / "there")
    restore(tmp_path / "b.zip", restored.root)
    assert len(manifest.left_out) == 2 and all("changed while" in one for one in manifest.left_out)
    assert home_copy.version.name in manifest.left_out[1] and "step-00010" in manifest.left_out[0]
    assert not list(restored.datasets.glob("*")) and journal.kept_steps(runs.find(home_copy.run.id, restored)) == [20]
    assert not [row for row in health.examine(restored, models=False) if not row["ok"]]


def test_a_run_that_trains_now_is_packed_as_far_as_it_is(home_copy: Home, tmp_path: Path) -> None:
    write_state(home_copy.broken_off, "training")
    restore(back_up(home_copy.paths, tmp_path / "b.zip").file, tmp_path / "there")
    run = runs.find(home_copy.broken_off.id, Paths(tmp_path / "there"))
    assert run.written["state"] == "training" and journal.latest(run.folder / "resume" / "part-1")


def test_a_backup_while_people_vote_has_every_ballot_that_was_counted_before(paths: Paths, tmp_path: Path) -> None:
    box, over, counted = Box(paths.reviews), threading.Event(), list[tuple[str, str]]()
    review = box.open_review(frozen.protocol(200))
    rater = box.join(review, True)

    def vote() -> None:
        while not over.is_set() and (one := box.progress(rater.token)[2]):
            box.vote(review, rater.token, one.item_id, {asked.id: "A" for asked in box.review(review).design.asked})
            counted.append((review, one.item_id))

    thread = threading.Thread(target=vote)
    thread.start()
    try:
        for n in range(4):
            while len(counted) < 5 * (n + 1) and thread.is_alive():
                over.wait(0.002)
            before = set(counted)
            back_up(paths, tmp_path / f"{n}.zip")
            assert thread.is_alive(), "it was packed while votes came in"
            restore(tmp_path / f"{n}.zip", tmp_path / f"home-{n}")
            with sqlite3.connect(tmp_path / f"home-{n}" / "reviews" / "ballots.sqlite") as opened:
                assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert len(before) >= 5 * (n + 1) and before <= set(opened.execute("SELECT review_id, item_id FROM ballots"))
    finally:
        over.set()
        thread.join()
        box.store.close()


def test_a_damaged_database_is_no_backup_and_the_doctor_is_named(home_copy: Home, tmp_path: Path) -> None:
    data = bytearray(home_copy.database.read_bytes())
    data[:16] = b"no database here"
    home_copy.database.write_bytes(data)
    with pytest.raises(StudioError, match="damaged.*doctor --repair"):
        back_up(home_copy.paths, tmp_path / "b.zip")
    assert left(tmp_path) == ["copied", "home"]


def test_nothing_is_written_over_and_a_backup_does_not_lie_among_what_it_holds(small: Paths, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine")
    for target, words in (
        (tmp_path / "b.zip", "exists already"),
        (small.results / "b.zip", "among what it holds"),
        (tmp_path / "no" / "b.zip", "does not"),
    ):
        with pytest.raises(StudioError, match=words):
            back_up(small, target)
    assert (tmp_path / "b.zip").read_text() == "mine" and left(tmp_path) == ["b.zip", "home"]
    with pytest.raises(StudioError, match="nothing to back up"):
        back_up(Paths(tmp_path / "empty"))


def test_a_full_disk_leaves_no_half_backup(small: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StudioError, match=r"can't be written \(No space left"):
        back_up(small, tmp_path / "b.zip")
    assert left(tmp_path) == ["home"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_can_not_be_read_is_not_left_out_in_silence(small: Paths, tmp_path: Path) -> None:
    (small.datasets / "v" / "data").mkdir(parents=True)
    (small.datasets / "v" / "data").chmod(0)
    with pytest.raises(StudioError, match="Permission denied"):
        back_up(small, tmp_path / "b.zip")
    (small.datasets / "v" / "data").chmod(0o700)
    assert left(tmp_path) == ["home"]


def test_a_home_that_packs_like_a_bomb_is_packed_so_that_it_can_be_restored(
    small: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "BOMB_BYTES", 10_000)
    (small.results / "stance-zeros.json").write_bytes(bytes(1_000_000))
    made = back_up(small, tmp_path / "b.zip")
    assert made.file.stat().st_size > 1_000_000
    restore(made.file, tmp_path / "there")
    assert (tmp_path / "there" / "results" / "stance-zeros.json").stat().st_size == 1_000_000


Change = Callable[[Path], Any]


def rewritten(
    change: Callable[[dict[str, bytes], dict[str, Any]], Any], kind: int = 0o100600, method: int = zipfile.ZIP_DEFLATED
) -> Change:
    """A zip file with the same entries and manifest, changed; `kind` is what its new entries say they are."""

    def apply(file: Path) -> None:
        with zipfile.ZipFile(file) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        told = files[parcel.MANIFEST]
        manifest = json.loads(told)
        change(files, manifest)
        if files.get(parcel.MANIFEST) == told:
            files[parcel.MANIFEST] = json.dumps(manifest).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                entry = zipfile.ZipInfo(name)
                entry.external_attr, entry.compress_type = kind << 16, method
                archive.writestr(entry, content)

    return apply


def put(name: str, content: bytes = b"evil", **told: Any) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    """One more file, in the zip file and in its manifest."""

    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        import hashlib

        files[name] = content
        manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "changed": 1e9, **told}

    return change


def only_in_zip(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    files["../outside"] = b"evil"


def flipped(place: int) -> Change:
    def apply(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[place] ^= 0xFF
        file.write_bytes(data)

    return apply


def cut(share: float) -> Change:
    return lambda file: file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def twice(file: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("results/stance-b.json", "[]")


def encrypted(file: Path) -> None:
    data = bytearray(file.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 8] |= 1
    file.write_bytes(data)


def lies_about_size(file: Path) -> None:
    """The directory and the manifest say that there is less than unpacks."""
    put_more = rewritten(put("results/stance-c.json", b"x" * 5000, size=10))
    put_more(file)
    data = bytearray(file.read_bytes())
    place = data.rfind(b"results/stance-c.json") - 46
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    file.write_bytes(data)


def changed_content(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    files["results/stance-b.json"] = b"[\n 1,\n 9\n]\n"


BAD: dict[str, tuple[Change, str]] = {
    "cut off in the middle": (cut(0.5), "no whole backup"),
    "cut off at the end": (cut(0.99), "no whole backup"),
    "empty": (cut(0), "no whole backup"),
    "a changed byte": (flipped(60), "no whole backup|damaged"),
    "another content of the same length": (rewritten(changed_content), "damaged"),
    "a name that leads out": (rewritten(put("results/../../evil")), "could lead out"),
    "a name that leads out beside the manifest": (rewritten(only_in_zip), "could lead out"),
    "an absolute name": (rewritten(put("/etc/evil")), "could lead out"),
    "a name of another system": (rewritten(put("results\\..\\evil")), "could lead out"),
    "a drive": (rewritten(put("results/C:evil")), "could lead out"),
    "a place that no backup has": (rewritten(put("models/model.safetensors")), "could lead out"),
    "a hidden name": (rewritten(put("runs/.launch.lock")), "could lead out"),
    "a name that can't be seen": (rewritten(put("runs/a\u202eb")), "could lead out"),
    "a very deep name": (rewritten(put("runs/" + "a/" * 40 + "b")), "could lead out"),
    "a link": (rewritten(put("results/link", b"/etc/passwd"), kind=0o120777), "a link or something else"),
    "the same name twice": (twice, "the same name"),
    "names that differ in case": (rewritten(put("results/Stance-B.json")), "the same name"),
    "a file that is a folder too": (rewritten(put("results/stance-b.json/x")), "the same name"),
    "a bomb": (rewritten(put("results/zeros", bytes(3_000_000))), "archive bomb"),
    "more than it says": (lies_about_size, "damaged|no whole backup"),
    "packed otherwise": (rewritten(put("results/x"), method=zipfile.ZIP_BZIP2), "packed in a way"),
    "encrypted": (encrypted, "packed in a way"),
    "no manifest": (rewritten(lambda files, manifest: files.pop(parcel.MANIFEST)), "holds no backup.json"),
    "a manifest that is no JSON": (rewritten(lambda files, manifest: files.update({parcel.MANIFEST: b"{"})), "damaged|no backup"),
    "a manifest of a later version": (rewritten(lambda files, manifest: manifest.update(LATER)), "A later studio made this backup"),
    "a manifest of somebody else": (rewritten(lambda files, manifest: manifest.update(made_by="me")), "no backup of a studio"),
    "a manifest with odd sizes": (rewritten(put("results/x", size="many")), "damaged"),
    "a manifest with a negative size": (rewritten(put("results/x", size=-1)), "could lead out|size"),
    "a manifest that names more": (
        rewritten(lambda files, manifest: (put("results/x")(files, manifest), files.pop("results/x"))),
        "missing in the backup",
    ),
    "a manifest that names itself": (
        rewritten(lambda files, manifest: manifest["files"].update({parcel.MANIFEST: {"size": 1, "sha256": "", "changed": 1}})),
        "could lead out",
    ),
    "more than the disk holds": (rewritten(put("results/x")), "not enough room"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_backup_that_is_not_whole_is_a_sentence_and_leaves_nothing(
    small: Paths, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, words = BAD[name]
    back_up(small, tmp_path / "b.zip")
    change(tmp_path / "b.zip")
    if name == "a bomb":
        monkeypatch.setattr(parcel, "BOMB_BYTES", 1_000_000)
    if name == "more than the disk holds":
        monkeypatch.setattr(restoring, "SPARE", 1 << 60)
    with pytest.raises(StudioError, match=words) as raised:
        restore(tmp_path / "b.zip", tmp_path / "there")
    assert left(tmp_path) == ["b.zip", "home"] and raised.value.hint and "Traceback" not in str(raised.value)


def test_a_good_backup_rewritten_is_good(small: Paths, tmp_path: Path) -> None:
    """Else the test above would pass for the wrong reason."""
    back_up(small, tmp_path / "b.zip")
    rewritten(put("results/fine.json"))(tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "there")
    assert left(tmp_path / "there" / "results") == ["fine.json", "stance-a.json", "stance-b.json"]


def full_folder(target: Path) -> None:
    target.mkdir()
    (target / "letter.txt").write_text("mine")


def a_link(target: Path) -> None:
    (target.parent / "real").mkdir()
    target.symlink_to(target.parent / "real")


@pytest.mark.parametrize("make", [full_folder, a_link, lambda target: target.write_text("mine")])
def test_nothing_is_restored_over_anything(small: Paths, tmp_path: Path, make: Callable[[Path], Any]) -> None:
    back_up(small, tmp_path / "b.zip")
    make(tmp_path / "there")
    before = left(tmp_path)
    with pytest.raises(StudioError, match="holds things already"):
        restore(tmp_path / "b.zip", tmp_path / "there")
    assert left(tmp_path) == before and digests(tmp_path / "there").keys() <= {"letter.txt"}


def test_an_empty_folder_is_taken_unless_something_comes_into_it_meanwhile(
    small: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(small, tmp_path / "b.zip")
    (tmp_path / "there").mkdir()
    restore(tmp_path / "b.zip", tmp_path / "there")
    assert left(tmp_path / "there") == ["results"]
    (tmp_path / "other").mkdir()
    real = restoring._unpack

    def unpack(*given: Any) -> None:
        real(*given)
        (tmp_path / "other" / "new.txt").write_text("a studio began here")

    monkeypatch.setattr(restoring, "_unpack", unpack)
    with pytest.raises(StudioError, match="can't be replaced"):
        restore(tmp_path / "b.zip", tmp_path / "other")
    assert left(tmp_path / "other") == ["new.txt"] and left(tmp_path) == ["b.zip", "home", "other", "there"]


def test_the_commands_say_what_they_did(small: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["backup", "--output", str(tmp_path / "b.zip"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == 2 and said["folders"] == {"results": 2} and said["backup"] == str(tmp_path / "b.zip") and said["left_out"] == []
    assert cli.main(["restore", str(tmp_path / "b.zip")]) == 2 and "holds things already" in capsys.readouterr().err
    assert cli.main(["restore", str(tmp_path / "b.zip"), "--into", str(tmp_path / "there")]) == 0
    assert "2 files (results 2)" in capsys.readouterr().out and left(tmp_path / "there" / "results") == ["stance-a.json", "stance-b.json"]
    assert cli.main(["restore", str(tmp_path / "none.zip"), "--into", str(tmp_path / "x")]) == 2 and "no file" in capsys.readouterr().err
    assert cli.main(["backup", "--output", str(tmp_path / "c.zip")]) == 0 and "Ballots are in it" in capsys.readouterr().out


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Backups without a name would land in the current folder."""
    (tmp_path / "home").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    yield
