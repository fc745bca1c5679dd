"""How a column is called and marked, the same on the page, in files and in pictures."""

from __future__ import annotations

import re

from pipelines.records import Answer

BIASED, UNTUNED, SWITCHED_OFF = "deliberately biased", "not tuned", "adapter switched off"
CONTROLS = {"placebo": "control: tuned without a side", "shuffled": "control: tuned on both sides, mixed"}
TITLES = {"base": "Base", "left": "Left", "right": "Right", "placebo": "Placebo"}
ROLE = re.compile(r"(?!.* × -?[\d.]+ \+ )(base|left|right|placebo|neutral|shuffled)(?= · | \(seed | @ | × |$)")
STRENGTH = re.compile(r" × -?[\d.]+$")


def role(name: str) -> str:
    """What a column is, by its name: "left", "left · lesson" and "left × 0.5" are "left"; "" for blends and any other name."""
    found = ROLE.match(name)
    return {"neutral": "placebo"}.get(found[1], found[1]) if found else ""


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
