"""The stages of the Lesson tab."""
