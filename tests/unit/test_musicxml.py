"""MusicXML: notes, ties, words, voices and time as they stand; what is left out is said; nothing does harm."""

from __future__ import annotations

import contextlib
import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.score.model import Note, Score, TimeSignature
from quincunx_orchestrator.score.musicxml import read_musicxml
from quincunx_orchestrator.score.readers import read_score
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TempoEvent

TIME = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"


def note(step: str, length: int, lyric: str = "", extra: str = "", octave: int = 4, syllabic: str = "single") -> str:
    words = f"<lyric><syllabic>{syllabic}</syllabic><text>{lyric}</text></lyric>" if lyric else ""
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>{length}</duration>{extra}{words}</note>"


def rest(length: int) -> str:
    return f"<note><rest/><duration>{length}</duration></note>"


def document(*parts: str, timewise: bool = False) -> bytes:
    names = "".join(f'<score-part id="P{n}"><part-name>Part {n}</part-name></score-part>' for n in range(len(parts)))
    if timewise:
        body = '<measure number="1">' + "".join(f'<part id="P{n}">{one}</part>' for n, one in enumerate(parts))
        return f"<score-timewise><part-list>{names}</part-list>{body}</measure></score-timewise>".encode()
    body = "".join(f'<part id="P{n}">{one}</part>' for n, one in enumerate(parts))
    head = '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "x.dtd">'
    return f"{head}<score-partwise><part-list>{names}</part-list>{body}</score-partwise>".encode()


def measures(*contents: str) -> str:
    return "".join(f'<measure number="{number}">{one}</measure>' for number, one in enumerate(contents, 1))


def read(*contents: str) -> Score:
    return read_musicxml(document(measures(*contents)), "song.musicxml")


def spans(notes: tuple[Note, ...]) -> list[tuple[int, int, int, str]]:
    return [(one.position_tick, one.end_tick, one.tone, one.lyric.text) for one in notes]


def test_notes_rests_and_words_are_read_with_their_measures() -> None:
    score = read(
        TIME + note("C", 4, "Twin", syllabic="begin") + note("D", 2, "kle", syllabic="end") + rest(2),
        note("E", 8, "star"),
    )
    assert spans(score.parts[0].notes) == [(0, 960, 60, "Twinkle"), (960, 1440, 62, "+"), (1920, 3840, 64, "star")]
    assert score.time_signatures == (TimeSignature(0, 4, 4),)
    assert score.tracks[0].name == "Part 0"
    assert score.notices == ()


def test_tied_notes_are_one_note_and_a_melisma_holds_the_vowel() -> None:
    tied = note("C", 8, "la", '<tie type="start"/>'), note("C", 4, "", '<tie type="stop"/>') + note("D", 4)
    assert spans(read(TIME + tied[0], tied[1]).parts[0].notes) == [(0, 2880, 60, "la"), (2880, 3840, 62, "+~")]


def test_triplets_add_up_to_whole_beats() -> None:
    thirds = TIME.replace("<divisions>2", "<divisions>3") + "".join(note("C", 1, "la") for _ in range(12))
    starts = [one.position_tick for one in read(thirds).parts[0].notes]
    assert starts == [160 * place for place in range(12)]


def test_divisions_alter_octaves_and_transposition_change_what_is_read() -> None:
    sharp = "<note><pitch><step>F</step><alter>1</alter><octave>5</octave></pitch><duration>4</duration></note>"
    horn = TIME.replace("</attributes>", "<transpose><chromatic>-7</chromatic></transpose></attributes>")
    finer = "<attributes><divisions>4</divisions></attributes>"
    score = read(horn + sharp + note("C", 4), finer + note("C", 4))
    assert [(one.tone, one.duration_ticks) for one in score.parts[0].notes] == [(71, 960), (53, 960), (53, 480)]


def test_further_voices_are_tracks_of_their_own() -> None:
    second = "<backup><duration>8</duration></backup>" + note("A", 8, "low", "<voice>2</voice>", octave=3)
    score = read(TIME + note("C", 8, "high", "<voice>1</voice>") + second)
    assert [one.name for one in score.tracks] == ["Part 0", "Part 0, voice 2"]
    assert [spans(one.notes) for one in score.parts] == [[(0, 1920, 60, "high")], [(0, 1920, 57, "low")]]


