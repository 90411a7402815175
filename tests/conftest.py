"""What Hypothesis does in all tests: the same examples each time, whatever else a machine has to do meanwhile."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=False
)
settings.load_profile("tests")
