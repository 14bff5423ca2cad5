"""Does the memory of a batch stay flat? Many songs, all different, through `quincunx render *.ustx --out-dir`.

python tests/benchmarks/batch.py --json

songs          how many were rendered in one process
rss_mb         memory of that process after each of them, as the system counts it
peak_mb        the most it ever had
third_mb       the same after the third
growth         the largest of all later ones over that, minus 1: must stay within 0.02
songs_a_second whole process, cache empty at first
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.scenario.songs import BEAT, NoteText, PhraseText, SongText

WORDS = ("hello", "two", "lights", "water", "corner", "every", "song", "small", "は", "な", "ら", "き")


def song(seed: int, phrases: int) -> SongText:
    """A song like no other: words, tones and lengths are drawn."""
    draw = random.Random(seed)
    made, beat = [], 4
    for _ in range(phrases):
        count = draw.randint(3, 7)
        notes = tuple(NoteText(BEAT * place, BEAT, draw.randint(57, 72), draw.choice(WORDS)) for place in range(count))
        made.append(PhraseText(beat * BEAT, notes))
        beat += count + draw.randint(4, 6)
    return SongText(tuple(made), bpm=draw.randint(90, 140), volume=draw.randint(-6, 0))


#: Runs the command line, and notes after each song what the system counts as this process's memory.
DRIVER = """
import sys
from pathlib import Path
from quincunx_orchestrator.cli import job
from quincunx_orchestrator.cli.main import run

turn_over, sizes = job.Room.turn_over, Path(sys.argv[1])

def watched(room, **given):
    turn_over(room, **given)
    status = Path("/proc/self/status").read_text()
    with sizes.open("a") as file:
        file.write(" ".join(line.split()[1] for line in status.splitlines() if line[:5] in ("VmRSS", "VmHWM")) + "\\n")

job.Room.turn_over = watched
sys.exit(run(sys.argv[2:]))
"""


def measure(count: int, phrases: int, arguments: list[str]) -> dict[str, Any]:
    """Render the batch, and read what its process noted."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        songs = [home / f"song{number:02d}.ustx" for number in range(count)]
        for number, path in enumerate(songs):
            path.write_text(song(number, phrases).ustx(), encoding="utf-8")
        command = [sys.executable, "-c", DRIVER, str(home / "sizes"), "render", *map(str, songs)]
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache")}
        started = time.perf_counter()
        subprocess.run([*command, "--out-dir", str(home / "out"), "--quiet", *arguments], env=environment, check=True)
        seconds = time.perf_counter() - started
        rows = [line.split() for line in (home / "sizes").read_text(encoding="ascii").splitlines()]
    sizes = [int(resident) / 1024 for _, resident in rows]
    return {
        "songs": len(sizes),
        "rss_mb": [round(size, 1) for size in sizes],
        "third_mb": round(sizes[2], 1),
        "drift": round(statistics.median(sizes[-8:]) / sizes[2] - 1, 4),
        "growth": round(max(sizes[3:]) / sizes[2] - 1, 4),
        "peak_mb": round(int(rows[-1][0]) / 1024, 1),
        "songs_a_second": round(len(sizes) / seconds, 2),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--songs", type=int, default=24)
    parser.add_argument("--phrases", type=int, default=10, help="phrases a song")
    given, further = parser.parse_known_args()
    figures = measure(given.songs, given.phrases, further)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
