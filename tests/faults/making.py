"""Things that a studio has called finished, made in milliseconds: a review with ballots, a version, a run, a batch, a measurement."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.comparing import batch as batches
from pipelines.comparing import comparison as comparisons
from pipelines.comparing.batch import Batch
from pipelines.comparing.comparison import Comparison
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.corpus import drafts, versions
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources.source import Source
from pipelines.corpus.steps import registry
from pipelines.corpus.steps.hand import edit
from pipelines.corpus.versions import Dataset
from pipelines.models import adapters
from pipelines.paths import Paths, file_hash, write_json
from pipelines.records import Column, Sampling
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
from pipelines.review.store import FILE
from pipelines.stance import measuring
from pipelines.stance.kept import Kept
from pipelines.stance.plan import planned
from pipelines.stance.study import Study
from pipelines.tuning.run import Run
from tests import adapter_files, frozen, handmade
from tests.faults.fault import Scene, digest
from tests.unit.test_batch import FakeHost
from tests.unit.test_measuring import RULER, Host

ALL_A = {"economy": "A", "social": "A", "writing": "A"}
TEXTS = ("Rents must fall", "no, no, no", "Ask @mia_k about taxes", "rents must fall!", "Wages should rise", "no way at all")
QUESTIONS = PromptSet("own", "Own questions", tuple(Prompt(f"p{n}", f"Question {n}?", "rent") for n in range(10)))
PROTOCOL = frozen.protocol(20, raters=30)
SAMPLING = Sampling(max_new_tokens=8, seed=5)


@dataclass
class Review:
    """A review with one rater, whose browser presses as a person does."""

    paths: Paths
    box: Box
    id: str
    token: str
    receipt: str
    voted: int = 0

    def press(self, comment: str = "") -> str:
        """Votes on the next pair as the page does; the page that comes back."""
        from studio.tabs.reviews import taking
        from studio.tabs.reviews.visitor import Act, Kept

        kept = Kept({self.id: self.token}, {}, self.id)
        return taking.answer(self.box, kept, Act("vote", self.id, self.next_item(), ALL_A, comment))[0]

    def next_item(self) -> str:
        """The pair that this rater judges next, by a count of the rater's own: the database may be unreadable."""
        self.voted += 1
        return shown(PROTOCOL, self.token)[self.voted - 1].item_id

    def counts(self) -> bool:
        """Whether one more vote is called counted and is there."""
        before = len(ballots(self.paths))
        return "Counted" in self.press() and len(ballots(self.paths)) == before + 1


def review(scene: Scene, votes: int = 3, clock: Any = None) -> Review:
    """A review with some ballots, none of which may be lost."""
    box = Box(scene.paths.reviews, **({"clock": clock} if clock else {}))
    review_id = box.open_review(PROTOCOL)
    rater = box.join(review_id, True)
    made = Review(scene.paths, box, review_id, rater.token, rater.receipt)
    for number in range(votes):
        assert "Counted" in made.press(f"remark {number}")
    return made


def ballots(paths: Paths) -> dict[tuple[int, str], tuple[str, str]]:
    """Every ballot in the database, read by a connection of its own; {} where there is no file."""
    if not (paths.reviews / FILE).is_file():
        return {}
    connection = sqlite3.connect(f"file:{paths.reviews / FILE}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT rater_number, item_id, votes, comment FROM ballots").fetchall()
    finally:
        connection.close()
    return {(number, item): (votes, comment) for number, item, votes, comment in rows}


def confirm_ballots(scene: Scene, out_of_reach: bool = False) -> None:
    """From now on none of these ballots may be missing or changed; new ones may come."""
    there = ballots(scene.paths)

    def look() -> Any:
        now = ballots(scene.paths)
        return {key: now.get(key) for key in there}

    scene.confirm(f"{len(there)} ballots", look, out_of_reach)


def draft(paths: Paths, texts: tuple[str, ...] = TEXTS) -> Draft:
    """Posts that were opened and went through one step."""
    rows = [{"id": f"p{number}", "text": text} for number, text in enumerate(texts)]
    opened = drafts.create(Source("My posts.jsonl", lambda notes: iter(rows)), paths)
    return drafts.apply(opened, registry.make("exact"), Tools(paths))


def starred(opened: Draft, row_id: str, paths: Paths) -> Draft:
    """One change by hand more."""
    return drafts.change(opened, [edit(row_id, "star", True)], Tools(paths))


def pairs(name: str = "My pairs", count: int = 6) -> Dataset:
    rows = [{"id": f"r{n}", "prompt": f"Question {n}?", "chosen": f"Yes, {n}.", "rejected": f"No, {n}."} for n in range(count)]
    return Dataset(name, "pairs", tuple(rows))


def version(scene: Scene, name: str = "My pairs") -> Path:
    """A saved version, of which no byte may change."""
    folder = versions.save(pairs(name), scene.paths)
    scene.confirm(f"the version {name}", lambda: digest(folder))
    return folder


def run(scene: Scene, name: str = "run-1", seed: int = 0, confirmed: bool = True, **changes: Any) -> Run:
    """A finished run with an adapter that passes the gate."""
    folder = scene.paths.runs / name
    made = adapter_files.write_run(folder, handmade.JOB | changes, seed=seed)
    print_ = file_hash(made.adapter / adapters.WEIGHTS)[:12]
    write_json(folder / "metrics.json", {**made.metrics, "adapter_fingerprint": print_})
    handmade.write_state(made, "finished")
    handmade.progress(made, handmade.step(1, 3.5), handmade.step(2, 2.5))
    if confirmed:
        scene.confirm(f"the finished run {name}", lambda: digest(folder))
    return made


def columns(scene: Scene) -> list[Column]:
    folder = scene.folder / "left"
    return [Column("base"), Column("left", folder if folder.exists() else adapter_files.write_adapter(folder), 0.5)]


def batch(scene: Scene) -> Batch:
    """A batch of ten questions that waits to be asked."""
    return batches.create(QUESTIONS, ["base", "left"], columns(scene), SAMPLING, 0.5, scene.paths)


def ask_batch(scene: Scene, made: Batch, stop_after: int = 99) -> FakeHost:
    """Asks a batch, or as much of it as `stop_after` calls of the model answer."""
    stop = threading.Event()
    host = FakeHost(before=lambda number: stop.set() if number == stop_after else None)
    batches.run(made, columns(scene), host, lambda share, text: None, stop)
    return host


def rows_of(made: Batch) -> tuple[bytes, ...]:
    """The answered questions, as they lie on the disk."""
    file = made.folder / batches.ANSWERS
    return tuple(file.read_bytes().split(b"\n")[:-1]) if file.is_file() else ()


def comparison(paths: Paths) -> Comparison:
    """A comparison that is kept for a link."""
    design = frozen.design(1)
    ((_, turn),) = frozen.turns(design)
    made = Comparison(design.keys, (turn,), SAMPLING)
    comparisons.keep(made, paths)
    return made


def measure(paths: Paths, host: Host, **more: Any) -> Study:
    """A quick measurement of two columns by a model that answers at once; what it answered is kept."""
    plan = planned((Column("base"), Column("left", Path("left"))), "quick")
    return measuring.run(plan, host, RULER, kept=Kept(paths.measured), **more)  # type: ignore[arg-type]
