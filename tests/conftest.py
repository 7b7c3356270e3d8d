"""Hypothesis as these tests need it."""

from hypothesis import HealthCheck, settings

# How long an example takes, or the making of one, says more about the machine's other work than
# about the code.
settings.register_profile("workloadd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("workloadd")
