"""What of the project goes into a Space: code and data that the page needs, and the packaged models as they are."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.deploying.readme import body, fenced, settings_of_space
from pipelines.deploying.requirements import requirements
from pipelines.deploying.spec import Profile, Spec
from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.models.catalog import PACKAGED, Packaged
from pipelines.paths import PROJECT

SENT = (
    "app.py", "LICENSE", "constraints.txt", "pyproject.toml", "spaces.yaml",
    "pipelines/**/*.py", "studio/**/*", "assets/**/*", "docs/**/*",
)  # fmt: skip
NEVER = ("__pycache__", "benchmarks", "tests")
ENDINGS_NEVER = (".pyc", ".tmp", ".sqlite3", ".db", ".env", ".pem", ".key", ".log")
LARGEST = 20 << 20  # bytes of a file of the project; the models are larger, and known
REPLACED = ("pipelines/*", "studio/*", "assets/*", "docs/*")  # in a Space: what is no longer here is taken out there
CODE_ENDINGS = (".py", ".pyc")


@dataclass(frozen=True)
class Parcel:
    """All files of a Space by their names there: from the disk or as text. `left_out`: names with the reason."""

    files: dict[str, Path]
    texts: dict[str, str]
    left_out: dict[str, str]

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes by name, in order of the names."""
        sizes = {name: file.stat().st_size for name, file in self.files.items()}
        return dict(sorted({**sizes, **{name: len(text.encode()) for name, text in self.texts.items()}}.items()))

    def lay_out(self, folder: Path) -> None:
        """Writes all of it into an empty folder."""
        for name, file in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        for name, text in self.texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")


def parcel(spec: Spec, profile: Profile, repo_id: str, project: Path = PROJECT) -> Parcel:
    """What would be sent. Raises StudioError where a file is missing, or a packaged model is not the recorded one."""
    files, left_out = project_files(project)
    for name in filter(None, (spec.app_file, spec.card)):
        if name not in files:
            raise StudioError(f"spaces.yaml names {name}, which is not there or does not go along.", "Make it, or correct the name.")
    readme = body((project / "README.md").read_text(encoding="utf-8"))
    texts = {
        "README.md": fenced(settings_of_space(spec, profile, repo_id)) + readme,
        "requirements.txt": requirements(spec, profile, project),
    }
    models = {name: file for model in PACKAGED.values() for name, file in model_files(model).items()} if spec.models == "embedded" else {}
    return Parcel({**files, **models}, texts, left_out)


def project_files(project: Path = PROJECT) -> tuple[dict[str, Path], dict[str, str]]:
    """The project's files that a Space needs, and those among them that stay here, with the reason."""
    found, left_out = dict[str, Path](), dict[str, str]()
    for file in sorted({one for pattern in SENT for one in project.glob(pattern)}):
        name = file.relative_to(project).as_posix()
        parts = Path(name).parts
        if not file.is_file() or any(part in NEVER or part.startswith(".") for part in parts) or name.endswith(ENDINGS_NEVER):
            continue
        if file.is_symlink():
            left_out[name] = "a link"
        elif file.stat().st_size > LARGEST:
            left_out[name] = f"larger than {LARGEST >> 20} MiB"
        else:
            found[name] = file
    return found, left_out


def model_files(model: Packaged) -> dict[str, Path]:
    """A packaged model's weights and licences under the package's name, where the studio on the Space finds them as it does here.

    A Space installs requirements.txt with all dependencies, which for these packages would compile a library. None of their code
    goes along. Raises StudioError where the package is not installed, or its weights are not the recorded ones.
    """
    folder = catalog.package_folder(model)
    if folder is None or not (folder / model.weights).is_file():
        raise StudioError(f"{model.title} is not installed here, so it can't go along.", "`make prepare` installs it; or set models: hub.")
    if not catalog.verify(model):
        raise StudioError(f"The weights of {model.title} are not the recorded ones.", f"Install {model.distribution} again.")
    inside = [
        one for one in sorted(folder.rglob("*")) if one.is_file() and not one.name.startswith(".") and not one.name.endswith(CODE_ENDINGS)
    ]
    return {**{f"{model.package}/{one.relative_to(folder).as_posix()}": one for one in inside}, **_licences(model)}


def _licences(model: Packaged) -> dict[str, Path]:
    """The licence files of a package, which stand beside it. Raises StudioError where it has none."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = files(model.distribution.split("==")[0]) or []
    except PackageNotFoundError:
        listed = []
    found = {
        f"{model.package}/{one.name}": Path(str(one.locate()))
        for one in listed
        if one.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE"))
    }
    if not found:
        raise StudioError(f"The package {model.package} has no licence file here.", f"Install {model.distribution} again.")
    return found
