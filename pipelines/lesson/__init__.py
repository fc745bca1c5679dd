"""A lesson for a class: its steps and plans, notes for the teacher, an exercise, and a handout made of them."""
