"""A score format: `C4 480 la`, a note a line, on one track at 120 beats a minute."""

from quincunx_orchestrator.score.formats import ScoreFormat, decode_text
from quincunx_orchestrator.score.model import Note, Part, Score, TimeSignature, Track
from quincunx_shared.errors import BadScore
from quincunx_shared.phrase import Lyric
from quincunx_shared.tempo import TempoEvent


def read_tune(raw, name):
    tick, notes = 0, []
    for number, line in enumerate(decode_text(raw, name).splitlines(), 1):
        try:
            tone, length, lyric = line.split()
            notes.append(Note(tick, int(length), int(tone), Lyric(lyric)))
        except ValueError as error:
            raise BadScore(f"this is no note: {error}", where=f"{name}:{number}", remedy="write 60 480 la") from error
        tick += int(length)
    part = Part(0, 1920, tuple(notes))
    return Score(name, (Track("Tune"),), (part,), (TempoEvent(0, 120.0),), (TimeSignature(0, 4, 4),))


TUNE = ScoreFormat("A note a line", read_tune)
