"""The step that picks the posts a model is to learn from, by one of the strategies of selection.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.selection import COLUMNS, CUTOFF, SIDES, STRATEGIES, WITH_VECTORS, Candidates, choose, said
from pipelines.corpus.shards import VECTOR, Row, Shards
from pipelines.corpus.steps.scoring import score_of
from pipelines.errors import Cancelled, StudioError
from pipelines.records import lever

STRATEGY_HINT = " ".join(f"{key}: {one.sentence[0].lower()}{one.sentence[1:]}" for key, one in STRATEGIES.items())


@dataclass(frozen=True)
class Select:
    """Keeps the picked posts, each with a column `picked_by`; strategy and seed are part of the data set version."""

    strategy: str = lever("random", "Strategy", STRATEGY_HINT, choices=tuple(STRATEGIES))
    side: str = lever("left", "Side", "Which posts may be picked by the sign of their score. both: half from each side.", choices=SIDES)
    count: int = lever(200, "How many posts", "Fewer are picked where there are not enough.", 1, 1_000_000)
    seed: int = lever(1, "Seed", "The same seed picks the same posts again.", 0, 2**31 - 1)
    cutoff: float = lever(CUTOFF, "Cut-off", "For “Above a cut-off” only: the weakest score, to either side, that may be picked.", 0, 10)
    seeds: str = lever(
        "", "Seed statements", "For “Nearest to seed statements” only: one statement a line; posts most like one of them are picked."
    )

    key: ClassVar[str] = "select"
    label: ClassVar[str] = "Select"
    hint: ClassVar[str] = "Picks the posts that the model is to learn from; the others are dropped."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = False

    def start(self, tools: Tools, shards: Shards) -> Work:
        candidates = self.candidates(tools, shards)
        picks = self.pick(candidates, tools)
        if not picks:
            raise StudioError(
                f"“{self.strategy}” finds no post for “{self.side}”.", "Choose another side, a lower cut-off or another strategy."
            )
        tools.progress(0.0, said(candidates, picks, self.strategy, self.side, self.count))
        picked, place = set(picks), iter(range(len(candidates)))
        return lambda rows: [self.one(row, next(place) in picked) for row in rows]

    def candidates(self, tools: Tools, shards: Shards) -> Candidates:
        """The posts with what the strategy looks at; those without an embedding get one only where it is needed."""
        if self.strategy not in WITH_VECTORS:
            return Candidates.from_batches(shards.batches([name for name in COLUMNS if name != VECTOR]))
        return Candidates.from_batches(shards.batches(COLUMNS), tools.ruler.embedder.encode if tools.ruler else None)

    def pick(self, candidates: Candidates, tools: Tools) -> list[int]:
        """Positions of the picked posts. Raises Cancelled where a person stopped it."""

        def tick(share: float) -> None:
            tools.progress(share, f"{self.label}: {share:.0%} picked")
            if tools.cancelled():
                raise Cancelled

        return choose(candidates, self.strategy, self.side, self.count, self.seed, self.cutoff, self.seed_vectors(tools), tick)

    def seed_vectors(self, tools: Tools) -> Any:
        """Embeddings of the seed statements, shape (statements, dimensions); None where the strategy reads none."""
        statements = [line.strip() for line in self.seeds.splitlines() if line.strip()]
        return tools.ruler.embedder.encode(statements) if self.strategy == "seeds" and statements and tools.ruler else None

    def one(self, row: Row, picked: bool) -> Outcome:
        """A kept post, or one that was not selected with its score, or why it could not be."""
        if picked:
            return Outcome({**row, "picked_by": self.strategy})
        score = score_of(row)
        if not score:
            return Outcome(row, "not selected", "no stance")
        other = self.side != "both" and (score < 0) != (self.side == "left")
        return Outcome(row, "not selected", "other side" if other else f"score {score:+.1f}")
