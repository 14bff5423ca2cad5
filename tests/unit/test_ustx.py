"""What an OpenUTAU project says, as a score."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.tiny_song import curve, note, part, read, read_notes, song_text

from quincunx_orchestrator.score.model import PartCurve, TimeSignature, Track, WavePart
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.score.ustx_curves import CURVE_KINDS
from quincunx_orchestrator.song.phrase_graph import CURVE_PORTS
from quincunx_shared.errors import BadScore
from quincunx_shared.phrase import Lyric, PitchPoint, Vibrato
from quincunx_shared.tempo import TempoEvent

#: What the editor writes: words unquoted that YAML takes for truth values and times.
WRITTEN_BY_THE_EDITOR = """\
\ufeffname: 1:30
comment: ""
ustx_version: "0.6"
resolution: 480
bpm: 90
expressions:
  dir:
    options:
    - off
    - on
tempos:
- position: 0
  bpm: 140.5
tracks:
- singer: no
  phonemizer: OpenUtau.Plugin.Builtin.JapaneseVCVPhonemizer
  renderer_settings:
    renderer: WORLDLINE-R
  track_name: on
  mute: false
  solo: yes
  volume: -3.5
  pan: -20
voice_parts:
- duration: 960
  name: ~
  track_no: 0
  position: 1920
  notes:
  - {position: 0, duration: 480, tone: 60, lyric: no}
  - {position: 480, duration: 480, tone: 62, lyric: off}
  curves: []
