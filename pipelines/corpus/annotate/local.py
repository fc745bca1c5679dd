"""The annotator that asks a transformers model in this process, with the same prompt and the same strict reading."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pipelines.corpus.annotate import prompts
from pipelines.corpus.annotate.annotation import Annotation
from pipelines.corpus.engine import Progress
from pipelines.errors import Cancel, never, refuse_if
from pipelines.models.host import MAX_PROMPT_TOKENS, ModelHost, Row
from pipelines.models.template import Message, render
from pipelines.records import Column, Sampling

BATCH = 4
GREEDY = Sampling(temperature=0.0, max_new_tokens=120)
NO_JUDGE = (
    "The embedded model (SmolLM2-135M) is no judge. Of twelve plain posts it annotated none in a readable form; with an easier prompt that "
    "shows an example it gave nine readable replies, and all nine were a copy of the example. It is offered here to show how a model is "
    "asked; for scores to work with choose the offline rules, an endpoint with a model of several billion parameters, or people."
)


class LocalAnnotator:
    """Greedy answers of the host's base model to `prompt` (ours where it is empty), four posts at once.

    Raises StudioError where the prompt has no place for the post.
    """

    def __init__(self, host: ModelHost, prompt: str = "") -> None:
        self.host = host
        self.prompt = prompts.check(prompt.strip() or prompts.ANNOTATION)

    @property
    def name(self) -> str:
        return f"local: {self.host.title}"

    def annotate(self, texts: Sequence[str], cancelled: Cancel = never, progress: Progress = lambda share, words: None) -> list[Annotation]:
        """One annotation a text. Raises Cancelled, and StudioError where the model can't be loaded."""
        asked = [prompts.messages(self.prompt, text) for text in texts]
        fitting = [number for number, messages in enumerate(asked) if self._fits(messages)]
        found = [Annotation(problem="request failed: the post is too long for this model")] * len(texts)
        stop = _Asking(cancelled)
        for start in range(0, len(fitting), BATCH):
            some = fitting[start : start + BATCH]
            answers = self.host.answer_all([Row(Column("base"), asked[number], 0) for number in some], GREEDY, stop)
            refuse_if(cancelled)
            for number, answer in zip(some, answers, strict=True):
                found[number] = prompts.annotation(answer.text)
            progress((start + len(some)) / len(fitting), f"{start + len(some)} of {len(fitting)} posts read by the local model")
        return found

    def _fits(self, messages: list[Message]) -> bool:
        tokenizer = self.host.load().tokenizer
        return len(tokenizer(render(tokenizer, messages), add_special_tokens=False).input_ids) <= MAX_PROMPT_TOKENS


class _Asking(threading.Event):
    """An event that is set as soon as `cancelled` says so, for those who look at events."""

    def __init__(self, cancelled: Cancel) -> None:
        super().__init__()
        self._cancelled = cancelled

    def is_set(self) -> bool:
        return self._cancelled()
