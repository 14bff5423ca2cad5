"""Mandarin, speakers and predicting models through the front door: what is sung, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scenario.front_door import FrontDoor
from tests.unit.tiny_bank import Files, write_bank
from tests.unit.tiny_song import note, part, song_text

TWO_SPEAKERS: Files = {
    "dsconfig.yaml": "acoustic: acoustic.onnx\nmel_base: e\nspeakers: [anna, ben]\nhidden_size: 2\n",
    "anna.emb": b"\0" * 8,
    "ben.emb": b"\0\0\x80\x3f" * 2,
}


def write_song(home: Path, *words: str, phonemizer: str = "") -> None:
    notes = [note(960 + 480 * place, lyric=word) for place, word in enumerate(words)]
    track = {"singer": "demo", "track_name": "Lead", "phonemizer": phonemizer}
    home.mkdir(exist_ok=True)
    (home / "song.ustx").write_text(song_text(part(notes), tracks=[track]), encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "phonemizer"),
    [
        (("银", "行"), ""),
        (("ni3", "hao3"), ""),
        (("ni", "hao"), "OpenUtau.Core.DiffSinger.DiffSingerChinesePhonemizer"),
    ],
)
def test_mandarin_is_sung_from_hanzi_and_from_pinyin(
    front_door: FrontDoor, tmp_path: Path, words: tuple[str, ...], phonemizer: str
) -> None:
    home = tmp_path / "home"
    write_song(home, *words, phonemizer=phonemizer)
    assert front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav").code == 0
    assert (home / "song.wav").stat().st_size > 50_000


def test_a_song_with_kana_reads_its_hanzi_as_japanese_in_every_phrase(front_door: FrontDoor, tmp_path: Path) -> None:
    home = tmp_path / "home"
    notes = [note(960, lyric="か"), note(3840, lyric="風")]
    home.mkdir()
    (home / "song.ustx").write_text(song_text(part(notes)), encoding="utf-8")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert told.code != 0
    assert "'風' in '風' has more than one reading in Japanese" in told.err
    assert "write it in kana" in told.err


def test_a_character_without_a_reading_is_told_with_its_bar(front_door: FrontDoor, tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_song(home, "你", "々")
    told = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert told.code in (1, 2, 3)
    assert "'々' has no reading in Mandarin" in told.err
    assert "Lead 1:4" in told.err
    assert not (home / "song.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--voice", "choir:bem"), "no speaker 'bem'; did you mean 'ben'?"),
        (("--voice", "demo:lwo"), "no speaker 'lwo'; did you mean 'low'?"),
        (("--voice", "choir:ben", "--predict", "pitch"), "has no model that predicts pitch"),
        (("--predict", "loudness"), "'loudness' is neither duration nor pitch"),
        (("--reverb", "2"), "2.0 is not in the range 0<=x<=1"),
    ],
)
def test_what_a_voice_cannot_do_is_refused_before_anything_runs(
    front_door: FrontDoor, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    home = tmp_path / "home"
    write_song(home, "la")
    write_bank(home / "banks" / "choir", TWO_SPEAKERS)
    ran = front_door.quincunx(
        home, "render", "song.ustx", "-o", "song.wav", *arguments, QUINCUNX_VOICES=str(home / "banks")
    )
    assert ran.code in (1, 2)
    assert told in ran.err.replace("\n", " ")
    assert not (home / "song.wav").exists()


def test_a_speaker_of_the_demo_bank_is_its_preset(front_door: FrontDoor, tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_song(home, "la")
    songs = []
    for name in ("demo", "demo-low", "demo:low", "demo:Male"):
        assert front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "--voice", name).code == 0
        songs.append((home / "song.wav").read_bytes())
    assert songs[0] != songs[1] == songs[2] == songs[3]


def test_predictions_and_naturalness_are_heard_and_are_recalled(front_door: FrontDoor, tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_song(home, "sing", "to", "me")
    songs = []
    for flags in ((), ("--predict", "duration,pitch"), ("--natural", "--reverb", "0.1"), ("--predict", "none")):
        assert front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", *flags).code == 0
        songs.append((home / "song.wav").read_bytes())
    assert len(set(songs)) == 3
    assert songs[0] == songs[3]
    again = front_door.quincunx(home, "render", "song.ustx", "-o", "song.wav", "--predict", "pitch,duration")
    assert "0 steps run" in again.err