wave_parts: []
"""

#: Any character of a name; line breaks and control characters are not part of one.
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"))

AWKWARD = (
    "é",
    "e\u0301",
    "שָׁלוֹם",
    "🎤👩‍🎤",
    "あ" * 300,
    "../../etc",
    "C:\\x",
    "a\u202eb",
    " la ",
    "'",
    '"',
    "#",
    "null",
)


def test_a_project_reads_as_the_editor_wrote_it() -> None:
    score = read_ustx(WRITTEN_BY_THE_EDITOR.encode(), "song.ustx")

    assert score.name == "1:30"
    assert score.tempos == (TempoEvent(0, 140.5),)
    assert score.tracks == (
        Track("on", "no", "OpenUtau.Plugin.Builtin.JapaneseVCVPhonemizer", -3.5, -20.0, False, True),
    )
    assert [one.lyric.text for one in score.parts[0].notes] == ["no", "off"]
    assert (score.parts[0].track, score.parts[0].position_tick) == (0, 1920)
    assert score.notices == ()


def test_the_bundled_song_reads_without_notices() -> None:
    text = (files("quincunx_orchestrator") / "songs" / "demo.ustx").read_text("utf-8")
    score = read_ustx(text.encode(), "demo.ustx")

    assert score.name == "Five Lights"
    assert [track.singer for track in score.tracks] == ["demo", "demo-low", "demo"]
    assert len(score.parts) == 3
    assert all(one.notes for one in score.parts)
    assert score.notices == ()


def test_what_is_left_out_has_the_defaults_of_the_editor() -> None:
    score = read_ustx(
        b"{ustx_version: 0.9, tracks: [{}], voice_parts: [{track_no: 0, position: 0}]}", "songs.of.spring.ustx"
    )

    assert score.name == "songs.of.spring"
    assert score.tracks == (Track("Track 1"),)
    assert score.tempos == (TempoEvent(0, 120.0),)
    assert score.time_signatures == (TimeSignature(0, 4, 4),)
    assert score.parts[0].notes == ()
    assert score.parts[0].curves == {}


def test_nothing_spelled_out_is_nothing() -> None:
    score = read_ustx(b"{ustx_version: 0.9, expressions: ~, tracks: null, voice_parts: , wave_parts: }", "a.ustx")

    assert (score.tracks, score.parts, score.notices) == ((), (), ())


def test_tracks_and_parts_keep_their_order() -> None:
    tracks = [{"track_name": "A", "mute": True}, {"track_name": "B", "solo": True, "volume": -24, "pan": 100}]
    score = read(part([note()], track_no=1, name="second"), part([note(lyric="do")], position=480), tracks=tracks)

    assert score.tracks == (Track("A", mute=True), Track("B", volume_db=-24.0, pan=100.0, solo=True))
    assert [(one.track, one.position_tick, one.name) for one in score.parts] == [(1, 0, "second"), (0, 480, "")]


def test_tempos_and_metres_are_read_from_their_lists() -> None:
    metres = [
        {"bar_position": 0, "beat_per_bar": 4, "beat_unit": 4},
        {"bar_position": 5, "beat_per_bar": 3, "beat_unit": 8},
    ]
    score = read(tempos=[{"position": 0, "bpm": 112}, {"position": 4800, "bpm": 75.25}], time_signatures=metres)

    assert score.tempos == (TempoEvent(0, 112.0), TempoEvent(4800, 75.25))
    assert score.time_signatures == (TimeSignature(0, 4, 4), TimeSignature(5, 3, 8))


@pytest.mark.parametrize(("version", "bpm", "beats"), [("0.5", 90.0, 3), ("0.6", 120.0, 4), ("0.10", 120.0, 4)])
def test_before_0_6_the_tempo_at_the_top_is_the_one(version: str, bpm: float, beats: int) -> None:
    score = read(ustx_version=version, bpm=90, beat_per_bar=3, beat_unit=8)

    assert score.tempos == (TempoEvent(0, bpm),)
    assert score.time_signatures[0].beats == beats


def test_a_project_without_a_list_of_tempos_has_the_one_at_the_top() -> None:
    assert read(tempos=None, bpm=90).tempos == (TempoEvent(0, 90.0),)


def test_a_newer_version_is_read_with_a_notice() -> None:
    score = read(part([note()]), ustx_version="1.0")

    assert len(score.parts[0].notes) == 1
    assert score.notices == ("the file is of ustx version 1.0, newer than 0.9",)


@pytest.mark.parametrize(
    ("written", "lyric"),
    [
        ("hello[hh ax l ow]", Lyric("hello", ("hh", "ax", "l", "ow"))),
        ("[hh  ax]", Lyric("", ("hh", "ax"))),
        ("la[]", Lyric("la")),
        ("la]x[", Lyric("la]x[")),
        ("+", Lyric("+", (), "syllable")),
        ("+2", Lyric("+2", (), "syllable")),
        ("+~", Lyric("+~", (), "vowel")),
        ("+*", Lyric("+*", (), "vowel")),
        ("+[ow]", Lyric("+", ("ow",), "syllable")),
        ("a+", Lyric("a+")),
        ("...", Lyric("...")),
    ],
)
def test_a_lyric_may_hint_at_its_phonemes_or_continue_the_note_it_touches(written: str, lyric: Lyric) -> None:
    assert read_notes(note(), note(480, lyric=written))[1].lyric == lyric


@pytest.mark.parametrize("start", [481, 960])
def test_a_plus_that_touches_no_note_is_no_extension(start: int) -> None:
    assert read_notes(note(), note(start, lyric="+"))[1].lyric == Lyric("+")
    assert read_notes(note(lyric="+~"))[0].lyric == Lyric("+~")


def test_before_0_5_three_dots_were_the_plus() -> None:
    assert read_notes(note(), note(480, lyric="..."), ustx_version="0.4")[1].lyric == Lyric("+", (), "syllable")


def test_notes_are_read_in_order_of_time() -> None:
    assert [one.position_tick for one in read_notes(note(960), note(0), note(480))] == [0, 480, 960]


def test_a_note_that_starts_before_the_previous_one_ends_is_left_out_with_a_notice() -> None:
    notes = [note(0), note(240, lyric="lost"), note(480), *(note(500 + tick, 9) for tick in range(4))]
    score = read(part(notes))

    assert [one.position_tick for one in score.parts[0].notes] == [0, 480]
    assert score.notices == (
        "voice_parts[0].notes[1] 'lost', voice_parts[0].notes[3] 'la', voice_parts[0].notes[4] 'la' and 2 more "
        "start before the note before ends, and are left out",
    )


def test_pitch_points_are_cents_and_ascend() -> None:
    shapes = ("io", "i", "o", "l", "sp")
    data = [{"x": 20 * place - 40, "y": -1.5, "shape": shape} for place, shape in enumerate(shapes)]
    [sung] = read_notes(note(pitch={"data": data[::-1], "snap_first": False}, tuning=-12.5))

    assert sung.points == tuple(PitchPoint(20.0 * place - 40, -15.0, shape) for place, shape in enumerate(shapes))  # type: ignore[arg-type]
    assert sung.snap_first is False
    assert sung.tuning_cents == -12.5


def test_a_note_without_pitch_points_snaps_and_has_no_vibrato() -> None:
    [sung] = read_notes(note(vibrato={"length": 0, "period": 175}))

    assert (sung.points, sung.snap_first, sung.vibrato, sung.tuning_cents) == ((), True, None, 0.0)


def test_a_vibrato_is_moved_into_the_ranges_of_the_editor() -> None:
    inside = {"length": 60, "period": 182, "depth": 32, "in": 20, "out": 15, "shift": 5, "drift": -6, "vol_link": 7}
    outside = {"length": 160, "period": 1, "depth": 900, "in": 70, "out": 60, "shift": -1, "drift": 101}
    first, second, third = read_notes(
        note(vibrato=inside), note(480, vibrato=outside), note(960, vibrato={"length": 50})
    )

    assert first.vibrato == Vibrato(60, 182, 32, 20, 15, 5, -6)
    assert second.vibrato == Vibrato(100, 5, 200, 40, 60, 0, 100)
    assert third.vibrato == Vibrato(50)


@pytest.mark.parametrize(
    ("length", "link", "said"), [(60, 7, ("not applied yet: volume links of vibratos",)), (60, 0, ()), (0, 7, ())]
)
def test_a_vibrato_that_would_swell_is_told(length: int, link: int, said: tuple[str, ...]) -> None:
    assert read(part([note(vibrato={"length": length, "vol_link": link})])).notices == said


def test_curves_keep_the_units_of_the_file() -> None:
    curves = [curve("dyn", [0, 5, 960], [-240, 0.5, 120]), curve("pitd", [-5, 10], [-1300, 7]), curve("voic", [], [])]

    assert read(part(curves=curves)).parts[0].curves == {
        "dyn": PartCurve((0, 5, 960), (-240.0, 0.5, 120.0), 0.0),
        "pitd": PartCurve((-5, 10), (-1300.0, 7.0), 0.0),
        "voic": PartCurve((), (), 100.0),
    }


def test_the_default_of_a_curve_is_the_tracks_else_the_projects_else_the_editors() -> None:
    expressions = {
        "genc": {"default_value": 0, "custom_default_value": 20},
        "tenc": {"default_value": 5, "custom_default_value": None},
        "velc": {"default_value": 100},
    }
    tracks = [{}, {"track_expressions": [{"abbr": "genc", "default_value": 0, "custom_default_value": -30}]}]
    parts = [part(track_no=0, curves=[curve("tenc", [0], [1])]), part(track_no=1)]
    # JSON writes null where the editor leaves the field empty; both are nothing.
    first, second = read(*parts, expressions=expressions, tracks=tracks).parts

    assert first.curves == {"tenc": PartCurve((0,), (1.0,), 5.0), "genc": PartCurve((), (), 20.0)}
    assert second.curves == {"tenc": PartCurve((), (), 5.0), "genc": PartCurve((), (), -30.0)}


@pytest.mark.parametrize(
    ("abbr", "value", "noticed"),
    [
        ("shfc", 100, True),
        ("shfc", 0, False),
        ("pexp", 50, True),
        ("pexp", 100, False),
        ("cl01", 30, True),
        ("mine", 1, True),
        ("mine", 0, False),
        ("genc", 50, False),
    ],
)
def test_a_curve_that_is_not_applied_is_a_notice_if_it_would_be_heard(abbr: str, value: int, noticed: bool) -> None:
    score = read(part(curves=[curve(abbr, [0, 5], [value, value])]), part(curves=[curve(abbr, [0], [value])]))

    assert score.notices == ((f"not applied yet: curves ({abbr})",) if noticed else ())


def test_the_curves_without_a_notice_are_the_ones_a_phrase_takes() -> None:
    assert {name for name, kind in CURVE_KINDS.items() if kind.applied} == set(CURVE_PORTS)


def test_edited_phonemes_are_one_notice_a_song() -> None:
    expressions = [{"index": 0, "abbr": "vel", "value": 80}, {"index": 1, "abbr": "clr", "value": 1}]
    overrides = [{"index": 0, "offset": -20}]
    notes = [note(phoneme_expressions=expressions), note(480, phoneme_overrides=overrides), note(960)]

    assert read(part(notes)).notices == ("not applied yet: phoneme expressions (clr, vel), phoneme overrides",)
    assert read(part([note(phoneme_expressions=[], phoneme_overrides=[])])).notices == ()


def test_before_0_4_the_attack_was_called_acc() -> None:
    expressions = [{"index": 0, "abbr": "acc", "value": 80}]
    score = read(part([note(phoneme_expressions=expressions)]), ustx_version="0.3")

    assert score.notices == ("not applied yet: phoneme expressions (atk)",)


def test_wave_parts_keep_the_units_of_the_file() -> None:
    written = {"relative_path": "../drums.wav", "name": "no", "position": 960, "skip": 1.5, "trim": 2, "fadein": 3}
    score = read(wave_parts=[written, {}])
    assert score.wave_parts == (WavePart(0, 960, "../drums.wav", "no", 1.5, 2.0, 3.0, 0.0), WavePart(0, 0, ""))
    assert score.notices == ()


@pytest.mark.parametrize(("key", "value"), [("track_no", 1), ("position", -1), ("skip", "nan"), ("trim", "1e999")])
def test_a_wave_part_that_makes_no_sense_is_refused_with_its_place(key: str, value: object) -> None:
    with pytest.raises(BadScore) as refused:
        read(wave_parts=[{"relative_path": "a.wav", key: value}])
    assert f"wave_parts[0].{key}" in refused.value.where


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert read_notes(note(duration="480.0"))[0].duration_ticks == 480


@pytest.mark.parametrize("name", AWKWARD)
def test_names_in_any_script_survive(name: str) -> None:
    _survives(name)


def test_a_thousand_kinds_of_expressions_are_a_short_notice() -> None:
    expressions = [{"abbr": f"{number:04}" + "x" * 300} for number in range(1000)]

    assert len(read(part([note(phoneme_expressions=expressions)])).notices[0]) < 400


@given(NAMES)
def test_any_name_survives(name: str) -> None:
    _survives(name)


def test_an_hour_of_song_reads_at_once() -> None:
    pitch = {"data": [{"x": -40, "y": 0, "shape": "io"}, {"x": 40, "y": 0, "shape": "io"}], "snap_first": True}
    vibrato = {"length": 50, "period": 175, "depth": 25, "in": 10, "out": 10, "shift": 0, "drift": 0, "vol_link": 0}
    text = song_text(part(note(480 * place, pitch=pitch, vibrato=vibrato) for place in range(1500)))
    begun = time.process_time()
    score = read_ustx(text.encode(), "song.ustx")

    # Measured 0.15 s; what is quadratic takes minutes.
    assert time.process_time() - begun < 2
    assert len(score.parts[0].notes) == 1500


def _survives(name: str) -> None:
    score = read(part([note(lyric=name)], name=name), name=name or "x", tracks=[{"singer": name, "track_name": name}])
    lyric = score.parts[0].notes[0].lyric

    assert score.name == (name or "x")
    assert score.parts[0].name == score.tracks[0].singer == name
    assert lyric.text == name or "[" in name
