"""Tries every cause and prints what people are told."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import tempfile
from pathlib import Path

from tests.bad_inputs import CAUSES
from tests.bad_inputs.cause import attempt


def main() -> None:
    for number, cause in enumerate(CAUSES, 1):
        with tempfile.TemporaryDirectory() as folder:
            _, outcome = attempt(cause, Path(folder))
        print(f"{number:3}  {cause.name:42}  {' '.join(outcome.sentence.replace(folder, '...').split())[:240]}")


if __name__ == "__main__":
    main()
