"""From phrases that were sung to a transcript: what the steps made of a score, as a .ds file says it.

Only what stands before the acoustic model goes into a transcript, so its phrases sound as they do here before their
dynamics, track volumes and mix. A transcript is one voice: a song becomes one for each track.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_orchestrator.score.transcript import DsSegment, Level, SampledCurve, Transcript
from quincunx_orchestrator.song.assembly import Assembly, Placed
from quincunx_shared.curve import sample_drawn
from quincunx_shared.frames import FrameGrid
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import Encoded, Payload, decode
from quincunx_shared.phrase import DrawnCurve, Lyrics, Timing

PH_SEQ, PH_DUR, F0 = PortKey("acoustic", "ph_seq"), PortKey("acoustic", "ph_dur"), PortKey("acoustic", "f0")
GENDER, VELOCITY = PortKey("acoustic", "gender"), PortKey("acoustic", "velocity")

#: Curves that a model adds to what it predicts: without that prediction there is nothing to write.
_RELATIVE = ("breathiness", "tension", "energy", "voicing")


def transcribed_ports(assembly: Assembly) -> tuple[Address, ...]:
    """Return the outputs a transcript is made of: phones, their frames and f0 of every phrase."""
    feeders = (_feeder(placed, port) for placed in assembly.placed for port in (PH_SEQ, PH_DUR, F0))
    return tuple(address for address in feeders if address is not None)


def transcribe(assembly: Assembly, results: Mapping[Address, Payload]) -> dict[int, Transcript]:
    """Return the phrases of each track that sings as segments; `notices` say what a transcript cannot hold of it."""
    transcripts = {}
    for track in sorted({placed.track for placed in assembly.placed}):
        phrases = [placed for placed in assembly.placed if placed.track == track]
        phrases.sort(key=lambda one: one.start_sample)
        segments = tuple(_segment(placed, assembly.sample_rate, results) for placed in phrases)
        transcripts[track] = Transcript(segments, _losses(phrases))
    return transcripts


def _segment(placed: Placed, song_rate: int, results: Mapping[Address, Payload]) -> DsSegment:
    options = placed.segment.effective.graph.nodes["acoustic"].options
    grid = FrameGrid(*(options[name] for name in ("sample_rate", "hop_size", "head_frames", "tail_frames")))
    symbols, hertz = _value(placed, PH_SEQ, results), np.asarray(_value(placed, F0, results))
    offset = placed.start_sample / song_rate
    late = max(0, math.ceil(-offset / grid.frame_seconds - 1e-6))
    left, frames = _from_frame(late, symbols, np.asarray(_value(placed, PH_DUR, results)))
    lyrics = _value(placed, PortKey("phonemize", "lyrics"), results)
    words = [] if lyrics is None else [note.text for note in Lyrics.from_payload(lyrics).notes if not note.extension]
    return DsSegment(
        ph_seq=left,
        offset=max(offset + late * grid.frame_seconds, 0.0),
        text=" ".join(words),
        ph_dur=seconds_of(frames, grid.frame_seconds),
        f0=_curve(hertz[late:], grid.frame_seconds),
        levels=_levels(placed, grid, len(hertz), late, results),
        seed=options["seed"],
    )


def seconds_of(frames: npt.NDArray[Any], frame_seconds: float) -> tuple[float, ...]:
    """Return durations that become exactly these frames again: reading adds half a frame to each end and rounds.

    So the ends lie half a frame early, in the middle of what rounds to them.
    """
    ends = np.maximum(np.cumsum(frames) - 0.5, 0.0) * frame_seconds
    return tuple(map(float, np.diff(ends, prepend=0.0)))


def _curve(values: npt.NDArray[Any], frame_seconds: float) -> SampledCurve:
    """Return a curve that reads back as one value a frame. Reading never reaches the last point, so it stands twice."""
    return SampledCurve((*map(float, values), float(values[-1])), frame_seconds)


def _from_frame(
    first: int, symbols: Sequence[str], frames: npt.NDArray[np.int64]
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Return phones and frames without the first ones: DiffSinger's tool has no time before second 0."""
    if first <= 0:
        return tuple(symbols), frames
    ends = np.maximum(np.cumsum(frames) - first, 0)
    counts = np.diff(ends, prepend=0)
    kept = [int(place) for place in np.flatnonzero(ends > 0)]
    return tuple(symbols[place] for place in kept), counts[kept]


def _levels(
    placed: Placed, grid: FrameGrid, count: int, late: int, results: Mapping[Address, Payload]
) -> dict[str, Level]:
    """Return gender and velocity as models take them, from the frame `late` on."""
    options = placed.segment.effective.graph.nodes["acoustic"].options
    levels: dict[str, Level] = {}
    timing = Timing.from_payload(_value(placed, PortKey("acoustic", "timing"), results))
    ticks = timing.axis().ticks_at_seconds(grid.centre_seconds(count)[late:])
    if (gender := _value(placed, GENDER, results)) is not None:
        drawn = sample_drawn(DrawnCurve.from_payload(gender), ticks)
        reaches = options["gender_range_up"], abs(options["gender_range_down"])
        up, down = (0.12 / reach if reach else 0.0 for reach in reaches)
        levels["gender"] = _curve(-drawn * np.where(drawn < 0, up, down), grid.frame_seconds)
    if (velocity := _value(placed, VELOCITY, results)) is not None:
        drawn = sample_drawn(DrawnCurve.from_payload(velocity), ticks)
        levels["velocity"] = _curve(2.0 ** ((drawn - 100.0) / 100.0), grid.frame_seconds)
    return levels


def _losses(phrases: Sequence[Placed]) -> tuple[str, ...]:
    losses = ["volume, pan and mastering of the song are not in a .ds file"]
    inputs = [placed.segment.effective.inputs for placed in phrases]
    if any(PortKey("post", "dyn") in given for given in inputs):
        losses.append("dynamics (DYN) are not in a .ds file")
    drawn = [name for name in _RELATIVE if any(PortKey("acoustic", name) in given for given in inputs)]
    if drawn:
        losses.append(f"what was drawn for {', '.join(drawn)} is not in the .ds file: it adds to what a model predicts")
    return tuple(losses)


def _value(placed: Placed, port: PortKey, results: Mapping[Address, Payload]) -> Any:
    """Return what a port reads: a result, or what was given to it; None if neither is there."""
    feeder = _feeder(placed, port)
    if feeder is not None:
        return results[feeder]
    given = placed.segment.effective.inputs.get(port)
    return decode(given.ref, given.content) if isinstance(given, Encoded) else None


def _feeder(placed: Placed, port: PortKey) -> Address | None:
    producers = placed.segment.effective.graph.producers.get(port, ())
    return Address(placed.segment.id, producers[0]) if producers else None
