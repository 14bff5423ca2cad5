"""Phrases: where a score is cut, what a phrase holds, and what it must not know."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature, Track
from quincunx_orchestrator.score.phrasing import CUTTERS, Phrase, phrases_of, windows_by_rests
from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.curve import sample_drawn
from quincunx_shared.phrase import DrawnCurve, Lyric, PitchPoint, Vibrato
from quincunx_shared.tempo import TempoEvent

BEAT = 480
STEADY = (TempoEvent(0, 120.0),)
COMMON = (TimeSignature(0, 4, 4),)


def sing(*starts: int, length: int = BEAT) -> tuple[Note, ...]:
    return tuple(Note(start, length, 60, Lyric("la")) for start in starts)


def score(
    *parts: Part, tempos: tuple[TempoEvent, ...] = STEADY, metres: tuple[TimeSignature, ...] = COMMON, tracks: int = 1
) -> Score:
    return Score("", tuple(Track(f"Track {number + 1}") for number in range(tracks)), parts, tempos, metres)


def content(phrase: Phrase) -> bytes:
    """Everything the steps of a phrase receive."""
    curves = {name: curve.to_payload() for name, curve in phrase.curves.items()}
    return canonical_bytes([phrase.lyrics.to_payload(), phrase.timing.to_payload(), phrase.melody.to_payload(), curves])


def contents(song: Score) -> list[bytes]:
    return [content(phrase) for phrase in phrases_of(song)]


@st.composite
def songs(draw: st.DrawFn) -> Part:
    """Draw a part of up to twelve notes with rests on both sides of three beats, and a curve of whole numbers."""
    tick, notes = 0, []
    for _ in range(draw(st.integers(1, 12))):
        tick += draw(st.sampled_from([0, 0, 240, 1439, 1440, 1441, 2400, 6000]))
        length = draw(st.integers(10, 2000))
        notes.append(Note(tick, length, draw(st.integers(40, 80)), Lyric(draw(st.sampled_from("abc")))))
        tick += length
    ticks = sorted(draw(st.sets(st.integers(-1000, tick + 1000).map(lambda one: one * 5), max_size=12)))
    curve = PartCurve(tuple(ticks), tuple(float(draw(st.integers(-3, 3))) for _ in ticks), 0.0)
    return Part(0, draw(st.integers(0, 4000)), tuple(notes), {"pitd": curve})


def test_a_phrase_holds_its_notes_counted_from_the_first() -> None:
    wave = Vibrato(60)
    notes = (
        Note(960, 480, 60, Lyric("five"), tuning_cents=25, points=(PitchPoint(-40, 0),), snap_first=False),
        Note(1440, 240, 62, Lyric("lights", hint=("l", "ay")), vibrato=wave),
        Note(1920, 480, 64, Lyric("+", extension="syllable")),
    )
    (phrase,) = phrases_of(score(Part(0, 3840, notes)))

    assert (phrase.track, phrase.anchor_tick, phrase.anchor_seconds) == (0, 4800, 5.0)
    assert phrase.timing.start_ticks == (0, 480, 960)
    assert phrase.timing.duration_ticks == (480, 240, 480)
    assert phrase.timing.tempo == (TempoEvent(-960, 120.0),)
    assert phrase.lyrics.notes == tuple(note.lyric for note in notes)
    assert phrase.lyrics.touching == (False, True, False)
    assert [note.tone for note in phrase.melody.notes] == [60.25, 62.0, 64.0]
    assert [note.snap_first for note in phrase.melody.notes] == [False, True, True]
    assert phrase.melody.notes[0].points == notes[0].points
    assert phrase.melody.notes[1].vibrato == wave


@given(songs())
def test_every_note_is_in_one_phrase_and_phrases_are_three_beats_apart(part: Part) -> None:
    phrases = phrases_of(score(part))
    sung = [
        phrase.anchor_tick + start - part.position_tick for phrase in phrases for start in phrase.timing.start_ticks
    ]
    assert sung == [note.position_tick for note in part.notes]
    for before, after in pairwise(phrases):
        assert after.anchor_tick - before.anchor_tick - before.timing.end_tick >= 3 * BEAT


@given(songs())
def test_windows_never_overlap(part: Part) -> None:
    windows = windows_by_rests([(note.position_tick, note.end_tick) for note in part.notes])
    for before, after in pairwise(windows):
        assert before.end_tick <= after.start_tick


@given(songs(), st.integers(0, 100000))
def test_a_part_moved_under_constant_tempo_keeps_every_byte(part: Part, position: int) -> None:
    assert contents(score(part)) == contents(score(replace(part, position_tick=position)))


@given(songs(), songs())
def test_what_is_inserted_in_front_renders_nothing_else_again(part: Part, inserted: Part) -> None:
    shift = inserted.notes[-1].end_tick + 6 * BEAT
    moved = tuple(replace(note, position_tick=note.position_tick + shift) for note in part.notes)
    curve = part.curves["pitd"]
    curves = {"pitd": PartCurve(tuple(tick + shift for tick in curve.ticks), curve.values, 0.0)}
    longer = Part(0, 0, inserted.notes + moved, curves)
    old = contents(score(part))
    assert contents(score(longer))[-len(old) :] == old


@given(songs(), st.data())
def test_points_drawn_outside_a_window_leave_no_mark(part: Part, data: st.DataObject) -> None:
    """Drop what lies behind the point after a phrase's window: the phrase must not see the difference."""
    before = phrases_of(score(part))
    number = data.draw(st.integers(0, len(before) - 1))
    end = before[number].anchor_tick + before[number].timing.end_tick + BEAT - part.position_tick
    curve = part.curves["pitd"]
    kept = sum(tick <= end for tick in curve.ticks) + 1
    shorter = {"pitd": PartCurve(curve.ticks[:kept], curve.values[:kept], 0.0)}
    assert content(phrases_of(score(replace(part, curves=shorter)))[number]) == content(before[number])


