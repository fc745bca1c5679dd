"""What spaces.yaml may say, what a Space can install, and the packaged models as a Space finds them."""

import importlib
import inspect
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import SpaceHardware
from packaging.requirements import Requirement

from pipelines.deploying import files, requirements, spec
from pipelines.deploying.spec import Profile, Spec
from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.models.catalog import PACKAGED, Packaged
from pipelines.paths import PROJECT
from studio.access import FEATURES

SPEC = spec.read()
GIVEN: dict[str, Any] = yaml.safe_load((PROJECT / "spaces.yaml").read_text(encoding="utf-8"))


def test_every_setting_says_what_it_means() -> None:
    for kind in (Profile, Spec):
        source = inspect.getsource(kind)
        for one in fields(kind):
            after = source.split(f"    {one.name}: ", 1)[1].split("\n", 2)[1]
            assert after.strip().startswith('"""'), one.name


def test_the_words_of_others_are_the_ones_they_use() -> None:
    assert tuple(FEATURES) == spec.FEATURES
    assert {one.hardware for one in SPEC.profiles.values()} <= {one.value for one in SpaceHardware}
    assert set(SPEC.profiles) == {"zero-gpu", "cpu-upgrade", "gpu"} and SPEC.profiles["zero-gpu"].zero


def read(tmp_path: Path, **changes: Any) -> Spec:
    file = tmp_path / "spaces.yaml"
    kept = {name: value for name, value in {**GIVEN, **changes}.items() if value is not None}
    file.write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")
    return spec.read(file)


BAD = [
    ({"colour": "red"}, "“colour”, which nothing here is called"),
    ({"title": None}, "lacks title"),
    ({"title": ""}, "title has 0 characters"),
    ({"title": "x" * 61}, "title has 61"),
    ({"short_description": "x" * 61}, "short_description has 61"),
    ({"short_description": "two\nlines"}, "short_description has 9"),
    ({"colorFrom": "orange"}, "colorFrom is “orange”"),
    ({"colorTo": "Red"}, "colorTo is “Red”"),
    ({"sdk": "docker"}, "sdk is “docker”"),
    ({"sdk_version": "6.31"}, "sdk_version is “6.31”"),
    ({"python_version": 3.12}, "python_version has a value of the wrong kind"),
    ({"python_version": "3.10"}, "python_version is “3.10”"),
    ({"python_version": "3.9"}, "python_version is “3.9”"),
    ({"emoji": "x"}, "emoji is “x”"),
    ({"pinned": "no"}, "pinned has a value of the wrong kind"),
    ({"tags": "bias"}, "tags has a value of the wrong kind"),
    ({"tags": ["bias", 3]}, "tags has a value of the wrong kind"),
    ({"models": "both"}, "models is “both”"),
    ({"mount": "data"}, "mount is “data”"),
    ({"card": "../card.png"}, "names “../card.png”"),
    ({"app_file": "/app.py"}, "names “/app.py”"),
    ({"secrets": ["my password"]}, "no name of a setting"),
    ({"variables": {"HF_TOKEN": "x"}}, "HF_TOKEN among the variables"),
    ({"variables": {"STUDIO_CLASS": 1}}, "variables has a value of the wrong kind"),
    ({"variables": {"A_B": "1"}, "secrets": ["A_B"]}, "A_B among the variables"),
    ({"profiles": {}}, "has no profiles"),
    ({"profiles": [1]}, "profiles has a value of the wrong kind"),
    ({"profiles": {"x": {}}}, "profile x lacks hardware"),
    ({"profiles": {"x": {"hardware": "h900"}}}, "hardware is “h900”"),
    ({"profiles": {"x": {"hardware": "t4-small", "price": 1}}}, "“price”, which nothing"),
    ({"profiles": {"x": {"hardware": "t4-small", "open": ["everything"]}}}, "open is “everything”"),
    ({"profiles": {"x": {"hardware": "t4-small", "visibility": "hidden"}}}, "visibility is “hidden”"),
    ({"profiles": {"x": {"hardware": "t4-small", "rate": -1}}}, "rate is -1"),
    ({"profiles": {"x": {"hardware": "t4-small", "rate": True}}}, "rate has a value of the wrong kind"),
    ({"profiles": {"x": {"hardware": "zero-a10g", "sleep_minutes": 5}}}, "sets sleep_minutes for zero-a10g"),
    ({"profiles": {"x": {"hardware": "zero-a10g", "open": ["tune"]}}}, "opens training on zero-a10g"),
    ({"profiles": {"x": {"hardware": "t4-small", "torch": "newest"}}}, "names no versions of torch"),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[said for _, said in BAD])
def test_what_cannot_be_meant_is_refused_with_a_sentence(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as refused:
        read(tmp_path, **changes)
    assert said in refused.value.message and refused.value.hint


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "title: [", "a: &a [*a]"])
def test_no_list_of_settings_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "spaces.yaml").write_text(text)
    with pytest.raises(StudioError, match=r"spaces\.yaml"):
        spec.read(tmp_path / "spaces.yaml")


def test_a_profile_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudioError, match="no profile “free”"):
        SPEC.profile("free")


# requirements.txt of a Space


