"""State: lights that say in words what is wrong, nothing of other people's, and as little as possible in public."""

from __future__ import annotations

import json
import sys
from collections import deque
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import incidents
from pipelines.incidents import Incident
from pipelines.models.line import Line
from pipelines.paths import PROJECT, Paths
from pipelines.tuning.run import Run, write_state
from studio.tabs import state
from studio.views import state as view

GB = 1e9


@pytest.fixture
def services(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All that the tab asks of the studio, with a loaded model and nobody there."""
    monkeypatch.setattr(incidents._KNOWN, "incidents", deque(maxlen=20))
    host = SimpleNamespace(title="Tiny", base=object(), line=Line())
    return SimpleNamespace(paths=paths, host=host, public=False, preparing=(1.0, ""), progress={}, measuring=Line())


def run(paths: Paths, name: str, word: Any, **more: Any) -> Run:
    made = Run(paths.runs / name)
    made.folder.mkdir(parents=True)
    job = {"side": "left", "data": {"name": name}, "recipe": {"seed": 1}, "created": "2026-01-01T10:00:00+00:00"}
    (made.folder / "job.json").write_text(json.dumps(job))
    write_state(made, word, **more)
    return made


def states(shown: str) -> dict[str, str]:
    """The word of every light by its key."""
    parts = shown.split('data-light="')[1:]
    return {part.split('"')[0]: part.split('ps-state">')[1].split("<")[0] for part in parts}


def test_a_studio_in_good_order_is_green_and_says_so_in_words(services: Any) -> None:
    lit, latest, _, about = state.Standing(services).shown()
    assert list(states(lit)) == ["model", "queue", "runs", "disk", "errors"] and latest == ""
    assert "Tiny is loaded" in lit and "Nobody waits" in lit and "Nothing is training" in lit and "Nothing went wrong" in lit
    assert "0.1.0" in about or state.version() in about


@pytest.mark.parametrize(
    ("light", "word", "part"),
    [
        (view.model("Tiny", True, (1.0, ""), 4.2, int(GB), int(9 * GB)), "fine", "about 4 s lately"),
        (view.model("Tiny", True, (1.0, ""), None, int(GB), int(GB)), "look at it", "close other programs"),
        (view.model("Tiny", True, (1.0, ""), None, int(GB), int(0.1 * GB)), "mend it", "100 MB are free"),
        (view.model("Tiny", False, (0.4, "Converting"), None, 1, int(9 * GB)), "getting ready", "converting"),
        (view.model("Tiny", False, (0.0, "It could not be made ready."), None, 1, int(9 * GB)), "mend it", "could not be made ready"),
        (view.queue(True, 0, 2.0), "fine", "nobody waits"),
        (view.queue(True, 3, 12.0), "fine", "3 wait: about 12 s"),
        (view.queue(True, 40, 130.0), "look at it", "2 min 10 s"),
        (view.runs("left", 2, [], 5), "fine", "“left” is training; 2 wait for it. 5 in all."),
        (view.runs("", 1, ["a", "b", "c"], 5), "look at it", "“a”, “b” and 1 more"),
        (view.disk(int(80 * GB), int(GB)), "fine", "80.0 GB are free"),
        (view.disk(int(1.5 * GB), int(GB)), "look at it", "can be deleted"),
        (view.disk(int(0.2 * GB), int(GB)), "mend it", "Make room now"),
    ],
)
def test_every_light_says_what_is_so_and_what_to_do(light: view.Light, word: str, part: str) -> None:
    assert view.WORDS[light.state] == word and part in light.sentence
    assert word in view.lights([light]), "the state is told in words, not by colour alone"


def test_runs_are_told_apart_and_old_failures_are_forgotten(services: Any) -> None:
    run(services.paths, "a-failed", "failed", message="why")
    run(services.paths, "b-waits", "queued")
    run(services.paths, "c-trains", "training")
    run(services.paths, "d-elsewhere", "training", remote=True)
    old = run(services.paths, "e-old", "failed")
    value = old.written | {"at": "2020-01-01T10:00:00+00:00"}
    (old.folder / "state.json").write_text(json.dumps(value))
    light = state.Standing(services)._runs()
    assert "c-trains" in light.sentence and "1 waits for it" in light.sentence and "a-failed" in light.sentence
    assert "d-elsewhere" not in light.sentence and "e-old" not in light.sentence and light.state == "amber"


def test_who_waits_and_what_goes_on_is_told(services: Any) -> None:
    services.progress = {"batch-1": (0.34, "secret title"), "study-xyz": (0.1, "")}
    tickets = [services.host.line.join(f"visitor {n}", 10.0) for n in range(3)] + [services.measuring.join("somebody")]
    lit = state.Standing(services).shown()[0]
    assert "1 question is being answered, 2 wait" in lit and "A prompt set is being asked: 34% done." in lit
    assert "A measurement is running." in lit and "secret title" not in lit
    for ticket in tickets:
        ticket.leave()


def test_errors_are_told_by_code_and_never_by_their_words(services: Any) -> None:
    code = incidents.note(KeyError("somebody's question"), "“Ask all” broke off")
    lit, latest, _, _ = state.Standing(services).shown()
    assert states(lit)["errors"] == "look at it" and code in lit and code in latest and "KeyError" in latest
    assert "question" not in lit.replace("questions", "") and "question" not in latest


def test_an_error_of_long_ago_does_not_stay_amber() -> None:
    old = Incident("AB2CD", "2020-01-01 10:00:00", "KeyError: x", "“Ask all” broke off")
    assert view.errors([old], 0).state == "green" and "AB2CD" in view.errors([old], 0).sentence
    assert state._is_within(datetime.now().isoformat(" ", "seconds"), state.LATELY) and not state._is_within(old.when, state.LATELY)
    assert not state._is_within("rubbish", state.LATELY)


def test_in_public_only_model_and_queue_are_shown_and_no_folder(services: Any) -> None:
    services.public, services.host.base = True, None
    services.progress = {"batch-1": (0.34, "")}
    services.preparing = (0.0, f"Not made ready: {services.paths.root}/models is damaged.")
    incidents.note(ValueError("x"), "anything")
    lit, *rest = state.Standing(services).shown()
    assert list(states(lit)) == ["model", "queue"] and rest == ["", "", ""]
    assert str(services.paths.root) not in lit and "the studio's folder/models" in lit
    assert "prompt set" not in lit


def test_what_cannot_be_looked_at_is_a_light_of_its_own(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(paths: Paths) -> None:
        raise PermissionError(13, "no", "secret place")

    monkeypatch.setattr(state.runs, "list_runs", fail)
    lit = state.Standing(services).shown()[0]
    assert states(lit)["runs"] == "mend it" and states(lit)["disk"] == "fine" and "secret" not in lit
    assert incidents.latest()[0].code in lit


def test_pages_that_look_at_once_share_one_look(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(state.runs, "list_runs", lambda paths: looks.append(1) or [])
    standing = state.Standing(services)
    for _ in range(30):
        standing.shown()
    assert len(looks) == 1
    monkeypatch.setattr(state, "FRESH", -1.0)
    standing.shown()
    assert len(looks) == 2


def test_rooms_are_summed_by_what_they_are(paths: Paths) -> None:
    for name, length in {"runs/one/adapter/a": 700, "runs/two/b": 300, "reviews/c": 50, "strange/d": 5, "e": 1}.items():
        file = paths.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * length)
    (paths.root / "models").symlink_to(PROJECT)
    (paths.root / "link").symlink_to(PROJECT / "pyproject.toml")
    found = state.sizes(paths.root)
    assert (found["Training runs"], found["Reviews"], found["Models"]) == (1000, 50, 0)
    assert 6 <= found[state.OTHER] < 300, "what a link leads to is not the studio's"
    assert view.rooms({"A": 0, "B": 2_000_000}).count("<tr>") == 2


def test_an_examination_names_what_to_do_and_no_folder_of_the_machine(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"what": "run <x>", "ok": False, "found": f"{services.paths.root}/runs is damaged", "repair": "moves it into quarantine."},
        {"what": "model", "ok": True, "found": f"from {Path.home()}/.cache"},
    ]
    monkeypatch.setitem(sys.modules, "pipelines.health", SimpleNamespace(examine=lambda paths: rows))
    import pipelines

    monkeypatch.setattr(pipelines, "health", sys.modules["pipelines.health"], raising=False)
    first, *_, last = state._examined(services)
    assert "Looking through" in first
    assert "1 thing needs a look, 1 thing is fine" in last and "doctor --repair" in last and "Run &lt;x&gt;" in last
    assert "A repair moves it into quarantine." in last and str(services.paths.root) not in last and str(Path.home()) not in last
    assert "doctor" not in view.health(rows[1:]) and "fine" in view.health(rows[1:])


def test_the_clock_ticks_only_while_the_tab_is_open() -> None:
    event: Any = SimpleNamespace(value=state.NAME)
    assert state._ticking(event).active is True
    assert state._ticking(SimpleNamespace(value="Compare")).active is False  # type: ignore[arg-type]


def test_the_latest_errors_are_few() -> None:
    many = [replace(Incident("AB2CD", "2026-01-01 10:00:00", "KeyError: x"), code=f"C{n}") for n in range(20)]
    assert view.latest(many).count("<tr>") == view.SHOWN + 1
