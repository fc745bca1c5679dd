"""The parts of Compare: asking, choosing columns, looking closer, mirror, prompt sets, sharing."""
