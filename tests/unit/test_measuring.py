"""A measurement on a host that answers at once: every instrument is used, nothing is asked twice, and stopping loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.host import Row
from pipelines.models.labels import LabelScore, Unaskable
from pipelines.records import Answer, Column, Question, Stamp
from pipelines.stance import measuring
from pipelines.stance.kept import Kept
from pipelines.stance.plan import PROFILES, Plan, planned, spread
from pipelines.stance.study import Study

STAMP = Stamp("b", "f", "", "", 0.0, 0.3, 0.9, 1, 64, "p", "t")
COLUMNS = (Column("base"), Column("left", Path("l")), Column("right", Path("r")))
RULER: Any = SimpleNamespace(
    score=lambda texts, topics=None: [{"economic": 0.1 * len(text), "social": 0.0} for text in texts],
    validity=SimpleNamespace(as_dict=lambda: {"measures_stance": False}),
)


class Host:
    """Answers with the column's name; counts what it was asked."""

    def __init__(self) -> None:
        self.batches: list[list[Row]] = []
        self.read = 0

    def load(self) -> Any:
        return SimpleNamespace(tokenizer=SimpleNamespace(bos_token="<s>"))

    def chat_prefix(self, question: str) -> str:
        return question

    def identity(self, column: Column) -> list[Any]:
        return ["base", str(column.adapter), column.strength]

    def answer_all(self, rows: Sequence[Row], sampling: Any, stop: threading.Event | None = None) -> list[Answer]:
        self.batches.append(list(rows))
        return [Answer(row.column.name, row.messages[0]["content"], f"{row.column.name} {row.seed}", 1, "eos", STAMP) for row in rows]

    def log_likelihoods(self, column: Column, items: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        self.read += len(items)
        return [(-float(len(text)), 2) for _, text in items]

    def label_scores(self, column: Column, questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LabelScore]:
        self.read += len(questions)
        return [LabelScore(np.log(0.3), np.log(0.2)) for _ in questions]


def measured(host: Host, plan: Plan | None = None, **more: Any) -> Study:
    return measuring.run(plan or planned(COLUMNS, "quick"), host, RULER, **more)  # type: ignore[arg-type]


def test_a_profile_uses_every_instrument_as_often_as_it_says() -> None:
    found = measured(Host(), planned(COLUMNS, "full", generated=True))
    size = PROFILES["full"]
    assert len(found.answers) == 3 * 40 * 3 and len(found.completions) == 3 * 48 and len(found.survey) == 3 * 60
    assert len(found.evenness) == 3 * 2 * size.askings and len(found.everyday) == 3 * 20 and len(found.generated) == 3 * 2 * 60
    assert set(found.checks) == set(found.collateral) == {"base", "left", "right"}
    assert found.collateral["left"]["label_mass"] == pytest.approx(0.5), "the questionnaire's label mass stands with what else changed"
    assert Study.from_dict(found.as_dict()) == found


def test_what_was_answered_is_not_asked_again_also_under_another_name(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    first = measured(Host(), kept=kept)
    again = Host()
    second = measured(again, kept=kept)
    assert again.batches == [] and again.read == 0 and second.answers == first.answers and second.survey == first.survey
    other = Host()
    renamed = measured(other, planned((Column("base"), Column("lefty", Path("l"))), "quick"), kept=kept)
    assert other.batches == [] and {row["column"] for row in [*renamed.answers, *renamed.survey]} == {"base", "lefty"}
    stronger = Host()
    measured(stronger, planned((Column("base"), Column("left", Path("l"), 0.5)), "quick"), kept=kept)
    assert {row.column.name for rows in stronger.batches for row in rows} == {"left"}, (
        "another strength is another column; the base is kept"
    )


def test_a_quick_look_and_the_full_measurement_share_what_they_can(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    measured(Host(), kept=kept)
    host = Host()
    measured(host, planned(COLUMNS, "full"), kept=kept)
    asked = [(row.messages[0]["content"], row.column.name) for rows in host.batches for row in rows]
    quick = {question.text for question in planned(COLUMNS, "quick").questions}
    assert sum(text in quick for text, _ in asked) == 12 * 3 * 2, "of those questions only the second and third answers"


def test_a_stopped_measurement_goes_on_from_where_it_was(tmp_path: Path) -> None:
    kept, stop, host = Kept(tmp_path), threading.Event(), Host()

    def told(fraction: float, text: str) -> None:
        if text.startswith("6 of 12"):
            stop.set()

    with pytest.raises(StudioError, match="What was answered is kept"):
        measured(host, progress=told, stop=stop, kept=kept)
    assert 0 < len(host.batches) < 6
    rest = Host()
    assert len(measured(rest, kept=kept).answers) == 36
    assert len(host.batches) + len(rest.batches) == 6 + 1, "the batch during which it was stopped is asked again"


def test_a_damaged_kept_file_counts_as_none(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    measured(Host(), kept=kept)
    for file in tmp_path.glob("*/*.json"):
        file.write_text("{", encoding="utf-8")
    host = Host()
    measured(host, kept=kept)
    assert len(host.batches) == 6 and host.read > 0


def test_a_model_that_can_not_tell_the_labels_apart_is_measured_without_the_questionnaire() -> None:
    class Blank(Host):
        def label_scores(self, column: Column, questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LabelScore]:
            raise Unaskable("For this model “Agree” and “Disagree” do not begin with tokens of their own.")

    found = measured(Blank())
    assert not found.survey and not found.checks and "left out" in found.notes["survey"]
    assert len(found.answers) == 36 and found.collateral["left"]["label_mass"] is None


def test_a_questionnaire_tells_how_far_it_is_and_can_be_stopped_between_forms(tmp_path: Path) -> None:
    heard: list[str] = []
    stop = threading.Event()

    def told(fraction: float, text: str) -> None:
        heard.append(text)
        if text == "Questionnaire: left, 1 of 2 forms":
            stop.set()

    with pytest.raises(StudioError, match="What was answered is kept"):
        measured(Host(), progress=told, stop=stop, kept=Kept(tmp_path))
    assert "Questionnaire: base, 2 of 2 forms" in heard and "Questionnaire: left, 2 of 2 forms" not in heard


def test_progress_only_grows_and_ends_at_the_whole() -> None:
    heard: list[float] = []
    measured(Host(), planned(COLUMNS, "full"), progress=lambda fraction, text: heard.append(fraction))
    assert heard == sorted(heard) and heard[0] < 0.1 and heard[-1] == 1.0


def test_the_protocol_is_named_by_all_that_is_asked() -> None:
    plans = [planned(COLUMNS, "quick"), planned(COLUMNS, "full"), planned(COLUMNS, "robust"), planned(COLUMNS, "full", half="development")]
    assert len({plan.protocol["hash"] for plan in plans}) == 4
    assert planned(COLUMNS[:2], "full").protocol == plans[1].protocol, "whoever is asked"
    with pytest.raises(StudioError, match="no profile"):
        planned(COLUMNS, "huge")


def test_a_quick_profile_is_spread_over_axes_keys_topics_and_halves() -> None:
    plan = planned(COLUMNS, "quick")
    assert sorted((item.axis, item.key) for item in plan.items) == sorted(
        [("economic", 1), ("economic", -1), ("social", 1), ("social", -1)] * 5
    )
    cells = [(one.axis, one.topic_split, one.half) for one in plan.questions]
    assert len(cells) == 12 and [cell[0] for cell in cells].count("social") == 6 and len(set(cells)) == 8
    assert spread("aabbb", 3, lambda letter: letter) == ("a", "a", "b") and spread("ab", 9, lambda letter: letter) == ("a", "b")


def test_more_adapters_than_the_host_holds_are_asked_in_parts_with_the_base_in_the_first() -> None:
    tuned = [Column(f"left (seed {n})", Path(str(n))) for n in range(10)]
    questions = tuple(Question(f"q{n}", "economic", "t", "train", "development", f"Question {n}?") for n in range(3))
    plan = Plan((*tuned[:3], Column("base"), *tuned[3:]), questions, samples=2)
    assert [[column.name for column in part] for part in plan.together] == [
        ["base", *(column.name for column in tuned[:8])],
        [column.name for column in tuned[8:]],
    ]
    host = Host()
    answers = measured(host, plan).answers
    assert [len({row.column.name for row in rows}) for rows in host.batches] == [9, 9, 2, 2]
    asked = [(answer["question"], answer["sample"], answer["column"]) for answer in answers]
    assert len(asked) == len(set(asked)) == 3 * 2 * 11
    seeds = {(row.messages[0]["content"], row.seed) for rows in host.batches for row in rows}
    assert len(seeds) == 3 * 2, "all columns share the seeds, in whichever part they are asked"


def test_the_expected_time_grows_with_columns_and_with_the_profile() -> None:
    def seconds(columns: int, profile: str) -> float:
        return sum(planned((COLUMNS[0], *(Column(str(n), Path(str(n))) for n in range(columns))), profile).seconds.values())

    assert seconds(1, "quick") < seconds(3, "quick") < seconds(3, "full") < seconds(12, "full") < seconds(12, "robust")
    assert bundled.questions()
