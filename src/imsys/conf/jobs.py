"""The job engine's own housekeeping."""
