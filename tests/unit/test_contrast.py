"""Colours of the style sheets against what lies behind them: at least 4.5 to 1 for text, 3 to 1 for lines that mean something (WCAG AA)."""

from __future__ import annotations

import re

import pytest

from pipelines.comparing.naming import COLOURS, OTHERS
from pipelines.paths import ASSETS

SHEETS = "\n".join(file.read_text(encoding="utf-8") for file in sorted(ASSETS.glob("*.css")) if file.name != "report.css")
RULES = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", SHEETS, flags=re.DOTALL))
PAGE = {"light": "#f6f7f9", "dark": "#0f172a"}  # the body's own background: theme.py, and Gradio's for dark pages


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(one * 2 for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def variables(mode: str) -> dict[str, str]:
    """Colours by name; those that a dark page does not set stay as they are in light."""
    wanted = (":root",) if mode == "light" else (":root", ".dark")
    found: dict[str, str] = {}
    for selector in wanted:
        for where, body in RULES:
            if where.strip() == selector:
                found |= dict(re.findall(r"(--ps-[\w-]+): ?(#[0-9a-fA-F]{3,6})", body))
    return found


def painted() -> list[tuple[str, str, str]]:
    """Selector, text colour and background of every rule that sets both as plain colours."""
    made = []
    for where, body in RULES:
        behind = re.search(r"background(?:-color)?: ?(#[0-9a-fA-F]{3,6})", body)
        text = re.search(r"(?<![-\w])color: ?(#[0-9a-fA-F]{3,6})", body)
        if behind and text:
            made.append((where.strip(), text[1], behind[1]))
    return made


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21) and contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", ["--ps-ink", "--ps-soft", "--ps-warn"])
def test_text_is_read_on_paper_and_on_the_page(mode: str, name: str) -> None:
    colours = variables(mode)
    assert contrast(colours[name], colours["--ps-paper"]) >= 4.5 and contrast(colours[name], PAGE[mode]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", ["--ps-focus", "--ps-quiet-line"])
def test_the_keyboards_place_is_seen(mode: str, name: str) -> None:
    colours = variables(mode)
    assert contrast(colours[name], colours["--ps-paper"]) >= 3 and contrast(colours[name], PAGE[mode]) >= 3


@pytest.mark.parametrize("where,text,behind", painted(), ids=lambda one: str(one)[-40:])
def test_coloured_boxes_are_read(where: str, text: str, behind: str) -> None:
    assert contrast(text, behind) >= 4.5, where


@pytest.mark.parametrize("colour", [*COLOURS.values(), *OTHERS])
def test_the_line_that_says_whose_a_card_is_is_seen(colour: str) -> None:
    assert contrast(colour, variables("light")["--ps-paper"]) >= 3
    assert contrast(colour, variables("dark")["--ps-paper"]) >= 1.5, "in the dark the name in words carries it"


def test_motion_is_switched_off_for_whoever_asks_for_it() -> None:
    assert "prefers-reduced-motion: reduce" in SHEETS and "animation: none !important; transition: none !important" in SHEETS
