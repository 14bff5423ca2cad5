"""What a phrase of ten minutes costs: one line of 1,200 notes without a rest, on the demo voice.

python tests/benchmarks/long_phrase.py --json

audio_s    seconds of sound
wall_s     the whole process, with an empty cache
rtf        the same over the seconds of audio
peak_mb    the most memory the process held at once
steps_run  how many steps ran
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.scenario.front_door import open_front_door
from tests.scenario.songs import BEAT, NoteText, PhraseText, SongText

WORDS = ("la", "lights", "hello", "moon", "river", "stone", "table")


def song_of(notes: int) -> SongText:
    """Notes of one beat, half a second each, without a rest, over an octave."""
    line = (NoteText(BEAT * number, BEAT, 60 + number * 7 % 12, WORDS[number % len(WORDS)]) for number in range(notes))
    return SongText((PhraseText(4 * BEAT, tuple(line)),))


def measure(notes: int) -> dict[str, Any]:
    """Render in a process of its own and return the figures."""
    with tempfile.TemporaryDirectory() as folder, open_front_door() as door:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "song.ustx").write_text(song_of(notes).ustx(), encoding="utf-8")
        told = door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "--json")
        if told.code:
            raise SystemExit(told.err)
    summary = json.loads(told.out)
    return {
        "audio_s": summary["audio_seconds"],
        "wall_s": summary["wall_seconds"],
        "rtf": summary["real_time_factor"],
        "peak_mb": round(told.peak_bytes / 1e6),
        "steps_run": summary["steps_run"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=1200)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures = measure(chosen.notes)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:10} {figure}")


if __name__ == "__main__":
    main()
