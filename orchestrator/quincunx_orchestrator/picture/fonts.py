"""Fonts for words in any script: the one that comes with the drawing library, and what is installed.

The library brings no Chinese or Japanese glyphs. If no installed font has them either, pages spell the sounds
instead: see `Sheet.legible`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

#: Parts of the names of font files that hold Chinese and Japanese, best for reading first.
_LIKELY = (
    *("notosanscjk", "notosansjp", "notosanssc", "sourcehansans", "hiragino", "pingfang", "yugoth", "meiryo"),
    *("msyh", "msgothic", "notoserifcjk", "ipaexg", "ipag", "takao", "vlgothic", "vl-gothic", "wqy"),
    *("droidsansfallback", "arialuni", "unifont", "simhei", "simsun", "stheiti", "gothic", "cjk"),
)


#: The font that comes with the drawing library.
OWN_FAMILY = "DejaVu Sans"


class Fonts:
    """Finds for each text the fonts that together have all of its signs."""

    def covers(self, text: str) -> bool:
        """Whether every sign of the text can be drawn."""
        return bool(self.families_for(text))

    def families_for(self, text: str) -> tuple[str, ...]:
        """Return the families to draw a text with, signs missing in one being taken from the next; () if some lack."""
        missing = {ord(sign) for sign in text if not sign.isspace()} - self._own_signs
        families = [OWN_FAMILY]
        for path, held in self._others if missing else ():
            if missing & held:
                families.append(_registered(path))
                missing -= held
        return () if missing else tuple(families)

    @cached_property
    def _own_signs(self) -> frozenset[int]:
        import matplotlib as mpl

        return _signs_of(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")

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


@cache
def _registered(path: Path) -> str:
    """Make a font known to the drawing library, and return the name of its family."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    font_manager.fontManager.addfont(str(path))
    return str(FT2Font(str(path)).family_name)


def _signs_of(path: Path) -> frozenset[int]:
    """The code points a font has glyphs for; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
