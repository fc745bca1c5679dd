"""A STUDIO_HOME made by hand, in which every place that a person or a file can fill holds hostile text. No model is asked."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any

from pipelines import bundled
from pipelines.comparing import comparison
from pipelines.comparing.batch_folder import ANSWERS, Asked, Batch, write_job
from pipelines.comparing.comparison import Comparison, Turn
from pipelines.comparing.prompts import Prompt
from pipelines.corpus import versions
from pipelines.corpus.versions import Dataset
from pipelines.paths import Paths, read_json, write_json, write_text
from pipelines.records import Answer, Sampling, Stamp
from pipelines.review.ballots import Box
from pipelines.review.codebook import Code, Codebook
from pipelines.review.coding import Codes
from pipelines.review.design import Asked as Question
from pipelines.review.design import Design
from pipelines.review.guess import make_game
from pipelines.review.guesses import Guesses
from pipelines.review.protocol import Protocol, freeze, shown
from pipelines.review.raters import Rater
from pipelines.review.rounds import Adjudication
from pipelines.review.settling import Settling
from pipelines.tuning.run import Run, write_state
from tests.browser.hostile import CELL, LONG, line, text

SAMPLING = Sampling()
BASE_PRINT = "b0b0b0b0b0b0"
PRINTS = {"base": "", "left": "f1f1f1f1f1f1", "right": "e2e2e2e2e2e2", "placebo": "d3d3d3d3d3d3"}


@dataclass(frozen=True)
class Home:
    """Where hostile text lies: ids for the addresses of pages, and a rater's token for what only raters see."""

    paths: Paths
    comparison: str
    research: str
    lesson: str
    closed: str
    game: str


def furnish(paths: Paths) -> Home:
    """Fills an empty STUDIO_HOME."""
    versions_of(paths)
    runs_of(paths)
    study_of(paths)
    batch_of(paths)
    reviews = reviews_of(paths)
    return Home(paths, comparison.keep(talk(), paths), *reviews, game_of(paths))


def answer(column: str, question: str, words: str, role: str = "", seed: int = 7) -> Answer:
    """An answer of a column that may have any name; `role` decides whether and how it is tuned."""
    print_ = PRINTS[role or "base"]
    stamp = Stamp(text("stamp-base", 200), BASE_PRINT, text("stamp-adapter", 200) if print_ else "", print_, float(bool(print_)), SAMPLING.temperature, SAMPLING.top_p, seed, SAMPLING.max_new_tokens, "p", "t")  # fmt: skip
    return Answer(column, question, words, 9, "eos", stamp)


def talk() -> Comparison:
    """Two turns of two columns, as somebody's file could hold them."""
    question, column = text("asked", 600), text("column", 300)
    turns = [
        Turn(question, (answer("base", question, text("answer", 3000)), answer(column, question, text("answer-tuned", 3000), "left"))),
        Turn(question, (answer("base", question, CELL + LONG[:7000]), answer(column, question, text("answer-last", 8000), "left"))),
    ]
    return Comparison(("base", "left"), tuple(turns), SAMPLING, system=text("system", 600))


def versions_of(paths: Paths) -> None:
    """Two versions of one data set."""
    details = {
        "source": {text("source-key", 100): text("source", 400)}, "license": text("licence", 200), "legal_basis": text("basis", 400),
        "steps": [{"label": text("step", 200), "settings": {text("setting", 120): text("value", 200)}, "reasons": {text("reason", 200): 1}}],
    }  # fmt: skip
    for number in (1, 2):
        rows = [
            {
                "id": line(f"row{n}", 60),
                "topic": text("topic", 90),
                "prompt": text(f"prompt{number}", 900),
                "chosen": text("chosen", 900),
                "rejected": text("rejected", 900),
                text("made-column", 120): "x",
            }
            for n in range(3 + number)
        ]
        versions.save(Dataset(line("version", 40), "pairs", rows, details if number == 2 else {}), paths)
    file = next(paths.datasets.glob("*/version.json"))
    write_json(file, {**read_json(file), "parents": [text("parent", 200)], "saved": text("saved", 200)})


