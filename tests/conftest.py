"""Settings of hypothesis for all tests.

No deadlines: how long an example takes says more about the machine than about the code. Under CI the examples are
the same in every run, so that a red run can be repeated; elsewhere every run tries new ones.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers"]

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
