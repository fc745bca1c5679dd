"""Batches: what is asked, what is kept, what going on asks again, and what is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.comparing import batch as batches
from pipelines.comparing.batch import QUESTIONS_A_BATCH, Batch
from pipelines.comparing.batch_folder import ANSWERS, JOB, working
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.errors import StudioError
from pipelines.models import adapters
from pipelines.models.growing import Row
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import Answer, Column, Sampling, Stamp
from tests.adapter_files import tensors, write_adapter

PROMPTS = PromptSet("own", "Own questions", tuple(Prompt(f"p{n}", f"Question {n}?", "rent") for n in range(10)))
SAMPLING = Sampling(max_new_tokens=8, seed=5)


class FakeHost:
    """Answers with what it was asked, remembers all rows, and does something before it gives the answers of a call."""

    def __init__(self, base: str = "b" * 12, before: Callable[[int], None] = lambda call: None) -> None:
        self.fingerprint, self.before, self.calls = base, before, list[list[Row]]()

    def load(self, _progress: Any = None) -> Any:
        return SimpleNamespace(fingerprint=self.fingerprint)

    def answer_all(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        self.calls.append(list(rows))
        self.before(len(self.calls))
        return [self.answer(row, sampling, "stopped" if stop.is_set() else "eos") for row in rows]

    def answer(self, row: Row, sampling: Sampling, finished: str) -> Answer:
        prints = [(adapters.inspect(folder).fingerprint, strength) for folder, strength in row.column.parts]
        print_ = prints[0][0] if len(prints) == 1 else "+".join(f"{one}*{strength:g}" for one, strength in prints)
        settings = "+".join(adapters.settings_hash(adapters.inspect(folder)) for folder, _ in row.column.parts)
        strength = 0.0 if row.column.is_base else 1.0 if row.column.also else row.column.strength
        stamp = Stamp("tiny", self.fingerprint, "", print_, strength, sampling.temperature, sampling.top_p, row.seed, sampling.max_new_tokens, "p", "t", settings)  # fmt: skip
        question = row.messages[-1]["content"]
        return Answer(row.column.name, question, f"{row.column.name} on {question} {row.seed}", 3, finished, stamp)

    @property
    def asked(self) -> list[str]:
        """The questions in the order in which they were asked, each once."""
        return list(dict.fromkeys(row.messages[-1]["content"] for rows in self.calls for row in rows))


@pytest.fixture
def columns(tmp_path: Path) -> list[Column]:
    left, right = (write_adapter(tmp_path / name, tensors(seed)) for seed, name in enumerate(("left", "right")))
    return [Column("base"), Column("left", left, 0.5), Column("blend", left, 0.5, ((right, -1.0),))]


KEYS = ["base", "left", "left*0.5+right*-1"]


@pytest.fixture
def made(paths: Paths, columns: list[Column]) -> Batch:
    return batches.create(PROMPTS, KEYS, columns, SAMPLING, 0.5, paths)


def quiet(_fraction: float, _text: str) -> None:
    pass


def run(batch: Batch, columns: Sequence[Column], host: FakeHost, stop: threading.Event | None = None) -> Batch:
    return batches.run(batch, columns, host, quiet, stop or threading.Event())


def stopped_after(call: int, batch: Batch, columns: Sequence[Column]) -> FakeHost:
    """Runs a batch whose stop signal is set while its call of that number is answered."""
    stop = threading.Event()
    host = FakeHost(before=lambda number: stop.set() if number == call else None)
    run(batch, columns, host, stop)
    return host


def lines(batch: Batch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (batch.folder / ANSWERS).read_text(encoding="utf-8").splitlines()]


def put_lines(batch: Batch, values: Sequence[Any]) -> None:
    (batch.folder / ANSWERS).write_text("".join(json.dumps(one) + "\n" for one in values), encoding="utf-8")


def test_a_new_batch_waits_and_its_folder_says_what_is_asked_of_whom(made: Batch, columns: list[Column], paths: Paths) -> None:
    assert (made.state, made.answered, made.turns(), made.title) == ("waiting", 0, [], "Own questions")
    job = read_json(made.folder / JOB)
    print_ = adapters.inspect(columns[1].adapter).fingerprint  # type: ignore[arg-type]
    assert (
        job["columns"][1] == {"key": "left", "name": "left", "parts": [[print_, 0.5]], "settings": "d5b8b45b"}
        and len(job["columns"][2]["parts"]) == 2
    )
    assert job["sampling"]["seed"] == 5 and job["strength"] == 0.5 and job["base_fingerprint"] == "" and str(paths.root) not in str(job)
    assert batches.find(made.id, paths) == made and made.keys == tuple(KEYS)


def test_every_question_is_asked_of_every_column_with_a_seed_that_all_columns_share(made: Batch, columns: list[Column]) -> None:
    host = FakeHost()
    done = run(made, columns, host)
    assert [len(rows) for rows in host.calls] == [12, 12, 6] and QUESTIONS_A_BATCH == 4
    seeds: dict[str, set[int]] = {}
    for row in (row for rows in host.calls for row in rows):
        seeds.setdefault(row.messages[-1]["content"], set()).add(row.seed)
    assert all(len(own) == 1 for own in seeds.values()) and len(set().union(*seeds.values())) == 10
    assert done.state == "finished" and [prompt for prompt, _ in done.turns()] == list(PROMPTS.prompts)
    assert [answer.column for answer in done.turns()[3][1].answers] == ["base", "left", "blend"]
    assert made.base_fingerprint == "b" * 12


def test_another_seed_gives_other_seeds_to_the_questions(made: Batch) -> None:
    other = replace(made, sampling=replace(SAMPLING, seed=6))
    assert made.seed(PROMPTS.prompts[0]) != other.seed(PROMPTS.prompts[0])


def test_a_finished_batch_asks_nothing_again(made: Batch, columns: list[Column]) -> None:
    run(made, columns, FakeHost())
    again = FakeHost()
    assert run(made, columns, again).state == "finished" and again.calls == []


def test_progress_tells_how_many_are_answered_and_how_long_it_takes(made: Batch, columns: list[Column]) -> None:
    said: list[tuple[float, str]] = []
    batches.run(made, columns, FakeHost(), lambda *report: said.append(report), threading.Event())
    assert [share for share, _ in said] == pytest.approx([0, 0.4, 0.8, 1])
    assert said[1][1].startswith("4 of 10 questions answered, about ") and said[1][1].endswith(" left")
    assert said[-1][1] == "10 of 10 questions answered"


def test_stopping_keeps_what_was_answered_but_not_the_interrupted_questions(made: Batch, columns: list[Column]) -> None:
    stopped_after(2, made, columns)
    assert (made.state, made.answered) == ("stopped", 4)
    assert all(answer.finished == "eos" for _, turn in made.turns() for answer in turn.answers)


def test_going_on_asks_only_what_is_missing_and_gives_what_never_stopping_would(made: Batch, columns: list[Column], paths: Paths) -> None:
    stopped_after(2, made, columns)
    host = FakeHost()
    assert run(made, columns, host).state == "finished"
    assert host.asked == [f"Question {n}?" for n in range(4, 10)] and [len(rows) for rows in host.calls] == [12, 6]
    whole = batches.create(PROMPTS, KEYS, columns, SAMPLING, 0.5, paths)
    assert run(whole, columns, FakeHost()).turns() == made.turns()


def test_a_stop_before_the_first_answer_leaves_a_stopped_batch(made: Batch, columns: list[Column]) -> None:
    stop, host = threading.Event(), FakeHost()
    stop.set()
    assert run(made, columns, host, stop).state == "stopped" and host.calls == []


def test_a_failure_keeps_what_was_answered(made: Batch, columns: list[Column]) -> None:
    def fail(call: int) -> None:
        if call == 2:
            raise StudioError("The adapter is gone.")

    with pytest.raises(StudioError, match="gone"):
        run(made, columns, FakeHost(before=fail))
    assert (made.state, made.answered) == ("stopped", 4)


def test_half_a_line_is_dropped_and_its_question_asked_again(made: Batch, columns: list[Column]) -> None:
    run(made, columns, FakeHost())
    file = made.folder / ANSWERS
    file.write_bytes(file.read_bytes()[:-30])
    assert (made.state, made.answered, len(made.turns())) == ("stopped", 9, 9)
    host = FakeHost()
    assert run(made, columns, host).state == "finished"
    assert host.asked == ["Question 9?"] and len(lines(made)) == 10


def change_text(value: dict[str, Any]) -> None:
    value["answers"][1]["text"] = "Another word."


def swap_columns(value: dict[str, Any]) -> None:
    value["answers"].reverse()


def take_seal(value: dict[str, Any]) -> None:
    value["answers"][0]["seal"] = ""


def another_prompt(value: dict[str, Any]) -> None:
    value["prompt"] = "p9"


def unknown_prompt(value: dict[str, Any]) -> None:
    value["prompt"] = "p77"


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (change_text, "do not belong together"),
        (swap_columns, "other columns or another question"),
        (take_seal, "no seal"),
        (another_prompt, "another question"),
        (unknown_prompt, "damaged"),
    ],
)
def test_a_line_that_was_changed_is_refused_by_its_number(
    made: Batch, columns: list[Column], damage: Callable[[dict[str, Any]], None], part: str
) -> None:
    run(made, columns, FakeHost())
    values = lines(made)
    damage(values[2])
    put_lines(made, values)
    with pytest.raises(StudioError, match=rf"Line 3 of .*{part}"):
        made.turns()
    host = FakeHost()
    with pytest.raises(StudioError, match="Line 3"):
        run(made, columns, host)
    assert host.calls == []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"base_fingerprint": "c" * 12}, "another base"),
        ({"adapter_fingerprint": "c" * 12}, "another adapter"),
        ({"strength": 1.5}, "another adapter"),
        ({"max_new_tokens": 9}, "other sampling"),
        ({"seed": 9}, "other sampling"),
    ],
)
def test_sealed_answers_of_another_batch_are_refused(made: Batch, columns: list[Column], change: dict[str, Any], part: str) -> None:
    run(made, columns, FakeHost())
    values = lines(made)
    sealed = Answer.from_dict(values[0]["answers"][1])
    values[0]["answers"][1] = replace(sealed, stamp=replace(sealed.stamp, **change)).as_dict()
    put_lines(made, values)
    with pytest.raises(StudioError, match=rf"Line 1 of .*“left” was answered .*{part.split()[-1]}"):
        made.turns()


def test_a_whole_line_that_is_no_json_is_refused_by_its_number(made: Batch, columns: list[Column]) -> None:
    run(made, columns, FakeHost())
    put_lines(made, ["text", *lines(made)[1:]])
    with pytest.raises(StudioError, match="Line 1 of .*It is damaged"):
        made.turns()


def test_other_columns_than_the_batch_was_begun_with_are_refused_by_name(made: Batch, columns: list[Column], tmp_path: Path) -> None:
    stopped_after(2, made, columns)
    host = FakeHost()
    base, left, blend = columns
    retrained = write_adapter(tmp_path / "retrained", tensors(7))
    for others, part in (
        ([base, left], "begun with 3 columns, now there are 2"),
        ([base, blend, left], "begun with “left” where “blend” is now"),
        ([base, replace(left, strength=1.0), blend], "“left” has another strength"),
        ([base, replace(left, adapter=retrained), blend], "“left” has other weights"),
        ([base, left, replace(blend, also=((retrained, -1.0),))], "“blend” has other weights"),
    ):
        with pytest.raises(StudioError, match=part):
            run(made, others, host)
    assert host.calls == [] and made.answered == 4


def test_another_base_than_the_batch_was_begun_with_is_refused(made: Batch, columns: list[Column]) -> None:
    stopped_after(2, made, columns)
    host = FakeHost(base="c" * 12)
    with pytest.raises(StudioError, match="another base"):
        run(made, columns, host)
    assert host.calls == [] and made.base_fingerprint == "b" * 12


def test_answers_that_are_not_the_batchs_own_are_never_written(made: Batch, columns: list[Column]) -> None:
    host = FakeHost()
    host.load = lambda _=None: SimpleNamespace(fingerprint="c" * 12)  # type: ignore[method-assign]
    with pytest.raises(StudioError, match="another base"):
        run(made, columns, host)
    assert made.answered == 0


def test_a_batch_runs_only_while_its_lock_is_held_and_one_writer_at_a_time(
    made: Batch, columns: list[Column], monkeypatch: pytest.MonkeyPatch, paths: Paths
) -> None:
    monkeypatch.setattr("pipelines.comparing.batch_folder.TAKE_SECONDS", 0.1)
    seen: list[str] = []

    def look(_call: int) -> None:
        seen.append(made.state)
        with pytest.raises(StudioError, match="already"):
            run(made, columns, FakeHost())
        with pytest.raises(StudioError, match="already"):
            batches.delete(made.id, paths)

    assert run(made, columns, FakeHost(before=look)).state == "finished"
    assert set(seen) == {"running"}


def test_many_that_look_at_once_do_not_take_each_other_for_a_writer(made: Batch) -> None:
    with working(made.folder):
        assert made.state == "running"
    seen: list[str] = []
    lookers = [threading.Thread(target=lambda: seen.extend(made.state for _ in range(20))) for _ in range(4)]
    for one in lookers:
        one.start()
    for one in lookers:
        one.join()
    assert set(seen) == {"waiting"} and len(seen) == 80


def test_batches_are_listed_newest_first_and_damaged_folders_are_left_out(paths: Paths, columns: list[Column]) -> None:
    assert batches.list_batches(paths) == []
    made = [batches.create(PROMPTS, KEYS, columns, SAMPLING, 1.0, paths, title) for title in ("One", "Two", "Three")]
    for name, content in (("bad-json", "{"), ("bad-shape", "[]"), ("bad-levers", json.dumps({"sampling": {"seed": -1}}))):
        (paths.batches / name).mkdir()
        (paths.batches / name / JOB).write_text(content)
    (paths.batches / "empty").mkdir()
    assert [one.title for one in batches.list_batches(paths)] == ["Three", "Two", "One"]
    (made[1].folder / JOB).unlink()
    assert [one.title for one in batches.list_batches(paths)] == ["Three", "One"]
    assert made[1].state == "waiting" and made[1].base_fingerprint == ""


def test_batches_are_deleted_also_damaged_ones_and_nothing_else_is(made: Batch, paths: Paths) -> None:
    write_json(made.folder / JOB, [])
    with pytest.raises(StudioError, match="damaged"):
        batches.find(made.id, paths)
    batches.delete(made.id, paths)
    assert list(paths.batches.iterdir()) == []
    paths.runs.mkdir(parents=True)
    for name in (made.id, "", ".", "..", "../runs", "a\x00", "x" * 5000):
        with pytest.raises(StudioError, match="no batch"):
            batches.delete(name, paths)
    assert paths.runs.is_dir()


def test_a_deleted_batch_is_not_made_again_by_going_on(made: Batch, columns: list[Column], paths: Paths) -> None:
    batches.delete(made.id, paths)
    with pytest.raises(StudioError, match="not here any more"):
        run(made, columns, FakeHost())
    assert made.state == "waiting" and not made.folder.exists()


@pytest.mark.parametrize(
    ("prompts", "count", "strength", "part"),
    [
        (replace(PROMPTS, prompts=()), 3, 1.0, "0 questions"),
        (replace(PROMPTS, prompts=PROMPTS.prompts * 51), 3, 1.0, "510 questions"),
        (replace(PROMPTS, prompts=PROMPTS.prompts[:1] * 2), 3, 1.0, "same id"),
        (PROMPTS, 0, 1.0, "0 columns"),
        (PROMPTS, 7, 1.0, "7 columns"),
        (PROMPTS, 3, 2.5, "out of range"),
        (PROMPTS, 3, float("nan"), "out of range"),
    ],
)
def test_what_can_not_be_asked_is_refused_before_anything_is_written(
    paths: Paths, prompts: PromptSet, count: int, strength: float, part: str
) -> None:
    some = [Column(f"base {n}") for n in range(count)]
    with pytest.raises(StudioError, match=part):
        batches.create(prompts, [one.name for one in some], some, SAMPLING, strength, paths)
    assert not paths.batches.exists()


def test_two_columns_of_one_name_and_adapters_that_are_none_are_refused(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="same name"):
        batches.create(PROMPTS, ["a", "b"], [Column("base"), Column("base")], SAMPLING, 1.0, paths)
    with pytest.raises(StudioError, match="holds no adapter_config"):
        batches.create(PROMPTS, ["a"], [Column("a", tmp_path)], SAMPLING, 1.0, paths)


def test_a_full_disk_is_said_and_the_batch_goes_on_later(made: Batch, columns: list[Column], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(StudioError, match="No space left"):
            run(made, columns, FakeHost())
    assert run(made, columns, FakeHost()).state == "finished" and len(lines(made)) == 10
