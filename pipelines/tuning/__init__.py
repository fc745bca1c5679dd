"""Recipes, the training process, and runs as folders that explain themselves."""