@pytest.mark.parametrize("name", SPEC.profiles)
def test_a_space_gets_the_tested_versions_and_nothing_that_the_platform_brings(name: str) -> None:
    text = requirements.requirements(SPEC, SPEC.profile(name))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = {Requirement(line).name: Requirement(line) for line in lines}
    assert "transformers==5.23.0" in lines and not {"gradio", "spaces"} & set(found)
    assert "2.12.5" in found["pydantic"].specifier  # gradio[mcp], which a Space has, takes no newer one
    assert (
        len(found) == len(lines) == sum(1 for one in (PROJECT / "requirements.txt").read_text().splitlines() if one and one[0] != "#") - 1
    )
    assert ("2.13.0" in found["torch"].specifier) is (name == "cpu-upgrade")


def project(folder: Path, wanted: str, tested: str = "gradio==6.31.0\ntorch==2.13.0\n") -> Path:
    (folder / "requirements.txt").write_text(f"gradio>=6.31,<7\ntorch>=2.8,<3  # the newest\n{wanted}\n")
    (folder / "constraints.txt").write_text(tested)
    return folder


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("spaces", "names spaces"),
        ("-c constraints.txt", "can't follow"),
        ("-r more.txt", "can't follow"),
        ("--no-deps x", "can't follow"),
        ("no requirement at all", "is no requirement"),
        ("pydantic>=2.13", "gradio brings pydantic"),
        ("pillow<8", "gradio brings pillow"),
    ],
)
def test_what_a_space_could_not_install_is_refused(wanted: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=said):
        requirements.requirements(SPEC, SPEC.profile("zero-gpu"), project(tmp_path, wanted))


def test_a_gradio_that_was_not_tested_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="not the tested one"):
        requirements.requirements(SPEC, SPEC.profile("gpu"), project(tmp_path, "", "gradio==6.30.0\ntorch==2.13.0\n"))


@pytest.mark.parametrize(
    ("hardware", "torch", "said"),
    [
        ("zero-a10g", "", "ZeroGPU takes"),
        ("zero-a10g", ">=2.8", "ZeroGPU takes"),
        ("zero-a10g", ">=2.5,<2.9", "ZeroGPU takes"),
        ("zero-a10g", "==2.13.0", "ZeroGPU takes"),
        ("t4-small", "<2.5", "have a version in common"),
    ],
)
def test_a_torch_that_the_hardware_or_we_do_not_take_is_refused(hardware: str, torch: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as refused:
        requirements.requirements(SPEC, Profile("x", hardware, torch=torch), project(tmp_path, ""))
    assert said in str(refused.value)


@pytest.mark.parametrize("torch", [">=2.8,<2.12", "==2.10.0", ">=2.9,<2.10"])
def test_a_torch_that_zerogpu_takes_is_written(torch: str, tmp_path: Path) -> None:
    text = requirements.requirements(SPEC, Profile("x", "zero-a10g", torch=torch), project(tmp_path, ""))
    assert f"torch{torch}" in text.splitlines()


# The packaged models


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A package with weights, code and a licence, as pip leaves it."""
    site, model = (
        tmp_path / "site",
        replace(PACKAGED["smollm2-135m"], package="tiny_weights", distribution="tiny-weights==1", weights="w.gguf"),
    )
    for name, text in {
        "tiny_weights/w.gguf": "weights", "tiny_weights/__init__.py": "raise SystemExit", "tiny_weights/.gitattributes": "* text",
        "tiny_weights-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1\n", "tiny_weights-1.dist-info/LICENSE": "Free",
        "tiny_weights-1.dist-info/RECORD": "tiny_weights/w.gguf,,\ntiny_weights-1.dist-info/LICENSE,,\n",
    }.items():  # fmt: skip
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(catalog, "verify", lambda found: (site / "tiny_weights/w.gguf").read_text() == "weights")
    return model


def test_a_model_goes_along_with_its_licence_and_without_its_code(packaged: Packaged) -> None:
    found = files.model_files(packaged)
    assert {name: file.read_text() for name, file in found.items()} == {"tiny_weights/w.gguf": "weights", "tiny_weights/LICENSE": "Free"}


def test_a_space_finds_the_model_where_it_was_laid_out(packaged: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = tmp_path / "space"
    space.mkdir()
    files.Parcel(files.model_files(packaged), {"README.md": "text"}, {}).lay_out(space)
    monkeypatch.setattr(sys, "path", [str(space), *[one for one in sys.path if not one.endswith("/site")]])
    importlib.invalidate_caches()
    assert catalog.package_folder(packaged) == space / "tiny_weights"


def test_damaged_or_missing_weights_do_not_go_along(packaged: Packaged) -> None:
    folder = catalog.package_folder(packaged)
    assert folder is not None
    (folder / "w.gguf").write_text("other")
    with pytest.raises(StudioError, match="not the recorded ones"):
        files.model_files(packaged)
    (folder / "w.gguf").unlink()
    with pytest.raises(StudioError, match="not installed here"):
        files.model_files(packaged)


def test_weights_without_a_licence_do_not_go_along(packaged: Packaged) -> None:
    with pytest.raises(StudioError, match="no licence file"):
        files.model_files(replace(packaged, distribution="nobody-has-this==1"))


def test_the_two_real_packages_can_go_along() -> None:
    for model in PACKAGED.values():
        names = set(files.model_files(model))
        assert {f"{model.package}/{model.weights}", f"{model.package}/LICENSE"} <= names and not [
            name for name in names if name.endswith(".py")
        ]
