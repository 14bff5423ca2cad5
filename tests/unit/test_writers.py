"""Songs written and read again: nothing is lost that a format can hold, and what it cannot is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.drawn_scores import ANY_TEXT, lines, numbers, scores

from quincunx_orchestrator.score.midi import read_midi
from quincunx_orchestrator.score.midi_writer import write_midi
from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature, Track
from quincunx_orchestrator.score.musicxml import read_musicxml
from quincunx_orchestrator.score.musicxml_writer import write_musicxml
from quincunx_orchestrator.score.ust import read_ust
from quincunx_orchestrator.score.ust_writer import write_ust
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.score.ustx_writer import quoted, write_ustx
from quincunx_shared.phrase import Lyric, PitchPoint, Vibrato
from quincunx_shared.strict_yaml import read_yaml
from quincunx_shared.tempo import TempoEvent

PLAIN_WORDS = st.sampled_from(("la", "さく", "+", "+~", "hello", "no", "a[hh ax]", "Straße", "🎤"))


def song(*notes: Note, **changes: object) -> Score:
    base = Score("Song", (Track("Lead"),), (Part(0, 0, notes),), (TempoEvent(0, 120.0),), (TimeSignature(0, 4, 4),))
    return replace(base, **changes)  # type: ignore[arg-type]


@given(scores())
@settings(deadline=None, max_examples=60)
def test_a_project_holds_all_of_a_song(score: Score) -> None:
    written = write_ustx(score)
    again = read_ustx(written.content, "song.ustx")
    unapplied = {name for part in score.parts for name in part.curves} & {"shfc", "pexp"}
    assert replace(again, notices=()) == score
    assert written.losses == ()
    assert bool(again.notices) <= bool(unapplied)


@given(ANY_TEXT)
def test_any_text_is_read_as_it_was(text: str) -> None:
    assert read_yaml(quoted(text).encode(), where="x") == text


def test_what_a_project_cannot_hold_is_said() -> None:
    slowing = song(Note(0, 480, 60, Lyric("+")), tempos=(TempoEvent(0, 120.0, 60.0), TempoEvent(960, 60.0)))
    assert write_ustx(slowing).losses == ("left out: 1 gradual tempo change",)
    odd = song(Note(0, 480, 60, Lyric("a")), Note(480, 480, 60, Lyric("+")))
    assert write_ustx(odd).losses == ("left out: 1 unwritable lyric",)


@st.composite
def plain_songs(draw: st.DrawFn) -> Score:
    """Draw songs of one part a track, with nothing but what MIDI holds."""
    plain = [
        tuple(replace(note, tuning_cents=0.0, points=(), snap_first=True, vibrato=None) for note in line)
        for line in draw(st.lists(lines(PLAIN_WORDS).filter(bool), min_size=1, max_size=3))
    ]
    tempos = {0: 120.0} | draw(st.dictionaries(st.integers(0, 9999), numbers(20, 400), max_size=3))
    bars = draw(st.sets(st.integers(1, 9), max_size=3))
    metre = st.tuples(st.integers(1, 12), st.sampled_from((1, 2, 4, 8, 16)))
    return Score(
        "song",
        tuple(Track(f"Voice {number}") for number in range(len(plain))),
        tuple(Part(number, 0, line, {}, f"Voice {number}") for number, line in enumerate(plain)),
        tuple(TempoEvent(tick, tempos[tick]) for tick in sorted(tempos)),
        tuple(TimeSignature(bar, *draw(metre)) for bar in sorted({0, *bars})),
    )


@given(plain_songs())
@settings(deadline=None)
def test_midi_holds_notes_words_tempos_and_metres(score: Score) -> None:
    written = write_midi(score)
    again = read_midi(written.content, "song.mid")
    assert [one.name for one in again.tracks] == [one.name for one in score.tracks]
    assert [_spans(part) for part in again.parts] == [_spans(part) for part in score.parts]
    assert again.time_signatures == score.time_signatures
    bpms = {event.tick: event.bpm for event in score.tempos}
    for event in again.tempos:
        assert event.bpm == pytest.approx(bpms[event.tick], rel=1e-5)
    same = [note.lyric for part in again.parts for note in part.notes] == [
        note.lyric for part in score.parts for note in part.notes
    ]
    assert same or "will be read otherwise" in " ".join(written.losses)


@given(plain_songs())
@settings(deadline=None)
def test_musicxml_holds_notes_tempos_and_metres(score: Score) -> None:
    written = write_musicxml(score)
    again = read_musicxml(written.content, "song.musicxml")
    assert [one.name for one in again.tracks] == [one.name for one in score.tracks]
    assert [_spans(part) for part in again.parts] == [_spans(part) for part in score.parts]
    bpms = [(event.tick, event.bpm) for event in again.tempos]
    tempos = score.tempos
    changes = [one for place, one in enumerate(tempos) if not place or tempos[place - 1].bpm != one.bpm]
    assert bpms == [(one.tick, one.bpm) for one in changes]
    length = max((note.end_tick for part in score.parts for note in part.notes), default=0)
    assert _metre_at(again, length) == _metre_at(score, length)
    same = [note.lyric for part in again.parts for note in part.notes] == [
        note.lyric for part in score.parts for note in part.notes
    ]
    assert same or "will be read otherwise" in " ".join(written.losses)


def _metre_at(score: Score, tick: int) -> tuple[int, int]:
    """Return the metre of the bar a tick lies in."""
    start, number, metre = 0, 0, score.time_signatures[0]
    while True:
        metre = next((one for one in score.time_signatures if one.bar == number), metre)
        start += metre.beats * 1920 // metre.unit
        if start > tick:
            return metre.beats, metre.unit
        number += 1


def test_words_come_back_from_musicxml_and_what_does_not_is_said() -> None:
    words = (Lyric("ど"), Lyric("hello", ("hh", "ax")), Lyric("+~", (), "vowel"), Lyric("no"), Lyric("🎤 & <b>"))
    notes = [Note(1440 * place, 1440, 60 + place, word) for place, word in enumerate(words)]
    written = write_musicxml(song(*notes))
    assert written.losses == ()
    assert read_musicxml(written.content, "x.xml").parts[0].notes == tuple(notes)
    syllables = song(Note(0, 480, 60, Lyric("Twinkle")), Note(480, 480, 60, Lyric("+", (), "syllable")))
    assert write_musicxml(syllables).losses == ("1 lyric will be read otherwise",)


def _spans(part: Part) -> list[tuple[int, int, int]]:
    return [(note.position_tick, note.duration_ticks, note.tone) for note in part.notes]


def test_words_come_back_from_midi_as_they_were() -> None:
    words = (
        Lyric("ど"),
        Lyric("hello", ("hh", "ax")),
        Lyric("+", (), "syllable"),
        Lyric("+~", (), "vowel"),
        Lyric("no"),
        Lyric("🎤"),
    )
    notes = [Note(480 * place, 480, 60, word) for place, word in enumerate(words)]
    written = write_midi(song(*notes))
    assert written.losses == ()
    assert read_midi(written.content, "x.mid").parts[0].notes == tuple(notes)


def test_what_midi_cannot_hold_is_said() -> None:
    drawn = Note(0, 480, 60, Lyric("la"), 10.0, (PitchPoint(0, 0),), True, Vibrato(50))
    score = song(
        drawn,
        Note(480, 480, 60, Lyric("well-")),
        tracks=(Track("Lead", "demo", pan=3),),
        time_signatures=(TimeSignature(0, 4, 3),),
        tempos=(TempoEvent(0, 120, 60), TempoEvent(9, 60)),
    )
    part = replace(score.parts[0], curves={"dyn": PartCurve((0,), (1.0,), 0.0)})
    assert write_midi(replace(score, parts=(part,))).losses == (
        "left out: 1 drawn pitch line",
        "left out: 1 vibrato",
        "left out: 1 tuned note",
        "left out: 1 curve",
        "left out: 1 singer",
        "left out: 1 track setting",
        "left out: 1 gradual tempo change",
        "left out: 1 unwritable metre",
        "1 lyric will be read otherwise",
    )


def test_a_song_of_utau_holds_notes_pitch_lines_and_tempos() -> None:
    points = (PitchPoint(-40, 0, "l"), PitchPoint(25.5, 35, "i"), PitchPoint(60, 0, "io"))
    notes = (
        Note(480, 480, 60, Lyric("あ"), points=points),
        Note(960, 240, 62, Lyric("+~", (), "vowel"), vibrato=Vibrato(65, 180, 35, 20, 15, 5, -6)),
        Note(2400, 480, 64, Lyric("い")),
    )
    tempos = (TempoEvent(0, 120.0), TempoEvent(1200, 90.5), TempoEvent(2000, 100.0))
    score = song(*notes, tracks=(Track("Song", "uta"),), tempos=tempos)
    written = write_ust(score)
    assert written.losses == ()
    assert "い".encode("cp932") in written.content
    assert read_ust(written.content, "song.ust") == score


def test_a_song_of_utau_says_what_it_cannot_hold() -> None:
    notes = (
        Note(0, 960, 60, Lyric("🎤"), 5.0, (PitchPoint(0, 0, "sp"), PitchPoint(9, 30))),
        Note(960, 480, 60, Lyric("a")),
    )
    tempos = (TempoEvent(0, 120.0), TempoEvent(480, 90.0))
    written = write_ust(song(*notes, tempos=tempos, time_signatures=(TimeSignature(0, 3, 4),)))
    assert written.losses == (
        "left out: 1 tuned note",
        "left out: 1 splined pitch point",
        "left out: 1 unfinished pitch line",
        "left out: 1 tempo change inside of a note",
        "left out: 1 metre",
        "the words need UTF-8, which OpenUTAU reads and UTAU itself does not",
    )
    assert read_ust(written.content, "song.ust").parts[0].notes[0].lyric.text == "🎤"
