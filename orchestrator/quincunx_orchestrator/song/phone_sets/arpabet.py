"""ARPAbet, in either case, with or without the digits of stress."""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN = (
    "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
)  # fmt: skip

ROWS: Mapping[str, tuple[str, ...]] = {
    **{phone: (f"en/{phone}",) for phone in _PLAIN.split(" ")},
    "h": ("en/hh",), "hv": ("en/hh",), "wh": ("en/w",), "nx": ("en/n",),
    "ax": ("en/ax", "en/ah"), "axr": ("en/axr", "en/er"), "ix": ("en/ix", "en/ih"), "ux": ("en/ux", "en/uw"),
    "dx": ("en/dx", "ja/r"),  # the flap of `water` is the Japanese r
    "q": ("en/q", "ja/cl"),  # a closed throat is silent, as the Japanese double consonant
    "el": ("en/el", "en/ah en/l"), "em": ("en/em", "en/ah en/m"), "en": ("en/en", "en/ah en/n"),
}  # fmt: skip
