"""Transcripts sung by banks whose models tell what they were given: seeds, mixes of speakers, phonemes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from tests.scenario.terminal import Terminal
from tests.scenario.transcripts import Members, segment, written
from tests.unit import tiny_models
from tests.unit.tiny_bank import write_bank
from tests.unit.tiny_song import curve, note, part, song_text
from tests.unit.variance_models import write_variance

CONFIG = "acoustic: acoustic.onnx\nphonemes: phonemes.txt\nmel_base: e\nnum_mel_bins: {bins}\n"
VOCODER = "name: tiny\nmodel: vocoder.onnx\nmel_base: e\nnum_mel_bins: {bins}\n"
LOW, HIGH = np.array([0, 0, 3], "<f4"), np.array([30, 30, 30], "<f4")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def bank(terminal: Terminal, name: str, acoustic: bytes, bins: int, config: str = "", **files: bytes) -> str:
    """Write a bank whose vocoder gives the mean of the mel plus f0 for every sample; return its name."""
    write_bank(
        terminal.home / name,
        {
            "dsconfig.yaml": CONFIG.format(bins=bins) + config,
            "acoustic.onnx": acoustic,
            "dsvocoder/vocoder.yaml": VOCODER.format(bins=bins),
            "dsvocoder/vocoder.onnx": tiny_models.vocoder(512),
            **{f"{speaker}.emb": content for speaker, content in files.items()},
        },
    )
    return name


def hissing(terminal: Terminal) -> str:
    """A bank that sings noise."""
    return bank(terminal, "hissing", tiny_models.hissing(), 4)


def speaking(terminal: Terminal) -> str:
    """A bank that sings its speakers' embeddings."""
    config = "speakers: [low, high]\nhidden_size: 3\n"
    return bank(terminal, "speaking", tiny_models.speaking(3), 3, config, low=LOW.tobytes(), high=HIGH.tobytes())


def flat(offset: float, phones: str = "SP en/aa SP", **members: Any) -> Members:
    """A segment on one pitch, three phonemes of 20 frames."""
    frames = 20 * 512 / 44100
    seconds = " ".join([f"{frames:.9f}"] * len(phones.split()))
    return segment(offset, phones, seconds, **{"f0_seq": "100 100", "f0_timestep": "1", **members})


def sing(terminal: Terminal, voice: str, segments: list[Members], *flags: str) -> npt.NDArray[np.float32]:
    """Render as floats, which are not clipped."""
    written(terminal.home / "song.ds", segments)
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--voice", voice, "--bits", "float", "--json", *flags)
    assert said.code == 0, said.err
    audio, _ = soundfile.read(terminal.home / "song.wav", dtype="float32")
    return np.asarray(audio)


def test_a_seed_is_a_take_of_its_own_segment(terminal: Terminal) -> None:
    voice = hissing(terminal)
    song = [flat(0.0, seed=3), flat(2.0, seed=3), flat(4.0, seed=4), flat(6.0)]
    takes = [sing(terminal, voice, song)[2 * 44100 * place :][:30_000] for place in range(4)]
    assert (takes[0] == takes[1]).all()
    assert (takes[0] != takes[2]).any()
    assert (takes[0] != takes[3]).any()


def test_the_seed_of_the_command_is_for_segments_without_one(terminal: Terminal) -> None:
    voice = hissing(terminal)
    first = sing(terminal, voice, [flat(0.0, seed=3), flat(2.0)])
    second = sing(terminal, voice, [flat(0.0, seed=3), flat(2.0)], "--seed", "9")
    assert (first[:30_000] == second[:30_000]).all()
    assert (first[88_200:] != second[88_200:]).any()


def test_a_seed_below_nothing_is_one_too(terminal: Terminal) -> None:
    voice = hissing(terminal)
    assert (sing(terminal, voice, [flat(0.0, seed=-1)]) == sing(terminal, voice, [flat(0.0, seed=2**32 - 1)])).all()


def test_the_first_speaker_sings_where_nobody_is_named(terminal: Terminal) -> None:
    assert np.allclose(sing(terminal, speaking(terminal), [flat(0.0)]), 100 + LOW.mean())


@pytest.mark.parametrize(("mix", "share"), [({"high": 1}, 1.0), ({"low": 1, "high": 3}, 0.75), ({"low": "2"}, 0.0)])
def test_a_mix_of_speakers_is_sung(terminal: Terminal, mix: dict[str, Any], share: float) -> None:
    expected = 100 + (1 - share) * LOW.mean() + share * HIGH.mean()
    assert np.allclose(sing(terminal, speaking(terminal), [flat(0.0, spk_mix=mix)]), expected)


