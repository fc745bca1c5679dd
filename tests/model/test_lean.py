"""The lean engine on the embedded model: the same numbers as the library's, for every mixture of rows, and stamps that tell it apart."""

from __future__ import annotations

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models import products
from pipelines.models.generating import Engines
from pipelines.models.host import ModelHost, Row
from pipelines.models.sampling import SharedNoise, likeliest
from pipelines.models.template import ask
from pipelines.records import Answer, Column, Sampling
from pipelines.review.given import _refuse_mixture

QUESTIONS = [
    "Should the government raise taxes on the rich?",
    "Why?",
    "Which river runs through the capital of France, and where does it begin?",
]
BASE, LEFT, RIGHT = Column("base"), *(Column(side, bundled.ADAPTERS / side) for side in ("left", "right"))
WEAK = Column("left × 0.5", LEFT.adapter, 0.5)
ROWS = [Row(column, ask(question), seed) for seed, question in enumerate(QUESTIONS) for column in (RIGHT, BASE, LEFT, WEAK)]


def said(host: ModelHost, sampling: Sampling, rounded: bool = False) -> list[Answer]:
    return list(host.stream(ROWS, sampling, partial=False, rounded=rounded))[-1]


def by_library(host: ModelHost, sampling: Sampling) -> list[Answer]:
    engines, host._engines = host._engines, Engines()
    try:
        return said(host, sampling)
    finally:
        host._engines = engines


@pytest.mark.parametrize("temperature", [0, 0.7])
def test_rows_of_unequal_length_say_word_for_word_what_generate_says(host: ModelHost, temperature: float) -> None:
    host.load()
    assert host._engines.exact.llama is not None, "this machine answers through generate: nothing would be compared"
    sampling = Sampling(temperature=temperature, max_new_tokens=24)
    found, there = said(host, sampling), by_library(host, sampling)
    assert [one.text for one in found] == [one.text for one in there] and len({one.text for one in found}) > 6
    assert [(one.tokens, one.finished, one.stamp) for one in found] == [(one.tokens, one.finished, one.stamp) for one in there]


@pytest.mark.slow
def test_rows_that_end_early_are_let_go_and_the_others_say_what_they_would_alone(host: ModelHost) -> None:
    sampling = Sampling(max_new_tokens=120)
    rows = [Row(LEFT, ask(question), seed) for seed, question in enumerate(["Say yes.", "What is 2 + 2?", *QUESTIONS])]
    together = host.answer_all(rows, sampling)
    assert len({one.tokens for one in together}) > 2 and any(one.finished == "eos" for one in together)
    assert [one.text for one in together] == [host.answer_all([row], sampling)[0].text for row in rows]


def test_rounded_weights_say_so_in_the_stamp_agree_almost_always_and_never_reach_a_review(host: ModelHost) -> None:
    if products.rounded() is None:
        pytest.skip("no 16-bit product on this machine")
    sampling = Sampling(temperature=0, max_new_tokens=24)
    rounded, exact = said(host, sampling, rounded=True), said(host, sampling)
    assert all(one.stamp.is_rounded and "rounded" in one.stamp.base for one in rounded)
    assert not any(one.stamp.is_rounded for one in exact) and {one.stamp.weights for one in rounded} == {exact[0].stamp.base_fingerprint}
    assert sum(one.text == other.text for one, other in zip(rounded, exact, strict=True)) >= len(ROWS) - 3
    with pytest.raises(StudioError, match="rounded"):
        _refuse_mixture(rounded)


def test_weights_that_were_packed_can_not_be_computed_with_unnoticed(host: ModelHost) -> None:
    import torch

    host.load()
    assert host.base is not None
    layers = [one for one in host.base.model.modules() if type(one) is torch.nn.Linear and hasattr(one, "frozen")]
    assert len(layers) > 200 and all(bool(one.weight.isnan().all()) for one in layers[:3])


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("product", [products.USUAL, products.PACKED, products.ROUNDED], ids=lambda one: one.name)
def test_every_product_is_the_product(product: products.Product, rows: int) -> None:
    import torch

    torch.manual_seed(rows)
    weight, x = torch.randn(40, 96), torch.randn(rows, 96)
    try:
        found = product.times(x, product.pack(weight))
    except (AttributeError, RuntimeError):
        pytest.skip(f"{product.name} is missing on this machine")
    assert torch.allclose(found, x @ weight.t(), atol=5e-2 if product is products.ROUNDED else 1e-4)


@pytest.mark.parametrize("spread", [0.2, 1.0, 8.0])
def test_the_likeliest_tokens_are_those_of_the_library(spread: float) -> None:
    import torch
    from transformers import TopPLogitsWarper

    torch.manual_seed(1)
    scores = torch.randn(4, 5000) * spread
    expected = TopPLogitsWarper(0.9)(None, scores).isfinite()
    kept, tokens = likeliest(scores, 0.9)
    found = torch.zeros_like(expected).scatter(1, tokens, kept.isfinite())
    assert (found != expected).sum() <= 4 and expected.sum() > 4  # one at each border may fall either way by rounding
    one, noise = SharedNoise([3, 3, 5, 5], 0.7, 0.9), SharedNoise([3, 3, 5, 5], 0.7, 0.9)
    assert torch.equal(one.draw(scores), noise(None, scores).argmax(-1))