@given(songs())
def test_a_phrase_hears_its_curve_as_it_was_drawn(part: Part) -> None:
    curve = part.curves["pitd"]
    whole = DrawnCurve(curve.ticks, curve.values, curve.default)
    for phrase in phrases_of(score(part)):
        ticks = range(-2 * BEAT, phrase.timing.end_tick + BEAT + 1, 7)
        absolute = [tick + phrase.anchor_tick - part.position_tick for tick in ticks]
        own = phrase.curves.get("pitd", DrawnCurve())
        assert sample_drawn(own, list(ticks)) == pytest.approx(sample_drawn(whole, absolute), abs=1e-9)


def test_curves_that_stay_at_their_default_are_not_there() -> None:
    curves = {
        "genc": PartCurve((0, 4000), (0.0, 0.0), 0.0),
        "voic": PartCurve((0, 4000), (100.0, 100.0), 100.0),
        "velc": PartCurve((0, 4000), (0.0, 0.0), 100.0),
        "dyn": PartCurve((), (), 0.0),
    }
    (phrase,) = phrases_of(score(Part(0, 0, sing(960), curves)))
    assert phrase.curves.keys() == {"velc"}
    assert phrase.curves["velc"].default == 100.0


def test_a_curve_is_cut_at_the_window_with_its_value_there() -> None:
    curves = {"pitd": PartCurve((0, 10000), (0.0, 1000.0), 0.0)}
    (phrase,) = phrases_of(score(Part(0, 0, sing(4800), curves)))
    assert phrase.curves["pitd"].ticks == (-960, 960)
    assert phrase.curves["pitd"].values == (384.0, 576.0)


def test_parts_of_one_track_overlap_without_mixing() -> None:
    low, high = Part(0, 0, sing(960, 1440)), Part(0, 480, sing(480, 960, 1440))
    first, second = phrases_of(score(low, high))
    assert (len(first.timing.start_ticks), len(second.timing.start_ticks)) == (2, 3)


def test_phrases_come_by_track_and_then_by_time() -> None:
    song = score(Part(1, 0, sing(960)), Part(0, 9600, sing(0)), Part(0, 0, sing(960)), tracks=2)
    assert [(phrase.track, phrase.anchor_tick) for phrase in phrases_of(song)] == [(0, 960), (0, 9600), (1, 960)]


def test_a_whole_track_is_one_phrase_a_part() -> None:
    song = score(Part(0, 0, sing(960, 20000)), Part(0, 40000, sing(0)), Part(0, 0, ()))
    assert [phrase.timing.start_ticks for phrase in phrases_of(song, CUTTERS["track"])] == [(0, 19040), (0,)]
    assert len(phrases_of(song)) == 3


def test_a_label_tells_people_where_a_phrase_is() -> None:
    words = ("five", "small", "+", "lights", "across")
    notes = tuple(
        Note(960 + place * BEAT, BEAT, 60, Lyric(word, extension="syllable" if word == "+" else ""))
        for place, word in enumerate(words)
    )
    metres = (TimeSignature(0, 4, 4), TimeSignature(2, 3, 8))
    first, second = phrases_of(score(Part(0, 0, notes), Part(0, 3840 + 720 + 240, sing(0)), metres=metres))
    assert first.label == "Track 1 1:3 five small lights"
    assert second.label == "Track 1 4:2 la"


def test_a_glide_of_tempo_reaches_the_phrase_as_far_as_it_is_heard() -> None:
    tempos = (TempoEvent(0, 120, 60), TempoEvent(9600, 60))
    (phrase,) = phrases_of(score(Part(0, 0, sing(4800)), tempos=tempos))
    assert phrase.timing.tempo == (TempoEvent(-960, 96.0, 84.0), TempoEvent(960, 84.0))


def test_ten_thousand_phrases_are_cut_in_a_moment() -> None:
    """They take less than a second; the bound is wide, to catch only what grows faster than the song does."""
    starts = [bar * 14 * BEAT + place * BEAT for bar in range(10000) for place in range(5)]
    curve = PartCurve(tuple(range(0, starts[-1], 960)), tuple(float(n % 3) for n in range(0, starts[-1], 960)), 0.0)
    song = score(Part(0, 0, sing(*starts), {"pitd": curve}))

    begin = time.process_time()
    assert len(phrases_of(song)) == 10000
    assert time.process_time() - begin < 5
