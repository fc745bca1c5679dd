"""Records what a public demo shows at once: the answers of base, left, right and placebo to its questions, at three strengths.

`python -m benchmarks.make_demo`. About five minutes on two cores; what the file holds already of these very adapters is kept, so a
recording that was stopped goes on. To be done anew whenever the bundled adapters were.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from pipelines import bundled
from pipelines.comparing import curated
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.models.attached import inspected, stamped
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import Column, Sampling


def columns(strength: float) -> list[Column]:
    return [Column("base"), *(Column(name, bundled.ADAPTERS / name, strength) for name in bundled.BUNDLED_SIDES)]


def answered(host: ModelHost, question: str) -> list[Comparison]:
    """One question at every strength, its columns together in one batch as a visitor's are."""
    made = []
    for strength in curated.STRENGTHS:
        answers = host.answer_all([Row(column, ask(question), Sampling().seed) for column in columns(strength)], Sampling())
        made.append(Comparison(curated.KEYS, (Turn(question, tuple(answers)),), Sampling(), strength))
    return made


def kept(file: Path, base: str) -> dict[str, list[Comparison]]:
    """What was recorded of this base and these adapters, by question."""
    now = [stamped([(one.fingerprint, strength) for one, strength in inspected(column)])[0] for column in columns(1.0)]
    found: dict[str, list[Comparison]] = {}
    for one in map(Comparison.from_dict, read_json(file)) if file.is_file() else ():
        stamps = [answer.stamp for answer in one.last.answers]
        if [stamp.adapter_fingerprint for stamp in stamps] == now and {stamp.weights for stamp in stamps} == {base}:
            found.setdefault(one.last.question, []).append(one)
    return {question: all_of_it for question, all_of_it in found.items() if len(all_of_it) == len(curated.STRENGTHS)}


def main() -> None:
    """Writes the file anew after every question; ends with one JSON line."""
    start, host = time.monotonic(), ModelHost(Paths.from_environment())
    done = kept(curated.FILE, host.load().fingerprint)
    for question in curated.questions():
        done.setdefault(question.text, [])
        if not done[question.text]:
            done[question.text] = answered(host, question.text)
            print(f"[{time.monotonic() - start:4.0f} s] {question.text}", flush=True)
        write_json(curated.FILE, [one.as_dict() for question in curated.questions() for one in done.get(question.text, [])])
    answers = sum(len(one.last.answers) for group in done.values() for one in group)
    print(json.dumps({"questions": len(done), "answers": answers, "kilobytes": round(curated.FILE.stat().st_size / 1e3)}))


if __name__ == "__main__":
    main()
