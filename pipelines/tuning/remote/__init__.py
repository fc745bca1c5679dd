"""A run on a rented machine."""
