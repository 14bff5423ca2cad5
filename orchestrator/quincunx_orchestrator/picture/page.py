"""A sheet becomes a page: a heading, and below it one system after another, all at the same scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quincunx_orchestrator.picture import palette
from quincunx_orchestrator.picture.phone_lane import phone_lane
from quincunx_orchestrator.picture.roll import Keyboard, cut, keyboard_for, keys, notes_and_words
from quincunx_orchestrator.picture.scene import Frame, Label, Scene, Shape, Stroke, shortened
from quincunx_orchestrator.picture.sheet import Sheet
from quincunx_orchestrator.picture.sound_lanes import levels_of, spectrogram_lane, waveform_lane
from quincunx_orchestrator.picture.strip import Strip
from quincunx_orchestrator.picture.systems import cut_into_systems

MARGIN, GUTTER, RIGHT = 26.0, 46.0, 22.0
WIDEST, NARROWEST, MOST_A_SECOND = 1080.0, 460.0, 190.0
HEADING, RULER, WAVE, SPECTRUM, PHONES, CLOCK = 44.0, 13.0, 34.0, 88.0, 17.0, 12.0
BETWEEN_LANES, BETWEEN_SYSTEMS = 3.0, 20.0
#: Beats that would stand closer than this are left out.
LEAST_BEAT = 7.0


@dataclass(frozen=True, slots=True)
class System:
    """One system: its stretch of time, its keyboard, and how far down the page it begins."""

    strip: Strip
    keyboard: Keyboard
    top: float
    tracks: tuple[int, ...]

    @property
    def wave(self) -> Frame:
        """The lane of the waveform."""
        return Frame(self.strip.left, self.top + RULER, self.strip.width, WAVE)

    @property
    def spectrum(self) -> Frame:
        """The lane of the spectrogram."""
        return Frame(self.strip.left, self.wave.bottom + BETWEEN_LANES, self.strip.width, SPECTRUM)

    @property
    def roll(self) -> Frame:
        """The piano roll."""
        return Frame(self.strip.left, self.spectrum.bottom + BETWEEN_LANES, self.strip.width, self.keyboard.height)

    def phones(self, place: int) -> Frame:
        """The lane of phones of the track at a place, counted from above."""
        top = self.roll.bottom + BETWEEN_LANES + place * (PHONES + 1)
        return Frame(self.strip.left, top, self.strip.width, PHONES)

    @property
    def bottom(self) -> float:
        """Where the system ends, its clock included."""
        return self.roll.bottom + BETWEEN_LANES + len(self.tracks) * (PHONES + 1) + CLOCK


def systems_of(sheet: Sheet) -> tuple[System, ...]:
    """Return the systems of a song, one below the other, all at the scale at which the longest fills the page."""
    spans = cut_into_systems(sheet.start, sheet.end, sheet.bars)
    scale = _scale(max(span.seconds for span in spans))
    found: list[System] = []
    top = MARGIN + HEADING
    for span in spans:
        strip = Strip(span, MARGIN + GUTTER, scale)
        lines = [line for line in (cut(one, strip) for one in sheet.lines) if len(line.seconds)]
        keyboard = keyboard_for(strip.within(sheet.notes), lines)
        heard = {note.track for note in strip.within(sheet.notes)} | {one.track for one in strip.within(sheet.phones)}
        tracks = tuple(track for track in sheet.sung_tracks if track in heard) or sheet.sung_tracks[:1]
        found.append(System(strip, keyboard, top, tracks))
        top = found[-1].bottom + BETWEEN_SYSTEMS
    return tuple(found)


def lay_out(sheet: Sheet) -> Scene:
    """Return the page of a song."""
    systems = systems_of(sheet)
    right = max(MARGIN + GUTTER + NARROWEST, *(system.strip.right for system in systems))
    shapes = list(_heading(sheet, right - MARGIN))
    levels = [levels_of(sheet, system.strip, SPECTRUM) for system in systems]
    loudest = max(float(one.max()) for one in levels)
    for system, level in zip(systems, levels, strict=True):
        shapes += waveform_lane(sheet, system.strip, system.wave)
        shapes += spectrogram_lane(level, loudest, system.spectrum)
        shapes += _music(sheet, system)
    height = systems[-1].bottom + MARGIN
    return Scene(right + RIGHT, height, palette.PAPER, tuple(shapes))


def _scale(longest_seconds: float) -> float:
    """Points a second: the longest system fills the page, unless it is a second or two."""
    return min(WIDEST / longest_seconds, max(MOST_A_SECOND, NARROWEST / longest_seconds))


def _heading(sheet: Sheet, room: float) -> Iterator[Shape]:
    title = shortened(sheet.title, 16, room)
    yield Label(MARGIN, MARGIN + 12, title, 16, palette.INK, bold=True, role="title")
    yield Label(MARGIN, MARGIN + 27, "   ·   ".join(sheet.facts), 7.6, palette.FAINT, role="facts")


def _music(sheet: Sheet, system: System) -> Iterator[Shape]:
    strip = system.strip
    yield from keys(system.keyboard, system.roll)
    yield from _beats(sheet, system)
    yield from notes_and_words(sheet, strip, system.keyboard, system.roll)
    for place, track in enumerate(system.tracks):
        phones = [phone for phone in sheet.phones if phone.track == track]
        shades = palette.colours_of(sheet.sung_tracks.index(track))
        yield from phone_lane(phones, strip, system.phones(place), shades, sheet.tracks[track])
    yield from _clock(system)
    yield from _bars(sheet, system)


def _beats(sheet: Sheet, system: System) -> Iterator[Shape]:
    shown = [moment for moment in sheet.beats if system.strip.shows(moment)]
    if len(shown) * LEAST_BEAT <= system.strip.width:
        for moment in shown:
            x = system.strip.x(moment)
            ys = np.array([system.roll.top, system.roll.bottom])
            yield Stroke(np.array([x, x]), ys, palette.BEAT, 0.5, role="beat")


def _bars(sheet: Sheet, system: System) -> Iterator[Shape]:
    """Draw the bar lines through all lanes, and write the numbers of as many as have room."""
    strip = system.strip
    shown = [bar for bar in sheet.bars if strip.shows(bar.seconds)]
    every = _every(strip.width / max(len(shown), 1), 20.0, (1, 2, 4, 8, 16, 32, 64))
    for bar in shown:
        x = strip.x(bar.seconds)
        for top, bottom in ((system.wave.top, system.wave.bottom), (system.roll.top, system.roll.bottom)):
            yield Stroke(np.array([x, x]), np.array([top, bottom]), palette.BAR, 0.6, role="bar")
        if (bar.number - 1) % every == 0:
            ys = np.array([system.top + 4, system.wave.top])
            yield Stroke(np.array([x, x]), ys, palette.BAR, 0.6, role="bar")
            yield Label(x + 2.5, system.top + 10.5, str(bar.number), 7.6, palette.INK, bold=True, role="bar number")


def _clock(system: System) -> Iterator[Shape]:
    """Draw seconds below the system."""
    strip, top = system.strip, system.bottom - CLOCK + 1
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
    step = _every(strip.scale, 42.0, steps)
    first, last = int(np.ceil(strip.span.start / step - 1e-9)), int(np.floor(strip.span.end / step + 1e-9))
    for number in range(first, last + 1):
        x = strip.x(number * step)
        yield Stroke(np.array([x, x]), np.array([top, top + 3]), palette.HAIR, 0.5, role="second")
        name = _clock_time(number * step, step)
        yield Label(x, top + 9.5, name, 5.8, palette.FAINT, "center", role="time")


def _every(points: float, wanted: float, steps: Sequence[float]) -> float:
    """Return the first step that gives labels the room they want, when a step of 1 has so many points."""
    return next((step for step in steps if points * step >= wanted), steps[-1])


def _clock_time(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f}"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
