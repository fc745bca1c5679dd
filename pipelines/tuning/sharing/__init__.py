"""Adapters leave and come in: cards, archives, the Hub."""
