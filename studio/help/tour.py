"""A way around the studio in four stops. It opens only where somebody asks for it, covers nothing that it points at, and is left at any time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html import escape

OFFER = '<button type="button" class="ps-press ps-tour-offer" data-tour="offer">Show me around (1 minute)</button>'


@dataclass(frozen=True)
class Stop:
    """One stop: what is pointed at (a CSS selector, found in the tab Compare, or “tab:” and a tab's name), its title and what is said."""

    at: str
    title: str
    says: str


STOPS = (
    Stop(
        "#question",
        "Ask one question",
        "The same question goes to the same small model several times: once as it was, and with adapters that were trained on one-sided answers. "
        "Choose a question here, then press “Ask all”.",
    ),
    Stop(
        "#panes .ps-turn:last-of-type .ps-cards",
        "Compare the answers",
        "Base is the model untouched. Left and right were each trained for a few minutes on one side's answers, the placebo in the same way on "
        "neutral ones. What the placebo does too does not come from a side.",
    ),
    Stop(
        "#strength",
        "Turn the dial",
        "0 switches the adapters off, 1 is as trained, 2 is twice as strong. Turn it, ask again, and watch where the answers tip and where the "
        "language breaks.",
    ),
    Stop(
        "tab:Stance",
        "Measure it",
        "One answer proves nothing. The tab Stance shows how far many answers moved, with intervals and the placebo beside them. How such a model "
        "is made stands in Curate and Tune.",
    ),
)


def again() -> str:
    """The button at the foot, which stays; it also carries what the stops are."""
    stops = escape(json.dumps([asdict(stop) for stop in STOPS], ensure_ascii=False))
    return f'<p class="ps-tour-again"><button type="button" class="ps-press" data-tour="again" data-stops="{stops}">Show me around</button></p>'
