"""Memory follows the longest phrase, not the length of the song, and not how many songs there were."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.batch_memory import song
from tests.benchmarks.long_phrase import song_of
from tests.scenario.front_door import FrontDoor


def test_songs_in_a_row_are_sung_within_the_bounds_of_one(tmp_path: Path, front_door: FrontDoor) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for number in range(9):
        (home / f"{number}.ustx").write_text(song(number, lengths=True, phrase_count=4).ustx(), encoding="utf-8")
    songs = sorted(path.name for path in home.glob("*.ustx"))
    told = front_door.quincunx(home, "render", *songs, "--out-dir", "out", "-q", "--threads", "2")
    assert told.code == 0, told.err
    assert told.peak_bytes < 400 * 10**6, "490 MB with the heaps a C library makes of itself"


def test_a_long_phrase_is_sung_within_bounds(tmp_path: Path, front_door: FrontDoor) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "song.ustx").write_text(song_of(notes=200).ustx(), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "-q", "--threads", "2")
    assert told.code == 0, told.err
    assert told.peak_bytes < 550 * 10**6, "100 s in one phrase; 660 MB where the vocoder sings it in one go"
