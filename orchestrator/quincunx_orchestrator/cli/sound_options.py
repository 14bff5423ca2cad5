"""The flags that say how the result is to sound and in which kind of file it comes."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, help="Choose the take.  [default: 0]"),
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
