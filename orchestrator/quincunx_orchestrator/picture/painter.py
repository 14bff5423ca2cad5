"""Scenes become PNG files. The one module that draws."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quincunx_orchestrator.picture.fonts import Fonts
from quincunx_orchestrator.picture.scene import Area, Box, Label, Raster, Scene, Stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Two pixels a point: hairlines fall on whole pixels, and a page fits a wide screen twice.
PIXELS_A_POINT = 2

#: The drawing library's limit in each direction is 65,535 pixels.
MOST_PIXELS = 60_000


def png_of(scene: Scene, fonts: Fonts) -> bytes:
    """Draw a scene: two pixels a point, fewer where the page would be larger than an image can be."""
    # Its font cache and its temporary folders are not what a person who renders songs wants to read about.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(scene.width / 72, scene.height / 72), facecolor=scene.paper)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, scene.width), ylim=(scene.height, 0))
    axes.set_axis_off()
    for place, shape in enumerate(scene.shapes):
        _PAINTERS[type(shape)](axes, shape, place, fonts)
    axes.set(xlim=(0, scene.width), ylim=(scene.height, 0))
    pixels_a_point = min(PIXELS_A_POINT, MOST_PIXELS / max(scene.width, scene.height))
    page = io.BytesIO()
    figure.savefig(
        page, format="png", dpi=72 * pixels_a_point, facecolor=scene.paper, metadata={"Software": "Quincunx"}
    )
    return page.getvalue()


def _paint_box(axes: Axes, box: Box, place: int, _fonts: Fonts) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    frame = box.frame
    edge = box.edge or "none"
    common: Mapping[str, Any] = {"facecolor": box.fill, "edgecolor": edge, "linewidth": box.edge_width, "zorder": place}
    radius = min(box.radius, frame.width / 2, frame.height / 2)
    if radius > 0:
        style = f"round,pad=0,rounding_size={radius}"
        axes.add_artist(
            FancyBboxPatch(
                (frame.left, frame.top), frame.width, frame.height, boxstyle=style, mutation_aspect=1, **common
            )
        )
    else:
        axes.add_artist(Rectangle((frame.left, frame.top), frame.width, frame.height, snap=not box.edge, **common))


def _paint_stroke(axes: Axes, stroke: Stroke, place: int, _fonts: Fonts) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    line = Line2D(
        stroke.xs, stroke.ys, color=stroke.colour, linewidth=stroke.width, solid_capstyle="round", zorder=place
    )
    if stroke.dashes:
        line.set_dashes(stroke.dashes)
    if stroke.halo:
        line.set_path_effects([withStroke(linewidth=stroke.width + 2 * stroke.halo, foreground="white", alpha=0.75)])
    axes.add_artist(line)


def _paint_area(axes: Axes, area: Area, place: int, _fonts: Fonts) -> None:
    from matplotlib.patches import Polygon

    outline = np.concatenate([np.column_stack([area.xs, area.uppers]), np.column_stack([area.xs, area.lowers])[::-1]])
    axes.add_artist(Polygon(outline, closed=True, facecolor=area.fill, edgecolor="none", zorder=place))


def _paint_label(axes: Axes, label: Label, place: int, fonts: Fonts) -> None:
    from matplotlib.patheffects import withStroke

    families = fonts.families_for(label.text)
    if not families:
        return  # no font here has its signs, and a row of empty boxes says nothing
    text = axes.text(
        label.x,
        label.y,
        label.text,
        fontfamily=list(families),
        fontsize=label.size,
        fontweight="bold" if label.bold else "normal",
        color=label.colour,
        horizontalalignment=label.align,
        verticalalignment="baseline",
        parse_math=False,
        zorder=place,
    )
    if label.halo:
        text.set_path_effects([withStroke(linewidth=label.halo, foreground="white", alpha=0.85)])


def _paint_raster(axes: Axes, raster: Raster, place: int, _fonts: Fonts) -> None:
    frame = raster.frame
    extent = (frame.left, frame.right, frame.bottom, frame.top)
    axes.imshow(raster.pixels, extent=extent, aspect="auto", interpolation="bilinear", zorder=place)


_PAINTERS: Mapping[type, Callable[[Any, Any, int, Fonts], None]] = {
    Box: _paint_box,
    Stroke: _paint_stroke,
    Area: _paint_area,
    Label: _paint_label,
    Raster: _paint_raster,
}
