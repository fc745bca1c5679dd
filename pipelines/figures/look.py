"""How columns look in every plot: colours, symbols, shades for training seeds, and the words at the ends of the axes."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines import bundled
from pipelines.comparing.naming import colour, title
from pipelines.stance import claims
from pipelines.stance.study import Study

SYMBOLS = {"base": "circle", "left": "triangle-left", "right": "triangle-right", "placebo": "square"}
INK, MUTED, GRID, ZERO = "#1f2733", "#66707f", "#e3e6eb", "#9aa3b0"
ECONOMY = "left  ←  economy  →  right"
SOCIETY = "progressive  ←  society  →  traditional"
ENDS = {"economic": ECONOMY, "social": SOCIETY}
DARKEST, LIGHTEST = -0.35, 0.45  # how far the shades of a role's seeds go towards black and white


@dataclass(frozen=True)
class Look:
    """How a column is drawn."""

    colour: str
    symbol: str


def looks(study: Study) -> dict[str, Look]:
    """A look for every column: a role's own colour and symbol, in another shade for each of its seeds."""
    found = {name: Look(colour(name, order), SYMBOLS.get(name, "diamond")) for order, name in enumerate(study.columns)}
    for order, (role, columns) in enumerate(study.roles.items()):
        for number, name in enumerate(columns):
            found[name] = Look(shade(colour(role, order), number, len(columns)), SYMBOLS.get(role, "diamond"))
    return found


def shade(hexadecimal: str, number: int, count: int) -> str:
    """One of `count` shades of a colour "#rrggbb", from dark (number 0) to light; the colour itself where it is the only one."""
    amount = DARKEST + (LIGHTEST - DARKEST) * number / (count - 1) if count > 1 else 0.0
    target = 255 if amount > 0 else 0
    parts = [int(hexadecimal[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (target - part) * abs(amount)):02x}" for part in parts)


def label(study: Study, name: str) -> str:
    """A column's name as people read it: "Left", "Left (seed 8)"."""
    role = claims.role_of(study, name)
    return title(role) + name.removeprefix(role) if role and name.startswith(role) else title(name)


def texts(study: Study) -> dict[str, str]:
    """The words of every question of a study by id; the id itself of one that is not known here."""
    known = {question.id: question.text for question in bundled.questions()}
    return {name: known.get(name, name) for name in dict.fromkeys(answer["question"] for answer in study.answers)}


def plain(text: str) -> str:
    """Plotly reads some HTML: names and answers must not bring theirs."""
    return text.replace("<", "‹").replace(">", "›")
