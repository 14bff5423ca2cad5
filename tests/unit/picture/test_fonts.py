"""Words are drawn in a font that has their signs, and what no font has is not drawn as boxes."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.picture.fonts import Fonts, likely_first


def test_latin_words_and_the_page_s_own_signs_need_no_installed_font() -> None:
    fonts = Fonts()
    for text in ("lights", "Étude №2", "Привет", "C♯4 E♭ → −16.0 LUFS · … –", ""):
        path = fonts.path_for(text)
        assert path is not None
        assert path.name.startswith("DejaVu")


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