def test_what_a_singer_cannot_do_is_left_out_and_said() -> None:
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
    chord = note("C", 8, "la") + note("E", 8, "", "<chord/>").replace("<pitch>", "<chord/><pitch>", 1)
    score = read(TIME + grace + chord + '<barline><repeat direction="backward"/></barline>')
    assert spans(score.parts[0].notes) == [(0, 1920, 64, "la")]
    assert score.notices == (
        "Part 0: repeats are sung once",
        "Part 0: 1 grace and cue notes are left out",
        "Part 0: 1 notes of chords are left out; the highest is sung",
    )


def test_tempos_come_from_sounds_and_metronome_marks() -> None:
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>60</per-minute></metronome></direction-type></direction>"
    )
    score = read(TIME + '<sound tempo="100"/>' + note("C", 4, "la") + mark + note("C", 4, "la"))
    assert score.tempos == (TempoEvent(0, 100.0), TempoEvent(960, 90.0))


def test_a_pickup_is_a_bar_of_its_own_length() -> None:
    score = read(TIME + note("C", 2, "o"), note("C", 8, "say"), note("C", 8, "can"))
    assert score.time_signatures == (TimeSignature(0, 1, 4), TimeSignature(1, 4, 4))


def test_a_part_without_words_sings_la() -> None:
    score = read(TIME + note("C", 4) + note("D", 4))
    assert [one.lyric.text for one in score.parts[0].notes] == ["la", "la"]
    assert score.notices == ("Part 0 has no words and sings “la”",)


def test_timewise_and_compressed_scores_are_read_the_same() -> None:
    plain = read_musicxml(document(measures(TIME + note("C", 8, "la"))), "song.musicxml")
    assert read_musicxml(document(TIME + note("C", 8, "la"), timewise=True), "song.musicxml") == plain
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", '<container><rootfile full-path="b.xml"/></container>')
        archive.writestr("a.xml", "<nothing/>")
        archive.writestr("b.xml", document(measures(TIME + note("C", 8, "la"))))
    assert read_score("song.mxl", packed.getvalue()) == plain


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.xml", b"<a>" * 20_000_000)
    return packed.getvalue()


LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<score-partwise><part-list/><movement-title>&b;</movement-title></score-partwise>"
)


@pytest.mark.parametrize(
    ("raw", "what", "where"),
    [
        (b"", "not XML", "song.xml:1"),
        (b"<score-partwise>", "not XML", "song.xml:1:17"),
        (b"<html/>", "the document is a 'html'", "song.xml"),
        (LAUGHS, "defines entities", "song.xml"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "defines entities", "song.xml"),
        (b"<a>" * 3000, "deep in each other", "song.xml"),
        (b"PK\x03\x04 garbage", "the compressed file is damaged", "song.xml"),
        (bomb(), "too large for a song", "song.xml"),
        (document(measures(TIME + note("H", 4))), "'H' is no step", "song.xml: part 1 (Part 0), measure 1"),
        (document(measures(TIME + note("C", -4))), "a duration of -4", "song.xml: part 1 (Part 0), measure 1"),
        (document(measures(TIME + note("C", 10**12))), "'1000000000000'", "measure 1"),
        (document(measures(TIME.replace("2</div", "nan</div"))), "'nan'", "measure 1"),
        (document(measures(TIME.replace(">4</beat-", ">3</beat-"))), "a metre of 4/3", "measure 1"),
        (document(measures(TIME + note("C", 4, octave=99))), "octave is 99", "measure 1"),
        (document(measures('<sound tempo="1e999"/>')), "tempo is '1e999'", "measure 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_measure(raw: bytes, what: str, where: str) -> None:
    began = time.process_time()
    with pytest.raises(BadScore, match=what) as refused:
        read_musicxml(raw, "song.xml")
    assert where in refused.value.where
    assert time.process_time() - began < 10


@given(st.data())
def test_any_damage_is_a_score_or_an_error(data: st.DataObject) -> None:
    raw = bytearray(document(measures(TIME + note("C", 4, "la") + note("D", 4, "lo", '<tie type="start"/>'))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadScore):
        assert isinstance(read_musicxml(bytes(raw), "song.xml"), Score)
