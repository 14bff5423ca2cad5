"""Words are drawn in a font that has their signs, and what no font has is not drawn as boxes."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font
from PIL import Image

from quincunx_orchestrator.picture.fonts import Fonts, likely_first
from quincunx_orchestrator.picture.painter import png_of
from quincunx_orchestrator.picture.scene import Label, Scene


def test_latin_words_and_the_page_s_own_signs_need_no_installed_font() -> None:
    fonts = Fonts()
    for text in ("lights", "Étude №2", "Привет", "C♯4 E♭ → −16.0 LUFS · … –", ""):
        assert fonts.families_for(text) == ("DejaVu Sans",)


def test_a_text_of_several_scripts_takes_its_signs_from_several_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    own, other = (set(FT2Font(str(folder / name)).get_charmap()) for name in ("DejaVuSans.ttf", "STIXGeneral.ttf"))
    foreign = chr(min(other - own))
    monkeypatch.setattr(Fonts, "_others", [(folder / "STIXGeneral.ttf", frozenset(other))])
    fonts = Fonts()
    assert fonts.families_for(f"la {foreign}") == ("DejaVu Sans", "STIXGeneral")
    label = Label(10, 10, f"la {foreign} $x$", 8, "#000000", bold=True)
    with Image.open(io.BytesIO(png_of(Scene(80, 20, "#ffffff", (label,)), fonts))) as drawn:
        assert min(drawn.convert("L").tobytes()) < 60, "it is drawn, and nothing warns of a missing glyph"


def test_fonts_that_hold_east_asian_signs_are_tried_in_the_order_they_read_best() -> None:
    paths = ["/f/Arial.ttf", "/f/unifont.otf", "/f/NotoSansCJK-Bold.ttc", "/f/NotoSansCJK-Regular.ttc", "/f/ipag.ttf"]
    names = [path.name for path in likely_first(paths)]
    assert names == ["NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "ipag.ttf", "unifont.otf"]


def test_a_sign_that_no_font_has_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fonts, "_others", [])
    fonts = Fonts()
    assert not fonts.covers("愛")
    assert not fonts.covers("la愛")
    assert fonts.covers("la")
