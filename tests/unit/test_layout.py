"""Rows laid end to end: nothing is lost, nothing is twice, and every token is found again."""

import random
from typing import Any

import pytest

from pipelines.tuning.quick.layout import Layout


@pytest.mark.parametrize("seed", range(30))
def test_what_is_laid_out_is_found_again(seed: int) -> None:
    import torch

    draw = random.Random(seed)
    rows = [tuple(draw.choices(range(2), k=draw.randint(2, 8))) for _ in range(draw.randint(1, 4))]
    layout = Layout.of(rows)
    flat = layout.joined([torch.tensor(row) for row in rows])
    assert [(*flat[: layout.shared].tolist(), *flat[start:end].tolist()) for start, end in layout.spans] == rows
    for number, row in enumerate(rows):
        for token, word in enumerate(row):
            assert flat[layout.place(number, token)] == word and layout.positions[layout.place(number, token)] == token
    assert len(layout.positions) == len(flat)


@pytest.mark.parametrize(("rows", "shared"), [([(1, 2, 3)], 0), ([(1, 2, 3), (1, 2, 4)], 2), ([(1, 2), (1, 2)], 1), ([(1, 2), (3, 2)], 0)])
def test_what_all_rows_begin_with_is_there_once_and_every_row_keeps_a_token(rows: Any, shared: int) -> None:
    assert Layout.of(rows).shared == shared
