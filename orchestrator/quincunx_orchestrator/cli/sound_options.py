"""The flags that say how the result is to sound and in which kind of file it comes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import click

SEED_LIMIT = 2**31 - 1


def level(low: float, high: float) -> Callable[[str | float], float | None]:
    """Return what reads a number within a range, or the word `off`, which becomes None."""

    def read(given: str | float) -> float | None:
        if given == "off":
            return None
        try:
            value = float(given)
        except ValueError:
            value = math.nan
        # Not the other way round: NaN passes for being outside no range.
        if not low <= value <= high:
            raise click.BadParameter(f"{given!r} is neither `off` nor a number from {low:g} to {high:g}.")
        return value

    return read


take_options = (
    click.option(
        "--seed",
        type=click.IntRange(0, SEED_LIMIT),
        help="Chooses everything that is left to chance.  [default: that of the kept take, else 0]",
    ),
    click.option(
        "--acoustic-seed",
        type=click.IntRange(0, SEED_LIMIT),
        help="Another take of the acoustic model alone, on the same pitch.  [default: the seed]",
    ),
    click.option("--steps", type=click.IntRange(1, 1000), default=20, help="Denoising steps.  [default: 20]"),
    click.option(
        "--depth",
        type=click.FloatRange(0, 1),
        default=1.0,
        help="How much of the diffusion is run, where the model has a shallow start.  [default: 1]",
    ),
)

#: What --predict takes, besides both at once.
PREDICTIONS = ("duration", "pitch")


def _predictions(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[str, ...] | None:
    """Read `duration,pitch` or `none`; nothing leaves it to the song."""
    if given is None:
        return None
    names = () if given == "none" else tuple(dict.fromkeys(given.replace(" ", "").split(",")))
    for name in names:
        if name not in PREDICTIONS:
            raise click.BadParameter(f"{name!r} is neither duration nor pitch; write duration, pitch, both, or none.")
    return names


predict_options = (
    click.option(
        "--predict",
        callback=_predictions,
        metavar="duration,pitch|none",
        help="Let the bank's own models decide these in place of the rules.  [default: what a .ds file leaves out; "
        "nothing of a score]",
    ),
    click.option(
        "--natural/--as-drawn",
        default=None,
        help="Add what singers add unasked: vibrato on long notes that have none, phrases that swell.  "
        "[default: as drawn; the demo is natural]",
    ),
)

file_options = (
    click.option(
        "--bits",
        type=click.Choice(["16", "24", "float"]),
        default="16",
        help="Sample format; 16 bits are dithered.  [default: 16]",
    ),
    click.option(
        "--rate",
        type=click.IntRange(8000, 192000),
        metavar="HZ",
        help="Sample rate of the result.  [default: the highest of its voices]",
    ),
    click.option(
        "--loudness",
        type=level(-40, -5),
        default=-16.0,
        metavar="LUFS|off",
        help="Integrated loudness of the result; off leaves the level as it is mixed.  [default: -16]",
    ),
    click.option(
        "--true-peak",
        type=level(-20, 0),
        default=-1.0,
        metavar="DBTP|off",
        help="Where the limiter holds the true peak; off does without the limiter.  [default: -1]",
    ),
)

room_options = (
    click.option(
        "--reverb",
        type=click.FloatRange(0, 1),
        metavar="0..1",
        help="Put the mix into a small room; a tenth is plenty.  [default: 0; for the demo 0.1]",
    ),
)

beside_options = (
    click.option(
        "--stems",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Also write a file of each track here, with the gain of the mix and without its limiter.",
    ),
    click.option(
        "--phrases",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Also write a file of each phrase here, as it was sung, and a list of where they stand.",
    ),
)

range_option = click.option(
    "--range",
    "stretch",
    metavar="FROM:TO",
    help="Render a part, with a loudness of its own: bars, as 9:17 (from bar 9 up to bar 17), or seconds, as "
    "30s:45.5s; ends may be open.",
)

several_options = (
    click.option(
        "--out-dir", type=click.Path(path_type=Path), metavar="DIR", help="Write each song here, by its name."
    ),
    click.option(
        "--format", "container", type=click.Choice(["wav", "flac"]), help="What --out-dir receives.  [default: wav]"
    ),
    click.option(
        "--takes",
        type=click.IntRange(1, 999),
        metavar="N",
        help="Render N takes, with seeds from --seed on, to song.take1.wav and so on.",
    ),
    click.option(
        "--keep",
        type=click.IntRange(1),
        metavar="N",
        help="Keep take N of those that were rendered: it is rendered now, and whenever no --seed is given.",
    ),
)
