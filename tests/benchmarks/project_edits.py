"""Incremental equals full, and undo of everything is free, over as many random scripts of project edits as one likes.

python -m tests.benchmarks.project_edits --examples 1000 --json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from tests.scenario.project_scripts import Action, open_bench, scripts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given_arguments = parser.parse_args()
    ran = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, open_bench(Path(name)) as bench:

        @settings(
            max_examples=given_arguments.examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(scripts)
        def compare(script: list[Action]) -> None:
            nonlocal ran
            bench.play(script)
            ran += 1
            if ran % 50 == 0:
                print(ran, round(time.perf_counter() - started), flush=True)

        compare()
        told = {
            "examples": ran,
            "different": 0,
            "edits": bench.edited,
            "refused": bench.refused,
            "seconds": round(time.perf_counter() - started, 1),
        }
    print(json.dumps(told) if given_arguments.json else f"{ran} scripts, every one the same, in {told['seconds']} s")


if __name__ == "__main__":
    main()
