"""From the bytes of a file to a score, whatever its format."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tiny_song import note, part, song_text

from quincunx_orchestrator.score.formats import SIZE_LIMIT, decode_text
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.readers import SCORE_FORMATS, read_score
from quincunx_shared.errors import BadScore

SONG = song_text(part([note(lyric="ど")])).encode()


@pytest.mark.parametrize("name", ["song.ustx", "SONG.USTX", "a.b.Ustx", "歌.ustx", "🎤.ustx", "x" * 300 + ".ustx"])
def test_the_suffix_names_the_format_in_either_case(name: str) -> None:
    assert read_score(name, SONG).parts[0].notes[0].lyric.text == "ど"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("song.xyz", "'.xyz' is no song format we read"),
        ("song.ustx.bak", "'.bak' is no song format we read"),
        ("song", "the name does not say which format this is"),
        (".ustx", "the name does not say which format this is"),
        ("", "the name does not say which format this is"),
    ],
)
def test_an_unknown_format_is_refused_with_the_known_ones(name: str, what: str) -> None:
    with pytest.raises(BadScore) as refused:
        read_score(name, SONG)

    assert (refused.value.what, refused.value.where) == (what, name)
    assert all(suffix in refused.value.remedy for suffix in SCORE_FORMATS)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode_text(b"\xef\xbb\xbfname: x", "song.ustx") == "name: x"
    assert read_score("song.ustx", b"\xef\xbb\xbf" + SONG) == read_score("song.ustx", SONG)


def test_windows_line_ends_are_line_ends() -> None:
    assert read_score("song.ustx", SONG.replace(b"\n", b"\r\n")) == read_score("song.ustx", SONG)


@pytest.mark.parametrize("raw", ["name: x\nlyric: ど".encode("cp932"), b"name: x\n\xff\xfe", b"a\n\x80"])
def test_what_is_not_utf_8_is_refused_with_its_line(raw: bytes) -> None:
    with pytest.raises(BadScore) as refused:
        decode_text(raw, "song.ustx")

    assert refused.value.where == "song.ustx:2"
    assert refused.value.remedy == "save the file as UTF-8"


def test_a_file_too_large_for_a_song_is_refused_unread() -> None:
    with pytest.raises(BadScore, match="at most 50 MB"):
        read_score("song.ustx", b"\xff" * (SIZE_LIMIT + 1))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadScore):
        assert isinstance(read_score("song.ustx", raw), Score)
