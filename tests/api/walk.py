"""The way through the studio with the network cut: `python -m tests.api.walk FOLDER HOME [long]` prints what was said and who looked for a way out."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from gradio_client import Client

from pipelines.paths import Paths
from pipelines.tuning import runs
from tests import cut

SHORT = {"Longest answer (tokens)": 6, "Columns: who answers (at most 6; type to search)": ["base", "left"]}
TINY = {
    "Length of the run": "Try it out: 5 steps", "Steps at most": 2, "Rows at once": 2, "Top layers": 2, "Rank": 2, "Look every (steps)": 1,
    "Sample answers (tokens)": 8,
}  # fmt: skip
SECONDS = 240


def press(client: Client, name: str, **changed: Any) -> str:
    """Calls an event by name with the page's own values; `changed` are others, by a field's label."""
    begun = time.monotonic()
    fields = client.view_api(return_format="dict", print_info=False)["named_endpoints"][f"/{name}"]["parameters"]
    values = [changed.get(field["label"], field.get("parameter_default")) for field in fields]
    said = str(client.submit(*values, api_name=f"/{name}").result(timeout=SECONDS))
    print(f"{name}: {time.monotonic() - begun:.1f} s", file=sys.stderr)
    return said


def main_walk(url: str) -> dict[str, str]:
    """Page, answers, both askings, bundled data through a step, the checks, a saved version."""
    said = {
        page or "/": urllib.request.urlopen(f"{url}/{page}").read().decode()[:200] for page in ("", "rate", "guess", "config", "theme.css")
    }
    client = Client(url, verbose=False)
    said["compare"] = press(client, "compare", **SHORT)
    said["mirror"] = press(client, "mirror", **SHORT)
    said["posts"] = press(client, "open_bundled_posts") + press(client, "clean")
    said["open"] = press(client, "open_bundled")
    said["check"] = press(client, "check")
    said["save"] = press(client, "save_version", **{"Name of the version": "Cut off"})
    return said


def training(url: str, paths: Paths) -> dict[str, str]:
    """A run of two steps, until its end."""
    said = press(Client(url, verbose=False), "tune", **TINY)
    assert "ps-error" not in said, said
    cut.wait_until(lambda: any(run.state in (*runs.USABLE, "failed") for run in runs.list_runs(paths)), SECONDS)
    return {"tune": " ".join(f"{run.state} {run.message}" for run in runs.list_runs(paths))}


def beyond(url: str) -> dict[str, str]:
    """What needs the network: each has to say so."""
    client = Client(url, verbose=False)
    hub = {"Hub data set (owner/name), or a folder or file of this machine": "owner/name"}
    far = {"Who scores": "endpoint", "Address": "http://203.0.113.7:8000/v1", "Model": "any"}
    said = {"hub": press(client, "open_reference", **hub)}
    press(client, "open_bundled_posts")
    return said | {"endpoint": press(client, "score", **far)}


def main(folder: Path, home: Path, long: bool) -> dict[str, Any]:
    """The main walk; a `long` one trains as well, and asks for what is beyond last: before it, nothing may have looked for a way out."""
    with cut.studio(folder, home) as url:
        said = main_walk(url) | (training(url, Paths(home)) if long else {})
        looked, lost = cut.attempts(folder), cut.without_route()
        said |= beyond(url) if long else {}
    return {"said": said, "looked": looked, "lost": lost, "beyond": cut.attempts(folder)[len(looked) :]}


if __name__ == "__main__":
    where, house, *more = sys.argv[1:]
    print(json.dumps(main(Path(where), Path(house), bool(more))))
