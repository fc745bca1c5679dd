"""From posts to preference pairs as in the paper: a language model writes question and answers, and gates judge what it wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pipelines import bundled
from pipelines.corpus.engine import Outcome, Tools, Work
from pipelines.corpus.shards import Row, Shards
from pipelines.corpus.steps.scoring import score_of, side_of
from pipelines.errors import StudioError
from pipelines.records import lever

WORD = re.compile(r"[a-z0-9']+")
PHRASE = 5


@dataclass(frozen=True)
class Synthesize:
    """Asks an endpoint for a question and two answers a post; `chosen` argues the post's side."""

    prompt: str = lever("", "Prompt", "What the model is asked; {text} stands for the post. Empty means the studio's own prompt.")
    ratio: float = lever(1.6, "Largest length ratio", "Longer of the two answers, in words, by the shorter one.", 1, 10)
    copied: float = lever(0.2, "Largest share copied", "Share of the answer's five-word phrases that stand in the post.", 0, 1)
    near: float = lever(0.3, "On topic from", "Least similarity (cosine) of question and answer to the post.", -1, 1)
    apart: float = lever(0.2, "Opposite from", "How far the ruler must place the two answers apart, in the right direction.", 0, 4)

    key: ClassVar[str] = "synthesize"
    label: ClassVar[str] = "Write pairs"
    hint: ClassVar[str] = "A language model writes an instruction, an answer on the post's side and one on the opposite side."
    kinds: ClassVar[tuple[str, ...]] = ("posts",)
    per_row: ClassVar[bool] = True
    makes: ClassVar[str] = "pairs"
    asks_client: ClassVar[bool] = True

    def start(self, tools: Tools, shards: Shards) -> Work:
        from pipelines.corpus.annotate import prompts

        if tools.client is None:
            raise StudioError("No endpoint is set.", "Give its address and model under “Score” first.")
        prompt = prompts.check(self.prompt.strip() or prompts.SYNTHESIS)

        def work(rows: list[Row]) -> list[Outcome]:
            replies = tools.client.ask_many([prompts.messages(prompt, row["text"]) for row in rows], tools.progress, tools.cancelled)
            return [self.one(row, reply, tools.ruler, tools.client.model) for row, reply in zip(rows, replies, strict=True)]

        return work

    def one(self, row: Row, reply: Any, ruler: Any, model: str = "a language model") -> Outcome:
        """One post's pair, or why there is none."""
        from pipelines.corpus.annotate import prompts

        if reply.problem:
            return Outcome(row, "no reply", reply.problem)
        try:
            made = prompts.parse(reply.text, prompts.SynthesisReply)
        except prompts.ParseFailure as failure:
            return Outcome(row, "parse failure", str(failure))
        reason, detail = self.gates(row, made.prompt, made.chosen, made.rejected, ruler)
        if reason:
            return Outcome(row, reason, detail)
        texts = {"prompt": made.prompt, "chosen": made.chosen, "rejected": made.rejected}
        score = score_of(row)
        return Outcome(
            {
                "id": f"pair-{row['id']}",
                "topic": row.get("topic") or "",
                **texts,
                "made": f"written by {model}",
                "chosen_from": row["id"],
                "score": None if score is None else abs(score),
            }
        )

    def gates(self, row: Row, prompt: str, chosen: str, rejected: str, ruler: Any) -> tuple[str, str]:
        """The first gate that a pair fails, with its figure; ("", "") where it passes all."""
        from pipelines.corpus.checks.contents import is_refusal

        counts = sorted((len(chosen.split()), len(rejected.split())))
        share = copied_share(chosen, row["text"])
        if is_refusal(chosen) or is_refusal(rejected):
            return "refusal", ""
        if counts[1] > self.ratio * counts[0]:
            return "too unequal in length", f"{counts[0]} and {counts[1]} words"
        if share > self.copied:
            return "copied from the post", f"{share:.0%} of its phrases"
        return self._meaning(row, prompt, chosen, rejected, ruler)

    def _meaning(self, row: Row, prompt: str, chosen: str, rejected: str, ruler: Any) -> tuple[str, str]:
        """On topic by the embedding; opposite by the ruler, on the axis of the post's topic."""
        post, pair = ruler.embedder.encode([row["text"], f"{prompt} {chosen}"])
        if (near := float(post @ pair)) < self.near:
            return "not on the post's topic", f"similarity {near:.2f}"
        topic = bundled.topics().get(row.get("topic") or "")
        side = side_of(row)
        if topic is None or not side:
            return "", ""
        places = ruler.score([chosen, rejected], [topic.id, topic.id])
        gap = (places[0][topic.axis] - places[1][topic.axis]) * (1 if side == "right" else -1)
        return ("", "") if gap >= self.apart else ("answers not opposite", f"{round(gap, 2) + 0.0:+.2f} apart on the ruler")


def copied_share(answer: str, post: str) -> float:
    """Share of the answer's five-word phrases that also stand in the post; 0 for answers shorter than a phrase."""
    phrases = _phrases(answer)
    return len(phrases & _phrases(post)) / len(phrases) if phrases else 0.0


def _phrases(text: str) -> set[tuple[str, ...]]:
    words: Sequence[str] = WORD.findall(text.lower())
    return {tuple(words[n : n + PHRASE]) for n in range(len(words) - PHRASE + 1)}
