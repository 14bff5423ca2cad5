"""The lanes that show what sounds: waveform and spectrogram."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quincunx_orchestrator.picture import palette
from quincunx_orchestrator.picture.scene import Area, Box, Frame, Label, Raster, Shape, Stroke
from quincunx_orchestrator.picture.sheet import Sheet
from quincunx_orchestrator.picture.spectrogram import Decibels, height_of, inked, spectrogram
from quincunx_orchestrator.picture.strip import Strip

#: Columns of the spectrogram and of the waveform, and rows of the spectrogram, for each point of the page.
COLUMNS_A_POINT, ROWS_A_POINT = 2.0, 2.0

_TICKS = ((500.0, "0.5"), (1000.0, "1"), (2000.0, "2"), (4000.0, "4"), (8000.0, "8"))


def levels_of(sheet: Sheet, strip: Strip, height: float) -> Decibels:
    """Return the spectrogram of one system, as fine as the page shows it."""
    columns = max(2, round(strip.width * COLUMNS_A_POINT))
    rows = round(height * ROWS_A_POINT)
    start, end = strip.span.start - sheet.start, strip.span.end - sheet.start
    return spectrogram(sheet.mono, sheet.sample_rate, start, end, columns=columns, rows=rows)


def spectrogram_lane(levels: Decibels, loudest_db: float, frame: Frame) -> Iterator[Shape]:
    """Draw the spectrogram with its frequencies at the left."""
    yield Raster(frame, inked(levels, loudest_db), role="spectrogram")
    for hertz, name in _TICKS:
        y = frame.bottom - height_of(hertz) * frame.height
        yield Stroke(np.array([frame.left - 3, frame.left]), np.array([y, y]), palette.HAIR, role="tick")
        unit = " kHz" if hertz == _TICKS[-1][0] else ""
        yield Label(frame.left - 5, y + 2, name + unit, 5.6, palette.FAINT, "right", role="frequency")


def waveform_lane(sheet: Sheet, strip: Strip, frame: Frame) -> Iterator[Shape]:
    """Draw the extent of the samples, and the part of it where they mostly are; the song's peak fills the lane."""
    yield Box(frame, palette.LANE)
    columns = max(2, round(strip.width * COLUMNS_A_POINT))
    edges = (np.linspace(strip.span.start, strip.span.end, columns + 1) - sheet.start) * sheet.sample_rate
    edges = np.minimum(edges.astype(np.int64), sheet.samples.shape[1] - 1)
    shown = np.ascontiguousarray(sheet.samples[:, edges[0] : edges[-1] + 1])
    starts, lengths = edges[:-1] - edges[0], np.maximum(np.diff(edges), 1)
    low = np.minimum.reduceat(shown, starts, axis=1).min(axis=0)
    high = np.maximum.reduceat(shown, starts, axis=1).max(axis=0)
    power = np.add.reduceat(shown * shown, starts, axis=1).mean(axis=0) / lengths
    core = np.minimum(np.sqrt(power), np.maximum(high, -low))

    xs = np.linspace(frame.left, frame.right, columns)
    middle, half = frame.top + frame.height / 2, 0.47 * frame.height / sheet.peak
    yield Area(xs, middle - high * half, middle - low * half, palette.WAVE, role="waveform")
    yield Area(xs, middle - core * half, middle + core * half, palette.WAVE_CORE, role="waveform core")
    yield Stroke(np.array([frame.left, frame.right]), np.array([middle, middle]), palette.WAVE_CORE, 0.3)
