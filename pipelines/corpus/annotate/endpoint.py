"""The annotator that asks a language model behind an OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.corpus.annotate import prompts
from pipelines.corpus.annotate.annotation import Annotation
from pipelines.endpoints.chat import MAX_TOKENS, ChatClient, Estimate, Progress, Reply
from pipelines.errors import Cancel, never


class EndpointAnnotator:
    """Greedy replies to `prompt` (ours where it is empty), read strictly.

    Raises StudioError where the prompt has no place for the post.
    """

    def __init__(self, client: ChatClient, prompt: str = "", max_tokens: int = MAX_TOKENS) -> None:
        self.client, self.max_tokens = client, max_tokens
        self.prompt = prompts.check(prompt.strip() or prompts.ANNOTATION)

    @property
    def name(self) -> str:
        return f"endpoint: {self.client.model}"

    def annotate(self, texts: Sequence[str], cancelled: Cancel = never, progress: Progress = lambda share, words: None) -> list[Annotation]:
        """One annotation a text; unreadable and failed replies say so in `problem`. Raises what `ask_many` raises."""
        asked = [prompts.messages(self.prompt, text) for text in texts]
        return [from_reply(reply) for reply in self.client.ask_many(asked, progress, cancelled, max_tokens=self.max_tokens)]

    def estimate(self, texts: Sequence[str], seconds_per_call: float | None = None, probe: bool = False) -> Estimate:
        """Calls, tokens and seconds before anything starts; `probe` asks a few posts to measure the time."""
        asked = [prompts.messages(self.prompt, text) for text in texts]
        return self.client.estimate(asked, seconds_per_call, probe, max_tokens=self.max_tokens)


def from_reply(reply: Reply) -> Annotation:
    """An Annotation from a reply; a request that failed is a problem of its own."""
    if reply.problem:
        return Annotation(problem=f"request failed: {reply.problem}")
    found = prompts.annotation(reply.text)
    return Annotation(problem=f"{found.problem} (it was cut at the token limit)") if found.problem and reply.cut else found
