"""Memory follows the longest phrase, not the length of the song, and not how many songs there were."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.batch_memory import song
from tests.benchmarks.long_phrase import song_of
from tests.scenario.front_door import FrontDoor


def peak_of(door: FrontDoor, home: Path, count: int) -> int:
    home.mkdir()
    for number in range(count):
        (home / f"{number}.ustx").write_text(song(number, lengths=False, phrase_count=3).ustx(), encoding="utf-8")
    songs = sorted(path.name for path in home.glob("*.ustx"))
    told = door.quincunx(home, "render", *songs, "--out-dir", "out", "-q")
    assert told.code == 0, told.err
    return told.peak_bytes


def test_a_batch_needs_no_more_memory_for_nine_songs_than_for_three(tmp_path: Path, front_door: FrontDoor) -> None:
    few, many = (peak_of(front_door, tmp_path / str(count), count) for count in (3, 9))
    assert many <= few * 1.06


def test_a_long_phrase_is_sung_within_bounds(tmp_path: Path, front_door: FrontDoor) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "song.ustx").write_text(song_of(notes=200).ustx(), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "-q")
    assert told.code == 0, told.err
    assert told.peak_bytes < 550 * 10**6, "100 s in one phrase; 660 MB where the vocoder sings it in one go"
