"""What a person waits for: whole processes of the command line on the bundled song.

    python tests/benchmarks/command_line.py --json

    import_s           import of the command line, over a bare interpreter
    cold_s             render with an empty cache, whole process
    cold_rtf           the same over the seconds of audio
    unchanged_s        the same command again: nothing runs
    pitch_edit_s       after one moved pitch point: one phrase from its pitch on, mix and master
    pitch_edit_ran     the steps that ran then
    bare_onnxruntime_s for scale: an interpreter that imports numpy and onnxruntime and does nothing

Medians of five runs, `cold_s` of three.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CLI = ("-m", "quincunx_orchestrator.cli")


def seconds_of(*arguments: str, environment: dict[str, str]) -> tuple[float, str]:
    """Run an interpreter with arguments; return how long it took, and what it printed."""
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True, stdin=None
    )
    return time.perf_counter() - started, ran.stdout


def median_of(count: int, *arguments: str, environment: dict[str, str]) -> float:
    """The median of several runs."""
    return statistics.median(seconds_of(*arguments, environment=environment)[0] for _ in range(count))


def with_another_pitch_point(song: str, value: int) -> str:
    """Move one point of the first drawn pitch curve."""
    return re.sub(r"(ys: \[0, )-?\d+(, -25, 0\]\n\s+abbr: pitd)", rf"\g<1>{value}\g<2>", song)


def measure() -> dict[str, Any]:
    """All figures, in a folder of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(folder / "cache")}
        song, sound = folder / "song.ustx", folder / "song.wav"
        seconds_of(*CLI, "demo", "--score", str(song), environment=environment)
        render = (*CLI, "render", str(song), "-o", str(sound), "--json")
        bare = median_of(5, "-c", "pass", environment=environment)
        imported = median_of(5, "-c", "import quincunx_orchestrator.cli.main", environment=environment)
        models = median_of(5, "-c", "import numpy, onnxruntime", environment=environment)
        cold = []
        for _ in range(3):
            shutil.rmtree(folder / "cache", ignore_errors=True)
            seconds, told = seconds_of(*render, environment=environment)
            cold.append(seconds)
        audio_seconds = json.loads(told)["audio_seconds"]
        unchanged = median_of(5, *render, environment=environment)
        edits = []
        for value in (-61, -62, -63, -64, -65):
            song.write_text(with_another_pitch_point(song.read_text(encoding="utf-8"), value), encoding="utf-8")
            seconds, told = seconds_of(*render, environment=environment)
            edits.append(seconds)
    return {
        "import_s": round(imported - bare, 3),
        "cold_s": round(statistics.median(cold), 3),
        "cold_rtf": round(statistics.median(cold) / audio_seconds, 4),
        "unchanged_s": round(unchanged, 3),
        "pitch_edit_s": round(statistics.median(edits), 3),
        "pitch_edit_ran": [step for _, step, _ in json.loads(told)["ran"]],
        "bare_onnxruntime_s": round(models, 3),
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
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
