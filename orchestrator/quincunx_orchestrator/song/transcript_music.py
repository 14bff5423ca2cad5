"""The notes of a segment as the pitch step reads them, where a transcript does not say how the pitch moves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from quincunx_orchestrator.score.transcript import WrittenNote
from quincunx_shared.phrase import Melody, NoteMelody, PitchPoint, Timing
from quincunx_shared.tempo import TempoEvent

#: Seconds become ticks of just under a millisecond.
_BPM = 120.0
TICKS_PER_SECOND = 960

#: How a voice comes from one note to the next: the way OpenUTAU draws a new note.
_PORTAMENTO = (PitchPoint(-40.0, 0.0), PitchPoint(40.0, 0.0))


def timing_of(notes: Sequence[WrittenNote]) -> Timing:
    """Return when the notes sound, rests included, counted from the start of the segment. No note is lost."""
    ends: list[int] = [0]
    seconds = 0.0
    for note in notes:
        seconds += note.seconds
        ends.append(max(round(seconds * TICKS_PER_SECOND), ends[-1] + 1))
    lengths = tuple(end - start for start, end in pairwise(ends))
    return Timing((TempoEvent(0, _BPM),), tuple(ends[:-1]), lengths)


def melody_of(notes: Sequence[WrittenNote]) -> Melody:
    """Return the pitch of the notes; a rest has the tone of the note after it, the last ones of the note before."""
    tones: list[float | None] = [note.tone for note in notes]
    for place in reversed(range(len(tones) - 1)):
        if tones[place] is None:
            tones[place] = tones[place + 1]
    for place in range(1, len(tones)):
        if tones[place] is None:
            tones[place] = tones[place - 1]
    return Melody(tuple(NoteMelody(tone, _PORTAMENTO) for tone in tones if tone is not None))


def word_tones(notes: Sequence[WrittenNote]) -> list[float | None]:
    """Return the tone of every word: that of the note it begins on, None where it rests."""
    return [note.tone for note in notes if not note.slur]