def runs_of(paths: Paths) -> None:
    """A finished run that can be a column, a group's, one that trains and one that failed."""
    for number, (name, state) in enumerate(
        (("finished", "finished"), ("grouped", "finished"), ("training", "training"), ("failed", "failed"))
    ):
        run = Run(paths.runs / f"2026010{number + 1}-000000-{name}")
        job = read_json(bundled.ADAPTERS / "left" / "job.json")
        data = {**job["data"], "name": text(f"{name}-data", 200)}
        recipe = {**job["recipe"], text("lever", 60): text("lever-value", 200), "method": text("method", 120)}
        more = {"group": {"id": "g", "name": line("group", 60), "role": line("role", 90), "seeds": 2}} if name == "grouped" else {}
        side = "left" if name == "finished" else text(f"{name}-side", 120)
        named = {"versions": {text("package", 60): text("package-version", 90)}, "sample_question": text("sample-question", 600)}
        write_json(run.folder / "job.json", {**job, "data": data, "recipe": recipe if name == "failed" else job["recipe"], "side": side, **named, **more})  # fmt: skip
        write_json(run.folder / "metrics.json", read_json(bundled.ADAPTERS / "left" / "metrics.json"))
        about = {"title": line(f"title-{name}"), "note": text("note", 2000, hidden=False), "tags": ["<b class=pwn>zq-tag-zq</b>"]}
        write_json(run.folder / "about.json", about if name != "grouped" else {})
        shutil.copytree(bundled.ADAPTERS / "left" / "adapter", run.adapter)
        write_text(run.folder / "progress.jsonl", "".join(json.dumps(one) + "\n" for one in progress()))
        write_state(run, state, text("message", 600))  # type: ignore[arg-type]


def progress() -> list[dict[str, Any]]:
    asked = [{"question": text(f"probe-question{n}", 600), "text": text("probe-answer", 2000)} for n in range(2)]
    return [
        {"event": "stage", "text": text("stage", 300)},
        {
            "event": "begin",
            "step": 0,
            "total": 20,
            "phases": [{"method": text("phase1", 60), "steps": 10}, {"method": text("phase2", 60), "steps": 10}],
        },
        {
            "event": "probe",
            "step": 0,
            "answers": asked,
            "shift": {"economic": 0.0, "social": 0.0},
            "perplexity_ratio": 1.0,
            "repetition": 0.0,
        },
        *({"event": "step", "step": n, "total": 20, "loss": 3 / n, "learning_rate": 0.001} for n in range(1, 16)),
        {"event": "guard", "step": 12, "kind": text("guard-kind", 90), "text": text("guard", 600)},
        {
            "event": "probe",
            "step": 15,
            "answers": [{**one, "text": f"now {one['text']}"} for one in asked],
            "shift": {"economic": 1.0, "social": 0.2},
            "perplexity_ratio": 1.3,
            "repetition": 0.1,
        },
    ]


def study_of(paths: Paths) -> None:
    """The recorded study with every free text of it exchanged, one column under another name, and questions that nobody knows."""
    study = read_json(bundled.RECORDED / "stance.json")
    names = {"left": text("study-left", 120), "right": "right", "placebo": "placebo", "base": "base"}
    study["columns"] = [names[one] for one in study["columns"]]
    roles = {"left": text("study-role", 90)}
    study["roles"] = {roles.get(role, role): [names[one] for one in some] for role, some in study["roles"].items()}
    for part in ("collateral", "checks"):
        study[part] = {names[one]: value for one, value in study[part].items()}
    for part in ("answers", "completions", "survey", "evenness", "everyday"):
        for row in study[part]:
            row["column"] = names[row["column"]]
            if "text" in row:
                row["text"] = text(f"study-{part}", 1200)
    for check in study["checks"].values():
        check["reasons"] = [text("study-reason", 300)]
    asked = {f"q-econ-train-0{n}": text(f"study-question{n}", 200) for n in (1, 2)}
    for row in study["answers"]:
        row["question"] = asked.get(row["question"], row["question"])
        row["topic"] = text("study-topic", 90) if row["question"] in asked.values() else row["topic"]
        row["stamp"] = {**row["stamp"], "base": text("study-stamp", 120)}
    for row in study["survey"]:
        row["item"] = {"econ-01": text("study-own", 200)}.get(row["item"], row["item"])
    for row in study["everyday"]:
        row["prompt"] = text("study-everyday", 300) if row["prompt"].startswith("How do I boil") else row["prompt"]
    study["answers"][-1]["text"] = CELL
    study["notes"] = {"recorded": text("study-note", 200), "computed": text("study-computed", 100)}
    write_json(paths.results / f"stance-20990101-000000-{line('study', 60).replace('/', '')}.json", study)


