"""How fast columns answer: three against one, one against the library's `generate`, and three against llama.cpp where it is installed.

`python -m benchmarks.compare`. Greedy, 48 new tokens, the same question; each engine has a process of its own, every way is timed in turn,
over and over, and medians are compared. An answer that ends early is timed by the token. "exact" is fp32, as Stance and Review use it; "rounded" is what Compare
answers with. llama.cpp (llama-cpp-python) reads the embedded Q4_1 file and answers three times, one after another, without adapters.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import report
from pipelines import bundled
from pipelines.models import catalog, prepare
from pipelines.models.host import ModelHost, Row
from pipelines.models.loading import load_base, load_tokenizer
from pipelines.models.template import ask, render
from pipelines.paths import Paths
from pipelines.records import Column, Sampling

Once = Callable[[], float]
QUESTION, TOKENS, ROUNDS = "Should the government raise taxes on the rich?", 48, 5
MORE_COLUMNS, FASTER, BESIDE = 1.3, 3.0, 1.0
GREEDY = Sampling(temperature=0, max_new_tokens=TOKENS)
BASE = Column("base")
LEFT, RIGHT, PLACEBO = (Column(side, bundled.ADAPTERS / side) for side in bundled.BUNDLED_SIDES)
MORE = [Column(f"{side.name} × 0.5", side.adapter, 0.5) for side in (LEFT, RIGHT)]
MIXTURES = [[LEFT], [BASE, LEFT], [BASE, LEFT, RIGHT], [BASE, LEFT, RIGHT, PLACEBO], [BASE, LEFT, RIGHT, PLACEBO, *MORE]]


def seconds(host: ModelHost, columns: list[Column], rounded: bool) -> float:
    """Wall time of 48 tokens for all columns."""
    rows, begun = [Row(column, ask(QUESTION), 1) for column in columns], time.perf_counter()
    answers = list(host.stream(rows, GREEDY, partial=False, rounded=rounded))[-1]
    return (time.perf_counter() - begun) / max(answer.tokens for answer in answers) * TOKENS


def ours() -> dict[str, Once]:
    """Wall times of 48 tokens for more and more columns, by name."""
    host = ModelHost(Paths.from_environment())
    kinds = {"rounded": True, "exact": False}
    return {f"{kind} {len(columns)}": partial(seconds, host, columns, kinds[kind]) for kind in kinds for columns in MIXTURES}


def generate() -> dict[str, Once]:
    """Wall time of 48 tokens by the library's own `generate` on a model that nobody has touched."""
    import torch

    base = load_base(prepare.ensure(catalog.find(catalog.LANGUAGE_MODEL.name, Paths.from_environment()), Paths.from_environment()))
    inputs = base.tokenizer(render(base.tokenizer, ask(QUESTION)), return_tensors="pt", add_special_tokens=False)

    def once() -> float:
        begun = time.perf_counter()
        with torch.inference_mode():
            found = base.model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
        return (time.perf_counter() - begun) / (found.shape[1] - inputs["input_ids"].shape[1]) * TOKENS

    return {"generate 1": once}


def llama_cpp() -> dict[str, Once]:
    """Wall time of three answers of 48 tokens, one after another, by llama.cpp; nothing where it is not installed."""
    if find_spec("llama_cpp") is None:
        return {}
    import llama_cpp as library

    paths = Paths.from_environment()
    source = catalog.find(catalog.LANGUAGE_MODEL.name, paths)
    prompt = render(load_tokenizer(prepare.ensure(source, paths)), ask(QUESTION))
    model: Any = library.Llama(str(source.path / catalog.LANGUAGE_MODEL.weights), n_ctx=1024, n_threads=2, n_threads_batch=2, verbose=False)

    def once() -> float:
        begun, tokens = time.perf_counter(), 0
        for _ in range(3):
            model.reset()
            tokens += model(prompt, max_tokens=TOKENS, temperature=0)["usage"]["completion_tokens"]
        return (time.perf_counter() - begun) / tokens * TOKENS * 3

    return {"llama.cpp 3 × 1": once}


def serve(engine: Callable[[], dict[str, Once]], line: Connection) -> None:
    """A process that tells the ways of one engine and then times whichever is asked for."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    ways = engine()
    line.send(list(ways))
    while name := line.recv():
        line.send(ways[name]())


class Sides:
    """One process an engine: threads of one would keep those of another from waiting for their work."""

    def __init__(self) -> None:
        context, self.by_way, self.lines = get_context("spawn"), dict[str, Connection](), list[Connection]()
        for engine in (generate, ours, llama_cpp):
            here, there = context.Pipe()
            context.Process(target=serve, args=(engine, there), daemon=True).start()
            self.lines.append(here)
            self.by_way |= dict.fromkeys(here.recv(), here)

    def time(self, way: str) -> float:
        """Seconds of one turn."""
        self.by_way[way].send(way)
        return float(self.by_way[way].recv())

    def close(self) -> None:
        """Ends all processes."""
        for line in self.lines:
            line.send("")


def main() -> None:
    """Prints a table of ways and seconds, then the ratios."""
    sides = Sides()
    taken: dict[str, list[float]] = {name: [] for name in sides.by_way}
    for number in range(ROUNDS + 1):
        for name in taken:
            value = sides.time(name)
            if number:  # the first time attaches and warms up
                taken[name].append(value)
    sides.close()
    middle = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in middle.items():
        print(f"{name:>16}: {value:5.2f} s, {TOKENS / value:5.1f} steps/s")
    goal, holds, ratios = verdict(middle)
    report.finish("compare", goal, holds, **ratios, seconds={name: round(value, 2) for name, value in middle.items()})


def verdict(middle: dict[str, float]) -> tuple[str, bool, dict[str, float | None]]:
    """Goal, whether it holds (where llama.cpp is not installed: without it), and the ratios."""
    beside = middle.get("llama.cpp 3 × 1")
    ratios = {
        "three_to_one": round(middle["rounded 3"] / middle["rounded 1"], 2),
        "exact_three_to_one": round(middle["exact 3"] / middle["exact 1"], 2),
        "times_generate": round(middle["generate 1"] / middle["rounded 1"], 2),
        "exact_times_generate": round(middle["generate 1"] / middle["exact 1"], 2),
        "three_to_llama_cpp": round(middle["rounded 3"] / beside, 2) if beside else None,
        "exact_three_to_llama_cpp": round(middle["exact 3"] / beside, 2) if beside else None,
    }
    holds = middle["rounded 3"] <= MORE_COLUMNS * middle["rounded 1"] and middle["generate 1"] >= FASTER * middle["rounded 1"]
    goal = (
        f"three columns at most {MORE_COLUMNS} times one; one at least {FASTER:g} times as fast as generate; "
        f"three at most {BESIDE:g} times three answers of llama.cpp"
    )
    return goal, holds and (beside is None or middle["rounded 3"] <= BESIDE * beside), ratios


if __name__ == "__main__":
    main()
