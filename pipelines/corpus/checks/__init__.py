"""Checks before training: lights that say what else than content tells the two halves of a data set apart, and mends for it."""