def test_speakers_in_folders_are_called_by_their_names(terminal: Terminal) -> None:
    config = "speakers: [embeds/low, embeds/high]\nhidden_size: 3\n"
    files = {"embeds/low": LOW.tobytes(), "embeds/high": HIGH.tobytes()}
    voice = bank(terminal, "folders", tiny_models.speaking(3), 3, config, **files)
    for name in ("high", "embeds/high"):
        assert np.allclose(sing(terminal, voice, [flat(0.0, spk_mix={name: 1})]), 100 + HIGH.mean())


def test_a_mix_may_move(terminal: Terminal) -> None:
    mix = {"low": "1 0", "high": "0 1"}
    audio = sing(terminal, speaking(terminal), [flat(0.0, spk_mix=mix, spk_mix_timestep="0.6")])[::512]
    assert audio[0] == pytest.approx(100 + LOW.mean())
    assert audio[-1] == pytest.approx(100 + HIGH.mean(), abs=2)
    assert (np.diff(audio) >= 0).all()


def test_a_mix_for_phonemes_is_sung_by_phonemes(terminal: Terminal) -> None:
    mix = {"low": "1 0 1", "high": "0 1 0"}
    audio = sing(terminal, speaking(terminal), [flat(0.0, ph_spk_mix=mix)])[::512]
    assert audio[5] == pytest.approx(100 + LOW.mean())
    assert audio[30] == pytest.approx(100 + HIGH.mean())
    assert audio[-5] == pytest.approx(100 + LOW.mean())


def test_a_speaker_the_bank_does_not_have_is_refused(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", [flat(0.0, spk_mix={"hihg": 1})])
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--voice", speaking(terminal))
    assert said.code == 2
    assert "[0].spk_mix.hihg" in said.err
    assert "did you mean 'high'" in said.err


def test_a_voice_of_one_speaker_says_that_mixes_change_nothing(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", [flat(0.0, spk_mix={"a": 1})])
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--voice", hissing(terminal))
    assert said.code == 0
    assert "mixes of speakers change nothing" in said.err


def test_a_voice_with_the_phonemes_itself_needs_no_set(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", [flat(0.0, "SP aa SP", lang="en")])
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--voice", hissing(terminal))
    assert said.code == 0
    assert "written in" not in said.err


def predicting(terminal: Terminal) -> str:
    """A bank that sings the energy it predicts: 69 for A4 plus the sum of the tokens, or the energy that is given."""
    name = bank(terminal, "predicting", tiny_models.acoustic(frames=("energy", "breathiness")), 2)
    write_variance(terminal.home / name)
    return name


def test_variances_that_are_missing_are_predicted(terminal: Terminal) -> None:
    audio = sing(terminal, predicting(terminal), [flat(0.0, f0_seq="440 440")])
    tokens = 2 + 3 + 2
    assert np.allclose(audio, 440 + (69 + tokens + 2) / 2, atol=1e-3)


def test_variances_that_are_given_are_sung(terminal: Terminal) -> None:
    curve = {"energy": "-20 -30", "energy_timestep": "0.3"}
    audio = sing(terminal, predicting(terminal), [flat(0.0, f0_seq="440 440", **curve)])[::512]
    assert audio[0] == pytest.approx(440 + (-20 + 1) / 2, abs=1e-3)
    assert audio[-1] == pytest.approx(440 + (-30 + 1) / 2, abs=0.5)


def test_a_score_is_sung_with_predicted_variances_and_what_is_drawn_on_them(terminal: Terminal) -> None:
    voice = predicting(terminal)
    heard = []
    for energy in (0, 50):
        text = song_text(part([note(1920, lyric="a[en/k en/aa]")], curves=[curve("ene", [1920, 2400], [0, energy])]))
        (terminal.home / "song.ustx").write_text(text, encoding="utf-8")
        flags = ("--voice", voice, "--bits", "float", "--loudness", "off", "--true-peak", "off")
        said = terminal.render(*flags)
        assert ("variance" in [step for _, step in said.ran]) == (energy == 0)
        heard.append(soundfile.read(terminal.home / "song.wav")[0])
    # 50 are 6 dB, half of which the vocoder adds to each sample; the centre of the mix is at -3 dB.
    assert np.ptp(heard[1] - heard[0]) == pytest.approx(6 / 2 * np.sqrt(0.5), rel=0.05)
