"""Reviews and ballots made by hand, for whatever counts them."""

from pipelines.comparing.prompts import Prompt
from pipelines.review.ballots import Vote
from pipelines.review.design import ASKED, Design
from pipelines.review.protocol import Item, Protocol


def protocol(columns=("base", "left"), prompts=4, asked=ASKED[:1], flagged=()):
    """Each column against each at every prompt ("p0:base:left"), the first pair again ("again"), and the base against itself ("null")."""
    asked_for = tuple(Prompt(f"p{n}", f"Question {n}?") for n in range(prompts))
    items = [
        Item(f"{one.id}:{first}:{second}", one.id, one.text, first, second, ("one", "two"), flagged=one.id in flagged)
        for one in asked_for
        for place, first in enumerate(columns)
        for second in columns[place + 1 :]
    ]
    again = Item("again", "p0", "Question 0?", items[0].first, items[0].second, ("one", "two"), "repeat", items[0].id)
    null = Item("null", "p0", "Question 0?", columns[0], columns[0], ("one", "another"), "same")
    design = Design("Review", "To test", tuple(columns), asked_for, asked)
    return Protocol(design, (*items, again, null), tuple({"column": name} for name in columns), (), "2026-01-01")


def votes(frozen, table, pair=("base", "left"), asked="economy"):
    """`table`: one string a rater, one letter a prompt: 1 and 2 the columns, "=" same, "?" unsure, "." not judged."""
    said = {"1": "first", "2": "second", "=": "same", "?": "unsure"}
    return [
        Vote(rater, f"{prompt.id}:{pair[0]}:{pair[1]}", asked, said[letter], "")
        for rater, row in enumerate(table)
        for prompt, letter in zip(frozen.design.prompts, row, strict=False)
        if letter in said
    ]
