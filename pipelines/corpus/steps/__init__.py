"""The curation steps, one class each; `registry.py` lists them in the order in which they are usually applied."""
