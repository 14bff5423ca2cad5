"""The flag that says how large the cache may grow."""

from __future__ import annotations

import math
import re

import click

#: Two hundred songs of a minute, edited now and then.
DEFAULT_BYTES = 20e9

_SIZE = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([kmgt]?)b?\s*", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


class Size(click.ParamType):  # type: ignore[type-arg] # generic only since click 8.4
    """A size such as 500MB or 20GB, in bytes; `off` is no limit (None)."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return bytes."""
        if isinstance(value, float):
            return value
        if value == "off":
            return math.inf
        found = _SIZE.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is neither `off` nor a size such as 500MB or 20GB.", param, ctx)
        return float(found[1]) * _UNITS[found[2].lower()]


cache_size_option = click.option(
    "--cache-size",
    type=Size(),
    default=DEFAULT_BYTES,
    metavar="SIZE|off",
    envvar="QUINCUNX_CACHE_SIZE",
    help="How large the cache may grow; what was not used for longest leaves it.  "
    "[env: QUINCUNX_CACHE_SIZE; default: 20GB]",
)
