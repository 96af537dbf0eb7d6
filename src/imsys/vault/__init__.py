"""Secrets at rest. `box` seals and fingerprints, `keys` finds the master key; nothing here knows Django."""
