"""Hypothesis without deadlines: on a busy machine a slow example is no failure.

The usual suite plays the same examples each time; `make soak` (SOAK_SEED) draws fresh ones.
"""

import os

from hypothesis import settings

settings.register_profile("imsys", deadline=None, print_blob=True, derandomize="SOAK_SEED" not in os.environ)
settings.load_profile("imsys")
