"""How every test runs: hypothesis has no deadline, because shared machines stall, and repeats itself where CI must not flicker."""

import os

from hypothesis import HealthCheck, settings

# Read when the library is first imported: no test may look for weights on the network.
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ)
settings.load_profile("steady")

# Gives the fixtures `postgres_url` (a fresh PostgreSQL database), `database_url` (one of each kind), and a browser for the pages.
pytest_plugins = ["postgres_fixture", "served_study"]
