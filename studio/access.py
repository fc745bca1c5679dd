"""Who may do what here, from the environment: a studio of one's own, or a public demo of which the owner opens more by settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.errors import StudioError
from studio.ratelimit import Limiter, Visitor
from studio.teachers import SHORTEST_PASSWORD, Teachers

FEATURES = {
    "questions": "This public demo answers the questions on its list, and no others.",
    "upload": "Files and data sets from elsewhere can't be opened here: this is a public demo.",
    "measure": "Nothing is measured anew in this public demo; what was recorded can be looked at.",
    "tune": "Nothing is trained in this public demo.",
    "batch": "Prompt sets are not asked in this public demo.",
    "endpoints": "No other server is asked in this public studio.",
    "review": "Reviews are not run in this public demo.",
}
HINT = "Run the studio on your own laptop with the two commands in its README."
RATE, MOST_RATE, MINUTES = 12, 10_000, 10
STEPS = 60  # of Curate in MINUTES, by one visitor of a public studio


@dataclass(frozen=True)
class Access:
    """One field a setting; the page is laid out by them, and every handler asks them again, since anybody can call it by name."""

    public: bool = False
    """STUDIO_PUBLIC, or a Space (SPACE_ID): strangers come, so that only what is recorded or cheap is open."""

    opened: frozenset[str] = frozenset()
    """STUDIO_OPEN="questions,upload,measure,tune,batch,endpoints,review": what the owner of a public studio opens (FEATURES)."""

    rate: int | None = None
    """STUDIO_RATE: live answers that one visitor gets in 10 minutes; 0 is as many as they like. Unset: 12 in public, else 0."""

    proxied: bool = False
    """STUDIO_PROXIED, or a Space: a proxy stands before the studio, so visitors' addresses are in the header that it writes."""

    login: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """STUDIO_LOGIN="name:password,name:password", or a file with one such line each: who may come in. Unset: everybody."""

    teacher_password: str = field(default="", repr=False)
    """STUDIO_TEACHER_PASSWORD: needed to start and end a class and to delete, but at the studio's own computer. Unset: nobody is asked."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Access:
        """Raises StudioError for a setting that can't be meant; passwords are kept out of the log from here on."""
        on_space = bool(environment.get("SPACE_ID"))
        made = cls(
            on_space or bool(environment.get("STUDIO_PUBLIC")),
            _opened(environment.get("STUDIO_OPEN", "")),
            _rate(environment.get("STUDIO_RATE", "")),
            on_space or bool(environment.get("STUDIO_PROXIED")),
            _login(environment.get("STUDIO_LOGIN", "")),
            environment.get("STUDIO_TEACHER_PASSWORD", ""),
        )
        for password in (made.teacher_password, *(one for _, one in made.login)):
            incidents.keep_secret(password)
        if 0 < len(made.teacher_password) < SHORTEST_PASSWORD:
            raise StudioError("STUDIO_TEACHER_PASSWORD is too short.", f"Give at least {SHORTEST_PASSWORD} characters.")
        return made

    def allows(self, feature: str) -> bool:
        """Whether visitors may use one of FEATURES."""
        return not self.public or feature in self.opened

    def refuse(self, feature: str) -> None:
        """Raises StudioError where one of FEATURES is off: what is, and where it can be had."""
        if not self.allows(feature):
            raise StudioError(FEATURES[feature], HINT)

    @cached_property
    def limiter(self) -> Limiter:
        """Counts every visitor's live answers."""
        return Limiter((RATE if self.public else 0) if self.rate is None else self.rate, MINUTES * 60)

    def take(self, request: Any) -> None:
        """Counts a live answer for whoever sent the request. Raises StudioError where they had too many, with the time to wait."""
        self.limiter.take(Visitor.of(request, self.public, self.proxied))

    @cached_property
    def steps(self) -> Limiter:
        """Counts every visitor's steps of Curate, which take seconds of two cores; with no limit where answers have none."""
        return Limiter(STEPS if self.limiter.most else 0, MINUTES * 60, "steps")

    def take_step(self, request: Any) -> None:
        """The same for a step of Curate."""
        self.steps.take(Visitor.of(request, self.public, self.proxied))

    @cached_property
    def teachers(self) -> Teachers:
        """The pages on which the teacher's password was given."""
        return Teachers(self.teacher_password)


def _opened(text: str) -> frozenset[str]:
    names = [name for one in text.split(",") if (name := one.strip().lower())]
    unknown = [name for name in names if name not in FEATURES]
    if unknown:
        raise StudioError(f"STUDIO_OPEN names “{unknown[0][:40]}”, which nothing here is called.", f"Choose among {', '.join(FEATURES)}.")
    return frozenset(names)


def _rate(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isdecimal() and int(text) <= MOST_RATE):
        raise StudioError(f"STUDIO_RATE is “{text[:40]}”.", f"Give a whole number up to {MOST_RATE:,}; 0 sets no limit.")
    return int(text)


def _login(text: str) -> tuple[tuple[str, str], ...]:
    """Names and passwords. What stands there is never repeated in an error."""
    if not text.strip():
        return ()
    parts = _lines(Path(text.strip())) if ":" not in text or os.path.isfile(text.strip()) else text.split(",")
    pairs = [(name.strip(), password.strip()) for name, _, password in (one.partition(":") for one in parts if one.strip())]
    if not pairs or not all(name and len(password) >= SHORTEST_PASSWORD for name, password in pairs):
        hint = f"Write name:password, several with commas or one a line in a file; passwords have at least {SHORTEST_PASSWORD} characters."
        raise StudioError("STUDIO_LOGIN can't be read.", hint)
    if len({name for name, _ in pairs}) < len(pairs):
        raise StudioError("STUDIO_LOGIN has a name twice.", "Give each person a name of their own.")
    return tuple(pairs)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise StudioError("STUDIO_LOGIN names a file that can't be read.", "Check its path and its rights.") from error
