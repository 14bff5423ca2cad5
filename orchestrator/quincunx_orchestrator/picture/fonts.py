"""Fonts for words in any script: the one that comes with the drawing library, and what is installed.

The library brings no Chinese or Japanese glyphs. If no installed font has them either, pages spell the sounds
instead: see `Sheet.legible`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

#: Parts of the names of font files that hold Chinese and Japanese, best for reading first.
_LIKELY = (
    *("notosanscjk", "notosansjp", "notosanssc", "sourcehansans", "hiragino", "pingfang", "yugoth", "meiryo"),
    *("msyh", "msgothic", "notoserifcjk", "ipaexg", "ipag", "takao", "vlgothic", "vl-gothic", "wqy"),
    *("droidsansfallback", "arialuni", "unifont", "simhei", "simsun", "stheiti", "gothic", "cjk"),
)


class Fonts:
    """Finds for each text a font that has all of its signs."""

    def covers(self, text: str) -> bool:
        """Whether some font can draw the text."""
        return self.path_for(text) is not None

    def path_for(self, text: str, *, bold: bool = False) -> Path | None:
        """Return the file of a font that has every sign of the text; None if there is none."""
        signs = {ord(sign) for sign in text if not sign.isspace()}
        if signs <= self._own_signs:
            return self._own[bold]
        return next((path for path, held in self._others if signs <= held), None)

    @cached_property
    def _own(self) -> tuple[Path, Path]:
        """The fonts of the library: regular and bold."""
        import matplotlib as mpl

        folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
        return folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"

    @cached_property
    def _own_signs(self) -> frozenset[int]:
        return _signs_of(self._own[0])

    @cached_property
    def _others(self) -> list[tuple[Path, frozenset[int]]]:
        """Installed fonts that are likely to hold East Asian signs."""
        return [(path, signs) for path in likely_first(_installed()) if (signs := _signs_of(path))]


def likely_first(paths: Iterable[str]) -> list[Path]:
    """Return the font files whose names promise East Asian signs, the best first."""
    ranked: list[tuple[int, str]] = []
    for path in paths:
        name = Path(path).name.lower().replace(" ", "")
        rank = next((place for place, part in enumerate(_LIKELY) if part in name), None)
        if rank is not None:
            ranked.append((2 * rank + ("bold" in name or "light" in name), path))
    return [Path(path) for _, path in sorted(ranked)]


def _installed() -> Iterator[str]:
    from matplotlib import font_manager

    yield from font_manager.findSystemFonts()


def _signs_of(path: Path) -> frozenset[int]:
    """The code points a font has glyphs for; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
