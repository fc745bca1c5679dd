"""How much a tuning run computes and keeps: formulas over a base's sizes, a recipe and the lengths of its rows.

Numbers without a source were measured here: torch 2.13, two CPU cores, the embedded model (30 layers, 135 M weights).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

from pipelines.errors import StudioError
from pipelines.models.template import ask, render
from pipelines.records import Pair
from pipelines.tuning import parts
from pipelines.tuning.cost.shapes import Shape
from pipelines.tuning.quick.head import AT_ONCE
from pipelines.tuning.quick.install import PLAIN_HEADS
from pipelines.tuning.recipe import Recipe

SAMPLE = 64
TOKENS_A_WORD, TEMPLATE_TOKENS = 1.4, 20
LIBRARIES = {"cpu": 560_000_000, "cuda": 700_000_000}  # torch, transformers and trl; CUDA's own context (an assumption)
RULER = 340_000_000  # sentence-transformers and its embedder, in main memory
NF4_BYTES = 0.5625  # four bits, and an fp32 scale for every 64 weights (Dettmers et al. 2023); double quantization saves .05 more
LORA_BYTES = 16  # weight, gradient and Adam's two moments in fp32
ANSWER_HEAD, TILE_HEAD = 4, 6  # fp32 copies of the logits at the worst moment: ours; TRL's tiles of 32,768 words and 4,096 tokens
TILE_WORDS, TILE_TOKENS = 32_768, 4_096
RESUME_FOLDERS, RESUME_SHARE = 3, 3  # two kept and one being written; each holds the adapter and two moments


@dataclass(frozen=True)
class Rows:
    """Lengths in tokens of a sample of the rows that fit into max_tokens: with the chosen answer, with the rejected one,
    and of the chosen answer alone. `count` is how many of all rows fit, judged by the sample."""

    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    answers: tuple[int, ...]
    count: int

    def padded(self, method: str) -> tuple[int, ...]:
        """Lengths as a part of a run sees them: preference losses pad both answers to the longer one."""
        return self.chosen if method == "sft" else tuple(map(max, self.chosen, self.rejected))


def measure(pairs: Sequence[Pair], recipe: Recipe, folder: Path | None) -> Rows:
    """Lengths of at most 64 rows, by the tokenizer in `folder`; without one 1.4 tokens a word and 20 for the template.

    Raises StudioError where there are no rows, or none is short enough.
    """
    if not pairs:
        raise StudioError("There are no rows to learn from.", "Choose other data, or another side of it.")
    count = _counter(folder, recipe.template) if folder else _by_words
    sample = random.Random(0).sample(list(pairs), min(SAMPLE, len(pairs)))  # every n-th would meet a pattern in the rows
    lengths = [(count(pair.prompt, pair.chosen), count(pair.prompt, pair.rejected), count("", pair.chosen)) for pair in sample]
    kept = [one for one in lengths if (max(one[:2]) if recipe.prefers else one[0]) <= recipe.max_tokens]
    if not kept:
        raise StudioError(f"Every row is longer than {recipe.max_tokens} tokens.", "Raise max_tokens or use shorter answers.")
    chosen, rejected, answers = zip(*kept, strict=True)
    return Rows(chosen, rejected, answers, max(1, round(len(pairs) * len(kept) / len(sample))))


def _by_words(prompt: str, answer: str) -> int:
    return round(TOKENS_A_WORD * len(f"{prompt} {answer}".split()) + (TEMPLATE_TOKENS if prompt else 0))


@lru_cache(maxsize=4)
def _counter(folder: Path, template: str) -> Callable[[str, str], int]:
    from pipelines.models.loading import load_tokenizer

    tokenizer: Any = load_tokenizer(folder, template)

    def count(prompt: str, answer: str) -> int:
        said = {"role": "assistant", "content": answer}
        text = render(tokenizer, [*ask(prompt), said], for_answer=False) if prompt else answer
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    return count


def batch(recipe: Recipe, rows: Rows, method: str) -> tuple[float, int]:
    """Tokens in one batch with its padding: on average, and at worst."""
    lengths, size = rows.padded(method), min(recipe.batch_size, rows.count)
    groups = [lengths[start : start + size] for start in range(0, max(1, len(lengths) - size + 1), size)]
    sequences = size * (1 if method == "sft" else 2)
    return sequences * fmean(map(max, groups)), sequences * max(lengths)


def tokens_a_step(recipe: Recipe, rows: Rows) -> float:
    """Tokens of an average step without padding, both answers where they are compared: as metrics.json counts them."""
    row = fmean(rows.chosen) + (fmean(rows.rejected) if recipe.prefers else 0)
    return row * recipe.batch_size * recipe.accumulation


def work(recipe: Recipe, shape: Shape, rows: Rows, device: str) -> float:
    """Floating-point operations of all steps.

    A token costs 2 operations a weight forwards and 2 more for the gradients of its activations (Kaplan et al. 2020,
    section 2.1); the base's weights get no gradients, and layers below the lowest adapted one no backward pass. LoRA's
    own weights cost all 6. Gradient checkpointing repeats the forward pass of the upper layers. Preference losses run
    two sequences a row and once more through the base alone: for each row once, computed ahead, where rows are seen again.
    Our own layers (quick/decoder.py) run a row through the lower layers once, as long as it is kept.
    """
    upper = sum(one.inputs * one.outputs for one in shape.upper(recipe))
    lower, again = shape.mapped - upper, upper * (2 if recipe.checkpointing else 1)
    head, total = 2 * shape.hidden * shape.vocabulary, 0.0
    for part in parts.plan(recipe, rows.count):
        tokens = batch(recipe, rows, part.method)[0]
        projected, passes = _projected(recipe, shape, rows, part.method, device, tokens), 2 if _answers_only(shape, device) else 3
        batches, whole = part.steps * recipe.accumulation, math.ceil(rows.count / recipe.batch_size)
        once = min(batches, whole) if own_layers(recipe, shape, device) else batches
        total += once * tokens * 2 * lower + batches * (
            tokens * (2 * upper + 2 * again + 6 * shape.lora(recipe)) + projected * head * passes
        )
        if part.method != "sft":
            total += min(batches, whole) * (tokens * 2 * shape.mapped + projected * head)
    return total


def _answers_only(shape: Shape, device: str) -> bool:
    return device == "cpu" and shape.kind in PLAIN_HEADS


def own_layers(recipe: Recipe, shape: Shape, device: str) -> bool:
    """Whether quick/decoder.py runs the layers of such a base."""
    return device == "cpu" and shape.kind == "llama" and not recipe.checkpointing


def _projected(
    recipe: Recipe, shape: Shape, rows: Rows, method: str, device: str, tokens: float, of: Callable[..., float] = fmean
) -> float:
    """Positions of a batch that the vocabulary head sees: the answers', but all of them in TRL's own losses on a CPU."""
    if device == "cpu" and not _answers_only(shape, device):
        return tokens
    return min(recipe.batch_size, rows.count) * of(rows.answers) * (1 if method == "sft" else 2)


def memory(recipe: Recipe, shape: Shape, rows: Rows, device: str) -> int:
    """Bytes at the worst moment, on the device that trains: libraries + base + LoRA + activations + logits, or while the base is packed.

    For the embedded model it said 2.22 GB where 2.30 GB were used.

    The base takes 4 bytes a weight in fp32 (always so on a CPU) and 2 in bf16; in 4-bit the maps of its blocks take .56.
    """
    size, base = _bytes(recipe, device), _base(recipe, shape, device)
    plan = parts.plan(recipe, rows.count)
    worst = max(_activations(recipe, shape, rows, part.method) * size + _logits(recipe, shape, rows, part.method, device) for part in plan)
    training = shape.lora(recipe) * LORA_BYTES + worst + (RULER if recipe.ruler and device == "cpu" else 0)
    packing = 4 * shape.parameters if own_layers(recipe, shape, device) else 0  # the file is read until all is packed
    return int(LIBRARIES[device] + base + max(training, packing))


def beside_card(recipe: Recipe, shape: Shape) -> int:
    """Bytes of main memory that a run on a graphics card needs: all but a 4-bit base passes through it whole."""
    passing = 0 if recipe.quantize == "4bit" else _base(recipe, shape, "cuda")
    return int(LIBRARIES["cpu"] + (RULER if recipe.ruler else 0) + passing)


def _bytes(recipe: Recipe, device: str) -> int:
    return 4 if device == "cpu" or recipe.precision == "fp32" else 2


def _base(recipe: Recipe, shape: Shape, device: str) -> float:
    """Bytes of the base's weights. Our own layers hold the upper ones and the head in two directions; the embedding is read from the disk."""
    if own_layers(recipe, shape, device):
        upper = sum(one.inputs * one.outputs for one in shape.upper(recipe))
        return 4.0 * (shape.mapped + upper + 2 * shape.hidden * shape.vocabulary)
    quantized = shape.mapped if recipe.quantize == "4bit" and device == "cuda" else 0
    return (shape.parameters - quantized) * _bytes(recipe, device) + quantized * NF4_BYTES


