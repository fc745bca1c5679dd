"""A STUDIO_HOME with a little of everything that a studio keeps, made by the studio's own writers, without a model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.comparing import batch as batches
from pipelines.comparing import comparison
from pipelines.comparing.batch_folder import ANSWERS
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.corpus import drafts, versions
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import Source
from pipelines.corpus.steps import registry
from pipelines.corpus.versions import Dataset
from pipelines.endpoints.replies import Replies, Reply
from pipelines.models import adapters
from pipelines.paths import Paths, write_json
from pipelines.records import Answer, Column, Pair, Sampling, Stamp
from pipelines.review.ballots import Box
from pipelines.review.raters import Rater
from pipelines.stance import series_file
from pipelines.stance.kept import Kept
from pipelines.stance.series_points import Point, Series
from pipelines.tuning import runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.sharing import exchange
from pipelines.tuning.training import journal
from tests import frozen
from tests.adapter_files import tensors, write_adapter
from tests.measured import measured

ROWS = tuple({"id": str(n), "prompt": f"Why {n}?", "chosen": f"So {n}.", "rejected": f"No {n}."} for n in range(4))
PAIRS = [Pair(f"Why {n}?", f"So {n}.", f"No {n}.", str(n), "") for n in range(4)]
BASE = "b" * 12


@dataclass(frozen=True)
class Home:
    """What was put where. `ballots` is how many were counted; `box` is closed."""

    paths: Paths
    version: Path
    draft: str
    run: Run
    broken_off: Run
    adapter: Path
    link: str
    batch: Path
    series: Path
    study: Path
    review: str
    rater: Rater
    ballots: int

    @property
    def asking(self) -> Path:
        return self.paths.reviews / "asking"

    @property
    def owners(self) -> Path:
        return self.paths.reviews / "owners.json"

    @property
    def database(self) -> Path:
        return self.paths.reviews / "ballots.sqlite"

    @property
    def replies(self) -> Path:
        return self.paths.replies / "replies.sqlite"


def fill(paths: Paths, beside: Path) -> Home:
    """Fills it; `beside` is a folder for what comes from elsewhere."""
    adapter = exchange.bring_in(write_adapter(beside / "from-elsewhere", tensors(5)), paths).folder
    link = comparison.keep(Comparison(("base",), (Turn("Why?", (answer("Why?"),)),), Sampling()), paths)
    Kept(paths.measured).put({"x": 1.5}, "one", "name")
    with Replies(paths.replies) as replies:
        for n in range(20):
            replies.add(f"key-{n}", Reply(f"reply {n}", False))
    review, rater, ballots = voted(paths)
    write_json(paths.reviews / "owners.json", {review: "a" * 64})
    being_asked(paths)
    study = paths.results / "stance-20260102-030405.json"
    write_json(study, measured().as_dict())
    return Home(
        paths, versions.save(Dataset("my rows", "pairs", ROWS), paths), made_draft(paths), trained(paths), interrupted(paths), adapter, link,
        answered(paths), series_file.keep(Series("strength", "left", [point(0.0), point(1.0)]), paths), study, review, rater, ballots,
    )  # fmt: skip


def point(x: float) -> Point:
    shift = {"mean": -x / 10, "low": -0.5, "high": 0.5, "p": 0.5, "n": 24}
    return Point(x, f"left × {x:g}", {"completion": {"both": shift}}, 1.0, [], True)


def answer(question: str, column: str = "base", seed: int = 7, limit: int = 72) -> Answer:
    stamp = Stamp("a base", BASE, "", "", 0.0, 0.3, 0.9, seed, limit, "p" * 12, "t" * 12)
    return Answer(column, question, f"Yes, says {column} with {seed}.", 7, "eos", stamp)


def made_draft(paths: Paths) -> str:
    rows = [{"id": f"p{n}", "text": text} for n, text in enumerate(("Rents are   high", "Rents are high", "Wages are low"))]
    draft = drafts.create(Source("posts.jsonl", lambda notes: iter(rows)), paths)
    for key in ("normalize", "exact"):
        draft = drafts.apply(draft, registry.make(key), Tools(paths))
    return draft.id


def trained(paths: Paths) -> Run:
    """A finished run with the adapter of its last step, and an earlier one."""
    run = runs.write(PAIRS, "left", {"name": "my rows", "kind": "pairs", "hash": "h" * 64}, Recipe(), paths)
    for step, seed in ((10, 1), (20, 2)):
        write_adapter(journal.folder_of(run, step), tensors(seed))
    journal.copy_adapter(journal.folder_of(run, 20), run.adapter, "owner/tiny")
    write_json(run.folder / "metrics.json", {"adapter_fingerprint": adapters.inspect(run.adapter).fingerprint, "kept_step": 20})
    lines = [{"event": "step", "step": step, "loss": 2.0} for step in range(1, 21)]
    (run.folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_state(run, "finished")
    return run


def interrupted(paths: Paths) -> Run:
    """A run that was stopped in the middle, with a whole checkpoint of the trainer and one that was being written."""
    run = runs.write(PAIRS, "right", {"name": "my rows", "kind": "pairs", "hash": "h" * 64}, Recipe(), paths)
    for step, is_whole in ((10, True), (20, False)):
        folder = run.folder / "resume" / "part-1" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "optimizer.pt").write_bytes(b"state %d" % step)
        if is_whole:
            (folder / journal.COMPLETE).touch()
    write_state(run, "interrupted")
    return run


def answered(paths: Paths, count: int = 3) -> Path:
    """A batch whose questions are all answered."""
    prompts = tuple(Prompt(f"q{n}", f"Question {n}?") for n in range(count))
    made = batches.create(PromptSet("own", "Own", prompts), ["base"], [Column("base")], Sampling(), 1.0, paths)
    batches.write_job(made, made.folder, BASE)
    lines = [(one, answer(one.text, seed=made.seed(one), limit=made.sampling.max_new_tokens)) for one in prompts]
    written = [{"prompt": one.id, "question": one.text, "answers": [said.as_dict()]} for one, said in lines]
    (made.folder / ANSWERS).write_text("".join(json.dumps(line) + "\n" for line in written))
    return made.folder


def voted(paths: Paths, raters: int = 4) -> tuple[str, Rater, int]:
    """A review in which everybody has judged everything; its database is closed."""
    box = Box(paths.reviews)
    review = box.open_review(frozen.protocol(6))
    joined = [box.join(review, True) for _ in range(raters)]
    for rater in joined:
        while (one := box.progress(rater.token)[2]) is not None:
            box.vote(review, rater.token, one.item_id, {asked.id: "A" for asked in box.review(review).design.asked})
    ballots = sum(one.ballots for one in box.reviews())
    box.store.close()
    return review, joined[0], ballots


def being_asked(paths: Paths) -> None:
    folder = paths.reviews / "asking"
    own = answered(Paths(folder)).name
    write_json(folder / "job.json", {"design": frozen.design().as_dict(), "mark": "m" * 64, "own": own, "second": "", "created": ""})


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file by name, without locks and what a database makes and takes away beside it."""
    passing = (".lock", "-shm", "-wal")
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and not file.name.endswith(passing)]
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
