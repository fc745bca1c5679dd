"""What a run trains with: the base, packed for the training, and the rows that fit into its longest row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.errors import StudioError
from pipelines.models import catalog, prepare
from pipelines.models.loading import Base
from pipelines.models.template import ask, render
from pipelines.paths import Paths
from pipelines.records import Pair
from pipelines.tuning.quick import install as quick
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.training import journal
from pipelines.tuning.training.processes import world_size


@dataclass
class Material:
    """What a run works with once it is loaded."""

    source: catalog.Source
    base: Base
    pairs: list[Pair]
    too_long: int
    tokens_a_row: float


def load(run: Run, recipe: Recipe, paths: Paths) -> Material:
    from pipelines.models.loading import load_base

    source = catalog.find(recipe.base, paths)
    base = load_base(prepare.ensure(source, paths), recipe.precision, recipe.quantize, recipe.template)
    _prepare(base, recipe)
    pairs, too_long, tokens = fitting(run.pairs(), recipe, base.tokenizer)
    if not pairs:
        raise StudioError(
            f"Every row is longer than {recipe.max_tokens} tokens.", "Raise “Longest row” (max_tokens) or use shorter answers."
        )
    return Material(source, base, pairs, too_long, tokens / len(pairs))


def _prepare(base: Base, recipe: Recipe) -> None:
    """Packs the base for one process alone: several share out TRL's own passes, which read its weights."""
    if world_size() == 1:
        quick.prepare(base, recipe.top_layers)


def fitting(pairs: list[Pair], recipe: Recipe, tokenizer: Any) -> tuple[list[Pair], int, int]:
    """The rows that fit into `max_tokens`, how many do not (TRL would drop them silently), and the tokens of those that do."""
    kept, tokens = [], 0
    for pair in pairs:
        answers = (pair.chosen, pair.rejected) if recipe.prefers else (pair.chosen,)
        texts = [render(tokenizer, [*ask(pair.prompt), {"role": "assistant", "content": answer}], for_answer=False) for answer in answers]
        lengths = [len(tokenizer(text, add_special_tokens=False).input_ids) for text in texts]
        if max(lengths) <= recipe.max_tokens:
            kept.append(pair)
            tokens += sum(lengths)
    return kept, len(pairs) - len(kept), tokens


def with_adapter(run: Run, step: int, material: Material, recipe: Recipe) -> Any:
    """A fresh base with the adapter of a step: the same whether or not this process trained it. The old base makes room."""
    import gc

    from peft import PeftModel

    from pipelines.models.loading import load_base

    material.base.model = None
    gc.collect()
    fresh = load_base(material.base.folder, recipe.precision, recipe.quantize, recipe.template)
    _prepare(fresh, recipe)
    return PeftModel.from_pretrained(fresh.model, str(journal.folder_of(run, step)), is_trainable=True)
