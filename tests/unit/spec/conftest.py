"""Hypothesis as these tests need it."""

from hypothesis import settings

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("workloadd", deadline=None)
settings.load_profile("workloadd")
