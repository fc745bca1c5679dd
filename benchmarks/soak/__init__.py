"""Thirty visitors of one studio for ten minutes: see __main__."""
