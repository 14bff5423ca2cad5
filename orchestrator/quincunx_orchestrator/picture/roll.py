"""The piano roll: notes with their lyrics on a keyboard, and the pitch that was sung as a line through them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quincunx_orchestrator.picture import palette
from quincunx_orchestrator.picture.scene import Box, Frame, Label, Shape, Stroke, shortened
from quincunx_orchestrator.picture.sheet import PitchLine, Sheet, SungNote
from quincunx_orchestrator.picture.strip import Strip

SEMITONE, LEAST_SEMITONES, MOST_POINTS = 7.6, 12, 250.0

_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_BLACK = frozenset((1, 3, 6, 8, 10))
_LYRIC_SIZES = (8.0, 7.0, 6.0, 5.2)
#: In points: what a lyric may take. Longer ones are whole sentences, or slips.
LONGEST_WORD = 90.0


def tone_name(tone: int) -> str:
    """Return a tone's name: 69 is A4, 60 is C4."""
    return f"{_NAMES[tone % 12]}{tone // 12 - 1}"


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The tones a roll shows, from `low` to `high` (MIDI), and how high a semitone is in points."""

    low: int
    high: int
    semitone: float

    @property
    def height(self) -> float:
        """The height of the roll in points."""
        return (self.high - self.low + 1) * self.semitone

    def y(self, frame: Frame, tone: float) -> float:
        """Where the middle of a tone stands."""
        return frame.bottom - (tone - self.low + 0.5) * self.semitone


def keyboard_for(notes: Sequence[SungNote], lines: Sequence[PitchLine]) -> Keyboard:
    """Return a keyboard that holds all notes and lines, with room for words above and below."""
    tones = [note.tone for note in notes] + [edge for line in lines for edge in (line.tones.min(), line.tones.max())]
    lowest, highest = math.floor(min(tones, default=60)) - 2, math.ceil(max(tones, default=60)) + 2
    missing = max(0, LEAST_SEMITONES - (highest - lowest + 1))
    lowest, highest = lowest - missing // 2, highest + (missing + 1) // 2
    return Keyboard(lowest, highest, min(SEMITONE, MOST_POINTS / (highest - lowest + 1)))


def cut(line: PitchLine, strip: Strip) -> PitchLine:
    """Return the part of a pitch line that a system shows."""
    shown = (line.seconds >= strip.span.start) & (line.seconds <= strip.span.end)
    return PitchLine(line.seconds[shown], line.tones[shown], line.track)


def keys(keyboard: Keyboard, frame: Frame) -> Iterator[Shape]:
    """Draw the keys across the roll, and their names at the left."""
    yield Box(frame, palette.PAPER)
    for tone in range(keyboard.low, keyboard.high + 1):
        y = keyboard.y(frame, tone)
        top = y - keyboard.semitone / 2
        if tone % 12 in _BLACK:
            yield Box(Frame(frame.left, top, frame.width, keyboard.semitone), palette.KEY, role="black key")
        elif tone % 12 == 0:
            below = np.full(2, top + keyboard.semitone)
            yield Stroke(np.array([frame.left - 22, frame.right]), below, palette.OCTAVE, role="octave")
        if tone % 12 == 0 or (tone % 12 not in _BLACK and keyboard.semitone >= 5.5):
            named = tone % 12 == 0
            name, colour = tone_name(tone), palette.INK if named else palette.FAINT
            yield Label(frame.left - 5, y + 2, name, 5.6, colour, "right", bold=named, role="key")


def notes_and_words(sheet: Sheet, strip: Strip, keyboard: Keyboard, frame: Frame) -> Iterator[Shape]:
    """Draw the notes of all tracks, the sung pitch over them, and the words over both."""
    places = {track: place for place, track in enumerate(sheet.sung_tracks)}
    notes = strip.within(sheet.notes)
    boxes = {note: _note_frame(note, strip, keyboard, frame) for note in notes}
    for note in notes:
        shades = palette.colours_of(places[note.track])
        yield Box(boxes[note], shades.fill, shades.line, 0.5, radius=1.6, role=f"note {note.track}")
    for line in (cut(one, strip) for one in sheet.lines):
        if len(line.seconds) > 1:
            xs = strip.left + (line.seconds - strip.span.start) * strip.scale
            ys = frame.bottom - (line.tones - keyboard.low + 0.5) * keyboard.semitone
            colour = palette.colours_of(places.get(line.track, 0)).line
            yield Stroke(xs, ys, colour, 1.25, halo=0.7, role=f"f0 {line.track}")
    lowest = sheet.sung_tracks[-1] if len(sheet.sung_tracks) > 1 else -1
    yield from _words([note for note in notes if strip.shows(note.start)], boxes, places, lowest)


def _note_frame(note: SungNote, strip: Strip, keyboard: Keyboard, frame: Frame) -> Frame:
    left, right = strip.x(note.start), strip.x(note.end)
    height = keyboard.semitone * 0.92
    # A hair's breadth between notes that touch, so that two of one tone are two.
    return Frame(left, keyboard.y(frame, note.tone) - height / 2, max(right - left - 0.8, 0.8), height)


def _words(
    notes: Sequence[SungNote], boxes: dict[SungNote, Frame], places: dict[int, int], lowest: int
) -> Iterator[Label]:
    """Write each lyric beside its note: above, or below for the lowest track; smaller, then nowhere, if it collides."""
    taken: list[Frame] = []
    for note in sorted(notes, key=lambda one: (places[one.track], one.start)):
        colour = palette.colours_of(places[note.track]).words
        for label in _candidates(note, boxes[note], colour, below=note.track == lowest):
            if not any(label.frame.overlaps(other) for other in taken):
                taken.append(label.frame)
                yield label
                break


def _candidates(note: SungNote, box: Frame, colour: str, *, below: bool) -> Iterator[Label]:
    if not note.text:
        return
    for size in _LYRIC_SIZES:
        text = shortened(note.text, size, LONGEST_WORD)
        ys = (box.top - 2.2, box.bottom + 0.85 * size)
        for y in reversed(ys) if below else ys:
            yield Label(box.left + 0.5, y, text, size, colour, halo=1.6, role=f"lyric {note.track}")
