"""How well the default steps do on the bundled posts, against our own labels: `python -m benchmarks.labels`, under a minute.

The rules for spam and the offline scores were improved while looking at these very posts, so what is printed is no
estimate for other posts. Precision: how many of the dropped posts were meant; recall: how many of those meant were dropped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import report
from pipelines.corpus import drafts, labels
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import open_source
from pipelines.corpus.steps.registry import CLEANING, SCORING
from pipelines.paths import Paths
from pipelines.stance.embedding import Embedder
from pipelines.stance.ruler import Ruler

GOAL = "language, length and near duplicates: precision and recall at least .95; sides agree in at least .62 (guessing: .50)"
PLAIN = ("Language", "Length", "Near duplicates")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        draft = drafts.create(open_source("bundled-posts"), paths)
        draft = drafts.apply_all(draft, (*CLEANING["posts"], *SCORING), Tools(paths, Ruler(Embedder(paths))))
        scores, sides = {one.step: one for one in labels.of_steps(draft)}, labels.of_sides(draft)
    assert sides is not None
    right, total = sides.agreement
    for one in scores.values():
        print(f"{one.step:20} dropped {one.dropped:3}, meant {one.there:3}, right {one.right:3}")
    print(f"sides agree in {right} of {total}, topics in {sides.topics_right} of {sides.topics}")
    steps = {
        name: {"precision": one.precision, "recall": one.recall, "dropped": one.dropped, "meant": one.there} for name, one in scores.items()
    }
    holds = all(min(scores[name].precision or 0, scores[name].recall or 0) >= 0.95 for name in PLAIN) and right / total >= 0.62
    report.finish(
        "labels", GOAL, holds, steps=steps, sides={"agree": right, "of": total}, topics={"agree": sides.topics_right, "of": sides.topics}
    )


if __name__ == "__main__":
    main()
