"""Memory follows the longest phrase, not the length of the song, and not how many songs there were."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.long_phrase import song_of
from tests.scenario.front_door import FrontDoor
from tests.scenario.songs import BEAT, NoteText, PhraseText, SongText


def song(number: int) -> SongText:
    """Four phrases of 4 to 12 notes, like no other song."""
    return SongText(tuple(_phrase(number, place) for place in range(4)))


def _phrase(number: int, place: int) -> PhraseText:
    count, words = 4 + (number * 5 + place * 3) % 9, ("la", "lights", "hello", "moon", "は", "な")
    notes = (
        NoteText(BEAT * at, BEAT, 58 + (number + at * 5 + place) % 14, words[(number + at + place) % len(words)])
        for at in range(count)
    )
    return PhraseText(BEAT * (4 + place * 20), tuple(notes))


def test_songs_in_a_row_are_sung_within_the_bounds_of_one(tmp_path: Path, front_door: FrontDoor) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for number in range(9):
        (home / f"{number}.ustx").write_text(song(number).ustx(), encoding="utf-8")
    songs = sorted(path.name for path in home.glob("*.ustx"))
    told = front_door.quincunx(home, "render", *songs, "--out-dir", "out", "-q", "--threads", "2")
    assert told.code == 0, told.err
    assert told.peak_bytes < 400 * 10**6, "490 MB with the heaps that a C library makes of itself"


def test_a_long_phrase_is_sung_within_bounds(tmp_path: Path, front_door: FrontDoor) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "song.ustx").write_text(song_of(notes=200).ustx(), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "-q", "--threads", "2")
    assert told.code == 0, told.err
    assert told.peak_bytes < 550 * 10**6, "100 s in one phrase; 660 MB where the vocoder sings it in one go"
