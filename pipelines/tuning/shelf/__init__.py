"""What people do with the runs they have."""
