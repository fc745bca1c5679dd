"""Tries every cause and prints what people are told, and how many causes there are by parser; ends with 1 where one ends otherwise."""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bad_inputs import CAUSES, TRIALS
from tests.bad_inputs.cause import Refused, attempt
from tests.bad_inputs.trial import Said, is_as_stated, tried

LONGEST_LINE = 240
DATA_FILE = "data file"


def outcomes() -> Iterator[tuple[str, str, str, bool, bool]]:
    """(parser, cause, sentence, whether it was refused, whether it ended as stated) of every cause."""
    for cause in CAUSES:
        with tempfile.TemporaryDirectory() as folder:
            _, outcome = attempt(cause, Path(folder))
        said = outcome.sentence.replace(folder, "...")
        yield DATA_FILE, cause.name, said, outcome.error is not None, isinstance(cause.expected, Refused) == (outcome.error is not None)
    for trial in TRIALS:
        with tempfile.TemporaryDirectory() as folder:
            end = tried(trial, Path(folder))
            right = is_as_stated(trial, end)
        yield trial.parser, trial.cause, end.sentence.replace(folder, "..."), isinstance(trial.expected, Said), right


def main() -> int:
    parsers: Counter[str] = Counter()
    refused, wrong = 0, []
    for number, (parser, cause, sentence, is_refused, is_right) in enumerate(outcomes(), 1):
        parsers[parser] += 1
        refused += is_refused
        wrong += [] if is_right else [f"{parser}: {cause}"]
        line = " ".join(sentence.encode("utf-8", "replace").decode().split())
        print(f"{number:4}  {parser + ':':22} {cause:50}  {line[:LONGEST_LINE]}")
    print()
    for parser, count in parsers.most_common():
        print(f"{count:6}  {parser}")
    total = sum(parsers.values())
    print(
        f"{total:6}  causes in all: {refused} refused with a sentence and a hint, {total - refused} taken as stated; {len(wrong)} otherwise"
    )
    print("".join(f"        OTHERWISE: {name}\n" for name in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
