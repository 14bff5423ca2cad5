"""Recordings on the tracks of a song: where they sound, what an edit of one costs, and which are never read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.scenario.songs import SONG, phrase
from tests.scenario.terminal import Audio, Terminal

RATE = 44100
SHORT = replace(SONG, phrases=(phrase(4, "la"),))
AS_MIXED = ("--bits", "float", "--loudness", "off", "--true-peak", "off")


def song(*waves: dict[str, object], tracks: Sequence[str] = ()) -> str:
    """A song of one word, and recordings on its second track, which is at 0 dB in the middle unless `tracks` differ."""
    text = SHORT.ustx()
    line = next(line for line in text.splitlines() if line.startswith("- {singer"))
    more = tracks or ["{track_name: Band, volume: 0, pan: 0}"]
    text = text.replace(line, "\n".join([line, *(f"- {one}" for one in more)]))
    parts = [json.dumps({"track_no": 1, "position": 960, **wave}) for wave in waves]
    return text.replace("wave_parts: []", "wave_parts:\n" + "\n".join(f"- {one}" for one in parts))


def noise(seconds: float, channels: int = 1, seed: int = 1, rate: int = RATE) -> Audio:
    drawn = np.random.default_rng(seed).uniform(-0.2, 0.2, (channels, round(seconds * rate)))
    return drawn.astype(np.float32)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def record(terminal: Terminal, audio: Audio, name: str = "band.wav", rate: int = RATE) -> None:
    path = terminal.home / name
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, audio.T, rate, subtype="FLOAT" if name.endswith("wav") else "PCM_16")


def band(terminal: Terminal, *arguments: str) -> Audio:
    """What the recordings add to the song."""
    with_band = terminal.home / "song.ustx"
    terminal.render(*AS_MIXED, *arguments)
    together = terminal.sound()
    alone = with_band.read_text("utf-8").split("wave_parts:")[0] + "wave_parts: []\n"
    terminal.write(alone, "alone.ustx")
    terminal.render(*AS_MIXED, song="alone.ustx", output="alone.wav")
    voice = terminal.sound("alone.wav")
    length = max(together.shape[1], voice.shape[1])
    padded = [np.pad(one, ((0, 0), (0, length - one.shape[1]))) for one in (together, voice)]
    return np.asarray(padded[0] - padded[1])


@pytest.mark.parametrize(("channels", "name"), [(1, "band.wav"), (2, "sub/band.wav")])
def test_a_recording_sounds_exactly_where_it_lies(terminal: Terminal, channels: int, name: str) -> None:
    audio = noise(1.0, channels)
    record(terminal, audio, name)
    terminal.write(song({"relative_path": name}))
    heard = band(terminal)
    start = RATE  # 960 ticks at 120
    gain = np.sqrt(0.5)
    np.testing.assert_allclose(heard[:, start : start + RATE], np.broadcast_to(audio, (2, RATE)) * gain, atol=2e-6)
    assert np.abs(heard[:, :start]).max() == 0
    assert np.abs(heard[:, start + RATE :]).max() < 1e-6


def test_skip_trim_fades_volume_and_pan_are_applied(terminal: Terminal) -> None:
    audio = noise(2.0)
    record(terminal, audio)
    # At 120 there are 960 ticks a second: half a second skipped, a quarter trimmed.
    wave = {"relative_path": "band.wav", "skip": 480, "trim": 240, "fadein": 96, "fadeout": 96}
    terminal.write(song(wave, tracks=["{track_name: Band, volume: -6, pan: 100}"]))
    left, right = band(terminal)
    assert np.abs(left).max() < 1e-6
    expected = audio[0, RATE // 2 : RATE * 7 // 4] * 10 ** (-6 / 20)
    fade = RATE // 10
    heard = right[RATE : RATE + len(expected)]
    np.testing.assert_allclose(heard[fade:-fade], expected[fade:-fade], atol=2e-6)
    assert np.abs(heard[0]) < 1e-6
    np.testing.assert_allclose(heard[fade // 2], expected[fade // 2] / 2, atol=1e-4)
    assert np.abs(right[RATE + len(expected) :]).max() < 1e-6


def test_another_rate_is_resampled_to_the_same_moment(terminal: Terminal) -> None:
    clock = np.arange(48000) / 48000
    record(terminal, (np.sin(2 * np.pi * 440 * clock)[None] / 4).astype(np.float32), "tone.flac", 48000)
    terminal.write(song({"relative_path": "tone.flac"}))
    heard = band(terminal)[0, RATE : 2 * RATE] / np.sqrt(0.5)
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) / 4
    np.testing.assert_allclose(heard[1000:-1000], expected[1000:-1000], atol=1e-3)


def test_an_edit_of_a_recording_runs_it_and_the_mix_and_moving_it_only_the_mix(terminal: Terminal) -> None:
    record(terminal, noise(1.0))
    terminal.write(song({"relative_path": "band.wav"}))
    first = terminal.render()
    assert ("wave-1", "wave") in first.ran
    assert terminal.render().ran == []
    record(terminal, noise(1.0, seed=2))
    assert [step for _, step in terminal.render().ran] == ["wave", "mix", "master"]
    terminal.write(song({"relative_path": "band.wav", "position": 1000}))
    assert [step for _, step in terminal.render().ran] == ["mix", "master"]
    why = terminal.type("why", "song.ustx")
    assert why.code == 0


def test_stems_have_the_recordings_and_a_range_only_those_that_sound_in_it(terminal: Terminal) -> None:
    record(terminal, noise(1.0))
    terminal.write(song({"relative_path": "band.wav"}))
    terminal.render(*AS_MIXED, "--stems", "stems")
    assert "stems/02 Band.wav" in list(terminal.files())
    assert np.abs(terminal.sound("stems/02 Band.wav")[:, RATE : 2 * RATE]).max() > 0.1
    whole = terminal.sound()
    said = terminal.render(*AS_MIXED, "--range", "1.5s:2.5s", output="part.wav")
    assert "wave-1" not in {segment for segment, _ in said.ran}
    part = terminal.sound("part.wav")
    np.testing.assert_array_equal(part, whole[:, RATE * 3 // 2 : RATE * 3 // 2 + part.shape[1]])


@pytest.mark.parametrize(
    "path",
    [
        "../outside.wav",
        "/etc/passwd",
        "C:\\x.wav",
        "\\\\host\\x.wav",
        "link.wav",
        "none.wav",
        "",
        "a\x00b",
        "sub",
        "x" * 5000,
    ],
)
def test_what_does_not_lie_beside_the_song_is_left_out_aloud(tmp_path: Path, path: str) -> None:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    soundfile.write(tmp_path / "outside.wav", noise(0.1).T, RATE)
    (home / "link.wav").symlink_to(tmp_path / "outside.wav")
    terminal = Terminal(home)
    terminal.write(song({"relative_path": path}))
    said = terminal.type("render", "song.ustx", "--dry-run")
    assert said.code == 0, said.err
    assert "is not mixed" in said.err
    assert max(map(len, said.err.splitlines())) < 250
    assert "wave-1" not in said.out


@pytest.mark.parametrize("track", ["{track_name: Band, mute: true}", "{track_name: Band}"])
def test_what_is_not_heard_is_not_read(terminal: Terminal, track: str) -> None:
    (terminal.home / "band.wav").write_bytes(b"no sound at all")
    text = song({"relative_path": "band.wav"}, tracks=[track])
    terminal.write(text if "mute" in track else text.replace("track_name: Lead", "track_name: Lead, solo: true"))
    said = terminal.type("render", "song.ustx", "--dry-run")
    assert said.code == 0, said.err


def lying(audio: Audio, place: int, value: int, size: int = 4) -> bytes:
    """A plain WAV file with one number of its header changed."""
    import io

    buffer = io.BytesIO()
    soundfile.write(buffer, audio.T, RATE, format="WAV", subtype="PCM_16")
    raw = bytearray(buffer.getvalue())
    raw[place : place + size] = value.to_bytes(size, "little")
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"no sound at all", "no sound file"),
        (b"", "no sound file"),
        (lying(noise(0.1), 24, 0), "no sound file"),
        (lying(noise(0.1), 24, 2**31), "no sound file"),
        (lying(noise(0.1), 24, 2**31 - 1), "sample rate"),
        (lying(noise(0.1), 24, 500), "sample rate"),
        (lying(noise(0.1), 22, 60000, 2), ""),
        (lying(noise(0.1, 3), 0, int.from_bytes(b"RIFF", "little")), "3 channels"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused_before_anything_runs(
    terminal: Terminal, raw: bytes, told: str
) -> None:
    (terminal.home / "band.wav").write_bytes(raw)
    terminal.write(song({"relative_path": "band.wav"}))
    said = terminal.type("render", "song.ustx", "-o", "song.wav")
    assert said.code == 2
    assert "band.wav" in said.err
    assert told in said.err
    assert not (terminal.home / "song.wav").exists()


def test_a_loop_is_decoded_once_however_often_it_lies_there(terminal: Terminal) -> None:
    record(terminal, noise(0.5))
    terminal.write(song(*({"relative_path": "band.wav", "position": 480 * place} for place in range(4))))
    assert [step for _, step in terminal.render().ran].count("wave") == 1
    assert [segment for segment, step in terminal.render("--seed", "3").ran if step == "wave"] == []


def test_more_recordings_than_a_mix_can_hold_are_refused(terminal: Terminal) -> None:
    soundfile.write(terminal.home / "band.flac", np.zeros((RATE * 60, 1), dtype=np.float32), RATE)
    waves: list[dict[str, object]] = [{"relative_path": "band.flac"} for _ in range(200)]
    terminal.write(song(*waves))
    said = terminal.type("render", "song.ustx", "--dry-run")
    assert said.code == 2
    assert "wave_parts[120]" in said.err


def test_a_recording_days_into_the_song_is_refused(terminal: Terminal) -> None:
    record(terminal, noise(0.1))
    terminal.write(song({"relative_path": "band.wav", "position": 90_000_000}))
    said = terminal.type("render", "song.ustx", "--dry-run")
    assert said.code == 2
    assert "wave_parts[0].position" in said.err


def test_a_header_that_promises_more_than_there_is_gives_what_is_there(terminal: Terminal) -> None:
    (terminal.home / "band.wav").write_bytes(lying(noise(0.5), 40, 2**31))
    terminal.write(song({"relative_path": "band.wav"}))
    assert np.abs(band(terminal)[0, RATE : RATE + RATE // 2]).max() > 0.1


def test_a_song_of_recordings_alone_is_mixed_and_has_nothing_to_transcribe(terminal: Terminal) -> None:
    record(terminal, noise(1.0))
    text = song({"relative_path": "band.wav"})
    unsung = text[: text.index("voice_parts:")] + "voice_parts: []\n" + text[text.index("wave_parts:") :]
    terminal.write(unsung)
    told = terminal.render(*AS_MIXED, "--stems", "stems")
    assert {step for _, step in told.ran} == {"wave", "mix", "master", "stem"}
    assert np.abs(terminal.sound()).max() > 0.1
    assert terminal.render(*AS_MIXED).ran == []
    for command in (["transcribe", "song.ustx", "-o", "song.ds"], ["export", "song.ustx", "-o", "song.ds"]):
        refused = terminal.type(*command)
        assert (refused.code, "there is nothing to sing" in refused.err) == (2, True)
    (terminal.home / "band.wav").unlink()
    refused = terminal.type("render", "song.ustx", "-o", "song.wav")
    assert (refused.code, "band.wav" in refused.err) == (2, True)
