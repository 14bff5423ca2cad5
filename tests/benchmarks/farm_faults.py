"""Kills processes of workers at random during a job, with the audit after it.

python -m tests.benchmarks.farm_faults --kills 30 --json

kills             how many processes were killed: children, workers and their supervisors
executed_again    steps that were executed more than once
restart_median_s, restart_p95_s
                  from the beginning of an interrupted step to its beginning elsewhere; the lease is 2 s
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.farm.real_farm import real_farm
from tests.farm.test_faults import random_kills


def main() -> None:
    """Print the figures; what the audit finds is an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--phrases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, real_farm(Path(name), lease_seconds=2.0) as farm:
        figures = random_kills(farm, chosen.phrases, chosen.kills, chosen.seed)
    if chosen.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
