"""MIDI songs: what is sung of them, what is said about the rest, and that no damage goes further than an error."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.score.midi import read_midi
from quincunx_orchestrator.score.model import Note, Score, TimeSignature
from quincunx_orchestrator.score.readers import read_score
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TempoEvent

Event = tuple[int, Any]


def note(start: int, end: int, tone: int = 60, lyric: str | None = None, channel: int = 0) -> list[Event]:
    words = [(start, mido.MetaMessage("lyrics", text=lyric))] if lyric is not None else []
    on = mido.Message("note_on", note=tone, velocity=100, channel=channel)
    off = mido.Message("note_off", note=tone, channel=channel)
    return [*words, (start, on), (end, off)]


def track(*events: Sequence[Event], name: str = "") -> mido.MidiTrack:
    flat = sorted((one for group in events for one in group), key=lambda event: event[0])
    title = [mido.MetaMessage("track_name", name=name)] if name else []
    made, before = mido.MidiTrack(title), 0
    for tick, message in flat:
        made.append(message.copy(time=tick - before))
        before = tick
    return made


def song(*tracks: mido.MidiTrack, ticks: int = 480, kind: int = 1) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks, charset="utf-8")
    file.tracks.extend(tracks)
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def read(*tracks: mido.MidiTrack, **changes: Any) -> Score:
    return read_midi(song(*tracks, **changes), "song.mid")


def lyrics(score: Score, part: int = 0) -> list[str]:
    return [one.lyric.text for one in score.parts[part].notes]


def spans(notes: Sequence[Note]) -> list[tuple[int, int, int]]:
    return [(one.position_tick, one.end_tick, one.tone) for one in notes]


def test_notes_words_tempo_and_metre_are_read_at_any_resolution() -> None:
    time = [
        (0, mido.MetaMessage("set_tempo", tempo=400_000)),
        (0, mido.MetaMessage("time_signature", numerator=3, denominator=4)),
        (288, mido.MetaMessage("set_tempo", tempo=600_000)),
        (288, mido.MetaMessage("time_signature", numerator=6, denominator=8)),
    ]
    sung = track(note(0, 96, 60, "ど"), note(96, 144, 62, "れ"), name="歌")
    score = read(track(time), sung, ticks=96)
    assert score.tempos == (TempoEvent(0, 150.0), TempoEvent(1440, 100.0))
    assert score.time_signatures == (TimeSignature(0, 3, 4), TimeSignature(1, 6, 8))
    assert [one.name for one in score.tracks] == ["歌"]
    assert spans(score.parts[0].notes) == [(0, 480, 60), (480, 720, 62)]
    assert lyrics(score) == ["ど", "れ"]
    assert score.notices == ()


def test_ticks_are_rounded_from_their_sums() -> None:
    many = track(*(note(number * 7, number * 7 + 7) for number in range(100)))
    starts = [one.position_tick for one in read(many, ticks=1000).parts[0].notes]
    assert starts == [(2 * number * 7 * 480 + 1000) // 2000 for number in range(100)]


@pytest.mark.parametrize(
    ("written", "sung"),
    [
        (("Twin-", "kle ", "star "), ["Twinkle", "+", "star"]),
        (("Twin", "kle", " star"), ["Twinkle", "+", "star"]),
        (("\\Twin", "kle", "/star"), ["Twin", "kle", "star"]),
        (("\\Twin", "kle", " bright", "/star"), ["Twinkle", "+", "bright", "star"]),
        (("do", "re", "mi"), ["do", "re", "mi"]),
        (("き", "ら ", "き"), ["き", "ら", "き"]),
        (("star", None, "light"), ["star", "+~", "light"]),
        (("star", "-", "light"), ["star", "+~", "light"]),
        (("star\r", "\n", "light"), ["star", "+~", "light"]),
        ((None, "star"), ["la", "star"]),
    ],
)
def test_syllables_become_words_and_their_extensions(written: Sequence[str | None], sung: list[str]) -> None:
    notes = [note(480 * place, 480 * place + 480, 60, text) for place, text in enumerate(written)]
    assert lyrics(read(track(*notes))) == sung


def test_a_word_does_not_go_on_across_a_rest() -> None:
    assert lyrics(read(track(note(0, 480, 60, "twin-"), note(960, 1440, 60, "kle ")))) == ["twin", "kle"]


def test_a_word_a_little_beside_its_note_is_sung_on_it() -> None:
    words = [(485, mido.MetaMessage("lyrics", text="late")), (960, mido.MetaMessage("lyrics", text="lost"))]
    assert lyrics(read(track(note(480, 800), words))) == ["late"]


def test_the_words_of_a_karaoke_file_go_to_the_track_whose_notes_they_fit() -> None:
    def words(*texts: tuple[int, str]) -> list[Event]:
        return [(tick, mido.MetaMessage("text", text=text)) for tick, text in texts]

    page = words((0, "@KMIDI KARAOKE FILE"), (0, "@TA title"), (480, "\\Hel"), (960, "lo"), (1440, " you"))
    bass = track(note(0, 2000, 40), name="Bass")
    melody = track(note(480, 960, 60), note(960, 1440, 62), note(1440, 1920, 64), name="Melody")
    score = read(track(page, name="Words"), bass, melody)
    assert [one.name for one in score.tracks] == ["Bass", "Melody"]
    assert lyrics(score, 1) == ["Hello", "+", "you"]
    assert score.notices == ("Bass has no words, as others have, and is muted",)
    assert [one.mute for one in score.tracks] == [True, False]


def test_without_any_words_every_track_sings() -> None:
    score = read(track(note(0, 480), name="One"), track(note(0, 480), name="Two"))
    assert [one.mute for one in score.tracks] == [False, False]
    assert score.notices == ("One has no words and sings “la”", "Two has no words and sings “la”")


def test_words_with_accents_in_an_older_encoding_are_no_kanji() -> None:
    file = mido.MidiFile(type=1, charset="latin-1")
    file.tracks.append(track(note(0, 480, 60, "Früh"), note(480, 960, 60, "Vögel")))
    written = io.BytesIO()
    file.save(file=written)
    assert lyrics(read_midi(written.getvalue(), "old.mid")) == ["Früh", "Vögel"]


def test_of_a_chord_the_highest_note_is_sung_and_a_note_ends_where_the_next_begins() -> None:
    score = read(track(note(0, 960, 60, "a"), note(0, 900, 64), note(480, 800, 62, "b"), name="Lead"))
    assert spans(score.parts[0].notes) == [(0, 480, 64), (480, 800, 62)]
    assert lyrics(score) == ["a", "b"]
    assert score.notices == (
        "Lead: 1 notes of chords are left out; the highest is sung",
        "Lead: 1 notes are ended where the next begins",
    )


def test_channels_of_one_track_are_tracks_and_drums_are_left_out() -> None:
    score = read(track(note(0, 480), note(0, 480, 50, channel=3), note(0, 480, 36, channel=9), name="All"), kind=0)
    assert [one.name for one in score.tracks] == ["All, channel 1", "All, channel 4"]
    assert "the drums of All are left out" in score.notices


def test_a_note_nobody_ends_ends_with_its_track_and_a_second_start_ends_the_first() -> None:
    on = mido.Message("note_on", note=60, velocity=1)
    end = mido.MetaMessage("end_of_track")
    score = read(track([(0, on), (480, on), (960, end)]))
    assert spans(score.parts[0].notes) == [(0, 480, 60), (480, 960, 60)]


def test_a_pitch_bend_is_a_curve_of_steps_within_its_reach() -> None:
    def control(number: int, value: int) -> Event:
        return (0, mido.Message("control_change", control=number, value=value))

    reach = [control(101, 0), control(100, 0), control(6, 12), control(38, 50)]
    bends = [(480, mido.Message("pitchwheel", pitch=4096)), (720, mido.Message("pitchwheel", pitch=0))]
    curve = read(track(note(0, 960, 60, "a"), reach, bends)).parts[0].curves["pitd"]
    assert curve.ticks == (0, 479, 480, 719, 720, 721)
    assert curve.values == (0, 0, 625.0, 625.0, 0, 0)


def test_words_in_an_older_encoding_are_read_and_told() -> None:
    file = mido.MidiFile(type=1, charset="cp932")
    file.tracks.append(track(note(0, 480, 60, "ど")))
    written = io.BytesIO()
    file.save(file=written)
    score = read_midi(written.getvalue(), "old.mid")
    assert lyrics(score) == ["ど"]
    assert score.notices == ("the words are read as cp932, because they are not UTF-8",)


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "this is no MIDI file"),
        (b"RIFF....RMID", "this is no MIDI file"),
        (b"MThd", "the MIDI file is damaged"),
        (song(track(note(0, 480)))[:-9], "the MIDI file is damaged"),
        (song(kind=2), "of type 2"),
        (song(track(note(0, 480))).replace(b"\x01\xe0", b"\xe7\x28", 1), "frames of film"),
        (song(track(note(0, 480), [(0, mido.MetaMessage("set_tempo", tempo=0))])), "a tempo of 0"),
        (song(track(note(0, 2**27))), "after more than 6 hours"),
        (b"MThd" + bytes(9_000_000), "too large for a MIDI song"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(raw: bytes, what: str) -> None:
    with pytest.raises(BadScore, match=what) as refused:
        read_midi(raw, "song.mid")
    assert refused.value.where.startswith("song.mid")


@given(st.data())
def test_any_damage_is_a_score_or_an_error(data: st.DataObject) -> None:
    raw = bytearray(song(track(note(0, 480, 60, "a"), note(480, 960, 62, "b"))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadScore):
        score = read_score("song.mid", bytes(raw))
        for part in score.parts:
            ends = [0, *(one.end_tick for one in part.notes)]
            assert all(one.position_tick >= end for one, end in zip(part.notes, ends, strict=False))
            assert all(one.duration_ticks > 0 for one in part.notes)


@pytest.mark.parametrize(
    ("body", "tick", "what"),
    [
        (b"\x83\x60\x3c\x40", 480, "there was none"),
        (b"\0\x90\x3c\x40\x83\x60\xf5\0", 480, "begins no event"),
        (b"\0\x90\x3c\xc0", 0, "up to 127"),
        (b"\xff" * 900_000, 0, "more than four bytes"),
        (b"\0\xff\x05\x7fla", 0, "the track ends before"),
        (b"\0\x90\x3c", 0, "in the middle of an event"),
        (b"\0\xc0\1" + b"\0\1" * 190_000, 0, ""),
        (b"\0\xc0\1" + b"\0\1" * 490_000, 0, "too many"),
    ],
)
def test_damage_in_a_track_is_told_with_track_and_tick_within_two_seconds(body: bytes, tick: int, what: str) -> None:
    header = b"MThd\0\0\0\6\0\1\0\1\1\xe0"
    raw = header + b"MTrk" + len(body).to_bytes(4, "big") + body
    began = time.process_time()
    if what:
        with pytest.raises(BadScore, match=what) as refused:
            read_midi(raw, "song.mid")
        assert refused.value.where == f"song.mid: track 1, tick {tick}"
    else:
        assert read_midi(raw, "song.mid").parts == ()
    assert time.process_time() - began < 2
