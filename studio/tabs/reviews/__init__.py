"""The stages of Review: set up, take part, guess, results."""
