"""Carries a plan out: every instrument in turn, each column's share kept, so that a stopped or repeated measurement asks nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any

from pipelines import bundled
from pipelines.models.host import ModelHost, Row
from pipelines.models.labels import Unaskable
from pipelines.models.template import ask
from pipelines.records import Answer, Column, Question
from pipelines.stance import collateral, evenness, everyday, generated, survey
from pipelines.stance.completion import kept_scores
from pipelines.stance.kept import Kept
from pipelines.stance.paired import Progress, refuse_if
from pipelines.stance.plan import MANNER_SAMPLING, QUESTIONS_A_BATCH, Plan
from pipelines.stance.ruler import Ruler
from pipelines.stance.study import Study, seed_of

Answered = tuple[Question, int, Answer]


def run(
    plan: Plan,
    host: ModelHost,
    ruler: Ruler,
    progress: Progress = lambda fraction, text: None,
    stop: threading.Event | None = None,
    kept: Kept | None = None,
) -> Study:
    """Asks, scores and measures; `progress` hears the share done. Raises StudioError where it was stopped half-way."""
    start = time.monotonic()
    work = Work(plan, host, progress, stop or threading.Event(), kept or Kept())
    answers = work.answers()
    work.told("questions")(1.0, "Scoring the answers with the ruler")
    records = scored(answers, ruler)
    completions = work.each("completions", "Paired completions", lambda column, told: work.completions(column))
    surveyed, notes = work.questionnaire()
    damage = work.each("collateral", "What else changed", lambda column, told: work.collateral(column, answers))
    evenly = work.together("askings", evenness.measure, plan.askings, MANNER_SAMPLING) if plan.askings else []
    daily = work.together("everyday", everyday.measure, plan.everyday, MANNER_SAMPLING) if plan.everyday else []
    said = work.together("generated", generated.measure, plan.items, plan.sampling) if plan.generated else []
    progress(1.0, "Done")
    checks = {name: one["check"] for name, one in surveyed.items()}
    return Study(
        columns=[column.name for column in plan.columns],
        answers=records,
        completions=[row for rows in completions.values() for row in rows],
        collateral={name: one | {"label_mass": checks[name]["label_mass"] if name in checks else None} for name, one in damage.items()},
        validity=ruler.validity.as_dict(),
        sampling=asdict(plan.sampling),
        seconds=time.monotonic() - start,
        roles=plan.roles,
        survey=[row for one in surveyed.values() for row in one["rows"]],
        checks=checks,
        evenness=evenly,
        everyday=everyday.scored(daily, ruler),
        generated=said,
        protocol=plan.protocol,
        notes=notes,
    )


def _within(told: Progress, before: float, share: float, words: str, fraction: float, text: str) -> None:
    """Progress inside a share of a part."""
    told(before + share * fraction, f"{words}, {text}")


@dataclass
class Work:
    """One measurement under way."""

    plan: Plan
    host: ModelHost
    progress: Progress
    stop: threading.Event
    kept: Kept

    @cached_property
    def identities(self) -> dict[str, list[Any]]:
        """By column all that its answers depend on."""
        return {column.name: self.host.identity(column) for column in self.plan.columns}

    def told(self, part: str) -> Progress:
        """Progress of one part as progress of the whole, by the seconds that each is expected to take."""
        seconds = self.plan.seconds
        names = list(seconds)
        before, total = sum(seconds[name] for name in names[: names.index(part)]), sum(seconds.values())
        return lambda fraction, text: self.progress((before + fraction * seconds[part]) / total, text)

    def each(self, part: str, words: str, measure: Callable[[Column, Progress], Any]) -> dict[str, Any]:
        """What `measure` gives for every column, one after another; it may tell how far it is."""
        told, count, found = self.told(part), len(self.plan.columns), {}
        for number, column in enumerate(self.plan.columns):
            told(number / count, f"{words}: {column.name}")
            refuse_if(self.stop)
            inside = partial(_within, told, number / count, 1 / count, f"{words}: {column.name}")
            found[column.name] = measure(column, inside)
        return found

    def questionnaire(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What every column answered, and notes: why it was not asked where the model's tokenizer can't tell the labels apart."""
        if not self.plan.items:
            return {}, {}
        try:
            return self.each("survey", "Questionnaire", self.surveyed), {}
        except Unaskable as error:
            return {}, {"survey": f"The questionnaire was left out. {error}"}

    def together(self, part: str, measure: Callable[..., list[dict[str, Any]]], asked: Any, sampling: Any) -> list[dict[str, Any]]:
        """Rows of all columns from an instrument that asks them in mixed batches; of those that were kept nothing is asked."""
        words = [asdict(one) for one in asked] if isinstance(asked, tuple) else [prompt for prompt, _ in bundled.everyday()[:asked]]
        what = [part, words, asdict(sampling), *([generated.PROMPT] if part == "generated" else [])]
        found = {name: self.kept.find(*what, identity) for name, identity in self.identities.items()}
        missing = [column for column in self.plan.columns if found[column.name] is None]
        if missing:
            rows = measure(self.host, missing, asked, sampling, self.told(part), self.stop)
            refuse_if(self.stop)
            for column in missing:
                own = [row for row in rows if row["column"] == column.name]
                found[column.name] = self.kept.put(own, *what, self.identities[column.name])
        return [row | {"column": column.name} for column in self.plan.columns for row in found[column.name]]

    def completions(self, column: Column) -> list[dict[str, Any]]:
        asked = self.plan.completions
        if not asked:
            return []
        values = kept_scores(self.kept, self.host, column, asked, self.identities[column.name])
        about = [{"completion": one.id, "axis": one.axis, "topic": one.topic, "column": column.name} for one in asked]
        return [one | {"value": value} for one, value in zip(about, values, strict=True)]

    def surveyed(self, column: Column, told: Progress) -> dict[str, Any]:
        score = survey.scorer(self.host, column, self.kept, self.identities[column.name], told, self.stop)
        return asdict(survey.measure(score, column.name, self.plan.items, bundled.items("sanity"), self.plan.forms))

    def collateral(self, column: Column, answers: Sequence[Answered]) -> dict[str, Any]:
        own = [answer for _, _, answer in answers if answer.column == column.name]
        asked = [bundled.everyday(), [asdict(one) for one in bundled.items("sanity")]]
        names = [[one.text, one.finished] for one in own], asked, self.identities[column.name]
        return self.kept.once(lambda: collateral.measure(self.host, column, own).as_dict(), "collateral", *names)

    def answers(self) -> list[Answered]:
        """All answers to the open questions, a question's columns and samples in one batch with seeds that the columns share."""
        told, parts, count = self.told("questions"), self.plan.together, len(self.plan.questions)
        found: list[Answered] = []
        for part, columns in enumerate(parts):
            where = f" by {len(columns)} of {len(self.plan.columns)} columns" if len(parts) > 1 else ""
            for first in range(0, count, QUESTIONS_A_BATCH):
                some = self.plan.questions[first : first + QUESTIONS_A_BATCH]
                found += self._asked(some, columns)
                told(
                    (part + min(count, first + len(some)) / count) / len(parts),
                    f"{min(count, first + len(some))} of {count} questions{where}",
                )
        return found

    def _asked(self, questions: Sequence[Question], columns: Sequence[Column]) -> list[Answered]:
        """Answers to some questions, those that were kept as they were, the others from one batch."""
        slots = [(question, sample, column) for question in questions for sample in range(self.plan.samples) for column in columns]
        known = {slot: self.kept.find(*self._names(*slot)) for slot in slots}
        missing = [slot for slot in slots if known[slot] is None]
        if missing:
            sampling = self.plan.sampling
            rows = [Row(column, ask(question.text), seed_of(sampling.seed, question.id, sample)) for question, sample, column in missing]
            answered = self.host.answer_all(rows, sampling, self.stop)
            refuse_if(self.stop)
            for slot, answer in zip(missing, answered, strict=True):
                known[slot] = self.kept.put(answer.as_dict(), *self._names(*slot))
        return [(question, sample, _named(known[question, sample, column], column)) for question, sample, column in slots]

    def _names(self, question: Question, sample: int, column: Column) -> list[Any]:
        return ["answer", question.id, question.text, sample, asdict(self.plan.sampling), self.identities[column.name]]


def _named(value: dict[str, Any], column: Column) -> Answer:
    """A kept answer under the name that its column has in this study."""
    answer = Answer.from_dict(value)
    if answer.column == column.name:
        return answer
    bare = {name: one for name, one in value.items() if name != "seal"}
    return Answer.from_dict({**bare, "column": column.name, "stamp": {**bare["stamp"], "adapter": column.name if column.adapter else ""}})


def scored(answers: Sequence[Answered], ruler: Ruler) -> list[dict[str, Any]]:
    """Answers as a study keeps them, with the ruler's scores on both axes; a question's topic is never in the fit that scores it."""
    scores = ruler.score([a.text for _, _, a in answers], [q.topic for q, _, _ in answers])
    return [
        {
            "question": q.id,
            "axis": q.axis,
            "topic": q.topic,
            "topic_split": q.topic_split,
            "half": q.half,
            "sample": sample,
            "column": a.column,
            "text": a.text,
            "finished": a.finished,
            "tokens": a.tokens,
            "economic": round(score["economic"], 4),
            "social": round(score["social"], 4),
            "stamp": asdict(a.stamp),
        }
        for (q, sample, a), score in zip(answers, scores, strict=True)
    ]
