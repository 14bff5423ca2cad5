"""The recordings of a song as segments: one a wave part, which the mix reads beside the phrases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quincunx_orchestrator.core.graph import Graph, node_of
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.score.model import Score, WavePart
from quincunx_orchestrator.song.wave_files import WaveFile, Waves
from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import encode
from quincunx_shared.tempo import TempoMap

WAVE = "wave"

#: Seconds are rounded to a microsecond, so that a part that moves under one tempo keeps its options to the bit.
_DIGITS = 6

#: What a song of notes may last as well.
LONGEST_SECONDS = 6 * 3600


@dataclass(frozen=True)
class PlacedWave:
    """A recording as the song has it. `sample_count` is a bound of its length at the song's rate."""

    segment: Segment
    track: int
    start_sample: int
    sample_count: int

    @property
    def audio(self) -> Address:
        """What the mix reads of it."""
        return Address(self.segment.id, PortKey(WAVE, "audio"))

    @property
    def end_sample(self) -> int:
        """Where it ends at the latest."""
        return self.start_sample + self.sample_count


def placed_waves(
    score: Score, waves: Waves, sample_rate: int, manifests: Mapping[str, Manifest]
) -> tuple[PlacedWave, ...]:
    """Return the recordings that were read, in the order of the song."""
    axis = TempoMap(score.tempos)
    placed = []
    for number, file in sorted(waves.files.items()):
        part = score.wave_parts[number]
        options = {"sample_rate": sample_rate, **_stretch(part, file, axis)}
        segment = Segment(
            SegmentId(f"wave-{number + 1}"),
            Graph.of([node_of(manifests[WAVE], options=options)]),
            {PortKey(WAVE, "file"): encode(file.content)},
            colours={WAVE: manifests[WAVE].device},
            label=f"{score.tracks[part.track].name} {part.path}".strip(),
        )
        start = round(_begin(part, number, axis) * sample_rate)
        placed.append(PlacedWave(segment, part.track, start, int(options["seconds"] * sample_rate) + 1))
    return tuple(placed)


def _begin(part: WavePart, number: int, axis: TempoMap) -> float:
    """Return the second a recording begins at; the silence in front of one that begins days later fills the memory."""
    begin = axis.seconds_at(part.position_tick)
    if begin > LONGEST_SECONDS:
        what = f"begins more than {LONGEST_SECONDS // 3600} hours into the song"
        raise BadInput(what, where=f"wave_parts[{number}].position")
    return begin


def _stretch(part: WavePart, file: WaveFile, axis: TempoMap) -> dict[str, Any]:
    """Return in seconds what of a file is heard; what a song says in ticks lasts as long as where it stands."""
    begin = axis.seconds_at(part.position_tick)
    skip = min(begin - axis.seconds_at(part.position_tick - part.skip_ticks), file.seconds)
    end = axis.tick_at(begin - skip + file.seconds)
    trim = axis.seconds_at(end) - axis.seconds_at(end - part.trim_ticks)
    last = axis.tick_at(begin - skip + file.seconds - trim)
    fade_in = axis.seconds_at(part.position_tick + part.fade_in_ticks) - begin
    fade_out = axis.seconds_at(last) - axis.seconds_at(last - part.fade_out_ticks)
    heard = max(file.seconds - skip - trim, 0.0)
    return {
        "skip_seconds": round(skip, _DIGITS),
        "seconds": round(heard, _DIGITS),
        "fade_in_seconds": round(min(fade_in, heard), _DIGITS),
        "fade_out_seconds": round(min(fade_out, heard), _DIGITS),
    }
