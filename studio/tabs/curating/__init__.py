"""The parts of the Curate tab, one file a stage: open, clean, score, select, pair, check, look through, save."""
