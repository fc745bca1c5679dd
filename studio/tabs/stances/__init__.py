"""The parts of the Stance tab: each shows one thing of a study."""
