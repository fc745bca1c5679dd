"""A Hub that writes a deployment's calls down, and plans for it; the packaged models are two small files there."""

import inspect
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi

from pipelines import incidents
from pipelines.deploying import files, plan, spec
from pipelines.deploying.plan import Plan

TOKEN, PASSWORDS = "hf_verysecret", "ann:correct-horse,bob:battery-staple"
SPEC = spec.read()


class Hub:
    """Every method of the real client by its real signature; remembers calls, and the files that were uploaded."""

    def __init__(self, broken: dict[str, Exception] | None = None, private: bool = True) -> None:
        self.calls, self.files = list[tuple[str, dict[str, Any]]](), dict[str, bytes]()
        self.broken, self.private = broken or {}, private

    def __getattr__(self, name: str) -> Any:
        signature = inspect.signature(getattr(HfApi, name))

        def call(**given: Any) -> Any:
            signature.bind(None, **given)
            self.calls.append((name, given))
            if name in self.broken:
                raise self.broken[name]
            if name == "upload_folder":
                folder = Path(given["folder_path"])
                self.files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
            print("The client says something")
            return SimpleNamespace(private=self.private)

        return call

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The packaged models are 180 MB: two small files stand for them, but in the tests of themselves."""
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"weights")
    monkeypatch.setattr(files, "model_files", lambda model: {f"{model.package}/{weights.name}": weights})
    monkeypatch.setattr(incidents._KNOWN, "typed", set())
    for name in SPEC.secrets:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("STUDIO_LOGIN", PASSWORDS)


def made(profile: str = "cpu-upgrade", visibility: str = "", **environment: str) -> Plan:
    return plan.make(SPEC, profile, "me/politune", visibility, environment or os.environ)


def called(wanted: Plan, name: str) -> list[dict[str, Any]]:
    return [dict(one.arguments) for one in wanted.calls if one.name == name]
