"""What a cache survives, in large counts, on a song of three phrases.

    nice python -m tests.benchmarks.cache_faults --kills 100 --flips 1000 --together 20 --json

    kills     renders killed at random moments: wrong blobs left behind, and wrong or failed next renders
    flips     bits turned over in files of the cache, up to 20 at a time: wrong or failed renders
    spoilt    caches with blobs that were flipped, cut or emptied: those in which `cache verify` named others
    upkeep    rounds of two renders during which the cache is collected, purged and repaired all the time
    together  pairs of processes that render the same song at once: steps that ran twice, wrong or failed renders

Exit code 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.scenario.cache_faults import (
    Bench,
    flip_often,
    kill_often,
    look_after,
    open_bench,
    render_together,
    unnoticed,
)
from tests.scenario.front_door import open_front_door


def measure(
    bench: Bench, kills: int, flips: int, together: int, spoilt: int, upkeep: int, chance: random.Random
) -> dict[str, Any]:
    """All figures."""
    started = time.perf_counter()
    pairs = [render_together(bench, "as it was", bench.home / f"together-{number}") for number in range(together)]
    return {
        "together": {
            "pairs": together,
            "steps": sum(one.steps for one in pairs),
            "twice": sum(one.twice for one in pairs),
            "shared": sum(min(one.shares, default=0) > 0 for one in pairs),
            "wrong_renders": sum(one.wrong for one in pairs),
        },
        "kills": asdict(kill_often(bench, kills, chance)),
        "flips": asdict(flip_often(bench, flips, chance)),
        "spoilt": {"rounds": spoilt, "unnoticed": unnoticed(bench, spoilt, chance)},
        "upkeep": asdict(look_after(bench, upkeep)),
        "seconds": round(time.perf_counter() - started, 1),
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--together", type=int, default=20)
    parser.add_argument("--spoilt", type=int, default=100)
    parser.add_argument("--upkeep", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, open_front_door() as door:
        bench = open_bench(Path(home), door)
        counts = (given.kills, given.flips, given.together, given.spoilt, given.upkeep)
        figures = measure(bench, *counts, random.Random(given.seed))
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:10} {value}")
    wrong = sum(figures[name]["wrong_renders"] for name in ("together", "kills", "flips", "upkeep"))
    wrong += figures["kills"]["wrong_blobs"] + figures["spoilt"]["unnoticed"] + figures["upkeep"]["failed_orders"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
