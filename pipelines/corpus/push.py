"""Sends a version to the Hub: private unless a person says otherwise, and never with what masking would replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines import hub
from pipelines.corpus import layout
from pipelines.corpus.card import MASKED, TAG
from pipelines.corpus.description import MASKS
from pipelines.corpus.shards import Row
from pipelines.corpus.steps.text import Mask
from pipelines.corpus.versions import Dataset, open_version, slug
from pipelines.corpus.wording import ALL_TEXT
from pipelines.errors import StudioError
from pipelines.hub import Pushed

FILES = (layout.CARD, layout.VERSION, *layout.DATA)
CHECKED = (*ALL_TEXT, "note")


def propose(dataset: Dataset, owner: str = "") -> str:
    """A repository name that says what the data is."""
    return f"{owner}/{slug(dataset.name)}-{TAG}".lstrip("/")


def push(folder: Path, repo_id: str, private: bool = True, dry_run: bool = False, api: Any = None) -> Pushed:
    """Checks a saved version and uploads its card, description and data. The token is read from HF_TOKEN only and never kept.

    Raises StudioError where the version is damaged, not masked, or its card was changed to hide what it is; where the name or
    the token is missing; where a private push would land in a public repository; and where the Hub refuses.
    """
    hub.check_name(repo_id)
    check(folder)
    planned = hub.plan(folder, repo_id, private, FILES)
    return planned if dry_run else hub.send(folder, planned, "dataset", "Deliberately biased data, saved as " + folder.name, api)


def check(folder: Path) -> None:
    """Raises StudioError with the reason why a version can't leave this machine."""
    dataset = open_version(folder)
    about = dataset.details
    if "files" not in about or not (folder / layout.CARD).is_file():
        raise StudioError(f"{folder.name} was saved without a data card.", "Save it again in Curate, then push.")
    stored = layout.Stored(folder / layout.PARQUET)
    secret = sorted(name for row in stored[:1] for name in row if not layout.leaves(name))
    if secret:
        raise StudioError(f"{folder.name} holds columns that never leave ({', '.join(secret)}).", "Save it again in Curate.")
    _check_card(folder)
    missing = [name for name in MASKS if name not in (about.get("masking") or [])]
    if (about.get("from_posts") or about["kind"] == "posts") and missing:
        raise StudioError(
            f"{folder.name} comes from posts, and not masked are: {', '.join(MASKED[name].split(' [')[0] for name in missing)}.",
            "Apply “Mask people” with all its settings on, save, and push that version.",
        )
    _check_texts(folder, stored)


def _check_card(folder: Path) -> None:
    import yaml
    from huggingface_hub import DatasetCard

    try:
        tags = DatasetCard.load(folder / layout.CARD).data.tags or []
    except (ValueError, OSError, TypeError, yaml.YAMLError) as error:
        raise StudioError("The data card can't be read.", f"Mend {layout.CARD}, or save the version again.") from error
    if TAG not in tags:
        raise StudioError("The data card does not say any more that this data is deliberately biased.", f"Put the tag {TAG} back.")


def _check_texts(folder: Path, rows: Iterable[Row]) -> None:
    """Raises StudioError where a text, for example one that was edited later, holds what masking would replace."""
    mask = Mask().mask
    found = [row["id"] for row in rows if any(row.get(name) and mask(row[name]) != row[name] for name in CHECKED)]
    if found:
        raise StudioError(
            f"{len(found):,} row{'s' * (len(found) > 1)} of {folder.name} still hold{'s' * (len(found) == 1)} a handle, link, e-mail address or phone number "
            f"({', '.join(found[:3])}).",
            "Apply “Mask people” once more, or edit these rows; then save and push that version.",
        )
