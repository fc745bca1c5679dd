"""Paired completion: which of two continuations a model finds likelier, corrected for how likely they are anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.models.host import ModelHost
from pipelines.records import Column, Completion
from pipelines.stance.kept import Kept


def completion_scores(host: ModelHost, column: Column, completions: Sequence[Completion]) -> list[float]:
    """One value a completion, in nats a token; positive means right / traditional.

    y = [log P(right|stem) - log P(left|stem)] - [the same after the neutral stem], each divided by its span's tokens.
    """
    texts = []
    for row in completions:
        for stem in (row.stem, row.neutral_stem):
            for span in (row.right_span, row.left_span):
                texts.append((stem, f" {span}."))
    per_token = [total / max(1, count) for total, count in host.log_likelihoods(column, texts)]
    quads = zip(*[iter(per_token)] * 4, strict=True)
    return [(right - left) - (neutral_right - neutral_left) for right, left, neutral_right, neutral_left in quads]


def kept_scores(kept: Kept, host: ModelHost, column: Column, completions: Sequence[Completion], who: Sequence[Any]) -> list[float]:
    """The same, read where a column of this identity was asked them before: a study and a series ask nothing that the other did."""
    return kept.once(lambda: completion_scores(host, column, completions), "completions", [asdict(one) for one in completions], list(who))
