"""What a backup is: a zip file with a manifest, and which names may stand in one. Packing and unpacking both keep to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.header import shown

MANIFEST, VERSION, MADE_BY = "backup.json", 1, "politune-studio"
KEPT = ("reviews", "runs", "datasets", "drafts", "results", "measured", "comparisons", "batches", "adapters", "replies")
MADE_AGAIN = ("models", "busy", "log", "quarantine")
DEEPEST, LONGEST = 16, 200
MOST_FILES, MOST_MANIFEST = 1_000_000, 256 << 20
BOMB_BYTES, BOMB_RATIO = 1 << 30, 100
NOTHING = "Nothing was restored, and nothing is left of it; use another copy of the backup."


@dataclass(frozen=True)
class Packed:
    """A file of a backup: bytes, SHA-256, and when it was last changed (seconds since 1970)."""

    size: int
    sha256: str
    changed: float


@dataclass
class Manifest:
    """`left_out` names what could not come along, each with the reason."""

    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    files: dict[str, Packed] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(one.size for one in self.files.values())

    @property
    def by_folder(self) -> dict[str, int]:
        """How many files each kept folder has, without those that have none."""
        found = Counter(name.partition("/")[0] for name in self.files)
        return {folder: found[folder] for folder in KEPT if found[folder]}

    def as_dict(self) -> dict[str, Any]:
        files = {name: vars(one) for name, one in self.files.items()}
        return {"made_by": MADE_BY, "version": VERSION, "made": self.made, "left_out": self.left_out, "files": files}

    @classmethod
    def from_dict(cls, value: Any) -> Manifest:
        """Raises StudioError where it is none, of a later version, or names a place that no backup has."""
        if not isinstance(value, dict) or value.get("made_by") != MADE_BY or not isinstance(value.get("version"), int):
            raise StudioError("This zip file is no backup of a studio.", NOTHING)
        if value["version"] > VERSION:
            raise StudioError(
                f"A later studio made this backup (form {value['version']}; here up to {VERSION}).", "Update the studio first."
            )
        try:
            files = {str(name): Packed(int(one["size"]), str(one["sha256"]), float(one["changed"])) for name, one in value["files"].items()}
            made = cls(str(value["made"]), files, [str(one) for one in value["left_out"]])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StudioError(f"{MANIFEST} of this backup is damaged.", NOTHING) from error
        made._refuse_places()
        return made

    def _refuse_places(self) -> None:
        for name, one in self.files.items():
            if not is_fit(name) or one.size < 0:
                raise StudioError(
                    f"The backup holds a name that could lead out of the folder or has no place in it ({shown(name)}).", NOTHING
                )
        folders = {name.rpartition("/")[0] for name in self.files}
        parents = {"/".join(parts[:n]) for parts in (folder.split("/") for folder in folders) for n in range(1, len(parts) + 1)}
        if len({name.casefold() for name in self.files}) < len(self.files) or parents & self.files.keys():
            raise StudioError("Two files of the backup have the same name.", NOTHING)


def is_fit(name: str) -> bool:
    """Whether a path may stand in a backup: relative, below one of the kept folders, visible, and the same on every system."""
    parts = name.split("/")
    odd = "\\" in name or ":" in name or not name.isprintable() or not 2 <= len(parts) <= DEEPEST or parts[0] not in KEPT
    return not odd and all(0 < len(part.encode()) <= LONGEST and not part.startswith(".") and part.strip(". ") for part in parts)


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes in so few are an attack; a backup that would look like one is packed without compression."""
    return unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * max(1, packed)
