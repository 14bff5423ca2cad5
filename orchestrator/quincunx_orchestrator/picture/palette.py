"""The colours of a page: light paper, quiet lines, one colour a track."""

from __future__ import annotations

from dataclasses import dataclass

from quincunx_orchestrator.picture.scene import Colour

PAPER, LANE = "#ffffff", "#fbfbf9"
INK, FAINT, HAIR = "#1c2230", "#6b7383", "#9aa2b1"
BAR, BEAT, KEY, OCTAVE = "#b4bcc9", "#e7eaef", "#f1f3f6", "#d3d8e0"
WAVE, WAVE_CORE = "#b3c0d4", "#6c7f9f"

#: Told apart in print and by the colour-blind (after Okabe and Ito 2008, darkened until words in them read well).
_TRACKS = ("#1f5fa8", "#b4491a", "#1b7a55", "#8a3f86", "#8a6508", "#1b7484")


@dataclass(frozen=True, slots=True)
class TrackColours:
    """The shades of one track."""

    line: Colour
    edge: Colour
    fill: Colour
    wash: Colour
    words: Colour


def colours_of(place: int) -> TrackColours:
    """Return the colours of the track that stands at a place on the page."""
    line = _TRACKS[place % len(_TRACKS)]
    return TrackColours(
        line, mixed(line, PAPER, 0.5), mixed(line, PAPER, 0.72), mixed(line, PAPER, 0.91), mixed(line, "#000000", 0.25)
    )


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour with a share of another."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _parts(colour: Colour) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
