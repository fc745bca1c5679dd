"""What every part of the Stance tab is: components, and how they are filled from a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipelines.stance.study import Study


@dataclass(frozen=True)
class Section:
    """`show(study)` gives one update for each of `outputs`, in their order."""

    outputs: list[gr.components.Component]
    show: Callable[[Study], tuple[Any, ...]]
