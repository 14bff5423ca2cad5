"""The notes of a segment as the pitch step reads them, where a transcript does not say how the pitch moves."""

from __future__ import annotations

from collections.abc import Sequence

from quincunx_orchestrator.score.transcript import WrittenNote
from quincunx_shared.phrase import Melody, NoteMelody, PitchPoint, Timing
from quincunx_shared.tempo import TempoEvent

#: Seconds become ticks of just under a millisecond.
_BPM = 120.0
TICKS_PER_SECOND = 960

#: How a voice comes from one note to the next: the way OpenUTAU draws a new note.
_PORTAMENTO = (PitchPoint(-40.0, 0.0), PitchPoint(40.0, 0.0))


def timing_of(notes: Sequence[WrittenNote]) -> Timing:
    """Return when the notes sound, counted from the start of the segment. No note is lost; rests are what lies between.

    So a voice neither glides into a rest nor out of one.
    """
    starts, lengths = list[int](), list[int]()
    seconds, end = 0.0, 0
    for note in notes:
        start = max(round(seconds * TICKS_PER_SECOND), end)
        seconds += note.seconds
        if note.tone is not None:
            end = max(round(seconds * TICKS_PER_SECOND), start + 1)
            starts.append(start)
            lengths.append(end - start)
    return Timing((TempoEvent(0, _BPM),), tuple(starts), tuple(lengths))


def melody_of(notes: Sequence[WrittenNote]) -> Melody:
    """Return the pitch of the notes, without the rests."""
    return Melody(tuple(NoteMelody(note.tone, _PORTAMENTO) for note in notes if note.tone is not None))


def word_tones(notes: Sequence[WrittenNote]) -> list[float | None]:
    """Return the tone of every word: that of the note it begins on, None where it rests."""
    return [note.tone for note in notes if not note.slur]
