"""How fast curation is and how much memory it takes, and how both grow with the number of posts.

`python -m benchmarks.curation`: 10,000 and 100,000 made-up posts through everything, a million through the steps that embed
nothing. About half an hour on two cores, most of it embedding (some 120 posts a second); 2 GB of disk while it runs. `--quick`
measures 10,000 and 30,000 only, `--rows N` N beside 10,000, `--plain` leaves out the steps that embed.

Posts are recombined from the sentences of the bundled texts, with two words in five drawn anew so that they are not all near
duplicates; noise, exact and near duplicates, foreign and short posts are planted and counted. Every size has a process of its
own, since the peak of resident memory belongs to a process.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import report
from pipelines import bundled
from pipelines.paths import PROJECT, Paths

LIMIT = 3.0
FIRST, EVERYTHING, PLAIN = 10_000, 100_000, 1_000_000
SEED = 12
POOL = 5_000
SHARES = {"exact": 0.03, "near": 0.03, "foreign": 0.02, "short": 0.02}
NOISE: tuple[Callable[[random.Random, str], str], ...] = (
    lambda rng, text: f"{text} @user_{rng.randrange(10**5)}",
    lambda rng, text: f"{text} https://example.org/news?id={rng.randrange(10**6)}",
    lambda rng, text: f"{text} Ring 555-{rng.randrange(10**4):04d} after {rng.randrange(1950, 2024)}.",
    lambda rng, text: f"{text} mail{rng.randrange(10**4)}@example.com",
    lambda rng, text: text.replace(" and ", " &amp; ").replace("'", "&#39;"),
    lambda rng, text: text.replace(". ", ".\r ").replace(" the ", " the\u200b\u00a0", 1),
)


class Writer:
    """Makes posts: the same ones for the same seed."""

    def __init__(self, seed: int = SEED) -> None:
        self.rng = random.Random(seed)
        posts = bundled.json_lines(bundled.DATA / "posts.jsonl")
        own = [row["text"] for row in posts if row["label"] in ("left", "right", "neutral", "off_topic")]
        answers = [text for row in bundled.pairs() for text in (row.left, row.right, row.neutral)]
        self.sentences = [part.split() for text in own + answers for part in re.split(r"(?<=[.!?])\s+", text) if len(part.split()) > 4]
        self.words = sorted({word for sentence in self.sentences for word in sentence if word.isalpha()})
        self.labelled = {label: [row["text"] for row in posts if row["label"] == label] for label in ("foreign", "short")}
        self.pool: list[str] = []

    def posts(self, count: int) -> Iterator[tuple[str, str]]:
        """`count` texts, each with what it was planted as ("" for an ordinary post)."""
        kinds, weights = ["", *SHARES], [1 - sum(SHARES.values()), *SHARES.values()]
        for _ in range(count):
            kind = self.rng.choices(kinds, weights)[0] if self.pool else ""
            yield self.make(kind), kind

    def make(self, kind: str) -> str:
        """A post of this kind, "" for an ordinary one."""
        if kind in self.labelled:
            return self.rng.choice(self.labelled[kind])
        return {"": self.ordinary, "exact": self.exact, "near": self.near}[kind]()

    def ordinary(self) -> str:
        """One to three sentences, about as long as our own posts; a fifth of the posts has noise."""
        chosen = self.rng.choices(self.sentences, k=self.rng.choice((1, 2, 2, 3, 3)))
        text = " ".join(self.rng.choice(self.words) if self.rng.random() < 0.4 else word for sentence in chosen for word in sentence)
        if len(self.pool) < POOL:
            self.pool.append(text)
        else:
            self.pool[self.rng.randrange(POOL)] = text
        return self.rng.choice(NOISE)(self.rng, text) if self.rng.random() < 0.2 else text

    def exact(self) -> str:
        """An earlier post, shouted."""
        return self.rng.choice(self.pool).upper() + "!!"

    def near(self) -> str:
        """An earlier post with two words changed and a hashtag."""
        words = self.rng.choice(self.pool).split()
        for _ in range(2):
            words[self.rng.randrange(len(words))] = self.rng.choice(self.words)
        return f"{' '.join(words)} #{self.rng.choice(self.words)}"


def write_posts(file: Path, count: int) -> dict[str, int]:
    """Writes a JSONL file of `count` posts and says how many were planted of each kind."""
    planted: Counter[str] = Counter()
    with file.open("w", encoding="utf-8") as handle:
        for text, kind in Writer().posts(count):
            planted[kind] += 1
            handle.write(json.dumps({"text": text}) + "\n")
    return {kind: planted[kind] for kind in SHARES}


def measure(file: Path, embed: bool) -> None:
    """The child: opens the posts, applies the steps as the studio does, and prints a JSON line after each."""
    from pipelines.corpus import drafts
    from pipelines.corpus.engine import Tools
    from pipelines.corpus.sources import open_source
    from pipelines.corpus.steps import registry
    from pipelines.stance.embedding import Embedder
    from pipelines.stance.ruler import Ruler

    paths = Paths(file.parent / "home")
    tools = Tools(paths, ruler=Ruler(Embedder(paths)))
    started = time.perf_counter()
    draft = drafts.create(open_source(str(file)), paths)
    say("import", draft.count, draft.count, time.perf_counter() - started)
    for key in (*registry.CLEANING["posts"], *((*registry.SCORING, "select", "match") if embed else ())):
        started = time.perf_counter()
        draft = drafts.apply(draft, registry.make(key), tools)
        say(key, draft.steps[-1].result.before, draft.steps[-1].result.after, time.perf_counter() - started)


def say(step: str, before: int, after: int, seconds: float) -> None:
    """One step's figures; the peak is that of the whole process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    print(
        json.dumps({"step": step, "rows": before, "dropped": before - after, "seconds": round(seconds, 2), "peak_mb": round(peak)}),
        flush=True,
    )


