"""How a column is called and marked, the same on the page, in files and in pictures."""

from __future__ import annotations

import re

from pipelines.records import Answer

BIASED, UNTUNED, SWITCHED_OFF = "deliberately biased", "not tuned", "adapter switched off"
CONTROLS = {"placebo": "control: tuned without a side", "shuffled": "control: tuned on both sides, mixed"}
TITLES = {"base": "Base", "left": "Left", "right": "Right", "placebo": "Placebo"}
ENDINGS = {"eos": "ended by itself", "length": "cut at the token cap", "stopped": "stopped", "": "not finished"}
COLOURS = {"base": "#5b6472", "left": "#0072b2", "right": "#c4540a", "placebo": "#00805c"}
OTHERS = ("#9a4f86", "#8a6d00", "#2f7f99", "#6a51a3")
ROLE = re.compile(r"(?!.* × -?[\d.]+ \+ )(base|left|right|placebo|neutral|shuffled)(?= · | \(seed | @ | × |$)")
STRENGTH = re.compile(r" × -?[\d.]+$")


def role(name: str) -> str:
    """What a column is, by its name: "left", "left · lesson" and "left × 0.5" are "left"; "" for blends and any other name."""
    found = ROLE.match(name)
    return {"neutral": "placebo"}.get(found[1], found[1]) if found else ""


def colour(name: str, order: int = 0) -> str:
    """A column's colour: its role's where it has one, else by its place. They are Okabe and Ito's."""
    return COLOURS.get(role(name), OTHERS[order % len(OTHERS)])


def title(name: str) -> str:
    """A column's name as people read it: "Left", "Left × 0.5 + Right × 0.5"; names of runs stay as they are."""
    parts = name.split(" + ")
    if all(STRENGTH.search(part) for part in parts):
        return " + ".join(TITLES.get(plain := STRENGTH.sub("", part), plain) + part[len(plain) :] for part in parts)
    return TITLES.get(name, name)


def mark(answer: Answer) -> str:
    """What an answer's column is, in words that go with it everywhere. The stamp decides what is tuned, not the name."""
    strength = answer.stamp.strength
    if not answer.stamp.adapter:
        return UNTUNED
    if strength == 0:
        return SWITCHED_OFF
    said = strength == 1 or STRENGTH.search(answer.column)
    return CONTROLS.get(role(answer.column), BIASED) + ("" if said else f" · strength {strength:g}")
