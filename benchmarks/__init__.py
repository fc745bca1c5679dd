"""One file a figure that the README quotes. Each runs with one command and ends with one JSON line."""
