"""Tries every cause and prints a numbered list: cause, what was confirmed and is still there, what people read, what the doctor found and did."""

import os

os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")

import sys
import tempfile
import time
from pathlib import Path

from pipelines import incidents
from tests.faults import FAULTS
from tests.faults.fault import Fault, attempt


def told(number: int, fault: Fault, folder: Path) -> str:
    """What came of a fault, in a few lines. Raises AssertionError where it is not what must come of it."""
    began = time.monotonic()
    outcome = attempt(fault, folder)
    lines = [
        f"{number:3}  {fault.name} ({time.monotonic() - began:.1f} s)",
        f"     still there: {', '.join(outcome.kept)}",
        f"     people read: {outcome.said[:240] or 'nothing; nobody notices'}",
        f"     doctor:      {'; '.join(outcome.found)[:240] or 'nothing is damaged'}",
        *([f"     repaired:    {'; '.join(outcome.done)[:240]}"] if outcome.done else []),
        f"     goes on:     {', '.join(outcome.went_on)}",
    ]
    wrong = outcome.problems(fault)
    if wrong:
        raise AssertionError("; ".join(wrong))
    return "\n".join(lines).replace(str(folder), "...")


def main() -> int:
    """0 where all held. Words as arguments choose causes that hold one of them."""
    incidents.LOG.handlers.clear()  # what pages say is printed here; the tracebacks behind it are for a log
    wanted = [one for one in FAULTS if not sys.argv[1:] or any(word in one.name for word in sys.argv[1:])]
    failed = []
    for number, fault in enumerate(wanted, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(told(number, fault, Path(folder)), flush=True)
            except Exception as error:
                failed.append(fault.name)
                print(f"{number:3}  {fault.name}\n     FAILED: {type(error).__name__}: {error}", flush=True)
    print(f"{len(wanted)} causes, {'all held' if not failed else f'{len(failed)} failed: ' + '; '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
