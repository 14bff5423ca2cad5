"""The flags that bound what the models of a bank may take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from quincunx_shared.model_limits import ModelLimits

#: The part of the machine's memory that models may take: the rest is for everything else.
MEMORY_SHARE = 0.75

model_options = (
    click.option(
        "--model-seconds",
        type=click.FloatRange(0, 86400 * 7),
        default=0.0,
        envvar="QUINCUNX_MODEL_SECONDS",
        help="End a run of a model after this long.  [env: QUINCUNX_MODEL_SECONDS; default: a minute and twenty "
        "times as long as it sounds]",
    ),
    click.option(
        "--model-memory",
        type=click.FloatRange(0, 4096),
        default=0.0,
        envvar="QUINCUNX_MODEL_MEMORY",
        help="Gigabytes the models may take together.  [env: QUINCUNX_MODEL_MEMORY; default: three quarters of the "
        "machine's]",
    ),
)


def limits_of(seconds: float, gigabytes: float) -> ModelLimits:
    """Turn flags into limits; 0 stands for the default."""
    from quincunx_shared.model_limits import ModelLimits

    return ModelLimits(seconds, round(gigabytes * 1e9) or _usual_memory())


def _usual_memory() -> int:
    """Return the models' share of this machine's memory; 0, no limit, where the system does not tell it."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * MEMORY_SHARE)
    except (AttributeError, OSError, ValueError):  # no POSIX
        return 0
