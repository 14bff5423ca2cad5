"""Sound files: the samples come back, and the bytes are always the same."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from quincunx_shared.errors import BadOption
from quincunx_workers.sound_file import SUBTYPES, encode

KINDS = [(container, subtype) for container, subtypes in SUBTYPES.items() for subtype in subtypes]


@pytest.fixture
def song() -> npt.NDArray[np.float32]:
    """Longer than one round of dither."""
    return np.random.default_rng(5).uniform(-0.9, 0.9, (2, 70_000)).astype(np.float32)


@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_the_samples_come_back(song: npt.NDArray[np.float32], container: str, subtype: str) -> None:
    back, rate = soundfile.read(io.BytesIO(encode(song, 44100, container, subtype)), dtype="float64")
    step = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "FLOAT": 2.0**-24}[subtype]
    assert rate == 44100
    assert np.abs(back.T - song).max() <= 1.5 * step


@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_equal_samples_give_equal_bytes(song: npt.NDArray[np.float32], container: str, subtype: str) -> None:
    kept = encode(song, 44100, container, subtype)
    with soundfile.SoundFile(io.BytesIO(kept)) as file:
        assert file.subtype == subtype
    assert encode(song.copy(), 44100, container, subtype) == kept


def test_a_float_file_holds_no_time_of_writing(song: npt.NDArray[np.float32]) -> None:
    content = encode(song, 44100, "wav", "FLOAT")
    chunk = content.index(b"PEAK")
    assert content[chunk + 12 : chunk + 16] == bytes(4)


def test_dither_has_no_offset_and_hardly_a_level() -> None:
    silence = np.zeros((2, 65536), dtype=np.float32)
    noise, _ = soundfile.read(io.BytesIO(encode(silence, 44100, "wav", "PCM_16")), dtype="int16")
    assert set(np.unique(noise)) == {-1, 0, 1}
    assert abs(float(noise.mean())) < 0.01


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_beyond_full_scale_is_clipped_not_wrapped(subtype: str) -> None:
    loud = np.array([[1.5, -1.5]], dtype=np.float32)
    back, _ = soundfile.read(io.BytesIO(encode(loud, 44100, "wav", subtype)))
    assert back == pytest.approx([1, -1], abs=1e-4)


def test_flac_holds_no_floats(song: npt.NDArray[np.float32]) -> None:
    with pytest.raises(BadOption, match="a flac file holds PCM_16, PCM_24, not FLOAT"):
        encode(song, 44100, "flac", "FLOAT")


@pytest.mark.parametrize("subtype", SUBTYPES["wav"])
def test_a_wave_file_too_large_for_its_header_becomes_rf64(song: npt.NDArray[np.float32], subtype: str) -> None:
    """The limit is lowered here; it stands at 4 GiB."""
    large = encode(song, 44100, "wav", subtype, wav_bytes=100_000)
    assert large[:4] == b"RF64"
    plain = encode(song, 44100, "wav", subtype)
    assert plain[:4] == b"RIFF"
    there, _ = soundfile.read(io.BytesIO(large))
    here, _ = soundfile.read(io.BytesIO(plain))
    assert (there == here).all()
    assert encode(song.copy(), 44100, "wav", subtype, wav_bytes=100_000) == large


@pytest.mark.parametrize("subtype", SUBTYPES["wav"])
def test_a_file_without_a_sample_can_be_read(subtype: str) -> None:
    back, _ = soundfile.read(io.BytesIO(encode(np.zeros((2, 0), np.float32), 44100, "wav", subtype)))
    assert len(back) == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_a_plain_file_is_what_the_standard_library_writes(song: npt.NDArray[np.float32], channels: int) -> None:
    content = encode(song[:channels], 22050, "wav", "PCM_16")
    samples, _ = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, 2, 22050, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    assert content == buffer.getvalue()
