"""Colours, fonts and the style sheet. The colours are Okabe and Ito's, which colour-blind people can tell apart."""

from __future__ import annotations

import gradio as gr

from pipelines.comparing.naming import COLOURS, OTHERS, colour, role
from pipelines.figures.look import GRID, INK, MUTED, SYMBOLS
from pipelines.paths import ASSETS

__all__ = ["COLOURS", "GRID", "INK", "MUTED", "OTHERS", "SYMBOLS", "colour", "css", "role", "theme"]


def theme() -> gr.themes.Base:
    """A quiet theme with the fonts of the system, so that nothing is fetched."""
    fonts = ["ui-sans-serif", "system-ui", "Segoe UI", "Helvetica", "Arial", "sans-serif"]
    return gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Consolas", "monospace"]).set(
        body_background_fill="#f6f7f9", block_border_width="1px", block_shadow="none", block_radius="10px", button_large_radius="8px"
    )


def css() -> str:
    """The project's own style sheet."""
    return (ASSETS / "style.css").read_text(encoding="utf-8")
