"""spaces.yaml, read strictly: one field a setting, and a sentence for everything that can't be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.deploying.checked import checked
from pipelines.errors import StudioError
from pipelines.paths import PROJECT, read_yaml

SOURCE = PROJECT / "spaces.yaml"
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
FEATURES = ("questions", "upload", "measure", "tune", "batch", "endpoints", "review")  # those of studio/access.py; a test compares them
ZERO = "zero-a10g"
UNPRICED = (ZERO, "cpu-basic")  # their sleep is the platform's own
LONGEST_TITLE, LONGEST_DESCRIPTION, MOST_RATE, LARGEST = 60, 60, 10_000, 100_000
OLDEST_PYTHON = (3, 12)  # older ones can't install what requirements.txt asks for in the tested versions
NAME = re.compile(r"[A-Z][A-Z0-9_]{1,60}")
LOOKS_SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|LOGIN")


@dataclass(frozen=True)
class Profile:
    """One way to run the Space. Raises StudioError for a value that can't be meant."""

    name: str
    """What `deploy --profile` calls it."""

    hardware: str
    """The platform's name of the machine, such as zero-a10g, cpu-upgrade or t4-small."""

    sleep_minutes: int = 0
    """Minutes without a visitor after which it sleeps; 0 leaves that to the platform (a paid machine then never sleeps)."""

    visibility: str = "private"
    """Who may see a Space that is made now: "private" or "public". One that exists keeps its own, unless the command says otherwise."""

    open: tuple[str, ...] = ()
    """What visitors may do beyond a public demo: STUDIO_OPEN's words."""

    rate: int = 12
    """Live answers that one visitor gets in 10 minutes; 0 sets no limit."""

    bucket: bool = False
    """Whether a private bucket OWNER/NAME-data is mounted, so that ballots and runs outlive a restart."""

    torch: str = ""
    """Versions of torch that this hardware takes, such as ">=2.8,<2.12"; empty: the tested one."""

    def __post_init__(self) -> None:
        where = f"The profile “{self.name}” of spaces.yaml"
        _one_of(f"{where}: hardware", self.hardware, _machines())
        _one_of(f"{where}: visibility", self.visibility, ("private", "public"))
        for one in self.open:
            _one_of(f"{where}: open", one, FEATURES)
        _in_range(f"{where}: rate", self.rate, MOST_RATE)
        _in_range(f"{where}: sleep_minutes", self.sleep_minutes, 7 * 24 * 60)
        if self.sleep_minutes and self.hardware in UNPRICED:
            raise StudioError(f"{where} sets sleep_minutes for {self.hardware}.", "The platform sets that itself there; leave it out.")
        if self.zero and "tune" in self.open:
            hint = "A GPU is lent there for seconds, and training runs longer in a process of its own; take another profile."
            raise StudioError(f"{where} opens training on {self.hardware}.", hint)
        self._check_torch(where)

    def _check_torch(self, where: str) -> None:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(self.torch)
        except InvalidSpecifier:
            raise StudioError(f"{where}: “{self.torch[:40]}” names no versions of torch.", 'Write for example ">=2.8,<2.12".') from None

    @property
    def zero(self) -> bool:
        """Whether it is a ZeroGPU Space."""
        return self.hardware == ZERO


