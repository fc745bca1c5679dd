"""Ballots on paper for a class without phones: the deck's cards with boxes to tick, and on a sheet of its own what was what."""

from __future__ import annotations

from html import escape

from pipelines.classroom.deck import KINDS, PAPER, Card, Deck
from pipelines.comparing.naming import mark, title
from pipelines.export.comparison import MARK
from pipelines.review.guess import ROLES

BOX = '<span class="box"></span>'
STYLE = """
body { font: 11pt/1.45 Georgia, "Times New Roman", serif; color: #111; max-width: 44em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 17pt; margin: 0 0 .2em; } h2 { font-size: 12.5pt; margin: 0 0 .3em; } p { margin: .3em 0; }
.head { font-size: 9.5pt; color: #444; border-bottom: 1px solid #999; padding-bottom: .6em; }
section { margin: 1.1em 0; padding-top: .8em; border-top: 1px solid #ccc; break-inside: avoid; }
.asked { font-style: italic; } .answer { margin: .4em 0; padding-left: 1.8em; text-indent: -1.8em; } .answer b { display: inline-block; width: 1.8em; text-indent: 0; }
.boxes { list-style: none; padding: 0; margin: .4em 0; } .boxes li { margin: .25em 0; } .row li { display: inline-block; margin-right: 1.6em; }
.box { display: inline-block; width: .85em; height: .85em; border: 1.3px solid #111; margin-right: .5em; vertical-align: -.08em; }
.lines { border-bottom: 1px solid #999; height: 1.7em; } .key { break-before: page; }
@media print { body { margin: 0; max-width: none; padding: 0; } @page { margin: 17mm; } }
"""


def page(deck: Deck) -> str:
    """The whole printable page as HTML; nothing in it is fetched from anywhere."""
    cards = "".join(_ballot(number, card) for number, card in enumerate(deck.cards, 1))
    key = "".join(_key(number, card) for number, card in enumerate(deck.cards, 1))
    name = escape(deck.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>'
        f'<style>{STYLE}</style></head><body><h1>{name}</h1><p class="head">{escape(MARK)} No name on this sheet, please.</p>{cards}'
        f'<div class="key"><h1>For the teacher: what was what</h1><p class="head">Print this page for yourself only.</p>{key}</div></body></html>\n'
    )


def _ballot(number: int, card: Card) -> str:
    letters = card.dealt(PAPER) if card.hide != "answers" else {}
    asked = f'<p class="asked">“{escape(card.question)}”</p>' if card.question else ""
    texts = "".join(
        f'<p class="answer"><b>{letter if card.hide == "names" else escape(title(column))}</b>{escape(" ".join(card.answer(column).text.split()))}</p>'
        for letter, column in letters.items()
    )
    return f"<section><h2>{number}. {escape(card.ask)}</h2>{asked}{texts}{_boxes(card)}</section>"


def _boxes(card: Card) -> str:
    if card.kind == "guess":
        roles = "".join(f"<li>{BOX}{title(role)}</li>" for role in ROLES)
        return "".join(f'<ul class="boxes row"><li><b>{letter} is</b></li>{roles}</ul>' for letter in card.letters)
    if card.find:
        return f'<ul class="boxes row">{"".join(f"<li>{BOX}{letter}</li>" for letter in card.letters)}</ul>'
    if card.choices:
        return f'<ul class="boxes">{"".join(f"<li>{BOX}{escape(one)}</li>" for one in card.choices)}</ul>'
    return '<div class="lines"></div>' * 3


def _key(number: int, card: Card) -> str:
    said = []
    if card.columns and card.hide == "names":
        said.append(", ".join(f"{letter} {title(column)}" for letter, column in card.dealt(PAPER).items()) + ".")
    elif card.columns and card.hide == "answers":
        said += [f"{title(one)} ({mark(card.answer(one))}): {' '.join(card.answer(one).text.split())}" for one in card.columns]
    if card.right is not None:
        said.append(f"Right: {card.choices[card.right]}.")
    if card.chance is not None:
        said.append(f"By pure chance {card.chance:.0%} would be right.")
    lines = "".join(f"<p>{escape(one)}</p>" for one in (*said, card.told) if one)
    return f"<section><h2>{number}. {KINDS[card.kind]}</h2>{lines}</section>"
