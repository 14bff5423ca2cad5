"""What stands where on a page: shapes and words, in points (1/72 inch) from the upper left corner.

A scene is drawn in its order: later things lie over earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_orchestrator.picture.sheet import Floats

#: A colour as `#rrggbb`.
Colour: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    def overlaps(self, other: Frame) -> bool:
        """Whether both share more than an edge."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, perhaps with an edge and round corners."""

    frame: Frame
    fill: Colour
    edge: Colour = ""
    edge_width: float = 0.5
    radius: float = 0.0
    role: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A line through points, float64[n] each; `halo` lets it stand out from what it crosses."""

    xs: Floats
    ys: Floats
    colour: Colour
    width: float = 0.5
    halo: float = 0.0
    dashes: tuple[float, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """The area between two lines over the same points."""

    xs: Floats
    uppers: Floats
    lowers: Floats
    fill: Colour
    role: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A word: `x` is its left edge, middle or right edge, `y` its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour
    align: Literal["left", "center", "right"] = "left"
    bold: bool = False
    halo: float = 0.0
    role: str = ""

    @property
    def frame(self) -> Frame:
        """About the room the word takes."""
        width = text_width(self.text, self.size)
        shift = {"left": 0.0, "center": 0.5, "right": 1.0}[self.align]
        return Frame(self.x - shift * width, self.y - 0.75 * self.size, width, 0.95 * self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A picture within the page: uint8[rows, columns, 3], its first row on top."""

    frame: Frame
    pixels: npt.NDArray[np.uint8]
    role: str = ""


Shape: TypeAlias = Box | Stroke | Area | Label | Raster


@dataclass(frozen=True, eq=False)
class Scene:
    """A page: its size in points, the colour of the paper, and all shapes on it."""

    width: float
    height: float
    paper: Colour
    shapes: tuple[Shape, ...]


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is, in points: exact widths depend on fonts that pages do not know."""
    return size * sum(_advance(sign) for sign in text)


def shortened(text: str, size: float, room: float) -> str:
    """Return a text that takes no more room than there is, with … for what had to go."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


#: East Asian signs fill a square; of the Latin ones a few are narrow and a few wide.
_WIDE_FROM, _NARROW, _BROAD = 0x1100, frozenset(" .,:;'|!ijl()[]It"), frozenset("mwMW%@…—")


def _advance(sign: str) -> float:
    if ord(sign) >= _WIDE_FROM and sign not in _BROAD:
        return 1.0
    return 0.36 if sign in _NARROW else 0.95 if sign in _BROAD else 0.63
