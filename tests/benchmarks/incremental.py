"""Incremental equals full, over as many random scripts of edits and damages as one has patience for.

python -m tests.benchmarks.incremental --examples 150 --json
"""

from __future__ import annotations

import argparse
import json
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scenario.test_incremental_equals_full import Script, scripts, sounds_like_one_rendered_afresh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=150)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given_arguments = parser.parse_args()
    ran = 0

    @settings(max_examples=given_arguments.examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(scripts, st.integers(1, 4), st.integers(0, 10**6))
    def compare(script: Script, threads: int, seed: int) -> None:
        nonlocal ran
        sounds_like_one_rendered_afresh(script, threads, seed)
        ran += 1

    started = time.perf_counter()
    compare()
    told = {"examples": ran, "different": 0, "seconds": round(time.perf_counter() - started, 1)}
    print(json.dumps(told) if given_arguments.json else f"{ran} scripts, every one the same, in {told['seconds']} s")


if __name__ == "__main__":
    main()
