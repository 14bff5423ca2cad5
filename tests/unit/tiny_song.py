"""OpenUTAU projects of a few lines, with what a test wants changed. Written as JSON, which YAML contains."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from quincunx_orchestrator.score.model import Note, Score
from quincunx_orchestrator.score.ustx import read_ustx


def note(position: int = 0, duration: object = 480, lyric: str = "la", **changes: object) -> dict[str, object]:
    """Return a note as a project writes it."""
    return {"position": position, "duration": duration, "tone": 60, "lyric": lyric, **changes}


def part(notes: Iterable[dict[str, object]] = (), **changes: object) -> dict[str, object]:
    """Return a voice part of the first track."""
    return {"name": "", "track_no": 0, "position": 0, "notes": list(notes), "curves": [], **changes}


def curve(abbr: str, xs: object, ys: object) -> dict[str, object]:
    """Return a curve as a part writes it."""
    return {"xs": xs, "ys": ys, "abbr": abbr}


def song_text(*parts: dict[str, object], **changes: object) -> str:
    """Return the text of a project with these parts; a change of None leaves the field out."""
    project: dict[str, Any] = {
        "name": "Tiny",
        "ustx_version": 0.9,
        "expressions": {},
        "time_signatures": [{"bar_position": 0, "beat_per_bar": 4, "beat_unit": 4}],
        "tempos": [{"position": 0, "bpm": 120}],
        "tracks": [{"singer": "demo", "track_name": "Lead"}],
        "voice_parts": list(parts),
        "wave_parts": [],
    } | changes
    kept = {key: value for key, value in project.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, indent=1)


def read(*parts: dict[str, object], **changes: object) -> Score:
    """Return the score of a project with these parts."""
    return read_ustx(song_text(*parts, **changes).encode(), "song.ustx")


def read_notes(*notes: dict[str, object], **changes: object) -> tuple[Note, ...]:
    """Return the notes of a project with one part."""
    return read(part(notes), **changes).parts[0].notes
