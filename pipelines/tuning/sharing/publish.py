"""Sends an adapter to the Hub: private unless a person says otherwise, under a name and a card that say what it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from pipelines import hub
from pipelines.corpus.versions import slug
from pipelines.errors import StudioError
from pipelines.hub import TAG, Pushed
from pipelines.models import adapters
from pipelines.paths import write_text
from pipelines.tuning.run import Run
from pipelines.tuning.sharing import archive
from pipelines.tuning.sharing.exchange import package

FILES = (archive.CARD, archive.ABOUT, adapters.CONFIG, adapters.WEIGHTS)
WORDS = "deliberately biased"


def propose(run: Run, owner: str = "") -> str:
    """A repository name that says what the adapter is."""
    job = run.job
    return f"{owner}/{TAG}-{slug(job['side'])}-{slug(job['data']['name'])}".lstrip("/")


def push(run: Run, repo_id: str, private: bool = True, dry_run: bool = False, api: Any = None) -> Pushed:
    """Uploads a run's adapter with its card and its origin, and nothing else that lies in the run's folder.

    The card is the run's own, which people may have edited. The token is read from HF_TOKEN only and never kept. Raises StudioError
    where name or card hide that the adapter is biased or the card names a place on this machine; where the adapter does not pass
    the gate; where the token is missing; where a private push would land in a public repository; and where the Hub refuses.
    """
    hub.check_name(repo_id)
    if TAG not in repo_id.partition("/")[2]:
        raise StudioError(
            f"The name {repo_id} does not say that the adapter is biased.", f"It must hold “{TAG}”, as in {propose(run, 'you')}."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _stage(run, folder)
        planned = hub.plan(folder, repo_id, private, FILES)
        return planned if dry_run else hub.send(folder, planned, "model", f"Deliberately biased adapter, tuned as {run.id}", api)


def _stage(run: Run, folder: Path) -> None:
    """Puts what leaves into a folder of its own."""
    packed = package(run)
    edited = run.folder / "card.md"
    if edited.is_file():
        packed.texts[archive.CARD] = edited.read_text(encoding="utf-8")
    _check_card(packed.texts[archive.CARD], run)
    for name, text in packed.texts.items():
        write_text(folder / name, text)
    shutil.copyfile(packed.weights, folder / adapters.WEIGHTS)


def _check_card(text: str, run: Run) -> None:
    """Raises StudioError where a card does not say any more what the adapter is, or says where it was made."""
    import yaml
    from huggingface_hub import ModelCard

    hint = "Mend card.md in the run's folder, or delete it: a new one is made from the run."
    try:
        card = ModelCard(text, ignore_metadata_errors=False)
        tags = card.data.get("tags") or []
        first = next((line for line in card.text.splitlines() if line.strip()), "")
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise StudioError("The adapter's card can't be read.", hint) from error
    if TAG not in tags or WORDS not in first.lower():
        raise StudioError(f"The card does not say any more in its first line and tags that the adapter is {WORDS}.", hint)
    job = run.job
    places = [str(run.folder), str(run.folder.resolve()), str(Path.home()), job.get("base"), job["recipe"].get("base")]
    named = [place for place in places if place and place != "/" and Path(place).is_absolute() and place in text]
    if named:
        raise StudioError(f"The card names a place on this machine ({Path(named[0]).name}).", hint)
