"""Every test writes below a temporary STUDIO_HOME; the converted embedded model is shared, since making it takes half a minute."""

from __future__ import annotations

import os

os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.models import catalog, prepare
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from tests.tiny import make_tiny_model

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An empty STUDIO_HOME of this test's own."""
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return Paths.from_environment()


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    """A STUDIO_HOME with the converted embedded model, linked from the user's own where it was prepared."""
    home = Paths(tmp_path_factory.mktemp("home"))
    users = Paths.from_environment()
    made = prepare.converted_folder(users)
    if (made / prepare.ORIGIN).is_file():
        home.models.mkdir(parents=True)
        prepare.converted_folder(home).symlink_to(made)
    else:
        prepare.ensure(catalog.find(LANGUAGE_MODEL.name, home), home)
    yield home


@pytest.fixture(scope="session")
def host(model_home: Paths) -> ModelHost:
    """One model host with the embedded model for all tests that only read."""
    made = ModelHost(model_home)
    made.load()
    return made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers that trains in milliseconds."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "model")