@dataclass(frozen=True)
class Spec:
    """All of spaces.yaml. Raises StudioError for a value that can't be meant."""

    title: str
    """Name shown above the Space."""

    emoji: str
    """One emoji on its card."""

    colorFrom: str
    """First colour of the card's gradient, one of COLOURS."""

    colorTo: str
    """Second colour of it."""

    sdk: str
    """Always gradio."""

    sdk_version: str
    """The version of Gradio that the platform installs: the tested one."""

    python_version: str
    """3.12 or newer, as text: the platform's own choice is too old."""

    app_file: str
    """What the platform starts."""

    pinned: bool
    """Whether it stands first on its owner's page."""

    license: str
    """The licence of the code, as the Hub names licences."""

    short_description: str
    """At most 60 characters for the Space's card."""

    tags: tuple[str, ...]
    """Words that the Hub's search finds it by."""

    profiles: Mapping[str, Profile]
    """The ways to run it, by name."""

    card: str = ""
    """The picture that a link to the Space shows: a PNG file of the project; empty: none."""

    hf_oauth: bool = False
    """Whether visitors can sign in with their account of the Hub. The studio does not need it."""

    models: str = "embedded"
    """Where the Space has its models from: "embedded" (the packaged files go along) or "hub"."""

    preload: tuple[str, ...] = ()
    """Further models that the platform fetches while it builds: Hub ids."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Further settings that everybody may read, by name."""

    secrets: tuple[str, ...] = ()
    """Names of settings that nobody may read; the values come from the environment of whoever deploys."""

    mount: str = "/data"
    """Where a profile's bucket is mounted; the studio's folder is `studio` in it."""

    def __post_init__(self) -> None:
        _short("title", self.title, LONGEST_TITLE)
        _short("short_description", self.short_description, LONGEST_DESCRIPTION)
        _one_of("spaces.yaml: colorFrom", self.colorFrom, COLOURS)
        _one_of("spaces.yaml: colorTo", self.colorTo, COLOURS)
        _one_of("spaces.yaml: sdk", self.sdk, ("gradio",))
        _one_of("spaces.yaml: models", self.models, ("embedded", "hub"))
        if not self.emoji or len(self.emoji) > 8 or self.emoji.isascii():
            raise StudioError(f"spaces.yaml: emoji is “{self.emoji[:20]}”.", "Give one emoji.")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.sdk_version):
            raise StudioError(f"spaces.yaml: sdk_version is “{self.sdk_version[:20]}”.", "Give a whole version, such as 6.31.0.")
        self._check_python()
        self._check_names()
        if not self.profiles:
            raise StudioError("spaces.yaml has no profiles.", "Give at least one with its hardware.")
        if not re.fullmatch(r"/[a-z]{2,20}", self.mount):
            raise StudioError(f"spaces.yaml: mount is “{self.mount[:40]}”.", "Give a folder such as /data.")
        for name in filter(None, (self.app_file, self.card)):
            if name.startswith("/") or ".." in Path(name).parts:
                raise StudioError(
                    f"spaces.yaml names “{name[:60]}”.", "Name a file of this project, without .. and without a leading slash."
                )

    def _check_python(self) -> None:
        found = re.fullmatch(r"3\.(\d+)(\.\d+)?", self.python_version)
        if not found or (3, int(found[1])) < OLDEST_PYTHON:
            raise StudioError(f"spaces.yaml: python_version is “{self.python_version[:20]}”.", 'Give "3.12" or a newer one, in quotes.')

    def _check_names(self) -> None:
        for name in (*self.variables, *self.secrets):
            if not NAME.fullmatch(name):
                raise StudioError(f"spaces.yaml: “{name[:40]}” is no name of a setting.", "Use capital letters, digits and underscores.")
        doubled = set(self.variables) & set(self.secrets)
        public = [name for name in self.variables if LOOKS_SECRET.search(name)]
        if doubled or public:
            name = sorted(doubled or public)[0]
            raise StudioError(f"spaces.yaml has {name} among the variables, which everybody can read.", "Put its name under secrets only.")

    def profile(self, name: str) -> Profile:
        """The profile of that name. Raises StudioError where there is none."""
        if name not in self.profiles:
            raise StudioError(f"spaces.yaml has no profile “{name[:40]}”.", f"Choose one of {', '.join(self.profiles)}.")
        return self.profiles[name]


def read(source: Path = SOURCE) -> Spec:
    """spaces.yaml as a Spec. Raises StudioError for whatever in it can't be meant, a setting nobody knows included."""
    try:
        values = read_yaml(source, LARGEST)
    except (OSError, ValueError) as error:
        raise StudioError(f"{source.name} can't be read ({error}).", "It must hold `setting: value` lines.") from error
    given = checked(Spec, values, source.name)
    profiles = given.get("profiles") or {}
    if not isinstance(profiles, dict):
        raise StudioError(f"{source.name}: profiles is not a list of names with settings.", "Write `name:` with its settings below it.")
    made = {
        str(name): Profile(str(name), **checked(Profile, one, f"{source.name}, profile {name}", ("name",)))
        for name, one in profiles.items()
    }
    return Spec(**{**given, "profiles": made})


def _short(name: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest or "\n" in text:
        raise StudioError(f"spaces.yaml: {name} has {len(text)} characters.", f"Give 1 to {longest} on one line.")


def _one_of(where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise StudioError(f"{where} is “{str(value)[:40]}”.", f"Choose one of {', '.join(known)}.")


def _in_range(where: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise StudioError(f"{where} is {value}.", f"Give a whole number from 0 to {most:,}.")


def _machines() -> tuple[str, ...]:
    """Names of the machines that the installed client knows."""
    from huggingface_hub import SpaceHardware

    return tuple(one.value for one in SpaceHardware)
