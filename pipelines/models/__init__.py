"""Finding models, loading them, letting adapters in, and generating for many columns at once."""
