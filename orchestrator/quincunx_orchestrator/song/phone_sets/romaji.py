"""Romaji phones of Japanese banks: `k y o`, or `ky o`, with `N` and `cl`."""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN = (
    "a i u e o N cl k ky g gy s sh z j t ts ch ty d dy n ny h hy b by p py f m my y r ry w v"
)  # fmt: skip

ROWS: Mapping[str, tuple[str, ...]] = {
    **{phone: (f"ja/{phone}",) for phone in _PLAIN.split(" ")},
    "I": ("ja/I", "ja/i"), "U": ("ja/U", "ja/u"),  # whispered vowels; sung, they sound
    "A": ("ja/A", "ja/a"), "E": ("ja/E", "ja/e"), "O": ("ja/O", "ja/o"),
    "Q": ("ja/cl",), "q": ("ja/cl",), "GlottalStop": ("ja/cl",), "vf": ("ja/cl",),
    "nn": ("ja/N",), "ng": ("ja/ng", "ja/N"),
    "dz": ("ja/dz", "ja/z"),  # the z of most singers after a pause
    "kw": ("ja/kw", "ja/k ja/w"), "gw": ("ja/gw", "ja/g ja/w"),
    "fy": ("ja/fy", "ja/f ja/y"), "vy": ("ja/vy", "ja/v ja/y"),
    "l": ("ja/r",),
}  # fmt: skip
