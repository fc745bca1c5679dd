"""One studio for all tests that look for what it must not give away: a process of its own, a full home, secrets in its environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.models import prepare
from pipelines.paths import Paths
from tests import cut, echoing

SECRETS = {
    "STUDIO_ENDPOINT_KEY": "sk-planted-endpoint-key-41715",
    "HF_TOKEN": "hf_PlantedTokenOfTheHub4242",
    "ELSEWHERE_PASSWORD": "planted-word-of-somebody-else-99",
}
TYPED = "typed-into-the-field-31337"
MARK = "ONLY-IN-STUDIO-HOME"
PRIVATE = (
    "runs/run-1/job.json", "runs/run-1/trainer.log", "runs/.launch.lock", "reviews/ballots.sqlite", "reviews/ballots.sqlite-wal",
    "reviews/ballots.sqlite-shm", "reviews/owners.json", "drafts/d1/rows.parquet", "drafts/d1/owner.json", "replies/older.sqlite",
    "adapters/a1/adapter_model.safetensors", "models/m1/config.json", "log/studio.log.1", "busy/1.json", "results/r1.json",
    "measured/m1.json", "comparisons/c1.json", "batches/b1/answers.jsonl", "datasets/v1/data.parquet", "quarantine/q1/job.json",
    "backup.zip", ".hidden",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A running studio: its address, its STUDIO_HOME, the folder with what it prints."""

    url: str
    home: Path
    folder: Path

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text(errors="replace")


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that repeats what it is sent, for endpoints and for the Hub, and the keys that it saw."""
    with echoing.server() as made:
        yield made


@pytest.fixture(scope="session")
def planted(model_home: Paths, elsewhere: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted")
    home = Paths(folder / "home")
    home.models.mkdir(parents=True)
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    with cut.studio(folder, home.root, HF_ENDPOINT=elsewhere[0], **SECRETS) as url:
        for name in PRIVATE:
            path = home.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(f"{MARK} {name}")
        yield Planted(url, home.root, folder)
