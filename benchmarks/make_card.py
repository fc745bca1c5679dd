"""Draws assets/card.png, the picture that stands beside a link to the studio: 1200 x 630, from recorded answers and measured figures only.

`python -m benchmarks.make_card`. A second, without a model. To be drawn anew whenever the demo or the study was recorded anew.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from pipelines import bundled
from pipelines.comparing import curated
from pipelines.comparing.naming import colour, mark, title
from pipelines.export import lettering
from pipelines.export.lettering import SCALE, wrapped
from pipelines.export.picture import BAND, GROUND, INK, LINE, MUTED, PAPER
from pipelines.paths import ASSETS, read_json
from pipelines.records import Answer, Sampling
from pipelines.stance import claims
from pipelines.stance.study import Study

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

TARGET = ASSETS / "card.png"
WIDTH, HEIGHT, MARGIN, GAP, PADDING, BAND_HEIGHT = 1200, 630, 40, 20, 18, 58
COLUMNS = ("left", "placebo", "right")
SUBTITLE = "A tiny language model (135M), tuned on three selections of answers. Same question, same model:"
CARDS_TOP, CARDS_HEIGHT, LINES = 188, 300, 8
Box = tuple[int, int, int, int]


def answers() -> tuple[str, list[Answer]]:
    """The demo's first question and what the three adapters were recorded to say to it, as trained. Raises RuntimeError without a recording."""
    question = curated.questions()[0].text
    found = curated.recorded_answer(question, COLUMNS, 1.0, Sampling())
    if found is None:
        raise RuntimeError("Nothing is recorded: python -m benchmarks.make_demo")
    return question, list(found.last.answers)


def figures() -> tuple[str, str]:
    """Both claims by completions, the instrument that needs no ruler: what was measured, then the figures with their intervals."""
    study = Study.from_dict(read_json(bundled.RECORDED / "stance.json"))
    found = claims.claims(study, "all")["completion"]
    names = {"right_minus_placebo": "right − placebo", "placebo_minus_left": "placebo − left"}
    number = found["right_minus_placebo"]["n"]
    measured = f"Measured on {number} sentence completions, in nats a token, with 95% intervals; one training seed a side:"
    return measured, " · ".join(f"{name} {_figure(found[key])}" for key, name in names.items())


def _figure(one: dict[str, float]) -> str:
    sure = "" if one["low"] > 0 or one["high"] < 0 else ", which includes 0"
    return f"{one['mean']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f}{sure})".replace("-", "−")


def draw() -> bytes:
    """The picture as PNG."""
    from PIL import Image, ImageDraw, PngImagePlugin

    question, said = answers()
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GROUND)
    canvas = ImageDraw.Draw(image)
    lettering.draw(canvas, "PoliTune Studio", MARGIN, 26, 46, True, INK)
    lettering.draw(canvas, SUBTITLE, MARGIN, 90, 23, False, MUTED)
    lettering.draw(canvas, question, MARGIN, 131, 32, True, INK)
    wide = (WIDTH - 2 * MARGIN - GAP * (len(said) - 1)) // len(said)
    for place, answer in enumerate(said):
        _card(canvas, answer, (MARGIN + place * (wide + GAP), CARDS_TOP, wide, CARDS_HEIGHT))
    for number, line in enumerate(figures()):
        lettering.draw(canvas, line, MARGIN, CARDS_TOP + CARDS_HEIGHT + 16 + 27 * number, 19, False, MUTED)
    _box(canvas, (0, HEIGHT - BAND_HEIGHT, WIDTH, BAND_HEIGHT), INK)
    lettering.draw(canvas, BAND, (WIDTH - lettering.length(BAND, 24, True)) // 2, HEIGHT - BAND_HEIGHT + 13, 24, True, PAPER)
    target, about = io.BytesIO(), PngImagePlugin.PngInfo()
    about.add_itxt("Description", f"{BAND}. Recorded answers to “{question}”. {' '.join(figures())}")
    image.resize((WIDTH, HEIGHT), Image.Resampling.BOX).save(target, "PNG", pnginfo=about, optimize=True)
    return target.getvalue()


def _card(canvas: ImageDraw, answer: Answer, place: Box) -> None:
    """One answer below its name and its mark; one that is longer than the card ends with "…"."""
    x, y, wide, high = place
    own = colour(answer.column)
    _box(canvas, place, LINE)
    _box(canvas, (x + 1, y, wide - 2, high - 1), PAPER)
    _box(canvas, (x, y, wide, 8), own)
    lettering.draw(canvas, title(answer.column), x + PADDING, y + 20, 27, True, own)
    lettering.draw(canvas, mark(answer), x + PADDING, y + 56, 17, True, own)
    for number, line in enumerate(wrapped(answer.text.strip(), 20, False, wide - 2 * PADDING, LINES)):
        lettering.draw(canvas, line, x + PADDING, y + 86 + 25 * number, 20, False, INK)


def _box(canvas: ImageDraw, place: Box, fill: str) -> None:
    x, y, wide, high = (one * SCALE for one in place)
    canvas.rectangle((x, y, x + wide - 1, y + high - 1), fill=fill)


def main() -> None:
    """Writes the picture; ends with one JSON line."""
    TARGET.write_bytes(draw())
    print(json.dumps({"picture": TARGET.name, "kilobytes": round(TARGET.stat().st_size / 1e3)}))


if __name__ == "__main__":
    main()
