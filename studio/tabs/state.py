"""State: how the studio is doing, in one glance, for whoever has thirty students in the room. Looks only while somebody looks."""

from __future__ import annotations

import os
import shutil
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines import incidents
from pipelines.paths import PROJECT
from pipelines.tuning import runs
from pipelines.tuning.shelf.about import shown_title
from studio.services import Services, following
from studio.tabs.comparing.choosing import QUIETLY
from studio.telling import told
from studio.views import messages
from studio.views import state as view
from studio.views.state import Light

NAME = "State"
POLL_SECONDS, FRESH, WALKED = 3.0, 2.0, 60.0  # seconds between two looks of a page, and for which what was seen is shown to the next one
LATELY, A_DAY = timedelta(hours=1), timedelta(days=1)
BROKEN = ("failed", "interrupted")
KEPT = {
    "models": "Models", "runs": "Training runs", "datasets": "Data sets", "drafts": "Drafts", "replies": "Replies of endpoints",
    "adapters": "Adapters from elsewhere", "results": "Results", "measured": "Answers that were measured", "comparisons": "Comparisons by link",
    "batches": "Prompt sets", "reviews": "Reviews", "log": "Log",
}  # fmt: skip
OTHER = "Everything else"
WORKS = {"batch-": "A prompt set is being asked", "review-asking": "A review is being set up", "draft-": "A step of Curate is at work"}


class Standing:
    """What is known of this studio now; read once for all pages that look at the same moment."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._shown: tuple[str, str, str, str] = ("", "", "", "")
        self._seen, self._walked = -FRESH, -WALKED
        self._sizes: dict[str, int] = {}

    def shown(self) -> tuple[str, str, str, str]:
        """HTML: the lights, the latest errors, where the disk goes, and the version."""
        with self._lock:
            if time.monotonic() - self._seen > FRESH:
                self._shown, self._seen = self._look(), time.monotonic()
            return self._shown

    def _look(self) -> tuple[str, str, str, str]:
        public = self.services.public
        shown = [_told("model", "Model", self._model), _told("queue", "Queue", self._queue)]
        if public:
            return plain(view.lights(shown), self.services), "", "", ""
        found = incidents.latest()
        shown += [_told("runs", "Training", self._runs), _told("disk", "Disk", self._disk)]
        shown.append(view.errors(found, sum(_is_within(one.when, LATELY) for one in found)))
        lit = plain(view.lights(shown), self.services)
        return lit, view.latest(found), view.rooms(self._sizes), view.about(version(), time.monotonic() - self._begun)

    def _model(self) -> Light:
        import psutil

        host = self.services.host
        used, free = psutil.Process().memory_info().rss, psutil.virtual_memory().available
        usual = host.line.state().get("usual")
        return view.model(host.title, host.base is not None, self.services.preparing, usual, used, free)

    def _queue(self) -> Light:
        line = self.services.host.line.state()
        works = [] if self.services.public else list(_works(self.services))
        return view.queue(line["busy"], line["waiting"], line["seconds"], works)

    def _runs(self) -> Light:
        listed = [(run, run.state) for run in runs.list_runs(self.services.paths)]
        training = next((run for run, state in listed if state in runs.ACTIVE and not run.written.get("remote")), None)
        broken = [shown_title(run) for run, state in listed if state in BROKEN and _is_within(run.written.get("at"), A_DAY)]
        queued = sum(state == "queued" for _, state in listed)
        return view.runs(shown_title(training) if training else "", queued, broken, len(listed))

    def _disk(self) -> Light:
        root = self.services.paths.root
        if time.monotonic() - self._walked > WALKED:
            self._sizes, self._walked = sizes(root), time.monotonic()
        there = next(folder for folder in (root, *root.parents) if folder.exists())
        return view.disk(shutil.disk_usage(there).free, sum(self._sizes.values()))


def build(services: Services) -> dict[str, Any]:
    """Lays out the tab; `attend` is what the page does when any tab is opened, `outputs` what it updates."""
    standing = Standing(services)
    gr.HTML(
        '<h2 class="ps-unseen">State</h2><p class="ps-lead">How the studio is doing now, and what to do where something is wrong.</p>',
        padding=False,
    )
    shown = gr.HTML(elem_id="state-lights", padding=False)
    if not services.public:
        with gr.Row():
            look = gr.Button("Look through everything", size="sm", elem_id="state-examine", scale=0, min_width=240)
        examined = gr.HTML(elem_id="state-examined", padding=False)
        look.click(
            partial(_examined, services), None, examined, concurrency_id="examine", concurrency_limit=1, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
    with gr.Row():
        with gr.Column(min_width=320, visible=not services.public):
            latest = gr.HTML(elem_id="state-errors", padding=False)
        with gr.Column(min_width=280, visible=not services.public):
            rooms = gr.HTML(elem_id="state-rooms", padding=False)
    about = gr.HTML(elem_id="state-about", padding=False)
    return {"shown": [shown, latest, rooms, about], "look": standing.shown}


def wire(parts: dict[str, Any], tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Looks when the tab is opened, and again and again until another one is. The clock lies outside: what is in a closed tab does not tick."""
    clock = gr.Timer(POLL_SECONDS, active=False)
    quiet: dict[str, Any] = {**QUIETLY, "queue": False, "concurrency_limit": None}
    tab.select(parts["look"], None, parts["shown"], **quiet)
    tabs.select(_ticking, None, clock, **quiet)
    clock.tick(parts["look"], None, parts["shown"], **quiet)


