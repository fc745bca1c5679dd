"""A run on a rented machine: its options, what would be sent, and what remote.json remembers of it. Nothing here asks the network."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipelines.errors import StudioError
from pipelines.hub import TAG
from pipelines.models import catalog
from pipelines.paths import PROJECT, Paths, content_hash, read_json, write_json
from pipelines.records import lever
from pipelines.tuning.run import Run

REMOTE = "remote.json"
RUN_FILES = ("job.json", "data.jsonl")
CODE = (
    "pipelines/**/*.py", "assets/data/*", "assets/recipes/*", "assets/checksums.json", "requirements.txt", "constraints.txt"
)  # fmt: skip
NOT_NEEDED = ("gradio", "plotly")
QUANTIZED = "bitsandbytes>=0.46,<1"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST, LONGEST = 600, 7 * 86400


def flavors() -> list[str]:
    """Names of the machines that the installed client knows, in its order."""
    from huggingface_hub import JobHardware

    return [flavor.value for flavor in JobHardware]


def seconds(text: str) -> int:
    """A time limit such as 90m, 2h or 1.5d in seconds. Raises StudioError where it is none, or not in ten minutes to seven days."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    amount = float(found[1]) * UNITS[found[2]] if found else math.nan
    if not SHORTEST <= amount <= LONGEST:
        raise StudioError(f"“{text[:40]}” is not a time limit for a job.", "Write 90m, 2h or 1d: between ten minutes and seven days.")
    return int(amount)


@dataclass(frozen=True)
class JobOptions:
    """Where and how long. Raises StudioError for a machine that is not known, or a limit or torch that is none."""

    flavor: str = lever("a10g-small", "Machine", "Name of a machine of Hugging Face Jobs; it costs money by the minute.")
    timeout: str = lever("2h", "Time limit", "90m, 2h, 1d. Ten minutes before its end the training stops and keeps what was learned.")
    owner: str = lever("", "Account", "The account or organization that owns and pays for the job; empty: the one of the token.")
    torch: str = lever(">=2.8,<2.11", "torch", "Versions of torch for the job: its GPU drivers are older than the newest torch wants.")

    def __post_init__(self) -> None:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        if self.flavor not in flavors():
            raise StudioError(f"“{self.flavor[:40]}” is not a machine of Hugging Face Jobs.", f"Choose one of {', '.join(flavors())}.")
        seconds(self.timeout)
        try:
            SpecifierSet(self.torch)
        except InvalidSpecifier as error:
            raise StudioError(f"“{self.torch[:40]}” names no versions of torch.", "Write for example >=2.8,<2.11 or ==2.10.0.") from error

    @property
    def gpu(self) -> bool:
        return not self.flavor.startswith("cpu-")


@dataclass(frozen=True)
class Plan:
    """What would leave this machine, and what would be started. `files`: names in the repository with their sizes in bytes."""

    name: str
    owner: str
    files: dict[str, int]
    base: str
    note: str
    flavor: str
    timeout: str
    dependencies: tuple[str, ...]
    private: bool = True

    @property
    def repo(self) -> str:
        """The repository; without an owner until the token's account is known."""
        return f"{self.owner}/{self.name}".lstrip("/")

    @property
    def command(self) -> str:
        """What the machine is told to do, for people."""
        return " ".join(["uv run", *(f"--with '{one}'" for one in self.dependencies), "script.py"])

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "repo": self.repo, "command": self.command, "bytes": sum(self.files.values())}


@dataclass(frozen=True)
class RemoteJob:
    """What remote.json holds. `job` is "" until the machine was ordered; `mirrored`: files that are here, by the Hub's name of
    their content; `refused`: adapters that did not pass the gate, with the reason; `said`: the trainer's own last state."""

    repo: str
    owner: str
    flavor: str
    timeout: str
    base: str
    note: str
    job: str = ""
    url: str = ""
    stage: str = ""
    stop_sent: bool = False
    machine: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    mirrored: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def save(self, run: Run) -> None:
        """Writes remote.json atomically."""
        write_json(run.folder / REMOTE, asdict(self))


def load(run: Run) -> RemoteJob | None:
    """What is known of a run's job; None where it was never sent anywhere."""
    file = run.folder / REMOTE
    if not file.is_file():
        return None
    known = {one.name for one in fields(RemoteJob)}
    return RemoteJob(**{name: value for name, value in read_json(file).items() if name in known})


def plan(run: Run, options: JobOptions) -> Plan:
    """What `submit` would do with a run; nothing is sent.

    Raises StudioError where the base is a folder of this machine, or 4-bit weights meet a machine without a GPU.
    """
    job = run.job
    if job["recipe"].get("quantize") == "4bit" and not options.gpu:
        raise StudioError(f"4-bit weights need a GPU, and {options.flavor} has none.", "Choose another machine, or quantize: none.")
    base, note = hub_base(job["recipe"].get("base") or job["base"])
    name = f"{re.sub(r'[^A-Za-z0-9]+', '-', run.id).strip('-')[:60]}-{content_hash(job)[:8]}-{TAG}"
    sizes = {name: file.stat().st_size for name, file in files(run).items()}
    return Plan(name.lstrip("-"), options.owner, sizes, base, note, options.flavor, options.timeout, dependencies(job, options))


def hub_base(base: str) -> tuple[str, str]:
    """The Hub id from which the machine loads the base, and what people must know about it.

    Raises StudioError for a folder of this machine: models are not sent anywhere.
    """
    source, packaged = catalog.find(base, Paths.from_environment()), catalog.PACKAGED.get(base)
    if source.kind == "hub":
        return source.location, ""
    if packaged and source.kind == "package":
        note = f"The job loads {packaged.hub_id} from the Hub; its weights differ slightly from the embedded ones ({packaged.title})."
        return packaged.hub_id, note
    raise StudioError(
        f"The base “{source.public_id}” is a folder on this machine, and models are not sent anywhere.",
        "Choose a base by its Hub id, or train here.",
    )


def files(run: Run) -> dict[str, Path]:
    """Everything that is sent, by its name in the repository: the run's job and rows, and the code that trains it."""
    code = sorted({file for pattern in CODE for file in PROJECT.glob(pattern) if file.is_file() and not file.name.startswith(".")})
    return {
        **{f"job/{name}": run.folder / name for name in RUN_FILES},
        **{f"job/code/{file.relative_to(PROJECT).as_posix()}": file for file in code},
    }


def dependencies(job: dict[str, Any], options: JobOptions) -> tuple[str, ...]:
    """The packages of the job: those of requirements.txt in the versions that the run names, else in the tested ones."""
    tested = dict(line.split("==") for line in _lines("constraints.txt") if "==" in line)
    wanted = []
    for line in _lines("requirements.txt"):
        name = re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0]
        version = job.get("versions", {}).get(name, tested.get(name, ""))
        if name == "torch":
            wanted.append(f"torch{options.torch}")
        elif name not in NOT_NEEDED:
            wanted.append(f"{name}=={version}" if version else line)
    return (*wanted, *([QUANTIZED] if job["recipe"].get("quantize") == "4bit" else []))


def _lines(name: str) -> list[str]:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
