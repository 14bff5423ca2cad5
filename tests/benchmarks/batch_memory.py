"""What a batch holds in memory, song after song, in one process.

    python tests/benchmarks/batch_memory.py --json

    songs        how many were rendered
    rss_mb       what the process held when each song's file had been written
    spread       (most - least) / least of these, from the third song on
    growth       the last over the third
    peak_mb      the most memory the process held at once

With `--lengths` the songs have phrases of other lengths each, else of the same length with other words and notes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.scenario.songs import BEAT, NoteText, PhraseText, SongText

WORDS = ("la", "lights", "hello", "moon", "river", "stone", "table", "は", "な")
PHRASES, REST = 12, 20


def song(number: int, *, lengths: bool, phrase_count: int = PHRASES) -> SongText:
    """A song like no other of the batch."""
    phrases = []
    for place in range(phrase_count):
        count = 4 + (number * 5 + place * 3) % 9 if lengths else 6
        notes = (
            NoteText(BEAT * at, BEAT, 58 + (number + at * 5 + place) % 14, WORDS[(number + at + place) % len(WORDS)])
            for at in range(count)
        )
        phrases.append(PhraseText(BEAT * (4 + place * REST), tuple(notes)))
    return SongText(tuple(phrases))


def measure(songs: int, *, lengths: bool) -> dict[str, Any]:
    """Render the batch, and look at the process whenever a file has appeared."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        paths = [home / f"{number:03}.ustx" for number in range(songs)]
        for number, path in enumerate(paths):
            path.write_text(song(number, lengths=lengths).ustx(), encoding="utf-8")
        command = [sys.executable, "-m", "quincunx_orchestrator.cli", "render", *map(str, paths), "--out-dir", "out"]
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache")}
        held: list[float] = []
        peak = 0.0
        with subprocess.Popen(
            command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as ran:
            while ran.poll() is None:
                if len(list(home.glob("out/*.wav"))) > len(held):
                    now, peak = _memory(ran.pid)
                    held.append(now)
                time.sleep(0.005)
            if ran.returncode:
                raise SystemExit(ran.stderr.read().decode() if ran.stderr else "failed")
    steady = held[2:]
    return {
        "songs": songs,
        "rss_mb": [round(one) for one in held],
        "spread": round((max(steady) - min(steady)) / min(steady), 4),
        "growth": round(held[-1] / held[2] - 1, 4),
        "peak_mb": round(peak),
    }


def _memory(process: int) -> tuple[float, float]:
    """Return what a process holds and what it held at most, in MB."""
    told = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    now, most = (int(told.split(f"{name}:")[1].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return now, most


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=24)
    parser.add_argument("--lengths", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures = measure(chosen.songs, lengths=chosen.lengths)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:8} {figure}")


if __name__ == "__main__":
    main()
