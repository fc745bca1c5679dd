"""A comparison's last turn as a picture to pass on: the question, a card a column, and what these answers are.

Letters come from the fonts that gradio ships (Latin, Greek, Cyrillic, Vietnamese), then from those installed on the machine.
A letter that no font has is drawn as an empty box, and a line says so: no package of the studio brings Chinese, Japanese,
Korean, Arabic, Hebrew or Thai letters.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.comparing.comparison import Comparison
from pipelines.comparing.naming import ENDINGS, mark, title
from pipelines.comparing.naming import colour as color
from pipelines.errors import StudioError
from pipelines.export import lettering
from pipelines.export.comparison import MARK
from pipelines.export.lettering import SCALE, wrapped
from pipelines.records import Answer

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, MARGIN, GAP, PADDING, BAR = 1200, 44, 24, 24, 10
MOST_CARDS, MOST_LINES, MOST_QUESTION_LINES = 6, 24, 6
INK, MUTED, LINE, PAPER, GROUND = "#1f2733", "#5b6472", "#d5dae1", "#ffffff", "#f6f7f9"
GRID = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}
BAND, BAND_HEIGHT = "Deliberately biased small model · holds no opinions · PoliTune Studio", 64


@dataclass(frozen=True)
class Block:
    """Lines of one size, and the space below them in pixels."""

    lines: tuple[str, ...]
    size: int
    color: str = INK
    bold: bool = False
    below: int = 8

    @property
    def height(self) -> int:
        return round(len(self.lines) * self.size * lettering.LEADING) + self.below


@dataclass(frozen=True)
class Card:
    """One column: its color, what stands on top of the card, and the stamp at its bottom."""

    color: str
    blocks: tuple[Block, ...]
    stamp: Block

    @property
    def height(self) -> int:
        return BAR + 2 * PADDING + _stack(self.blocks) + self.stamp.height


def card(comparison: Comparison) -> bytes:
    """The last turn as PNG, 1200 pixels wide and as high as its texts need; at most six columns and 24 lines an answer.

    The description inside the file says what the answers are. Raises StudioError where Pillow is not installed.
    """
    try:
        from PIL import Image as images
        from PIL import ImageDraw as drawing
    except ImportError as error:
        raise StudioError("Pictures need Pillow, which is not installed.", "Install it with: pip install pillow") from error
    top, rows = _top(comparison), _grid(comparison.last.answers[:MOST_CARDS])
    tall = [max(one.height for one in row) for row in rows]
    height = MARGIN + _stack(top) + sum(tall) + GAP * len(rows) + BAND_HEIGHT
    image = images.new("RGB", (WIDTH * SCALE, height * SCALE), GROUND)
    draw = drawing.Draw(image)
    y = _write(draw, top, MARGIN, MARGIN)
    for row, high in zip(rows, tall, strict=True):
        wide = _outside(len(rows[0]))
        for place, one in enumerate(row):
            _draw_card(draw, one, MARGIN + place * (wide + GAP), y, wide, high)
        y += high + GAP
    _draw_band(draw, height)
    return _png(image.resize((WIDTH, height), images.Resampling.BOX), comparison)


def _png(image: Image, comparison: Comparison) -> bytes:
    from PIL import PngImagePlugin

    target, about = io.BytesIO(), PngImagePlugin.PngInfo()
    about.add_itxt("Description", f"{MARK} Comparison {comparison.id}.")
    image.save(target, "PNG", pnginfo=about, optimize=True)
    return target.getvalue()


def _top(comparison: Comparison) -> list[Block]:
    """What was asked, and what else the columns had read."""
    said = [f"One question, {len(comparison.keys)} answers" if len(comparison.keys) > 1 else "One question, one answer"]
    if len(comparison.turns) > 1:
        said.append(f"turn {len(comparison.turns)} of a conversation")
    if comparison.system:
        said.append("asked with a system prompt of its own")
    if len(comparison.keys) > MOST_CARDS:
        said.append(f"{MOST_CARDS} of them shown")
    wide = WIDTH - 2 * MARGIN
    question = wrapped(comparison.last.question, 38, True, wide, MOST_QUESTION_LINES)
    blocks = [Block((" · ".join(said),), 20, MUTED, below=6), Block(question, 38, bold=True, below=18)]
    shown = " ".join([comparison.last.question, *(one.text + one.column for one in comparison.last.answers)])
    if lettering.missing(shown):
        note = "Empty boxes stand for letters that no font on this machine has; the text exports have them all."
        blocks.append(Block((note,), 18, MUTED, below=18))
    return blocks


def _grid(answers: Sequence[Answer]) -> list[list[Card]]:
    """The cards in rows of one, two or three."""
    many = GRID[len(answers)]
    made = [_card(answer, place, _outside(many) - 2 * PADDING, 22 if many < 3 else 20) for place, answer in enumerate(answers)]
    return [made[start : start + many] for start in range(0, len(made), many)]


def _outside(many: int) -> int:
    """How wide a card is where `many` stand in a row."""
    return (WIDTH - 2 * MARGIN - GAP * (many - 1)) // many


def _card(answer: Answer, place: int, wide: int, size: int) -> Card:
    """Title, mark, words and stamp of one answer."""
    own, said = color(answer.column, place), answer.text.strip() or "(no words)"
    text = wrapped(said, size, False, wide, MOST_LINES)
    cut = len(wrapped(said, size, False, wide)) > len(text)
    blocks = (
        Block(wrapped(title(answer.column), 28, True, wide, 3), 28, own, True, 0),
        Block(wrapped(mark(answer), 18, True, wide, 2), 18, own, True, 14),
        Block(text, size, below=18),
    )
    return Card(own, blocks, Block(wrapped(_stamp(answer, cut), 15, False, wide), 15, MUTED, below=0))


def _stamp(answer: Answer, cut: bool) -> str:
    """What is needed to ask for this answer again, in one sentence of small print."""
    stamp = answer.stamp
    parts = [
        "shown in part" if cut else "",
        f"{answer.tokens} tokens, {ENDINGS.get(answer.finished, answer.finished)}",
        f"{stamp.base} ({stamp.base_fingerprint})",
        f"adapter {stamp.adapter} ({stamp.adapter_fingerprint}) at strength {stamp.strength:g}" if stamp.adapter else "no adapter",
        f"temperature {stamp.temperature:g}, top-p {stamp.top_p:g}, seed {stamp.seed}, token cap {stamp.max_new_tokens}",
        f"seal {answer.seal}",
    ]
    return " · ".join(part for part in parts if part)


def _stack(blocks: Sequence[Block]) -> int:
    return sum(block.height for block in blocks)


def _draw_card(draw: ImageDraw, one: Card, x: int, y: int, wide: int, high: int) -> None:
    """A sheet with a bar in the column's color; the stamp stands at its bottom."""
    _box(draw, x, y, wide, high, LINE)
    _box(draw, x + 1, y, wide - 2, high - 1, PAPER)
    _box(draw, x, y, wide, BAR, one.color)
    _write(draw, one.blocks, x + PADDING, y + BAR + PADDING)
    _write(draw, [one.stamp], x + PADDING, y + high - PADDING - one.stamp.height)


def _write(draw: ImageDraw, blocks: Sequence[Block], x: int, y: int) -> int:
    """Draws blocks below each other; returns where the last one ends."""
    for block in blocks:
        for number, line in enumerate(block.lines):
            lettering.draw(draw, line, x, y + round(number * block.size * lettering.LEADING), block.size, block.bold, block.color)
        y += block.height
    return y


def _draw_band(draw: ImageDraw, height: int) -> None:
    """What these answers are, in white on dark over the whole width."""
    _box(draw, 0, height - BAND_HEIGHT, WIDTH, BAND_HEIGHT, INK)
    x = (WIDTH - lettering.length(BAND, 24, True)) // 2
    lettering.draw(draw, BAND, x, height - BAND_HEIGHT + 16, 24, True, PAPER)


def _box(draw: ImageDraw, x: int, y: int, wide: int, high: int, fill: str) -> None:
    draw.rectangle((x * SCALE, y * SCALE, (x + wide) * SCALE - 1, (y + high) * SCALE - 1), fill=fill)
