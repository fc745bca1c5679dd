"""A class on phones: a deck of cards, what a class answers to them, and the totals that may be shown of it."""
