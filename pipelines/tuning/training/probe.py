"""A short look at the model while it is being tuned: sample answers, the ruler, and signs of damage.

The questions are the development ones, never the confirmation ones; one greedy answer each, ten an axis: enough to
watch, too few to claim anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from pipelines import bundled
from pipelines.models.loading import Base
from pipelines.models.scoring import log_likelihoods
from pipelines.models.template import ask, render
from pipelines.records import AXES, Pair
from pipelines.stance.collateral import repetition_4
from pipelines.stance.ruler import Ruler
from pipelines.stance.statistics import shift
from pipelines.tuning.recipe import Recipe

EVERYDAY_TEXTS, TRAINING_ROWS = 6, 4
Scores = list[float]


class Probe:
    """Looks at one model again and again, in the same way. `look` may be called with the model being trained."""

    def __init__(self, base: Base, recipe: Recipe, pairs: Sequence[Pair], own_question: str, ruler: Ruler | None) -> None:
        self.base, self.tokens, self.ruler = base, recipe.sample_tokens, ruler
        self.fixed = bundled.questions("development")
        self.asked = [own_question, *(question.text for question in self.fixed)]
        self.pairs = list(pairs)[:: max(1, len(pairs) // TRAINING_ROWS)][:TRAINING_ROWS]
        self.first_scores: Scores | None = None
        self.first_perplexity: float | None = None

    def look(self, model: Any, step: int) -> dict[str, Any]:
        """One probe event. Log-probabilities are mean nats a token; shifts are the ruler's, against the first look, with 95% intervals."""
        was_training = model.training
        base = replace(self.base, model=model.eval())
        answers = self._answers(base)
        chosen, rejected = (self._likelihood(base, [getattr(pair, kind) for pair in self.pairs]) for kind in ("chosen", "rejected"))
        perplexity = self._perplexity(base)
        model.train(was_training)
        self.first_perplexity = self.first_perplexity or perplexity
        return {
            "event": "probe",
            "step": step,
            "answers": [{"question": question, "text": text} for question, text in zip(self.asked, answers, strict=True)],
            **self._placed(answers[1:]),
            "perplexity": round(perplexity, 4),
            "perplexity_ratio": round(perplexity / self.first_perplexity, 4),
            "repetition": round(fmean(map(repetition_4, answers)), 4),
            "chosen": round(chosen, 4),
            "rejected": round(rejected, 4),
        }

    def remember(self, first: dict[str, Any]) -> None:
        """Takes an earlier process's first look as the start, where a run goes on."""
        self.first_scores, self.first_perplexity = first.get("scores"), first["perplexity"]

    def _answers(self, base: Base) -> list[str]:
        import torch

        texts = [render(base.tokenizer, ask(question)) for question in self.asked]
        base.tokenizer.padding_side = "left"
        inputs = base.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(base.model.device)
        with torch.inference_mode():
            made = base.model.generate(**inputs, max_new_tokens=self.tokens, do_sample=False, use_cache=True)
        answers = made[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in base.tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def _likelihood(self, base: Base, answers: Sequence[str]) -> float:
        prefixes = [render(base.tokenizer, ask(pair.prompt)) for pair in self.pairs]
        scores = log_likelihoods(base, list(zip(prefixes, answers, strict=True)), None, len(self.pairs))
        return sum(total for total, _ in scores) / max(1, sum(count for _, count in scores))

    def _perplexity(self, base: Base) -> float:
        texts = [(render(base.tokenizer, ask(question)), answer) for question, answer in bundled.everyday()[:EVERYDAY_TEXTS]]
        scores = log_likelihoods(base, texts, None, EVERYDAY_TEXTS)
        mean = -sum(total for total, _ in scores) / sum(count for _, count in scores)
        return math.exp(min(mean, 50.0)) if mean == mean else math.nan

    def _placed(self, answers: Sequence[str]) -> dict[str, Any]:
        """The ruler's scores of the fixed questions' answers, each on its own axis, and the mean shift by axis."""
        if self.ruler is None:
            return {"shift": None}
        placed = self.ruler.score(answers, [question.topic for question in self.fixed])
        scores = [score[question.axis] for score, question in zip(placed, self.fixed, strict=True)]
        if self.first_scores is None:
            self.first_scores = scores
            return {"shift": None, "scores": [round(score, 4) for score in scores]}
        moved = [(q.axis, now - before) for q, now, before in zip(self.fixed, scores, self.first_scores, strict=True)]
        by_axis = {axis: shift([d for a, d in moved if a == axis]) for axis in AXES}
        return {
            "shift": {axis: round(one.mean, 4) for axis, one in by_axis.items()},
            "interval": {axis: [round(one.low, 4), round(one.high, 4)] for axis, one in by_axis.items()},
            "scores": [round(score, 4) for score in scores],
        }
