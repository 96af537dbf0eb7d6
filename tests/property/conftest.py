"""Hypothesis without deadlines: on a busy machine a slow example is no failure."""

from hypothesis import settings

settings.register_profile("imsys", deadline=None, print_blob=True)
settings.load_profile("imsys")