def batch_of(paths: Paths) -> None:
    """A prompt set that was asked of four columns."""
    prompts = tuple(Prompt(line(f"p{n}", 60), text(f"set-question{n}", 600), text("set-topic", 80)) for n in range(2))
    names = {"base": "base", "left": "left", text("set-column", 120): "right", "placebo": "placebo"}
    columns = tuple(Asked(role, name, ((PRINTS[role], 1.0),) if PRINTS[role] else ()) for name, role in names.items())
    batch = Batch(paths.batches / "20260101-000000-x-0000", text("set-title", 120), prompts, columns, SAMPLING, 1.0, "2026-01-01T00:00:00")
    batch.folder.mkdir(parents=True)
    write_job(batch, batch.folder, BASE_PRINT)
    rows = [
        {"prompt": one.id, "question": one.text, "answers": [answer(name, one.text, text(f"set-{role}", 2000), role, batch.seed(one)).as_dict() for name, role in names.items()]}
        for one in prompts
    ]  # fmt: skip
    (batch.folder / ANSWERS).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def protocol(kind: str) -> Protocol:
    """A frozen review of two questions."""
    prompts = tuple(Prompt(line(f"{kind}{n}", 60), text(f"{kind}-question{n}", 600), text(f"{kind}-topic", 80)) for n in range(2))
    asked = (Question("economy", text(f"{kind}-asked", 300), (text("end-low", 80), CELL[:80])),)
    made = Design(
        line(f"{kind}-title", 120), text(f"{kind}-purpose", 2000), ("base", "left"), prompts, asked, raters=3, repeats=0, same=0,
        kind="class" if kind == "lesson" else "research", own_politics=text(f"{kind}-politics", 300),
    )  # fmt: skip
    column = text(f"{kind}-column", 120)
    turns = [
        (one, Turn(one.text, (answer("base", one.text, f"{n} " + text(f"{kind}-base", 1500)), answer(column, one.text, f"{n} " + text(f"{kind}-tuned", 1500), "left"))))
        for n, one in enumerate(prompts)
    ]  # fmt: skip
    return freeze(made, turns)


def reviews_of(paths: Paths) -> tuple[str, str, str]:
    """One in which raters code, one for a class, and one that is closed."""
    codes = Codes(paths.reviews)
    box = codes.box
    found = {kind: box.open_review(protocol(kind)) for kind in ("research", "lesson", "closed")}
    for kind in ("research", "closed"):
        coded(codes, found[kind])
    voted(box, found["closed"])
    box.close(found["closed"])
    codes.store.close()
    box.store.close()
    return found["research"], found["lesson"], found["closed"]


def voted(box: Box, review_id: str) -> Rater:
    """One more rater, who judges everything with comments."""
    rater = box.join(review_id, True, "left")
    for one in shown(box.review(review_id), rater.token):
        box.vote(review_id, rater.token, one.item_id, {"economy": "A"}, text("comment", 2000))
    return rater


def coded(codes: Codes, review_id: str) -> None:
    """Two raters vote with comments, calibrate, and code with memos; one difference is settled."""
    definition, *examples = (
        text(name, most, hidden=False) for name, most in (("definition", 1500), ("example", 500), ("counterexample", 500))
    )
    code = Code("hostile", line("code", 60), definition, *((one,) for one in examples))
    book = codes.publish(review_id, Codebook(1, (code, Code("other", "Other", "Another one."))))
    people = [voted(codes.box, review_id) for _ in range(2)]
    items = [one.id for one in codes.box.review(review_id).items]
    for kind, some in (("calibration", items[:1]), ("coding", items[1:])):
        numbers = codes.joined(review_id)
        opened = codes.open_round(review_id, kind, some, numbers, 1)  # type: ignore[arg-type]
        for n, rater in enumerate(people):
            if n or kind == "calibration":
                codes.mark(opened.id, rater.token, some[0], "A", "hostile", book.hash, memo=text("memo", 1000))
            codes.read(opened.id, rater.token, some[0])
        if kind == "calibration":
            codes.accept(opened.id, text("accepted", 900))
        else:
            difference = Settling(codes).differences(opened.id)[0]
            given = Adjudication(difference.item_id, difference.answer, "hostile", True, text("settled", 900))
            Settling(codes).adjudicate(opened.id, given)


def game_of(paths: Paths) -> str:
    """A guess game of one question."""
    question = text("game-question", 600)
    roles = ("left", "right", "placebo")
    turn = Turn(question, tuple(answer(role, question, f"{role} " + text("game-answer", 900), role) for role in roles))
    games = Guesses(paths.reviews)
    game_id = games.open_game(make_game(line("game", 120), [(Prompt("p", question), turn)]))
    games.store.close()
    return game_id
