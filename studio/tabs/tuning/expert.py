"""Expert: every setting of the recipe, made from its dataclass; presets, files, and the command behind the button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.tuning import presets
from pipelines.tuning.recipe import LAYERS, METHODS, Recipe
from studio.services import Services
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import messages

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
GROUPS = ("Method", "Learning", "Adapter", "Watching", "Machine")


@dataclass(frozen=True)
class Expert:
    """The form's parts: `levers` stand in the order of the dataclass; `refilled` are the events that set all of them at once."""

    levers: list[Any]
    said: Any
    refilled: list[Any]


def build(services: Services) -> Expert:
    """Lays out the form under its headings and wires presets and recipe files."""
    preset = gr.Dropdown(list(presets.NAMES), value=presets.NAMES[0], label="Preset", elem_id="preset", min_width=180)
    about = gr.HTML(messages.note(presets.about(presets.NAMES[0])), padding=False, elem_id="preset-about")
    with gr.Row():
        loaded = gr.UploadButton(
            "Load a recipe (YAML)",
            file_types=[".yaml", ".yml"],
            size="sm",
            elem_id="load-recipe",
            min_width=140,
            visible=services.access.allows("upload"),
        )
        save = gr.Button("Save this recipe", size="sm", elem_id="save-recipe", min_width=140)
        expand = gr.Button("Expand all", size="sm", elem_id="expand-all", min_width=110)
    file = gr.File(label="The recipe as a file", visible=False, elem_id="recipe-file", interactive=False, height=70)
    made: dict[str, Any] = {}
    sections = []
    for name in GROUPS:
        with gr.Accordion(name, open=False) as section, gr.Row():
            made |= {one.name: _component(one) for one in fields(Recipe) if one.metadata["group"] == name}
        sections.append(section)
    levers = [made[one.name] for one in fields(Recipe)]
    said = gr.HTML(padding=False, elem_id="recipe-said")
    opened = gr.State(False)
    expand.click(_expand, opened, [opened, expand, *sections], **QUIET)
    refilled = [
        preset.input(_preset, preset, [about, said, *levers], trigger_mode="always_last", **QUIET),
        loaded.upload(lambda path: _load(services, path), loaded, [said, *levers], **QUIET),
    ]
    save.click(_save, levers, [file, said], **QUIET)
    return Expert(levers, said, refilled)


def _component(one: Any) -> Any:
    about = one.metadata
    common: dict[str, Any] = {"label": about["label"], "info": about["hint"], "min_width": 240, "elem_id": f"lever-{one.name}"}
    if one.name == "modules":
        return gr.CheckboxGroup(list(LAYERS), value=list(one.default), **{**common, "min_width": 320})
    if one.name == "method":
        return gr.Dropdown(
            [(f"{name}: {words}", name) for name, words in METHODS.items()], value=one.default, **{**common, "min_width": 320}
        )
    if about["choices"]:
        return gr.Dropdown(list(about["choices"]), value=one.default, **common)
    if isinstance(one.default, bool):
        return gr.Checkbox(one.default, **common)
    if isinstance(one.default, int | float):
        return gr.Number(one.default, precision=0 if isinstance(one.default, int) else None, **common)
    return gr.Textbox(one.default, **common)


def recipe(values: Sequence[Any]) -> Recipe:
    """The recipe that the form shows. Raises StudioError for an empty field or a value out of range."""
    named = dict(zip([one.name for one in fields(Recipe)], values, strict=True))
    labels = {one.name: one.metadata["label"] for one in fields(Recipe)}
    empty = [labels[name] for name, value in named.items() if value is None]
    if empty:
        raise StudioError(f"“{empty[0]}” is empty.", "Give it a value, or choose a preset for its default.")
    return Recipe.from_dict(named)


def shown(values: Recipe) -> list[Any]:
    """A recipe's values as the form takes them; names of layers that have no box are added to the boxes."""
    more = [name for name in values.modules if name not in LAYERS]
    return [
        gr.update(choices=[*LAYERS, *more], value=list(values.modules)) if one.name == "modules" else getattr(values, one.name)
        for one in fields(Recipe)
    ]


def _expand(opened: bool) -> tuple[Any, ...]:
    word = "Expand all" if opened else "Close all"
    return not opened, gr.update(value=word), *[gr.update(open=not opened)] * len(GROUPS)


def _preset(name: str) -> tuple[Any, ...]:
    try:
        return messages.note(presets.about(name)), "", *shown(presets.load(name))
    except StudioError as error:
        return gr.skip(), told(error), *[gr.skip()] * len(fields(Recipe))


def _load(services: Services, path: str | None) -> tuple[Any, ...]:
    try:
        services.access.refuse("upload")
        if not path:
            raise StudioError("No file was given.", "Choose a YAML file.")
        values = Recipe.from_yaml(Path(path))
    except StudioError as error:
        return told(error), *[gr.skip()] * len(fields(Recipe))
    return messages.good(f"{Path(path).name} is loaded; it has not been started yet."), *shown(values)


def _save(*values: Any) -> tuple[Any, str]:
    try:
        text = recipe(values).to_yaml("A recipe of PoliTune Studio.")
        target = passing_folder() / "recipe.yaml"
        target.write_text(text, encoding="utf-8")
    except Exception as error:
        return gr.skip(), told(error)
    return gr.update(value=str(target), visible=True), ""
