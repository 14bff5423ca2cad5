"""The wave parts of an OpenUTAU project: recordings laid on its tracks."""

from __future__ import annotations

from quincunx_orchestrator.score.fields import Fields
from quincunx_orchestrator.score.model import WavePart

#: Longer than any song; what lies beyond was not drawn by hand.
_TICKS = 100_000_000


def read_wave_parts(top: Fields, track_count: int) -> tuple[WavePart, ...]:
    """Return the wave parts in the order of the file."""
    return tuple(_wave_part(fields, track_count) for fields in top.children("wave_parts"))


def _wave_part(fields: Fields, track_count: int) -> WavePart:
    track = fields.integer("track_no", 0, default=0)
    if track >= track_count:
        raise fields.refuse("track_no", f"the number of a track, of which there are {track_count}, counted from 0")
    return WavePart(
        track=track,
        position_tick=fields.integer("position", 0, _TICKS, default=0),
        path=fields.text("relative_path", ""),
        name=fields.text("name", ""),
        skip_ticks=fields.number("skip", 0, _TICKS, 0.0),
        trim_ticks=fields.number("trim", 0, _TICKS, 0.0),
        fade_in_ticks=fields.number("fadein", 0, _TICKS, 0.0),
        fade_out_ticks=fields.number("fadeout", 0, _TICKS, 0.0),
    )
