"""Adapters leave as zip files that explain themselves, come in again as the same, and strangers' archives only as far as the door."""

import io
import json
import os
import re
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.adapters import CONFIG, WEIGHTS
from pipelines.paths import Paths, content_hash, read_json
from pipelines.tuning.run import Run
from pipelines.tuning.sharing import exchange
from pipelines.tuning.sharing.archive import Part, _copy
from pipelines.tuning.sharing.exchange import BaseFacts, bring_in, export, forget_imported, list_imported
from tests.adapter_files import METRICS, SHAPES, tensors, write_adapter, write_run

FACTS = BaseFacts("owner/tiny", METRICS["base_fingerprint"], 32, 2, 400, "model.layers", SHAPES)


def texts_of(archive: Path) -> dict[str, str]:
    with zipfile.ZipFile(archive) as opened:
        return {name.rpartition("/")[2]: opened.read(name).decode("utf-8", "replace") for name in opened.namelist()}


def test_an_exported_adapter_comes_in_again_as_the_same(paths: Paths, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    archive = export(run, tmp_path)
    file = adapters.inspect(run.folder)
    assert archive.name == f"deliberately-biased-left-my-rows-{file.fingerprint}.zip"
    assert {Path(name).parts for name in zipfile.ZipFile(archive).namelist()} == {
        (archive.stem, name) for name in (CONFIG, WEIGHTS, "README.md", "studio.json")
    }
    brought = bring_in(archive, paths, FACTS)
    again = adapters.inspect(brought.folder)
    assert (again.fingerprint, again.settings, again.shapes) == (file.fingerprint, file.settings, file.shapes)
    assert brought.name == f"left-my-rows-{file.fingerprint}" and brought.fingerprint == file.fingerprint
    assert brought.base_id == "owner/tiny" and brought.warning == "" and "deliberately biased" in brought.card
    assert brought.origin["about"]["recipe"]["seed"] == 7 and list_imported(paths) == [brought]
    assert sorted(f.name for f in brought.folder.rglob("*")) == ["adapter", CONFIG, WEIGHTS, "card.md", "origin.json"]


def test_bundled_adapters_can_be_exported_and_brought_in(paths: Paths, tmp_path: Path) -> None:
    for side in bundled.BUNDLED_SIDES:
        run = Run(bundled.ADAPTERS / side)
        archive = export(run, tmp_path)
        assert bring_in(archive, paths).fingerprint == run.metrics["adapter_fingerprint"]
        about = json.loads(texts_of(archive)["studio.json"])
        recipe = {**run.job["recipe"], "base": run.metrics["base"]}
        assert about["side"] == run.job["side"] and about["recipe"] == recipe and about["data"] == run.job["data"]
        assert about["base_fingerprint"] == "b179c9523d0e" and "derived from a Q4_1 file" in texts_of(archive)["README.md"]
    assert len(list_imported(paths)) == 3


def test_equal_runs_export_to_equal_bytes_and_leave_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run")
    first, second = export(run, tmp_path / "a.zip"), export(run, tmp_path / "deep" / "b.zip")
    assert first.read_bytes() == second.read_bytes() and first == tmp_path / "a.zip"
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        export(run, tmp_path / "deep" / "c.zip")
    assert os.listdir(tmp_path / "deep") == ["b.zip"]


def test_a_kept_step_can_be_exported_and_one_that_was_not_kept_gets_a_sentence(paths: Paths, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    archive = export(run, tmp_path, step=20)
    assert bring_in(archive, paths).fingerprint == adapters.inspect(run.folder / "checkpoints" / "step-00020").fingerprint
    about, readme = json.loads(texts_of(archive)["studio.json"]), texts_of(archive)["README.md"]
    assert about["step"] == 20 and "checkpoint of step 20" in readme and "-0.40" not in readme and "not measured" in readme
    with pytest.raises(StudioError, match="no checkpoint of step 21") as caught:
        export(run, tmp_path, step=21)
    assert "20, 60" in caught.value.hint


def test_what_leaves_names_no_place_on_this_machine(tmp_path: Path) -> None:
    base = str(tmp_path / "models" / "my-base")
    run = write_run(tmp_path / "run", {"recipe": {"base": base, "seed": 1}, "base": base}, {"base": "my-base", "base_title": base})
    for step, folder in ((None, "adapter"), (20, "checkpoints/step-00020")):
        config = run.folder / folder / CONFIG
        config.write_text(json.dumps({**read_json(config), "base_model_name_or_path": base}))
        archive = export(run, tmp_path, step)
        assert all(str(tmp_path) not in text and "/models/" not in text for text in texts_of(archive).values())
        assert json.loads(texts_of(archive)["studio.json"])["base"] == "my-base"
    (run.folder / "metrics.json").unlink()  # a run that was cut off
    assert all(str(tmp_path) not in text for text in texts_of(export(run, tmp_path, 20)).values())


def test_a_step_of_a_run_that_was_cut_off_names_the_base_that_its_settings_name(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"recipe": {"base": "models/my-base"}})
    (run.folder / "metrics.json").unlink()
    texts = texts_of(export(run, tmp_path, 20))
    assert json.loads(texts["studio.json"])["base"] == "owner/tiny" and "my-base" not in "".join(texts.values())


def test_a_run_whose_weights_are_not_the_recorded_ones_is_not_exported(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", metrics={"adapter_fingerprint": "0" * 12})
    with pytest.raises(StudioError, match="not those that this run recorded"):
        export(run, tmp_path)


def test_bringing_in_the_same_adapter_twice_is_one_adapter(paths: Paths, tmp_path: Path) -> None:
    archive = export(write_run(tmp_path / "run"), tmp_path)
    first = bring_in(archive, paths)
    assert first.warning == "It was not compared with a base model."
    renamed = archive.rename(tmp_path / "other name.zip")
    second = bring_in(renamed, paths, FACTS)
    assert second.folder == first.folder and second.warning == "" and list_imported(paths) == [second]
    unpacked = write_adapter(tmp_path / "left-my-rows", lora_alpha=99)
    with pytest.raises(StudioError, match="here already, with other settings"):
        bring_in(unpacked, paths)


def test_a_plain_peft_folder_and_a_run_folders_adapter_come_in_without_a_card(paths: Paths, tmp_path: Path) -> None:
    brought = bring_in(write_adapter(tmp_path / "My LoRA!", tensors(seed=3), base_model_name_or_path="/secret/owner/place"), paths)
    assert brought.name.startswith("my-lora-") and brought.base_id == "place" and "came without a card" in brought.card
    assert "secret" not in (brought.adapter / CONFIG).read_text()
    assert bring_in(write_run(tmp_path / "a-run", seed=4).folder, paths).name.startswith("a-run-")


def test_forgetting_deletes_one_adapter_and_nothing_else(paths: Paths, tmp_path: Path) -> None:
    brought = bring_in(write_adapter(tmp_path / "it"), paths)
    (paths.root / "runs" / "mine").mkdir(parents=True)
    (paths.root / "runs" / "mine" / "origin.json").write_text("{}")
    for name in ("../runs/mine", "..", "", ".", brought.name + "/", "nothing"):
        with pytest.raises(StudioError, match="No adapter from elsewhere"):
            forget_imported(name, paths)
    assert list_imported(paths) == [brought] and (paths.root / "runs" / "mine").is_dir()
    forget_imported(brought.name, paths)
    assert list_imported(paths) == [] and os.listdir(exchange.home(paths)) == []


def pack(target: Path, files: dict[str, bytes | str], change: Callable[[zipfile.ZipInfo], Any] = lambda info: None) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packing:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            packing.writestr(info, data)
    return target


def good_files(tmp_path: Path) -> dict[str, bytes | str]:
    folder = tmp_path / "good"
    if not folder.is_dir():
        write_adapter(folder)
    return {name: (folder / name).read_bytes() for name in (CONFIG, WEIGHTS)}


def linked(info: zipfile.ZipInfo) -> None:
    if info.filename == WEIGHTS:
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def odd_packing(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_LZMA


EXTRA: dict[str, tuple[dict[str, bytes | str], str]] = {
    "a way up": ({"../" + WEIGHTS: b"x"}, "leads out of it"),
    "a way up in the middle": ({"a/../../b.md": b"x"}, "leads out of it"),
    "an absolute name": ({"/etc/README.md": b"x"}, "absolute"),
    "a drive": ({"C:/README.md": b"x"}, "absolute"),
    "backslashes": ({"..\\..\\README.md": b"x"}, "absolute or odd"),
    "a name with a line break": ({"a\nb.md": b"x"}, "absolute or odd"),
    "folders without end": ({"a/b/c/d/e/README.md": b"x"}, "too deep"),
    "a pickle": ({"adapter_model.bin": b"x"}, "adapter_model.bin, a pickle"),
    "a pickle in capitals": ({"a/OPTIMIZER.PT": b"x"}, "OPTIMIZER.PT, a pickle"),
    "a program": ({"run.py": b"x"}, "run.py, which has no place"),
    "a base model": ({"model.safetensors": b"x"}, "model.safetensors, which has no place"),
    "two adapters": ({"second/" + CONFIG: b"{}"}, "holds 2 adapters"),
    "too many files": ({f"{n}.md": b"x" for n in range(20)}, "holds 22 files"),
    "far too many names": ({f"{'n' * 60}{n}.md": b"" for n in range(2000)}, "far too many files"),
    "a bomb": ({"README.md": bytes(4 << 20)}, "archive bomb"),
    "a long text": ({"README.md": os.urandom(9 << 20)}, "README.md is too large"),
    "rubble as studio.json": ({"studio.json": b"{"}, "studio.json can't be read"),
    "studio.json without end": ({"studio.json": b"[" * 100_000}, "studio.json can't be read"),
    "weights that studio.json does not mean": ({"studio.json": b'{"adapter_fingerprint": "000000000000"}'}, "not those that studio.json"),
    "a tokenizer that is none": ({"tokenizer.json": b"{}"}, "tokenizer's files can't be read"),
}


@pytest.mark.parametrize("case", EXTRA)
def test_archives_with_more_than_an_adapter_are_refused_and_nothing_is_kept(paths: Paths, tmp_path: Path, case: str) -> None:
    more, reason = EXTRA[case]
    with pytest.raises(StudioError, match=reason) as caught:
        bring_in(pack(tmp_path / "it.zip", {**good_files(tmp_path), **more}), paths, FACTS)
    assert caught.value.hint and os.listdir(exchange.home(paths)) == []
    assert str(tmp_path) not in str(caught.value)


CHANGED: dict[str, tuple[Callable[[zipfile.ZipInfo], Any], str]] = {
    "a link": (linked, "holds a link"),
    "an unusual packing": (odd_packing, "unusual way"),
}


@pytest.mark.parametrize("case", CHANGED)
def test_entries_that_are_no_plain_files_are_refused(paths: Paths, tmp_path: Path, case: str) -> None:
    change, reason = CHANGED[case]
    with pytest.raises(StudioError, match=reason):
        bring_in(pack(tmp_path / "it.zip", good_files(tmp_path), change), paths)


def patched(archive: Path, offset: int, value: bytes, entry: int = 1) -> Path:
    """Changes a field of an entry in the archive's directory, where readers look."""
    data = bytearray(archive.read_bytes())
    at = -1
    for _ in range(entry + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    data[at + offset : at + offset + len(value)] = value
    archive.write_bytes(bytes(data))
    return archive


def test_archives_that_lie_about_themselves_are_refused(paths: Paths, tmp_path: Path) -> None:
    files = good_files(tmp_path)
    size = len(files[WEIGHTS])
    lies = {
        "is encrypted": patched(pack(tmp_path / "1.zip", files), 8, b"\x01\x00"),
        "can't be unpacked": patched(pack(tmp_path / "2.zip", files), 24, struct.pack("<I", size - 64)),  # says it is smaller
        "archive bomb": patched(pack(tmp_path / "3.zip", files), 24, struct.pack("<I", 1 << 31)),  # says it is huge
        "is no zip file": tmp_path / "4.zip",
        "cut off": tmp_path / "5.zip",
        "neither a zip file nor a folder": tmp_path / "6.zip",
        "a link, which may lead": tmp_path / "7.zip",
    }
    (tmp_path / "4.zip").write_bytes(b"PK rubble")
    (tmp_path / "5.zip").write_bytes(pack(tmp_path / "whole.zip", files).read_bytes()[:-30])
    (tmp_path / "7.zip").symlink_to(tmp_path / "whole.zip")
    for reason, archive in lies.items():
        with pytest.raises(StudioError) as caught:
            bring_in(archive, paths)
        assert reason in str(caught.value)
    assert os.listdir(exchange.home(paths)) == [] and bring_in(tmp_path / "whole.zip", paths)


def test_a_file_that_grows_while_it_is_copied_is_refused(tmp_path: Path) -> None:
    grown = Part(("README.md",), 3, lambda: io.BytesIO(b"12345"))
    with pytest.raises(StudioError, match=r"README.md is larger than it says"):
        _copy(grown, tmp_path / "README.md")


def test_folders_with_links_or_pickles_are_refused(paths: Paths, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "it")
    (folder / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(StudioError, match="holds a link"):
        bring_in(folder, paths)
    (folder / "README.md").unlink()
    (folder / "training_args.bin").write_bytes(b"x")
    with pytest.raises(StudioError, match="pickle"):
        bring_in(folder, paths)
    (folder / "training_args.bin").unlink()
    (folder / WEIGHTS).unlink()
    with pytest.raises(StudioError, match=f"{WEIGHTS} beside"):
        bring_in(folder, paths)
    assert os.listdir(exchange.home(paths)) == []


def test_idle_files_are_looked_at_and_not_kept(paths: Paths, tmp_path: Path) -> None:
    idle: dict[str, bytes | str] = {"LICENSE": b"x", "notes.txt": b"x", "tokenizer_config.json": b"{}", "chat_template.jinja": b"x"}
    mac: dict[str, bytes | str] = {"__MACOSX/._adapter_config.json": b"x", ".DS_Store": b"x"}
    brought = bring_in(pack(tmp_path / "it.zip", {**good_files(tmp_path), **idle, **mac}), paths)
    assert sorted(f.name for f in brought.folder.rglob("*")) == ["adapter", CONFIG, WEIGHTS, "card.md", "origin.json"]


def test_what_strangers_say_is_kept_short_and_plain(paths: Paths, tmp_path: Path) -> None:
    about = {"side": "left\u202e\ud800" + "x" * 999, "recipe": {str(n): [[[["deep"]]]] for n in range(99)}, "more": {"a": 1.5, "b": None}}
    readme = "# Card\n" + "long " * 100_000
    brought = bring_in(pack(tmp_path / "it.zip", {**good_files(tmp_path), "studio.json": json.dumps(about), "README.md": readme}), paths)
    kept = brought.origin["about"]
    assert kept["side"].startswith("left??xx") and len(kept["side"]) == 200 and len(kept["recipe"]) == 60 and kept["more"] == about["more"]
    assert len(brought.card) == exchange.MAX_CARD


COMPARED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "the same weights": ({"base_fingerprint": "b" * 12}, {}, "^$"),
    "other weights of the same model": ({"base_fingerprint": "a" * 12}, {}, "other weights of owner/tiny .a{12}.; here are b{12}"),
    "weights that are not named": ({}, {}, "owner/tiny, but it does not say on which weights"),
    "another model that is built alike": (
        {},
        {"base_model_name_or_path": "owner/other"},
        "tuned on owner/other; owner/tiny is built alike",
    ),
    "no model at all": ({}, {"base_model_name_or_path": None}, "a base that it does not name"),
}


@pytest.mark.parametrize("case", COMPARED)
def test_an_adapter_of_another_base_that_is_built_alike_comes_in_with_a_warning(paths: Paths, tmp_path: Path, case: str) -> None:
    about, changes, warning = COMPARED[case]
    folder = write_adapter(tmp_path / "it", **changes)
    (folder / "studio.json").write_text(json.dumps(about))
    brought = bring_in(folder, paths, FACTS)
    assert re.search(warning, brought.warning) and read_json(brought.folder / "origin.json")["warning"] == brought.warning


OTHER_BASES: dict[str, tuple[dict[str, Any], str]] = {
    "a narrower layer": ({"shapes": {**SHAPES, "self_attn.v_proj": (8, 32)}}, "self_attn.v_proj is 16 x 32 there and 8 x 32 here"),
    "no such layer": ({"shapes": {"attn.c_attn": (96, 32)}}, "which the base does not have"),
    "another place for layers": ({"block": "transformer.h"}, "which the base does not have"),
    "fewer layers": ({"num_layers": 1}, "changes layer 1, and the base has 1 layers"),
}


@pytest.mark.parametrize("case", OTHER_BASES)
def test_an_adapter_of_another_architecture_is_refused_with_what_differs(paths: Paths, tmp_path: Path, case: str) -> None:
    changes, reason = OTHER_BASES[case]
    with pytest.raises(StudioError, match=reason):
        bring_in(write_adapter(tmp_path / "it"), paths, replace(FACTS, **changes))
    assert list_imported(paths) == []


def test_another_tokenizer_is_refused_whatever_kind_of_file_it_comes_in(paths: Paths, tmp_path: Path) -> None:
    words = {"a": 0, "b": 1}
    facts = replace(FACTS, tokens=2, vocabulary=content_hash(words)[:12])
    added = [{"content": "b", "id": 1}]
    kinds: dict[str, Any] = {
        "vocab.json": {"a": 0, "b": 1},
        "tokenizer.json": {"model": {"vocab": [["a", -1.0], ["b", -2.0]]}},
        "added.json": {"model": {"vocab": {"a": 0}}, "added_tokens": added},
    }
    for number, (name, value) in enumerate(kinds.items()):
        folder = write_adapter(tmp_path / f"same-{number}", tensors(seed=number))
        (folder / name.replace("added", "tokenizer")).write_text(json.dumps(value))
        assert bring_in(folder, paths, facts)
    for number, other in enumerate(({"a": 0, "c": 1}, {"a": 1, "b": 0}, {"a": 0, "b": 1, "c": 2}, {"a": 0})):
        folder = write_adapter(tmp_path / f"other-{number}")
        (folder / "vocab.json").write_text(json.dumps(other))
        with pytest.raises(StudioError, match="another tokenizer"):
            bring_in(folder, paths, facts)


def test_facts_of_a_base_are_read_without_its_weights(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "bare", ignore=shutil.ignore_patterns("*.safetensors"))
    facts = exchange.base_facts(tmp_path / "bare", "owner/tiny")
    assert (facts.hidden_size, facts.num_layers, facts.vocab_size, facts.block, facts.tokens) == (32, 2, 400, "model.layers", 257)
    assert facts.shapes == {
        **SHAPES, "self_attn.k_proj": (16, 32), "self_attn.o_proj": (32, 32), "mlp.gate_proj": (64, 32), "mlp.up_proj": (64, 32)
    }  # fmt: skip
    (tmp_path / "bare" / "config.json").write_text("{}")
    with pytest.raises(StudioError, match="no causal language model"):
        exchange.base_facts(tmp_path / "bare", "owner/tiny")