def one_size(count: int, embed: bool) -> list[dict[str, Any]]:
    """Makes the posts, runs the child and prints its lines as they come."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "posts.jsonl"
        started = time.perf_counter()
        planted = write_posts(file, count)
        print(f"\n{count:,} posts written in {time.perf_counter() - started:.0f} s; planted: {planted}", flush=True)
        command = [sys.executable, "-m", "benchmarks.curation", "--child", str(file), *([] if embed else ["--plain"])]
        lines = []
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                lines.append(one := json.loads(line))
                rate = one["rows"] / max(one["seconds"], 1e-3)
                print(f"  {one['step']:10} {rate:10,.0f} rows/s  {one['dropped']:8,} dropped  peak {one['peak_mb']:6,} MB", flush=True)
        if process.returncode:
            raise SystemExit(f"curation of {count:,} posts failed")
    return lines


def growth(small: list[dict[str, Any]], large: list[dict[str, Any]]) -> dict[str, float]:
    """How many times rows, time and memory grew over the steps that both sizes went through."""
    pairs = list(zip(small, large, strict=False))
    seconds = [sum(pair[side]["seconds"] for pair in pairs) for side in (0, 1)]
    last = pairs[-1]
    return {
        "rows": round(large[0]["rows"] / small[0]["rows"], 1),
        "seconds": round(seconds[1] / seconds[0], 1),
        "memory": round(last[1]["peak_mb"] / last[0]["peak_mb"], 2),
        "mb_per_10000_rows": round((last[1]["peak_mb"] - last[0]["peak_mb"]) / (large[0]["rows"] - small[0]["rows"]) * 10_000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory of curation.")
    parser.add_argument("--rows", type=int, help=f"measure this many posts beside {FIRST:,}; over {EVERYTHING:,} without embedding")
    parser.add_argument("--quick", action="store_true", help="10,000 and 30,000 posts only")
    parser.add_argument("--plain", action="store_true", help="leave out the steps that embed")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return measure(options.child, not options.plain)
    sizes = [FIRST, *([3 * FIRST] if options.quick else [options.rows] if options.rows else [EVERYTHING, PLAIN])]
    found = {count: one_size(count, count <= EVERYTHING and not options.plain) for count in dict.fromkeys(sizes)}
    for count in list(found)[1:]:
        print(f"\nfrom {FIRST:,} to {count:,} posts: {growth(found[FIRST], found[count])}")
    peaks = {f"{count:,}": found[count][-1]["peak_mb"] / 1000 for count in found}
    rates = {f"{count:,}": {one["step"]: round(one["rows"] / max(one["seconds"], 1e-3)) for one in found[count]} for count in found}
    grown = {f"{count:,}": growth(found[FIRST], found[count]) for count in list(found)[1:]}
    goal = f"at most {LIMIT:g} GB resident: {EVERYTHING:,} posts through everything, {PLAIN:,} through the steps that embed nothing"
    report.finish("curation", goal, max(peaks.values()) <= LIMIT, peak_gb=peaks, rows_per_second=rates, growth=grown)
    return None


if __name__ == "__main__":
    main()
