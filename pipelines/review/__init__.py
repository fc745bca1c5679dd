"""Reviewing: what people say about answers whose origin they do not know, from the frozen protocol to the counted ballots."""
