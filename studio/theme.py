"""Colours, fonts and the style sheet. The colours are Okabe and Ito's, which colour-blind people can tell apart."""

from __future__ import annotations

import gradio as gr

from pipelines.comparing.naming import COLOURS, OTHERS, colour, role
from pipelines.figures.look import GRID, INK, MUTED, SYMBOLS
from pipelines.paths import ASSETS

__all__ = ["COLOURS", "GRID", "INK", "MUTED", "OTHERS", "SYMBOLS", "colour", "css", "role", "theme"]

# Gradio's own shades miss a contrast of 4.5 to 1 in labels, hints, tabs and main buttons.
READABLE = {
    "block_title_text_color": "*primary_700", "block_title_text_color_dark": "white",
    "block_info_text_color": "*neutral_600", "block_info_text_color_dark": "*neutral_300",
    "body_text_color_subdued": "*neutral_600", "body_text_color_subdued_dark": "*neutral_300",
    "input_placeholder_color": "*neutral_500", "input_placeholder_color_dark": "*neutral_300",
    "button_primary_background_fill": "*primary_600", "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_600",
    "checkbox_label_background_fill_selected": "*primary_600", "checkbox_label_background_fill_selected_dark": "*primary_600",
    "color_accent": "*primary_600",
}  # fmt: skip


def theme() -> gr.themes.Base:
    """A quiet theme with the fonts of the system, so that nothing is fetched."""
    fonts = ["ui-sans-serif", "system-ui", "Segoe UI", "Helvetica", "Arial", "sans-serif"]
    return gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Consolas", "monospace"]).set(
        body_background_fill="#f6f7f9",
        block_border_width="1px",
        block_shadow="none",
        block_radius="10px",
        button_large_radius="8px",
        **READABLE,
    )


def css() -> str:
    """The project's own style sheets: style.css, then the others beside it by name. report.css belongs to exported pages only."""
    others = sorted(file for file in ASSETS.glob("*.css") if file.name not in ("style.css", "report.css"))
    return "\n".join(file.read_text(encoding="utf-8") for file in (ASSETS / "style.css", *others))
