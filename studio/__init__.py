"""The interface: tabs that call the pipelines, and views that turn their results into something to look at."""
