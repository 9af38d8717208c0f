"""How every test runs: hypothesis has no deadline, because shared machines stall, and repeats itself where CI must not flicker."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ)
settings.load_profile("steady")
