"""The pages of raters and guessers: addresses of their own, whose browsers receive nothing else of the studio."""

from __future__ import annotations

RATE, GUESS = "rate", "guess"
ELSEWHERE = (
    '<span class="ps-soft">On other devices: start the studio with <code>HOST=0.0.0.0 make run</code> and put this computer’s own address '
    "in the place of 127.0.0.1.</span>"
)
# A link shows its whole address, which only the browser knows.
LINKS_JS = """const fill = () => element.querySelectorAll("a[data-link]").forEach(link => {
  if (link.textContent !== link.href) link.textContent = link.href;
});
new MutationObserver(fill).observe(element, {childList: true, subtree: true, characterData: true, attributes: true}); fill();"""


def of_review(review_id: str) -> str:
    """Where raters take part in a review, seen from the studio's main page."""
    return f"{RATE}?review={review_id}"


def of_game(game_id: str) -> str:
    """Where a class plays a guess game, seen from the studio's main page."""
    return f"{GUESS}?game={game_id}"


def link(address: str) -> str:
    """A link that shows its whole address (with LINKS_JS); `address` holds nothing that needs escaping."""
    return f'<a href="{address}" target="_blank" data-link>{address}</a>'
