"""One process or several (`accelerate launch`): who writes, and what all agree on."""

from __future__ import annotations

import os
from typing import Any


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1") or 1)


def is_main() -> bool:
    """Whether this process writes files; of several only the first does."""
    return int(os.environ.get("RANK", "0") or 0) == 0


def shared(value: Any) -> Any:
    """The first process's value, in all of them."""
    if world_size() == 1:
        return value
    from accelerate.utils import broadcast_object_list

    return broadcast_object_list([value])[0]
