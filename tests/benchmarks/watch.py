"""What a person waits for after a save: `--watch` on the bundled song, one phrase edited at a time.

    python tests/benchmarks/watch.py --json

    first_phrase_s     save → the edited phrase's audio is ready, as the watcher tells it
    written_s          save → the file is written, as the watcher tells it
    told_s             save → its document is on standard output, timed from outside
    worst_first_s      the slowest first phrase of all edits
    ran                the steps of one edit

Medians of 15 edits: five moved pitch points, five moved notes, five other words.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "quincunx_orchestrator.cli")


def edits(song: str) -> Iterator[str]:
    """The song with one phrase edited, again and again."""
    for value in range(-61, -66, -1):
        song = re.sub(r"(ys: \[0, )-?\d+(, -25, 0\]\n\s+abbr: pitd)", rf"\g<1>{value}\g<2>", song)
        yield song
    for tone in (70, 71, 69, 68, 67):
        song = re.sub(r"(tone: )\d+(\n\s+lyric: teach)", rf"\g<1>{tone}\g<2>", song)
        yield song
    for before, after in zip(
        ("guard", "hold", "keep", "mind", "watch"), ("hold", "keep", "mind", "watch", "guard"), strict=True
    ):
        song = song.replace(f"lyric: {before}\n", f"lyric: {after}\n", 1)
        yield song


def measure() -> dict[str, Any]:
    """All figures, in a folder of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(folder / "cache")}
        song = folder / "song.ustx"
        subprocess.run([*COMMAND, "demo", "--score", str(song)], env=environment, check=True, capture_output=True)
        watch = [*COMMAND, "render", str(song), "-o", str(folder / "song.wav"), "--watch", "--json"]
        with subprocess.Popen(watch, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
            assert one.stdout is not None
            assert one.stderr is not None
            one.stdout.readline()
            one.stderr.readline()
            documents, told = [], []
            for text in edits(song.read_text(encoding="utf-8")):
                started = time.perf_counter()
                song.write_text(text, encoding="utf-8")
                documents.append(json.loads(one.stdout.readline()))
                told.append(time.perf_counter() - started)
            one.send_signal(signal.SIGINT)
    firsts = [document["first_phrase_seconds"] for document in documents]
    written = [document["saved_to_written_seconds"] for document in documents]
    return {
        "first_phrase_s": round(statistics.median(firsts), 3),
        "written_s": round(statistics.median(written), 3),
        "told_s": round(statistics.median(told), 3),
        "worst_first_s": round(max(firsts), 3),
        "ran": [step for _, step, _ in documents[0]["ran"]],
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    as_json = parser.parse_args().json
    figures = measure()
    if as_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
