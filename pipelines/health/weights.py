"""Weights: the models, the converted model, bundled adapters and those from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.health.finding import DAMAGE, Finding, folders, said, to_quarantine, whole
from pipelines.models import adapters, catalog, prepare
from pipelines.paths import Paths, file_hash, read_json
from pipelines.tuning.sharing import exchange


def models(paths: Paths) -> Iterator[Finding]:
    """Where each model would be taken from, and whether it is the recorded one. A package is mended by pip, not here."""
    for row in catalog.report(paths):
        known = {True: "weights as recorded", False: "weights differ from the recorded SHA-256", None: "package not installed"}[
            row["sha256_ok"]
        ]
        marks = {True: "there", False: "not there", None: "asked last"}
        order = ", ".join(f"{place['kind']} {place['place']} ({marks[place['there']]})" for place in row["order"])
        ok = row["sha256_ok"] if row["from"] == "package" else True
        found = f"from {row['from']}, {row['location']} ({known}); looked for in this order: {order}"
        yield Finding(f"model {row['model']}", bool(ok), found, more=row)


def converted(paths: Paths) -> Iterator[Finding]:
    what, folder = "converted model", prepare.converted_folder(paths)
    if not (folder / prepare.ORIGIN).is_file():
        yield whole(what, "not made yet; it is made once, at the first start")
    elif _is_intact(folder):
        yield whole(what, str(folder))
    else:
        yield to_quarantine(what, f"{folder} is damaged", [folder], "It is made again at the next start.")


def _is_intact(folder: Path) -> bool:
    try:
        for file in folder.glob("*.json"):
            read_json(file)
        return bool(file_hash(folder / prepare.WEIGHTS) == read_json(folder / prepare.ORIGIN)["weights_sha256"])
    except DAMAGE:
        return False


def bundled_adapters(paths: Paths) -> Iterator[Finding]:
    for side in bundled.BUNDLED_SIDES:
        file = bundled.ADAPTERS / side / "adapter" / adapters.WEIGHTS
        ok = file.is_file() and file_hash(file) == bundled.checksums().get(f"adapter-{side}")
        yield Finding(f"bundled adapter {side}", ok, "weights as recorded" if ok else "missing or changed; `make adapters` makes it again")


def imported(paths: Paths) -> Iterator[Finding]:
    """Adapters from elsewhere: each passes the gate again, and is the one that it was when it came in."""
    for folder in folders(exchange.home(paths)):
        what = f"adapter from elsewhere {folder.name}"
        try:
            file = adapters.inspect(folder / "adapter")
            known = str(dict(read_json(folder / exchange.ORIGIN))["fingerprint"])
            if known != file.fingerprint:
                raise StudioError("Its weights are not those that came in.")
        except DAMAGE as error:
            yield to_quarantine(what, said(error), [folder], "Bring it in again.")
        else:
            yield whole(what, "it passes the gate")
