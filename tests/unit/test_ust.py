"""Songs of UTAU as scores: what its files say, in either encoding, and what plug-ins leave in them."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quincunx_orchestrator.score.model import Note, Score, Track
from quincunx_orchestrator.score.readers import read_score
from quincunx_orchestrator.score.ust import read_ust
from quincunx_shared.errors import BadScore
from quincunx_shared.phrase import Lyric, PitchPoint, Vibrato
from quincunx_shared.tempo import TempoEvent

SETTING = "[#VERSION]\nUST Version1.2\n[#SETTING]\nTempo=120.00\nProjectName=春\nVoiceDir=%VOICE%demo\nMode2=True\n"


def section(title: str = "0000", lyric: str = "あ", length: object = 480, tone: object = 60, **more: str) -> str:
    lines = {"Length": length, "Lyric": lyric, "NoteNum": tone, **more}
    return f"[#{title}]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def text(*sections: str) -> str:
    return SETTING + "".join(sections) + "[#TRACKEND]\n"


def read(*sections: str) -> Score:
    return read_ust(text(*sections).encode(), "song.ust")


def notes(*sections: str) -> tuple[Note, ...]:
    return read(*sections).parts[0].notes


def test_notes_follow_each_other_and_rests_only_take_time() -> None:
    song = read(section(), section(lyric="R", length=240), section(lyric="い", length=960, tone=62))

    assert song.name == "春"
    assert song.tracks == (Track("春", "demo"),)
    assert song.tempos == (TempoEvent(0, 120.0),)
    assert song.parts[0].notes == (Note(0, 480, 60, Lyric("あ")), Note(720, 960, 62, Lyric("い")))
    assert song.notices == ()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932"])
def test_either_encoding_and_any_line_ends_read_alike(codec: str) -> None:
    written = text(section(lyric="表"), section(lyric="ソ"))
    assert read_score("song.ust", written.replace("\n", "\r\n").encode(codec)) == read_ust(written.encode(), "song.ust")


@pytest.mark.parametrize("raw", [b"Charset=UTF-8\n" + "あ".encode("cp932"), b"[#SETTING]\nProjectName=\x81 "])
def test_what_is_no_text_in_its_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(BadScore, match="not text in"):
        read_ust(raw, "song.ust")


def test_a_note_changes_the_tempo_from_itself_on() -> None:
    song = read(section(), section(Tempo="90"), section(Tempo="90,00"), section(lyric="R", Tempo="150.5"), section())
    assert song.tempos == (TempoEvent(0, 120.0), TempoEvent(480, 90.0), TempoEvent(1440, 150.5))


def test_a_tempo_of_the_first_note_wins() -> None:
    assert read(section(Tempo="60")).tempos == (TempoEvent(0, 60.0),)


def test_the_pitch_line_is_points_in_cents() -> None:
    _, sung = notes(section(), section(PBS="-40;-5", PBW="80,40,10.5", PBY="10,-2.5", PBM=",s,r"))
    assert sung.points == (
        PitchPoint(-40, -50, "io"),
        PitchPoint(40, 100, "l"),
        PitchPoint(80, -25, "o"),
        PitchPoint(90.5, 0, "io"),
    )
    assert sung.snap_first is True


def test_a_line_after_a_rest_starts_where_it_was_drawn() -> None:
    [sung] = notes(section(PBS="-40;-5", PBW="80"))
    assert (sung.points[0].cents, sung.snap_first) == (-50, False)
    assert notes(section(PBS="-40", PBW="80"))[0].snap_first is True


def test_gaps_in_a_list_are_zero() -> None:
    assert [point.ms for point in notes(section(PBS="", PBW="80,,20"))[0].points] == [0, 80, 80, 100]


def test_a_vibrato_is_moved_into_the_ranges_of_the_editor() -> None:
    inside, outside, none = notes(
        section(VBR="65,180,35,20,15,5,-6,0"), section(VBR="165,1,900,70,60,-1,101"), section(VBR="0,180,35")
    )
    assert inside.vibrato == Vibrato(65, 180, 35, 20, 15, 5, -6)
    assert outside.vibrato == Vibrato(100, 5, 200, 40, 60, 0, 100)
    assert none.vibrato is None


def test_the_file_of_a_plug_in_has_neighbours_that_are_not_sung() -> None:
    song = read(
        section("PREV", "ま"), section(), section("INSERT", "い"), section("DELETE", "う"), section("NEXT", "え")
    )
    assert [(one.position_tick, one.lyric.text) for one in song.parts[0].notes] == [(0, "あ"), (480, "い")]
    assert "not sung" in song.notices[0]


def test_the_vowel_before_is_left_out_of_a_lyric() -> None:
    song = read(section(lyric="- さ"), section(lyric="a く"), section(lyric="u ら"))
    assert [one.lyric.text for one in song.parts[0].notes] == ["さ", "く", "ら"]
    assert "VCV" in song.notices[0]


def test_a_plus_that_touches_goes_on_with_the_word() -> None:
    sung = notes(section(lyric="hello[hh ax l ow]"), section(lyric="+"), section(lyric="+~"))
    assert [one.lyric.extension for one in sung] == ["", "syllable", "vowel"]
    assert sung[0].lyric.hint == ("hh", "ax", "l", "ow")


def test_what_would_be_heard_and_is_not_applied_is_said_once() -> None:
    song = read(section(Velocity="80", Flags="g-5"), section(Velocity="70", Modulation="0", Intensity="100"))
    assert song.notices == ("not applied: Velocity, Flags of notes",)


@pytest.mark.parametrize("singer", ["%VOICE%uta", r"C:\voices\uta", "/home/me/uta/", "uta"])
def test_the_singer_is_the_name_of_its_folder(singer: str) -> None:
    written = text(section()).replace("%VOICE%demo", singer)
    assert read_ust(written.encode(), "song.ust").tracks[0].singer == "uta"


@pytest.mark.parametrize(
    ("wrong", "key", "line"),
    [
        ({"length": "0"}, "Length", 9),
        ({"length": "-480"}, "Length", 9),
        ({"length": ""}, "Length", 9),
        ({"length": "9" * 6000}, "Length", 9),
        ({"length": "1e999"}, "Length", 9),
        ({"tone": "128"}, "NoteNum", 11),
        ({"tone": "60.5"}, "NoteNum", 11),
        ({"tone": "C4"}, "NoteNum", 11),
        ({"Tempo": "nan"}, "Tempo", 12),
        ({"Tempo": "0"}, "Tempo", 12),
        ({"PBW": "80,x"}, "PBW", 12),
        ({"PBW": "-80"}, "PBW", 12),
        ({"PBS": "inf;0"}, "PBS", 12),
        ({"VBR": "65,1e9,35"}, "VBR", 12),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(wrong: dict[str, str], key: str, line: int) -> None:
    fields: dict[str, object] = {"length": "480", "tone": "60", **wrong}
    with pytest.raises(BadScore) as refused:
        read(section(**fields))  # type: ignore[arg-type]
    assert refused.value.where == f"song.ust:{line}: [#0000].{key}"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "neither"),
        (b"hello\n", "section"),
        (b"[#VERSION]\n", "neither"),
        (text(section(length="1000000000"), section(length="1000000000")).encode(), "hours"),
        (b"[#0]\n" + b"a\n" * 2_000_001, "too many"),
    ],
)
def test_what_is_no_song_is_refused(raw: bytes, what: str) -> None:
    with pytest.raises(BadScore, match=what):
        read_ust(raw, "song.ust")


def test_twenty_thousand_notes_are_read_in_time() -> None:
    raw = text(*[section(length=15, PBS="-10", PBW="20") for _ in range(20_000)]).encode()
    began = time.process_time()
    assert len(read_ust(raw, "song.ust").parts[0].notes) == 20_000
    assert time.process_time() - began < 2


GOOD = text(section(PBS="-40;-5", PBW="80,40", VBR="65,180,35"), section(lyric="R", Tempo="90")).encode()


@given(st.data())
@settings(deadline=None)
def test_a_damaged_file_is_a_score_or_refused(draw: st.DataObject) -> None:
    raw = bytearray(GOOD)
    for place in draw.draw(st.lists(st.integers(0, len(raw) - 1), max_size=6)):
        raw[place] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(BadScore):
        assert isinstance(read_ust(bytes(raw[: draw.draw(st.integers(0, len(raw)))]), "song.ust"), Score)
