"""Plots of what was measured, the same in the page and in files."""
