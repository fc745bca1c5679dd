"""Whether the base is still the base: after an adapter was attached, and after its file lay on a disk for a while."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import StudioError
from pipelines.models import prepare
from pipelines.models.loading import Base
from pipelines.paths import file_hash, read_json

TOLERANCE = 1e-4
STORED_TOLERANCE = 1e-2


@dataclass(frozen=True)
class SelfTest:
    """Largest difference between the base column's logits now and before any adapter was attached."""

    difference: float
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance


def check_stored(base: Base) -> None:
    """Compares with the logits stored beside the weights (fp32 on a CPU); on other devices the weights' own sum is compared instead.

    Raises StudioError where they differ.
    """
    stored = base.folder / prepare.REFERENCE
    if not stored.is_file():
        return
    if base.model.device.type != "cpu":
        if file_hash(base.folder / prepare.WEIGHTS) != read_json(base.folder / prepare.ORIGIN)["weights_sha256"]:
            raise _damaged(base, "its weights have another SHA-256")
        return
    from safetensors.torch import load_file

    found = prepare.probe_logits(base.model, base.tokenizer)
    difference = float((load_file(stored)["logits"] - found).abs().max())
    if not difference <= STORED_TOLERANCE:
        raise _damaged(base, f"logits differ by {difference:.3g}")


def _damaged(base: Base, how: str) -> StudioError:
    return StudioError(
        f"The model in {base.folder.name} no longer answers as it did when it was made ({how}).",
        "Its files are damaged: delete that folder below STUDIO_HOME/models and start again.",
    )
