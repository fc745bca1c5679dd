"""Many visitors of one studio at once, each with a marker word of its own: what they were told, and what lies on the disk afterwards.

`python -m benchmarks.soak` (30 visitors, 10 minutes; --visitors, --minutes). They chat, vote, upload and poll on the same cores as the studio,
while two runs are trained one after the other. Loopback only; memory is the studio's process (proportional set size, Linux only).
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import report
from benchmarks.soak import studio
from benchmarks.soak.studio import Watched
from benchmarks.soak.told import Told
from benchmarks.soak.visitor import Visitor
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.run import ACTIVE

GOAL = (
    "no error; every vote that was called counted is in the database once, and no other; no word of one visitor at another; memory grows by "
    "less than 5 MB a minute after warm-up; 95% of polls answered within 2 s"
)
PAIRS, TRAININGS, LENGTH = 40, ("left", "right"), "Try it out: 5 steps"


def main() -> int:
    """Prints what happened, then one JSON line; 1 where the goal is missed."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder) / "home")
        home.root.mkdir()
        review = studio.review(home, PAIRS)
        told = Told(markers=[f"zq{secrets.token_hex(4)}" for _ in range(options.visitors)])
        with studio.running(home) as (address, process):
            memory = Watched(process.pid)
            with visiting(address, review, told, Path(folder)) as visitors:
                _wait(options.minutes * 15, told, memory)
                for visitor, side in zip(visitors, TRAININGS, strict=False):
                    visitor.client.submit("bundled", side, LENGTH, api_name="/tune").result(timeout=600)
                _wait(options.minutes * 45, told, memory)
            ended = _trained(home)
            memory.end()
        return _finish(options, told, memory, studio.ballots(home, review), ended, studio.said_in_terminal(home))


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--visitors", type=int, default=30)
    made.add_argument("--minutes", type=float, default=10.0)
    return made.parse_args()


@contextmanager
def visiting(address: str, review: str, told: Told, folder: Path) -> Iterator[list[Visitor]]:
    """All visitors at work until the block ends."""
    visitors = [Visitor(address, marker, review, told, folder, seed) for seed, marker in enumerate(told.markers)]
    for visitor in visitors:
        visitor.start()
    try:
        yield visitors
    finally:
        for visitor in visitors:
            visitor.over.set()
        for visitor in visitors:
            visitor.end()
            visitor.close()


def _wait(seconds: float, told: Told, memory: Watched) -> None:
    """Tells twice a minute how far it is."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(30, left))
        print(
            f"{dict(told.done)}, {sum(told.errors.values())} errors, {memory.megabytes:,.0f} MB, {memory.seen[-1][1] / 1e6:,.0f} allocated",
            flush=True,
        )


def _trained(home: Paths) -> int:
    """How many runs were finished, once none trains or waits."""
    end = time.monotonic() + 600
    while time.monotonic() < end and (runs.active(home) or runs.queued(home)):
        time.sleep(1)
    return sum(run.state not in (*ACTIVE, "queued") and run.state == "finished" for run in runs.list_runs(home))


def _finish(
    options: argparse.Namespace, told: Told, memory: Watched, ballots: list[tuple[int, str, str]], ended: int, terminal: str
) -> int:
    kept = [(comment, item) for _, item, comment in ballots]
    lost, doubled = told.counted - set(kept), len(kept) - len(set(kept))
    extra = set(kept) - told.counted
    growth = memory.megabytes_a_minute(options.minutes * 60 * 0.4)
    polls = told.percentile("poll", 0.95)
    errors = sum(told.errors.values()) + terminal.count("Traceback")
    for what, many in told.done.most_common():
        print(f"{what}: {many}, half within {told.percentile(what, 0.5):.2f} s, 95% within {told.percentile(what, 0.95):.2f} s")
    for problem, many in told.errors.most_common(12):
        print(f"{many} x {problem}")
    for found in told.foreign[:12]:
        print(f"foreign word: {found}")
    if "Traceback" in terminal:
        print(terminal[-3000:])
    holds = not (errors or lost or doubled or extra or told.foreign) and growth < 5 and polls <= 2 and ended == len(TRAININGS)
    report.finish(
        "soak", GOAL, holds, visitors=options.visitors, minutes=options.minutes, requests=sum(told.done.values()), errors=errors,
        votes_told=len(told.counted), votes_kept=len(kept), votes_lost=len(lost), votes_doubled=doubled, votes_untold=len(extra),
        foreign_words=len(told.foreign), runs_finished=ended, megabytes_a_minute=round(growth, 2), poll_seconds_95=round(polls, 2),
        chat_seconds_95=round(told.percentile("chat", 0.95), 1),
    )  # fmt: skip
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
