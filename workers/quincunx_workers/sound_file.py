"""Samples as the bytes of a sound file; equal samples give equal bytes.

16-bit files are dithered. Files of 24 bits are not: their step is −138 dB, below the rounding of the float32 they are
made of and below every room and amplifier; nor are floats, which have no step to hide.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadOption

Audio = npt.NDArray[np.float32]

#: Container → the sample formats it can hold.
SUBTYPES = {"wav": ("PCM_16", "PCM_24", "FLOAT"), "flac": ("PCM_16", "PCM_24")}

#: What the sizes in a plain WAV header can count, less the room of the header itself. Beyond it, RF64 (EBU Tech 3306)
#: holds the same chunks with sizes of 64 bits.
WAV_BYTES = 2**32 - 2**12

#: Dither repeats after this many samples, 1.5 s, which nobody can hear at −96 dB.
DITHER_SAMPLES = 65536


def encode(
    audio: Audio,
    sample_rate: int,
    container: str,
    subtype: str,
    *,
    dither: bool = True,
    wav_bytes: int = WAV_BYTES,
) -> bytes:
    """Return a whole file with float32[channels, N], full scale 1; what lies beyond full scale is clipped.

    A WAV file with more than `wav_bytes` of samples becomes RF64. Without dither, 16 bits are the samples times 32767
    with the fraction cut off, as the tools around DiffSinger write them.
    """
    if subtype not in SUBTYPES[container]:
        allowed = ", ".join(SUBTYPES[container])
        raise BadOption(f"a {container} file holds {allowed}, not {subtype}", where="subtype")
    write = _cut_to_int16 if subtype == "PCM_16" and not dither else _WRITTEN_AS[subtype]
    samples = write(audio)
    large = container == "wav" and audio.size * _BYTES[subtype] > wav_bytes
    if (container, subtype) == ("wav", "PCM_16") and not large:
        return _plain_wave(samples, sample_rate)
    # Imported here, because the plain case above is what follows an edit, and it costs more than the writing.
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="RF64" if large else container.upper(), subtype=subtype)
    return _without_time(buffer.getvalue()) if subtype == "FLOAT" else buffer.getvalue()


def clipped_samples(audio: Audio, subtype: str) -> int:
    """Return how many samples lie beyond the full scale that a sample format can hold."""
    return 0 if subtype == "FLOAT" else int(np.count_nonzero(np.abs(audio) > 1))


def _plain_wave(samples: npt.NDArray[np.int16], sample_rate: int) -> bytes:
    """Return the chunks of a WAV file of 16 bits, with one copy of the samples: of an hour that is half a gigabyte."""
    channels, frame_bytes, size = samples.shape[1], 2 * samples.shape[1], 2 * samples.size
    form = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * frame_bytes, frame_bytes, 16)
    head = struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, form, b"data", size)
    return b"".join((head, np.ascontiguousarray(samples, dtype="<i2").reshape(-1).view(np.uint8).data))


def _to_int16(audio: Audio) -> npt.NDArray[np.int16]:
    """Return int16[N, channels] with triangular dither of ±1 step, the same for every song."""
    channels, length = audio.shape
    dither = _dither(channels)
    out = np.empty((length, channels), dtype=np.int16)
    for first in range(0, length, DITHER_SAMPLES):
        piece = audio[:, first : first + DITHER_SAMPLES] * np.float32(2**15)
        piece += dither[:, : piece.shape[1]]
        out[first : first + DITHER_SAMPLES] = np.clip(np.rint(piece, out=piece), -(2**15), 2**15 - 1, out=piece).T
    return out


def _cut_to_int16(audio: Audio) -> npt.NDArray[np.int16]:
    """Return int16[N, channels]: the samples times 32767, towards zero."""
    cut: npt.NDArray[np.int16] = np.clip(audio.T * np.float32(32767), -32767, 32767).astype(np.int16)
    return cut


def _to_int24(audio: Audio) -> npt.NDArray[np.int32]:
    """Return int32[N, channels] with the 24 bits on top, as libsndfile wants them."""
    steps = np.rint(audio.T.astype(np.float64) * 2**23)
    return np.clip(steps, -(2**23), 2**23 - 1).astype(np.int32) << 8


def _to_float(audio: Audio) -> Audio:
    return audio.T


def _dither(channels: int) -> Audio:
    """Return the difference of two even noises, from the raw bits of a generator whose stream is fixed for ever."""
    raw = np.random.Philox(key=1770).random_raw(channels * DITHER_SAMPLES // 2)
    even = raw.view(np.uint16).astype(np.float32).reshape(2, channels, DITHER_SAMPLES)
    return np.asarray((even[0] - even[1]) / np.float32(2**16))


def _without_time(content: bytes) -> bytes:
    """Zero the time of writing in the PEAK chunk, the one thing in the file that differs from run to run."""
    chunk = content.find(b"PEAK", 0, 256)
    if chunk < 0:
        return content
    stamp = chunk + 12  # name, size and version stand before it
    return content[:stamp] + bytes(4) + content[stamp + 4 :]


_BYTES: Mapping[str, int] = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}

_WRITTEN_AS: Mapping[str, Callable[[Audio], npt.NDArray[Any]]] = {
    "PCM_16": _to_int16,
    "PCM_24": _to_int24,
    "FLOAT": _to_float,
}
