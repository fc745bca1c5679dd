"""A chat and a training run on the same cores: each alone, then both; the memory of both processes; how soon an answer begins.

`python -m benchmarks.together`, about four minutes. The studio runs as people start it, with a folder of its own, and is asked through its
page's own endpoint, over and over while the run trains. Memory is what the system counts as theirs (proportional set size, Linux only).
"""

from __future__ import annotations

import re
import statistics
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.memory import held
from benchmarks.serving import link_model, served
from pipelines.corpus import versions
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run

GOAL = (
    "chat while a run trains at least .4 of its speed, the run at most 2 times its time; first token within .4 s; "
    "memory at most 1.6 GB with the model loaded, 3.2 GB while training, both processes"
)
TOKENS, ASKED, STEPS = 48, 6, 16
NUMBERS = count(1)


def main() -> None:
    """Prints what was measured, then one JSON line."""
    from gradio_client import Client

    with tempfile.TemporaryDirectory() as folder:
        home = Paths(Path(folder))
        link_model(home)
        with served(STUDIO_HOME=str(home.root)) as (address, process):
            client = Client(f"{address}/", verbose=False)
            for _ in range(2):
                ask(client)  # loads, attaches and warms up
            alone, first = zip(*[ask(client) for _ in range(ASKED)], strict=True)
            loaded = held([process.pid])
            by_itself = trained(home, process.pid)
            both = trained(home, process.pid, client)
    speed = statistics.median(alone) / statistics.median(both["chats"])
    longer = both["seconds_a_step"] / by_itself["seconds_a_step"]
    begins = statistics.median(first)
    peak = max(by_itself["memory"], both["memory"])
    print(
        f"chat: {statistics.median(alone):.2f} s alone, {statistics.median(both['chats']):.2f} s while a run trains, of {len(both['chats'])}"
    )
    print(f"a step: {by_itself['seconds_a_step']:.2f} s alone, {both['seconds_a_step']:.2f} s while somebody chats without a pause")
    print(
        f"first words after {begins:.2f} s; memory {loaded / 1e9:.2f} GB with the model loaded, at most {peak / 1e9:.2f} GB while training"
    )
    holds = speed >= 0.4 and longer <= 2 and begins <= 0.4 and loaded <= 1.6e9 and peak <= 3.2e9
    figures = {"chat_speed": speed, "run_time": longer, "first_token_seconds": begins, "loaded_gb": loaded / 1e9, "training_gb": peak / 1e9}
    report.finish("together", GOAL, holds, **{name: round(value, 2) for name, value in figures.items()})


def ask(client: Any) -> tuple[float, float]:
    """Seconds until the whole answer of one tuned column, per 48 tokens asked, and until its first words are there."""
    question = f"Question {next(NUMBERS)}: should the government raise taxes on people who earn a great deal of money?"
    begun, first = time.monotonic(), 0.0
    job = client.submit(question, ["left"], 1.0, 0.0, 1.0, TOKENS, 1, True, "", api_name="/compare")
    while not job.done():
        if not first and any(words(one) for one in job.outputs()):
            first = time.monotonic() - begun
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    return seconds, first or seconds


def words(output: Any) -> bool:
    """Whether a pane holds any word of an answer."""
    return bool(re.search(r'class="ps-text live"><span[^>]*>[^<]', str(output)))


def trained(home: Paths, studio: int, client: Any = None) -> dict[str, Any]:
    """One short run, with a client that chats without a pause from its second step on; seconds a step without looks, and bytes at most."""
    recipe = Recipe(max_steps=STEPS, sample_every=STEPS, save_every=STEPS)
    run = runs.create(versions.load("bundled", home), "left", recipe, home)
    process = runs.launch(run, home)
    most, chats, over = [0], [], threading.Event()
    watcher = threading.Thread(target=_watch, args=([studio, process.pid], most, over))
    watcher.start()
    while process.poll() is None:
        if client is not None and any(line.get("event") == "step" for line in run.progress()):
            chats.append(ask(client)[0])
        time.sleep(0.1)
    over.set()
    watcher.join()
    told = Run(run.folder)
    if told.state != "finished":
        raise SystemExit(f"The run ended with: {told.message}")
    return {"seconds_a_step": told.metrics["seconds_a_step"], "memory": most[0], "chats": chats[:-1] or chats}


def _watch(processes: list[int], most: list[int], over: threading.Event) -> None:
    while not over.wait(0.5):
        most[0] = max(most[0], held(processes))


if __name__ == "__main__":
    main()
