"""The training process: trainers, what is looked at while they work, and the guard."""