def _activations(recipe: Recipe, shape: Shape, rows: Rows, method: str) -> float:
    """Numbers that the largest batch keeps for its backward pass.

    A layer keeps about as many numbers a token as its linear maps have inputs and outputs together (tests hold this
    against torch's own record), and `rank` for each adapted map; layers below the lowest adapted one keep nothing. With
    gradient checkpointing each layer keeps only its input (Chen et al. 2016), and one layer at a time is whole. Two
    layers' worth more are in use while one is computed.
    """
    upper, tokens = shape.upper(recipe), batch(recipe, rows, method)[1]
    layers = max(1, len({one.layer for one in upper}))
    whole = sum(one.ends for one in upper) + recipe.lora_rank * len(shape.adapted(recipe))
    kept = layers * shape.hidden + whole / layers if recipe.checkpointing else whole
    return tokens * (kept + 2 * whole / layers)


def _logits(recipe: Recipe, shape: Shape, rows: Rows, method: str, device: str) -> float:
    """Bytes of the vocabulary head at the worst moment, fp32.

    Ours (quick/head.py) holds some tokens' logits and their gradients; TRL's works in tiles, of which it holds about six
    on a CPU and one, of half the bytes, on a GPU (kernels/chunked_logprob.py of TRL 1.16).
    """
    positions = _projected(recipe, shape, rows, method, device, batch(recipe, rows, method)[1], max)
    if _answers_only(shape, device):
        return min(positions, AT_ONCE) * shape.vocabulary * 4 * ANSWER_HEAD
    tile = min(positions, TILE_TOKENS) * min(shape.vocabulary, TILE_WORDS) * 4
    return tile * (TILE_HEAD if device == "cpu" else 0.5)


def looks(recipe: Recipe, rows: int) -> int:
    """How often the model is looked at: before the first step, at every k-th (a short run half-way too), and at the end."""
    total = parts.steps(recipe, rows)
    return 2 + (total - 1) // min(recipe.sample_every, max(1, math.ceil(total / 2)))


def disk(recipe: Recipe, shape: Shape, rows: Rows) -> int:
    """Bytes a run writes at most: its adapter (fp32), one for every step that is kept, and what is needed to go on.

    That is the adapter with the optimizer's two moments, three times for a moment: two are kept while one is written.
    """
    kept = parts.steps(recipe, rows.count) // recipe.save_every + looks(recipe, rows.count)
    return shape.lora(recipe) * 4 * (1 + kept + RESUME_FOLDERS * RESUME_SHARE) + 1_000_000
