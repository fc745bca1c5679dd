"""A class on thirty phones beside the model that answers it: what a look costs, how soon everybody sees a card, what a live question costs.

`python -m benchmarks.classroom [--phones 30]`, about two minutes on two cores. The phones are threads of one other process on the same
cores: each joins, looks every two seconds, and taps once a card. The teacher shows a card, reveals it, and asks a question of the class's
own, which base, left, right and placebo answer live.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.phones import Phone, named
from benchmarks.serving import link_model
from pipelines.paths import PROJECT, Paths
from studio.classroom import leading, room
from studio.classroom.room import Room
from studio.services import Services

GOAL = "one generation for a live question on all phones; 95% of looks within 0.5 s; every phone shows a new card within 4 s (two looks)"
QUESTION = "Should trains be free of charge?"
LOOK, LASTS = 2.0, 75.0  # seconds
PHONES = 30


def phone(url: str, code: str, number: int, found: dict[str, Any]) -> None:
    """One phone for as long as the benchmark lasts; notes seconds of looks and taps, and when a page was new."""
    one, end = Phone(url), time.monotonic() + LASTS
    one.join(code)
    found["joined"].append(time.time())
    time.sleep(LOOK * number / PHONES)
    seen: set[str] = set()
    while time.monotonic() < end:
        begun = time.monotonic()
        one.tick()
        found["looks"].append(time.monotonic() - begun)
        card = named(one.page, "card")
        if card and card not in seen:
            seen.add(card)
            found["new"].append((time.time(), QUESTION in one.page))
            begun = time.monotonic()
            one.tap("choose", said=0)
            found["taps"].append(time.monotonic() - begun)
        time.sleep(max(0.0, LOOK - (time.monotonic() - begun)))


def all_phones(url: str, code: str, count: int) -> None:
    """The other process: prints what all phones noted as one line."""
    found: dict[str, Any] = {"joined": [], "new": [], "looks": [], "taps": []}
    threads = [threading.Thread(target=phone, args=(url, code, number, found)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(found))


def teach(services: Services, made: Room, class_id: str, count: int) -> dict[str, float]:
    """The teacher's part, once all have joined; when each thing was shown, and how long the live question took."""
    end = time.monotonic() + 60
    while made.table.joined(class_id) < count and time.monotonic() < end:
        time.sleep(0.2)
    leading.step(made, 1, False)
    shown = {"card": time.time()}
    time.sleep(12)
    leading.reveal(made, leading.shown(made)["screen"], False)
    shown["reveal"] = time.time()
    time.sleep(8)
    begun = time.monotonic()
    leading.ask(services, made, QUESTION, False, "teacher", False)
    shown |= {"live": time.time(), "seconds": time.monotonic() - begun}
    return shown


def main() -> None:
    """Opens a class, starts the phones, teaches, and prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phones", type=int, default=PHONES)
    parser.add_argument("--at", nargs=2, metavar=("URL", "CODE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.at:
        all_phones(options.at[0], options.at[1], options.phones)
        return
    with tempfile.TemporaryDirectory() as folder:
        services, counted = _services(Paths(Path(folder) / "home"))
        made = room.of(services)
        opened = made.open(leading.deck())
        command = [
            sys.executable,
            "-m",
            "benchmarks.classroom",
            "--phones",
            str(options.phones),
            "--at",
            f"http://127.0.0.1:{opened.port}",
            opened.code,
        ]
        phones = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE)
        shown = teach(services, made, opened.class_id, options.phones)
        found = json.loads(phones.communicate()[0])
        kept = made.table.joined(opened.class_id)
        made.close()
    _tell(options.phones, shown, found, kept, len(counted))


def _services(home: Paths) -> tuple[Services, list[int]]:
    """A studio with the real model, loaded and warm; the list grows with every generation."""
    link_model(home)
    os.environ["STUDIO_HOME"] = str(home.root)
    services, counted = Services.create(), []
    services.warm_up()
    stream = services.host.stream

    def counting(*given: Any, **named: Any) -> Any:
        counted.append(1)
        return stream(*given, **named)

    services.host.stream = counting  # type: ignore[method-assign]
    return services, counted


def _tell(count: int, shown: dict[str, float], found: dict[str, Any], joined: int, generations: int) -> None:
    late = {
        name: max((at - shown[name] for at, live in found["new"] if live == (name == "live")), default=99.0) for name in ("card", "live")
    }
    seen = sum(live for _, live in found["new"])
    looks = float(np.percentile(found["looks"], 95))
    holds = generations == 1 and seen >= count and looks <= 0.5 and max(late.values()) <= 4
    report.finish(
        "classroom", GOAL, holds, phones=count, joined=joined, looks=len(found["looks"]), look_seconds_95=round(looks, 3),
        tap_seconds_95=round(float(np.percentile(found["taps"] or [99.0], 95)), 3), taps=len(found["taps"]), generations=generations,
        live_question_seconds=round(shown["seconds"], 1), phones_that_saw_it=seen, last_phone_seconds={name: round(one, 1) for name, one in late.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