def _ticking(event: gr.SelectData) -> gr.Timer:
    return gr.Timer(active=event.value == NAME)


def _told(key: str, title: str, look: Callable[[], Light]) -> Light:
    """A light, also where what it looks at can't be read: then it says so."""
    try:
        return look()
    except Exception as error:
        said = incidents.unexpected(error, f"{title} could not be looked at", "“Look through everything” says more.")
        return Light(key, "red", title, f"{said.message} {said.hint}")


def _works(services: Services) -> Iterator[str]:
    """Longer pieces of work that go on now, a sentence each."""
    for name, (share, _) in list(services.progress.items()):
        kind = next((words for begin, words in WORKS.items() if name.startswith(begin)), "")
        if kind:
            yield f"{kind}: {share:.0%} done."
    measuring = services.measuring.state()
    if measuring["busy"]:
        yield "A measurement is running" + (f", {measuring['waiting']} more in line." if measuring["waiting"] else ".")


def sizes(root: Path) -> dict[str, int]:
    """Bytes below each folder of a studio, by what it is to people; links are not followed."""
    found = dict.fromkeys([*KEPT.values(), OTHER], 0)
    for folder, _, files in os.walk(root):
        parts = Path(folder).relative_to(root).parts
        name = KEPT.get(parts[0], OTHER) if parts else OTHER
        for file in files:
            with suppress(OSError):  # it may be gone by now
                found[name] += os.lstat(os.path.join(folder, file)).st_size
    return found


def _is_within(when: Any, span: timedelta) -> bool:
    """Whether a time (ISO; local where no zone is given) lies that near to now, before or, by another clock, after it."""
    try:
        return abs(datetime.now(UTC) - datetime.fromisoformat(str(when)).astimezone(UTC)) < span
    except (ValueError, OverflowError):
        return False


@cache
def version() -> str:
    """The project's version, "" where its settings are not there."""
    try:
        return str(tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return ""


def _examined(services: Services) -> Iterator[str]:
    """Words of progress, then all that was found, with folders of this machine by what they are called."""
    try:
        begun = time.monotonic()
        rows: list[dict[str, Any]] | None = None
        for share, words, rows in following(lambda report: _examine(services, report)):
            if rows is None:
                yield messages.bar(share, f"{words} · {messages.duration(time.monotonic() - begun)} so far")
        yield plain(view.health(rows or []), services)
    except Exception as error:
        yield told(error, "Nothing was changed; `python -m pipelines doctor` in a terminal does the same.", "The look broke off")


def _examine(services: Services, report: Callable[[float, str], None]) -> list[dict[str, Any]]:
    from pipelines import health

    report(0.0, "Looking through models, adapters, runs and the disk")
    return health.examine(services.paths)


def plain(text: str, services: Services) -> str:
    """Text in which folders of this machine are called by what they are."""
    known = {services.paths.root: "the studio's folder", PROJECT: "the program's folder", Path.home(): "~"}
    for folder in sorted(known, key=lambda one: -len(str(one))):
        text = text.replace(escape(str(folder)), known[folder])
    return text
