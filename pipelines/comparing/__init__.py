"""Comparing: which models answer, what they said side by side, and where the difference lies."""
