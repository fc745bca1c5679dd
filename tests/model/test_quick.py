"""The quick passes of training against TRL's own: the same losses, gradients and figures, on the same batches."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus.versions import Dataset
from pipelines.models.loading import load_base
from pipelines.tuning import parts
from pipelines.tuning.quick import install
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.training import engines

ROWS = tuple(
    {"id": f"r{n}", "prompt": f"Should {n} be{' more' * (n % 3)}?", "chosen": f"Yes, {'so ' * n}good.", "rejected": f"No, {n} is bad."}
    for n in range(8)
)
PAIRS = Dataset("numbers", "pairs", ROWS).pairs("chosen")
TOLERANCE = 1e-4


def made(tiny: Path, folder: Path, recipe: Recipe, prepared: bool) -> Any:
    """A trainer whose adapter is not at its start, where half of all gradients are zero."""
    import torch

    base = load_base(tiny)
    if prepared:
        install.prepare(base, recipe.top_layers)
    part = parts.plan(recipe, len(PAIRS))[0]
    trainer = engines.build(recipe, part, base.model, base.tokenizer, PAIRS, folder, [])
    torch.manual_seed(3)
    for name, parameter in sorted(trainer.model.named_parameters()):
        if parameter.requires_grad:
            assert "lora" in name
            parameter.data.normal_(std=0.1)
    return trainer


def passed(trainer: Any, batches: int = 2) -> tuple[list[float], dict[str, Any]]:
    """Losses and added-up gradients by name; the second batch is the first one again, so that what was kept is used."""
    batch = next(iter(trainer.get_train_dataloader()))
    losses = []
    for _ in range(batches):
        loss = trainer.compute_loss(trainer.model, dict(batch))
        loss.backward()
        losses.append(loss.item())
    return losses, {name: one.grad for name, one in trainer.model.named_parameters() if one.requires_grad}


@pytest.mark.parametrize("layers", [1, 0])
@pytest.mark.parametrize("method", ["sft", "dpo", "ipo", "dpo-with-sft"])
def test_losses_and_gradients_are_trls_own(tiny: Path, tmp_path: Path, monkeypatch: Any, method: str, layers: int) -> None:
    recipe = Recipe(method=method, batch_size=4, max_steps=4, top_layers=layers, lora_rank=4, beta=0.2)
    quick = made(tiny, tmp_path / "quick", recipe, True)
    assert hasattr(quick.model.get_base_model(), "quick_states"), "TRL's own passes would be compared with themselves"
    monkeypatch.setattr(engines, "_quicken", lambda trainer: None)
    usual = made(tiny, tmp_path / "usual", recipe, False)
    (losses, found), (expected, wanted) = passed(quick), passed(usual)
    assert losses == pytest.approx(expected, rel=TOLERANCE)
    assert found.keys() == wanted.keys() and found
    for name, gradient in wanted.items():
        scale = gradient.abs().max()
        assert scale > 0 and (found[name] - gradient).abs().max() <= TOLERANCE * scale, name
    figures, theirs = (trainer._metrics["train"] for trainer in (quick, usual))
    assert figures.keys() == theirs.keys() and "entropy" in figures
    for name, values in theirs.items():
        assert figures[name] == pytest.approx(values, rel=1e-3, abs=1e-4), name


def test_a_family_without_layers_of_ours_has_the_librarys_states_and_our_head(tmp_path: Path, tiny: Path, monkeypatch: Any) -> None:
    recipe = Recipe(batch_size=4, max_steps=4, top_layers=1, lora_rank=4)
    monkeypatch.setattr(install.llama, "why_not", lambda model: "another family")
    quick = made(tiny, tmp_path / "quick", recipe, True)
    assert "frozen" not in vars(quick.model.get_base_model().model.layers[0].mlp.down_proj)
    monkeypatch.setattr(engines, "_quicken", lambda trainer: None)
    assert passed(quick)[0] == pytest.approx(passed(made(tiny, tmp_path / "usual", recipe, False))[0], rel=TOLERANCE)


def test_a_batch_that_is_padded_on_the_left_goes_the_usual_way(tiny: Path, tmp_path: Path) -> None:
    trainer = made(tiny, tmp_path, Recipe(batch_size=4, max_steps=4, top_layers=1, lora_rank=4), True)
    batch = next(iter(trainer.get_train_dataloader()))
    right = trainer.compute_loss(trainer.model, dict(batch)).item()
    turned = {name: one.flip(1) for name, one in batch.items()}
    assert turned["attention_mask"][:, 0].min() == 0, "the rows are of different length"
    for row, length in enumerate(batch["attention_mask"].sum(1).tolist()):
        for name, one in batch.items():
            turned[name][row, -length:] = one[row, :length]
    assert not install._is_plain(turned) and install._is_plain(dict(batch))
    assert trainer.compute_loss(trainer.model, turned).item() == pytest.approx(right, rel=1e-3)


def test_only_what_has_room_is_kept(tiny: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from pipelines.tuning.quick import decoder

    monkeypatch.setattr(decoder, "KEPT_BYTES", 0)
    recipe = Recipe(batch_size=4, max_steps=4, top_layers=1, lora_rank=4)
    bare = made(tiny, tmp_path / "bare", recipe, True)
    monkeypatch.undo()
    assert passed(bare)[0] == passed(made(tiny, tmp_path / "kept", recipe, True))[0]
