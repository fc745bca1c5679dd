"""`python tests/faults/fake_trainer.py -m MODULE FOLDER` stands in for a training process: says that it trains, and ends at a file called stop."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from pipelines.tuning.run import Run, write_state


def main() -> None:
    run = Run(Path(sys.argv[3]))
    write_state(run, "training")
    step = len(run.progress())
    while not (run.folder / "stop").exists():
        step += 1
        with (run.folder / "progress.jsonl").open("a") as file:
            file.write(f'{{"event": "step", "step": {step}, "loss": 2.5}}\n')
        time.sleep(0.02)
    write_state(run, "stopped")


if __name__ == "__main__":
    main()
