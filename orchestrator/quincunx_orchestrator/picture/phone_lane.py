"""The lane of phones: who sings which sound, from when to when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from quincunx_orchestrator.picture import palette
from quincunx_orchestrator.picture.scene import Box, Frame, Label, Shape, Stroke, shortened, text_width
from quincunx_orchestrator.picture.sheet import Phone
from quincunx_orchestrator.picture.strip import Strip

_SIZES, _GAP = (6.4, 5.6, 4.8), 0.3
#: From this width on a phone has room for its length in milliseconds too.
_WITH_MS = 40.0


def phone_lane(
    phones: Sequence[Phone], strip: Strip, frame: Frame, shades: palette.TrackColours, name: str
) -> Iterator[Shape]:
    """Draw the phones of one track; where words would collide they get smaller, or stay out."""
    yield Box(frame, palette.LANE)
    label = shortened(name, 6.4, frame.left - 12)
    yield Label(
        frame.left - 5, frame.top + frame.height / 2 + 2.2, label, 6.4, shades.words, "right", True, role="track"
    )
    shown = [phone for phone in strip.within(phones) if phone.symbol != "SP"]
    for phone in shown:
        left, right = strip.x(phone.start), strip.x(phone.end)
        fill = palette.LANE if phone.silent else shades.wash
        yield Box(Frame(left, frame.top, right - left, frame.height), fill, role=f"phone {phone.symbol}")
    for moment in sorted({edge for phone in shown for edge in (phone.start, phone.end)}):
        if strip.span.start <= moment <= strip.span.end:
            x = strip.x(moment)
            yield Stroke(np.array([x, x]), np.array([frame.top, frame.bottom]), shades.edge, 0.5, role="boundary")
    yield from _names(shown, strip, frame, shades)


def _names(shown: Sequence[Phone], strip: Strip, frame: Frame, shades: palette.TrackColours) -> Iterator[Label]:
    """Write the names, the longest phones first, so that what gives way is what lasts least."""
    taken: list[tuple[float, float]] = []
    for phone in sorted(shown, key=lambda one: (one.start - one.end, one.start)):
        left, right = strip.x(phone.start), strip.x(phone.end)
        middle = (left + right) / 2
        colour = palette.HAIR if phone.silent else shades.words
        for size in _SIZES:
            half = text_width(phone.name, size) / 2 + _GAP
            # A name may stand out a little over a neighbour that leaves it room.
            room = (middle - half, middle + half)
            if all(room[1] <= start or room[0] >= end for start, end in taken) and strip.left <= room[0]:
                taken.append(room)
                yield Label(middle, frame.top + 8.2, phone.name, size, colour, "center", role="phone name")
                break
        if right - left >= _WITH_MS or text_width("000", 4.6) + 2 <= right - left:
            milliseconds = f"{(phone.end - phone.start) * 1000:.0f}"
            yield Label(middle, frame.bottom - 1.8, milliseconds, 4.4, palette.HAIR, "center", role="phone ms")
