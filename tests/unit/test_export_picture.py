"""The picture of a comparison: its size, its colors, its letters, and that the mark is always on it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from pipelines.comparing.comparison import Comparison, Turn
from pipelines.export import lettering, picture
from pipelines.export.comparison import MARK
from pipelines.paths import ASSETS, read_json
from pipelines.records import Answer, Sampling
from studio import theme

RECORDED = read_json(ASSETS / "recorded" / "comparison.json")
ANSWERS = tuple(Answer.from_dict(one) for one in RECORDED["turns"][0]["answers"])
NAMES = ("base", "left", "right", "placebo", "left × 0.5 + right × 0.5", "my own run · seed 12 @ step 40", "seventh", "eighth")
WORDS = "Rents may rise when fewer flats are built. "


def compared(many: int, text: str | None = None, question: str = "Should rents be limited?", **changes: Any) -> Comparison:
    answers = [replace(ANSWERS[place % 4], column=NAMES[place]) for place in range(many)]
    said = tuple(answers if text is None else [replace(one, text=text) for one in answers])
    return Comparison(NAMES[:many], (Turn(question, said),), Sampling(), **changes)


def drawn(comparison: Comparison) -> Image.Image:
    return Image.open(io.BytesIO(picture.card(comparison)))


def pixels(image: Image.Image, color: str) -> int:
    wanted = tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))
    return sum(count for count, found in image.convert("RGB").getcolors(image.width * image.height) or [] if found == wanted)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All lines that are written on a picture."""
    said: list[str] = []
    write = lettering.draw

    def listen(target: Any, text: str, *rest: Any) -> None:
        said.append(text)
        write(target, text, *rest)

    monkeypatch.setattr(lettering, "draw", listen)
    return said


@pytest.mark.parametrize("many", [1, 2, 3, 4, 5, 6])
def test_every_number_of_columns_makes_a_picture_with_a_bar_a_column(many: int) -> None:
    image = drawn(compared(many))
    assert image.format == "PNG" and image.width == 1200 and 400 < image.height < 3000
    wide = (1200 - 88 - 24 * (picture.GRID[many] - 1)) // picture.GRID[many]
    for place in range(many):
        assert pixels(image, picture.color(NAMES[place], place)) > wide * 6


def test_the_band_is_on_every_picture_and_the_mark_is_in_the_file(spoken: list[str]) -> None:
    image = drawn(compared(1))
    assert image.getpixel((5, image.height - 5)) == (0x1F, 0x27, 0x33) and picture.BAND in spoken
    assert MARK in image.info["Description"] and compared(1).id in image.info["Description"]


def test_title_mark_words_and_stamp_are_written(spoken: list[str]) -> None:
    made = compared(2)
    drawn(made)
    said = " ".join(" ".join(spoken).split())
    for part in ("Should rents be limited?", "Base", "not tuned", "Left", "deliberately biased", *(one.text for one in made.last.answers)):
        assert " ".join(part.split()) in said
    for answer in made.last.answers:
        assert all(part in said for part in (answer.stamp.base_fingerprint, "temperature 0.3", "seed 1,", "token cap 72", answer.seal))


def test_a_long_answer_is_cut_and_it_is_said(spoken: list[str]) -> None:
    height = drawn(compared(3, WORDS * 200)).height
    assert height < 1600 and any(line.endswith("…") for line in spoken) and "shown in part" in " ".join(spoken)
    spoken.clear()
    drawn(compared(3, WORDS))
    assert not any(line.endswith("…") for line in spoken) and "shown in part" not in " ".join(spoken)


def test_more_than_six_columns_are_not_hidden_silently(spoken: list[str]) -> None:
    drawn(compared(8))
    assert "One question, 8 answers · 6 of them shown" in spoken and "seventh" not in spoken


def test_what_else_the_columns_had_read_is_said(spoken: list[str]) -> None:
    made = compared(2, system="Be brief.")
    drawn(replace(made, turns=made.turns * 2))
    assert "One question, 2 answers · turn 2 of a conversation · asked with a system prompt of its own" in spoken


@pytest.mark.parametrize(
    "text", ["", "\n\n", "\x00\x07", "x" * 3000, "a\tb\r\nc", "😀👩‍👩‍👧", "\u202eabc", "é" + "\u0301" * 400, "\U0010ffff", "\u0301"]
)
def test_odd_texts_make_a_picture_as_well(text: str) -> None:
    assert drawn(compared(3, text, question=text or "?")).width == 1200


@pytest.mark.parametrize("text", ["naïve “Łódź” – €5 × 2…", "Ελλάδα", "Київ", "Việt Nam"])
def test_the_fonts_that_come_along_have_these_letters(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lettering._font.cache_clear()
    monkeypatch.setattr(lettering, "INSTALLED", ())
    assert not lettering.missing(text)
    lettering._font.cache_clear()


def test_letters_without_a_font_are_boxes_and_a_line_says_so(spoken: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lettering._font.cache_clear()
    monkeypatch.setattr(lettering, "INSTALLED", ())
    drawn(compared(1, "房租 is rent"))
    assert any(line.startswith("Empty boxes stand for letters") for line in spoken)
    spoken.clear()
    drawn(compared(1, "rent is rent"))
    assert not any(line.startswith("Empty boxes") for line in spoken)
    lettering._font.cache_clear()


@pytest.mark.parametrize("text", [WORDS * 9, "x" * 400, "房租" * 200, "a" * 70 + " " + WORDS, "one\n\n\ttwo", "  spaces   inside  "])
@pytest.mark.parametrize("bold", [True, False])
def test_no_line_is_too_long_and_no_letter_is_lost(text: str, bold: bool) -> None:
    lines = lettering.wrapped(text, 20, bold, 300)
    assert all(lettering.length(line, 20, bold) <= 300 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_of_too_many_lines_the_last_ends_with_dots() -> None:
    lines = lettering.wrapped(WORDS * 9, 20, False, 300, 3)
    assert len(lines) == 3 and lines[-1].endswith("…") and lettering.length(lines[-1], 20, False) <= 300


@pytest.mark.parametrize("place,name", enumerate([*NAMES, "neutral", "right @ step 20"]))
def test_the_colors_are_the_studio_s(place: int, name: str) -> None:
    assert picture.color(name, place) == theme.colour(name, place)
