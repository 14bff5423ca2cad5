"""The values of ports of phrases: what is asked for, what has to be rendered for it, and when each frame sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quincunx_orchestrator.song.assembly import Assembly, Placed
from quincunx_shared.errors import BadInput
from quincunx_shared.frames import FrameGrid
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import Payload, decode
from quincunx_shared.phrase import Lyrics, Melody, Timing

PH_SEQ, PH_DUR = PortKey("acoustic", "ph_seq"), PortKey("acoustic", "ph_dur")
TIMING, LYRICS, MELODY = PortKey("acoustic", "timing"), PortKey("phonemize", "lyrics"), PortKey("pitch", "melody")


@dataclass(frozen=True)
class Spoken:
    """Something with a text that sounds from one moment of the song to another, in seconds."""

    start: float
    end: float
    text: str


def port_of(written: str, assembly: Assembly) -> PortKey:
    """Return the address of a port, of an output or an input. Raises `BadInput` with the nearest one there is."""
    node, _, port = written.rpartition(".")
    known = {str(key): key for placed in assembly.placed for key in _ports(placed)}
    if written not in known:
        raise BadInput(f"no phrase has a port {written[:40]!r}{did_you_mean(written, known)}", where="--port")
    return PortKey(node, port)


def _ports(placed: Placed) -> Sequence[PortKey]:
    nodes = placed.segment.effective.graph.nodes.values()
    return [PortKey(node.id, port) for node in nodes for port in (*node.outputs, *node.inputs)]


def maker_of(placed: Placed, key: PortKey) -> Address | None:
    """Return the output that a port stands for: itself, or what feeds an input; None for what is given from outside."""
    graph = placed.segment.effective.graph
    node = graph.nodes.get(key.node)
    if node is not None and key.port in node.outputs:
        return Address(placed.segment.id, key)
    feeders = () if key in placed.segment.effective.inputs else graph.producers.get(key, ())
    return Address(placed.segment.id, feeders[0]) if feeders else None


def value_at(placed: Placed, key: PortKey, results: Mapping[Address, Payload]) -> Payload:
    """Return what a step made for a port, before edits are laid on it, or what was given to it; None if nothing was."""
    maker = maker_of(placed, key)
    if maker is not None:
        return results.get(maker)
    given = placed.segment.effective.inputs.get(key)
    return None if given is None else decode(given.ref, given.content)


def grid_of(placed: Placed) -> FrameGrid:
    """Return the frames of a phrase."""
    options = placed.segment.effective.graph.nodes["acoustic"].options
    return FrameGrid(*(options[name] for name in ("sample_rate", "hop_size", "head_frames", "tail_frames")))


def start_seconds(placed: Placed, song_rate: int) -> float:
    """Return where in the song a phrase's first frame begins."""
    return placed.start_sample / song_rate


def frame_seconds(placed: Placed, song_rate: int, count: int) -> npt.NDArray[np.float64]:
    """Return the middle of each of the first `count` frames, in seconds of the song: float64[count]."""
    middles = (np.arange(count, dtype=np.float64) + 0.5) * grid_of(placed).frame_seconds
    return start_seconds(placed, song_rate) + middles


def phones_of(placed: Placed, song_rate: int, results: Mapping[Address, Payload]) -> list[Spoken]:
    """Return the phones of a phrase, silence included."""
    symbols, frames = value_at(placed, PH_SEQ, results) or [], value_at(placed, PH_DUR, results)
    ends = np.cumsum(np.asarray([] if frames is None else frames, dtype=np.int64))
    step, start = grid_of(placed).frame_seconds, start_seconds(placed, song_rate)
    edges = [start, *(start + int(end) * step for end in ends)]
    return [Spoken(edges[place], edges[place + 1], symbol) for place, symbol in enumerate(symbols)]


def notes_of(placed: Placed, song_rate: int) -> list[Spoken]:
    """Return the notes of a phrase, with their lyrics; a transcript has none."""
    timing, lyrics, melody = (value_at(placed, key, {}) for key in (TIMING, LYRICS, MELODY))
    if timing is None or lyrics is None or melody is None:
        return []
    from quincunx_orchestrator.score.note_names import name_of

    anchor = start_seconds(placed, song_rate) + grid_of(placed).head_frames * grid_of(placed).frame_seconds
    spans = Timing.from_payload(timing).note_seconds()
    words, tones = Lyrics.from_payload(lyrics).notes, Melody.from_payload(melody).notes
    return [
        Spoken(anchor + start, anchor + end, f"{name_of(tone.tone)} {word.text}")
        for (start, end), word, tone in zip(spans, words, tones, strict=True)
    ]
