"""Sheets of a few notes, for pages to be laid out from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quincunx_orchestrator.picture.sheet import Bar, Phone, PitchLine, Sheet, SungNote

RATE = 8_000


def sung(start: float, tone: float, text: str = "la", track: int = 0, seconds: float = 0.5) -> SungNote:
    """A note of half a second."""
    return SungNote(start, start + seconds, tone, text, track, sounds="l a")


def sheet_of(notes: Sequence[SungNote], seconds: float = 4.0, tracks: Sequence[str] = ("Lead", "Harmony")) -> Sheet:
    """A sheet on which every note is sung in tune, as one vowel, over a tone of 440 Hz; bars of two seconds."""
    moments = np.arange(round(seconds * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440 * moments).astype(np.float32)
    return Sheet(
        title="Tiny",
        facts=("120 bpm",),
        tracks=tuple(tracks),
        notes=tuple(notes),
        phones=tuple(Phone(note.start, note.end, "en/aa", note.track) for note in notes),
        lines=tuple(_in_tune(note) for note in notes),
        bars=tuple(Bar(number + 1, 2.0 * number) for number in range(int(np.ceil(seconds / 2)))),
        beats=tuple(np.arange(0.5, seconds, 0.5).tolist()),
        samples=np.stack([tone, tone]),
        sample_rate=RATE,
    )


def _in_tune(note: SungNote) -> PitchLine:
    seconds = np.arange(note.start, note.end, 0.01)
    return PitchLine(seconds, np.full(len(seconds), note.tone), note.track)
