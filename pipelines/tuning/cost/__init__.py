"""What a run takes: time, memory, disk, and whether this machine has it."""
