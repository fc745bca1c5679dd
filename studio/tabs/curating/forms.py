"""A step's settings as a form: made from the step's own dataclass, so that form, file and command line agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import gradio as gr

from pipelines.corpus.engine import Step, check_settings
from pipelines.entries import number, whole_number

MOST_ON_A_SLIDER = 10_000


def names(step: Any, without: Sequence[str] = ()) -> list[str]:
    """The settings that have a lever, in the dataclass's order."""
    return [one.name for one in fields(step) if one.metadata and one.name not in without]


def build(step: Any, without: Sequence[str] = ()) -> list[Any]:
    """One component a setting, with its hint under the label."""
    return [_component(one) for one in fields(step) if one.metadata and one.name not in without]


def _component(one: Any) -> Any:
    about = one.metadata
    common: dict[str, Any] = {"label": about["label"], "info": about["hint"]}
    if about["choices"]:
        return gr.Dropdown(list(about["choices"]), value=one.default, **common)
    if isinstance(one.default, bool):
        return gr.Checkbox(one.default, **common)
    if isinstance(one.default, int | float):
        if about["high"] > MOST_ON_A_SLIDER:
            return gr.Number(one.default, precision=0, minimum=about["low"], maximum=about["high"], **common)
        step = 1 if isinstance(one.default, int) else 0.05 if about["high"] <= 2 else 0.5
        return gr.Slider(about["low"], about["high"], one.default, step=step, **common)
    return gr.Textbox(one.default, lines=3, **common)


def read(step: Any, values: Sequence[Any], without: Sequence[str] = ()) -> Step:
    """The step with the form's values. Raises StudioError for a value out of range."""
    known = {one.name: one for one in fields(step)}
    given = {name: _as(step, known[name], value) for name, value in zip(names(step, without), values, strict=True)}
    made = step(**given)
    check_settings(made)
    return made


def _as(step: Any, one: Any, value: Any) -> Any:
    """Sliders give floats for whole numbers; an emptied field gives None."""
    kind, about = type(one.default), one.metadata
    if value is None:
        return kind()
    if kind not in (int, float):
        return value
    what = f"{step.label}: {about['label']}"
    return whole_number(value, what) if kind is int else number(value, what)
