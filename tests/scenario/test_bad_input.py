"""Whatever is wrong with what a person gives is said at the front door, at once, and leaves no trace.

One clear message with the place; exit code 2, or 1 for what shows only while it runs; nothing written; in 2 seconds and
500 MB. The readers' own tests say more of each message; here every case passes through the command once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.scenario.bad_banks import BANKS, write_bank
from tests.scenario.bad_formats import MIDI, MUSICXML, PROJECTS, UST
from tests.scenario.bad_songs import DS, NO_SONGS, USTX, Wrong
from tests.scenario.front_door import FrontDoor, Told, tree_of
from tests.unit.tiny_song import note, part, song_text

#: Limits of a refusal; the seconds are of CPU time, doubled for the machines of CI.
SECONDS, BYTES = 2.0 * 2, 500 * 10**6

FORMATS = {"any": NO_SONGS, "ustx": USTX, "mid": MIDI, "musicxml": MUSICXML, "ust": UST, "qxp": PROJECTS, "ds": DS}
SONGS: dict[str, Wrong] = {f"{kind}: {what}": wrong for kind, cases in FORMATS.items() for what, wrong in cases.items()}


@pytest.fixture(scope="module")
def empty_cache(front_door: FrontDoor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which nothing is, with every folder that opening it for a render makes."""
    home = tmp_path_factory.mktemp("empty")
    (home / "song.ustx").write_text(song_text(), encoding="utf-8")
    assert front_door.quincunx(home, "render", "song.ustx", "-o", "out.wav").code == 2
    assert not [path for path in (home / "cache" / "blobs").rglob("*") if path.is_file()]
    return home / "cache"


@pytest.fixture
def home(tmp_path: Path, empty_cache: Path) -> Path:
    """A folder to work in, with a cache of its own."""
    shutil.copytree(empty_cache, tmp_path / "home" / "cache")
    return tmp_path / "home"


def assert_refused(told: Told, place: str, what: str, code: int = 2) -> None:
    """One message, with the place, and no trace of Python."""
    assert "Traceback" not in told.err
    assert told.code == code, told.err
    assert told.out == ""
    before, error, message = told.err.rpartition("Error: ")
    assert error
    assert all(line.startswith(("Usage: ", "Try ", "Note: ")) for line in before.splitlines() if line)
    assert len(message.splitlines()) <= 2
    assert place in told.err
    assert what in told.err
    assert len(told.err) < 1500
    assert told.seconds < SECONDS
    assert told.peak_bytes < BYTES


@pytest.mark.parametrize("what", SONGS)
def test_a_wrong_song_is_refused(home: Path, front_door: FrontDoor, what: str) -> None:
    wrong = SONGS[what]
    song = wrong.build(home)
    before = tree_of(home)
    told = front_door.quincunx(home, "render", song.name, "-o", "out.wav", humble=wrong.as_nobody)
    assert_refused(told, song.name[:100], wrong.told, wrong.code)
    assert tree_of(home) == before


@pytest.mark.parametrize("what", BANKS)
def test_a_wrong_bank_is_refused(home: Path, front_door: FrontDoor, what: str) -> None:
    wrong = BANKS[what]
    write_bank(home, wrong)
    (home / "song.ustx").write_text(song_text(part([note(1920)])), encoding="utf-8")
    before = tree_of(home)
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "out.wav", "--voice", "bank", *wrong.arguments)
    after = tree_of(home)
    assert not (home / "out.wav").exists()
    if wrong.code == 2:
        assert_refused(told, wrong.place, wrong.told)
        assert after == before
        assert '"results": 0' in front_door.quincunx(home, "cache", "stats", "--json").out
    else:
        assert_failed(told, wrong.place, wrong.told)
        # Honest steps before it are kept; nothing of its own is, and nothing outside the cache.
        assert {path: size for path, size in after.items() if not path.startswith("cache")} == {
            path: size for path, size in before.items() if not path.startswith("cache")
        }


def assert_failed(told: Told, place: str, what: str) -> None:
    """The render ended, said which model is to blame, and wrote no sound."""
    assert "Traceback" not in told.err
    assert told.code == 1, told.err
    assert told.out == ""
    assert "Nothing was written." in told.err
    assert place in told.err
    assert what in told.err
    assert told.seconds < SECONDS
    assert told.peak_bytes < BYTES


#: Names as people and machines write them: decomposed, right to left, beyond the basic plane, endless, path-like.
NAMES = {
    "decomposed": "Cafe\u0301",
    "right to left": "\u202eשיר\u202c",
    "emoji": "🎤👩\u200d🎤",
    "300 characters": "n" * 300,
    "a path": "../../../../tmp/evil",
    "an absolute path": "/etc/passwd",
    "a drive": "C:\\Windows\\evil",
    "a flag": "--output=evil",
    "markup": "[bold]x[/bold] $(touch evil) %s {0}",
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_never_a_path_a_key_or_a_command(home: Path, front_door: FrontDoor, what: str) -> None:
    name = NAMES[what]
    tracks = [{"singer": name, "track_name": name}]
    project = song_text(part([note(1920)], name=name), tracks=tracks, name=name)
    (home / "song.ustx").write_text(project, encoding="utf-8")
    before = tree_of(home)
    told = front_door.quincunx(home, "render", "song.ustx", "--dry-run")
    assert told.code == 0, told.err
    assert "8 steps would run" in told.out
    assert tree_of(home) == before


@pytest.mark.parametrize("what", ["decomposed", "right to left", "emoji", "a flag"])
def test_a_song_file_may_be_called_anything(home: Path, front_door: FrontDoor, what: str) -> None:
    song = home / f"{NAMES[what]}.ustx"
    song.write_text(song_text(part([note(1920)])), encoding="utf-8")
    told = front_door.quincunx(home, "render", "-o", "out.wav", "--", song.name)
    assert told.code == 0, told.err
    assert (home / "out.wav").is_file()


@pytest.mark.parametrize("what", NAMES)
def test_a_lyric_that_cannot_be_sung_is_told_and_nothing_is_written(
    home: Path, front_door: FrontDoor, what: str
) -> None:
    lyric = f"愛{NAMES[what]}"
    (home / "song.ustx").write_text(song_text(part([note(1920, lyric=lyric)])), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "out.wav")
    assert told.code == 1
    assert "Traceback" not in told.err
    assert "Nothing was written." in told.err
    assert not (home / "out.wav").exists()
    assert not (home / "evil").exists()


def test_notes_that_overlap_are_left_out_aloud(home: Path, front_door: FrontDoor) -> None:
    notes = [note(1920, 960), note(2000, 960), note(2000, 10), note(2880)]
    (home / "song.ustx").write_text(song_text(part(notes)), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "out.wav")
    assert told.code == 0
    assert "notes[1] 'la', voice_parts[0].notes[2] 'la' start before the note before ends" in told.err
