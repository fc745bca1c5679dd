"""Turns one batch of prompts into tokens: by the lean engine where the model and the machine allow it, else by the library's `generate`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.models import loading, products
from pipelines.models.cores import Cores
from pipelines.models.growing import ends_of
from pipelines.models.lean import llama
from pipelines.models.lean.decoding import Asked, Until, decode
from pipelines.models.loading import Base

ROUNDED_NOTE = ", weights rounded to 16 bits"


@dataclass(frozen=True)
class Engine:
    """A way to answer. `llama` is None for the library's `generate`; `rounded` engines say so in every stamp."""

    llama: llama.Llama | None = None
    rounded: bool = False


@dataclass(frozen=True)
class Engines:
    """What can answer here: `exact` gives the tokens that fp32 gives, `rounded` is the same one where nothing faster is to be had."""

    exact: Engine = field(default_factory=Engine)
    rounded: Engine = field(default_factory=Engine)


@dataclass(frozen=True)
class Batch:
    """What the generating thread needs, and where it leaves its tokens and, if it fails, its error."""

    inputs: Any
    names: list[str]
    seeds: list[int]
    stop: threading.Event
    tokens: Any
    abandoned: threading.Event = field(default_factory=threading.Event)
    failure: list[BaseException] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stop.is_set() or self.abandoned.is_set()


def install(base: Base) -> Engines:
    """Packs the weights of a freshly loaded base where it is one that the lean engine knows, and returns what answers with them.

    Packed weights can only be read.
    """
    base.model.generation_config = _plain(base)
    if llama.why_not(base.model):
        return Engines()  # other families may read a layer's weight where they do not call the layer
    product = products.rounded()
    quick = llama.Llama(base.model, product) if product else None
    if products.install(base.model):
        loading.let_go(base)
    exact = Engine(llama.Llama(base.model))
    return Engines(exact, Engine(quick, rounded=True) if quick else exact)


def run(base: Base, engine: Engine, batch: Batch, sampling: Any, mixes: bool, cores: Cores) -> None:
    """Generates in the worker's thread while the stream, whose turn it is, reads the tokens. `mixes`: adapters are attached."""
    import torch

    try:
        cores.take()
        with torch.inference_mode():
            if engine.llama is None:
                _by_library(base, batch, sampling, mixes)
            else:
                _leanly(base, engine.llama, batch, sampling)
    except BaseException as error:
        batch.failure.append(error)
    finally:
        batch.tokens.end()


def _noise(seeds: Sequence[int], sampling: Any) -> Any:
    from pipelines.models.sampling import SharedNoise

    return SharedNoise(seeds, sampling.temperature, sampling.top_p)


def _leanly(base: Base, engine: llama.Llama, batch: Batch, sampling: Any) -> None:
    asked = Asked(batch.inputs["input_ids"], batch.inputs["attention_mask"], batch.names)
    until = Until(ends_of(base), sampling.max_new_tokens, lambda: batch.over)
    decode(engine, base.model, asked, _noise(batch.seeds, sampling), until, batch.tokens.steps.put)


def _by_library(base: Base, batch: Batch, sampling: Any, mixes: bool) -> None:
    from transformers import LogitsProcessorList, StoppingCriteriaList

    from pipelines.models.sampling import StopWhen

    options = {"adapter_names": batch.names} if mixes else {}
    base.model.generate(
        **batch.inputs,
        **options,
        do_sample=False,
        max_new_tokens=sampling.max_new_tokens,
        logits_processor=LogitsProcessorList([_noise(batch.seeds, sampling)]),
        stopping_criteria=StoppingCriteriaList([StopWhen(lambda: batch.over)]),
        streamer=batch.tokens,
    )


def _plain(base: Base) -> Any:
    """Nothing but where answers end: a base may ship settings, such as a repetition penalty, that no stamp would tell."""
    from transformers import GenerationConfig

    return GenerationConfig(eos_token_id=sorted(ends_of(base)), pad_token_id=base.tokenizer.pad_token_id)
