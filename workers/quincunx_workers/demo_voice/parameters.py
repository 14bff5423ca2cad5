"""The phone table as numbers: one row per token and posture, one smoothed column per parameter.

A column is smoothed over time by a window of odd length. Shapes (formants, bandwidths, band centres) are means
weighted by how strongly each posture holds them; amounts (amplitudes, nasality, tilt) are plain means.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quincunx_workers.demo_voice.articulation import Noise, Phone, Posture
from quincunx_workers.demo_voice.mel_layout import MEL_OF_UNIT_NOISE, SAMPLE_RATE

#: Root mean square of a sung vowel, about -18.5 dB below full scale: at 65 Hz its pulses still stay below 1.
VOICE_RMS: Final = 0.12
#: Mel magnitude of noise as strong as the voice, if it filled the whole spectrum evenly.
WHITE_MEL: Final = MEL_OF_UNIT_NOISE * VOICE_RMS

#: Frames on either side of a frame that shape its parameters.
REACH: Final = 5
TAPS: Final = 2 * REACH + 1

#: Postures of a phone: hold, burst, release, opening.
POSTURES: Final = 4
#: No opening takes more of a phone than this.
OPENING_SHARE: Final = 0.35

#: Columns whose smoothing is weighted by the posture's hold on the tract, and their window lengths.
TRACT_WINDOWS: Final = {"f1": 9, "f2": 11, "f3": 11, "f4": 11, "b1": 9, "b2": 9, "b3": 9, "mouth_hz": 9}
#: The same for bands of noise, weighted by whether there is any: in octaves, so that glides are even.
BAND_WINDOWS: Final = {"centre": 5, "width": 5, "centre_2": 5, "width_2": 5}
#: Columns smoothed as they are.
AMOUNT_WINDOWS: Final = {"nasal": 5, "tilt_db": 5, "voice": 5, "breath": 3, "noise": 3, "noise_2": 3}

COLUMNS: Final = (*TRACT_WINDOWS, *BAND_WINDOWS, *AMOUNT_WINDOWS)
WEIGHTED: Final = len(TRACT_WINDOWS) + len(BAND_WINDOWS)

Table = NDArray[np.float32]


def posture_table(phones: Sequence[Phone]) -> Table:
    """Parameters of every posture; shape [4 * phones, columns], row 4 * token + posture."""
    return _rounded([_columns(posture) for phone in phones for posture in phone.postures])


def weight_table(phones: Sequence[Phone]) -> Table:
    """Weight of each smoothed shape in each posture; shape [4 * phones, weighted columns]."""
    return _rounded([_weights(posture) for phone in phones for posture in phone.postures])


def timing_table(phones: Sequence[Phone]) -> Table:
    """Frames of burst, frames of release, largest share of the release, frames of opening; shape [phones, 4]."""
    return _rounded(
        [[phone.burst_frames, phone.release_frames, phone.release_share, phone.opening_frames] for phone in phones]
    )


def smoothing_windows() -> Table:
    """One Hann window of unit sum per column, centred in eleven taps; shape [columns, 11]."""
    lengths = (TRACT_WINDOWS | BAND_WINDOWS | AMOUNT_WINDOWS).values()
    return _rounded([_centred_hann(length) for length in lengths])


def noise_mel(noise: Noise) -> float:
    """Peak mel magnitude of a band of noise whose power is ``level_db`` relative to the voice.

    The integral of a squared Gaussian over octaves, exp(-(x / w)^2) with df = f ln 2 dx, is
    ln 2 sqrt(pi) w f exp((w ln 2)^2 / 4); white noise spreads its power over half the sample rate.
    """
    width = noise.width_octaves * math.log(2.0)
    bandwidth_hz = noise.centre_hz * width * math.sqrt(math.pi) * math.exp(width**2 / 4)
    density = SAMPLE_RATE / 2 / bandwidth_hz
    return WHITE_MEL * _amplitude(noise.level_db) * math.sqrt(density)


def _columns(posture: Posture) -> list[float]:
    return [
        *(getattr(posture, name) for name in TRACT_WINDOWS),
        *_band(posture.noise),
        *_band(posture.noise_2),
        posture.nasal,
        posture.tilt_db,
        _amplitude(posture.voice_db),
        _amplitude(posture.breath_db) * WHITE_MEL,
        noise_mel(posture.noise),
        noise_mel(posture.noise_2),
    ]


def _weights(posture: Posture) -> list[float]:
    bands = [1.0 if noise_mel(noise) > 0.0 else 0.02 for noise in (posture.noise, posture.noise_2)]
    return [posture.weight] * len(TRACT_WINDOWS) + [bands[0], bands[0], bands[1], bands[1]]


def _band(noise: Noise) -> tuple[float, float]:
    return math.log2(noise.centre_hz), noise.width_octaves


def _amplitude(level_db: float) -> float:
    return float(10.0 ** (level_db / 20.0))


def _centred_hann(length: int) -> list[float]:
    window = [math.sin(math.pi * (n + 1) / (length + 1)) ** 2 for n in range(length)]
    margin = [0.0] * ((TAPS - length) // 2)
    return [*margin, *(value / sum(window) for value in window), *margin]


def _rounded(rows: Sequence[Sequence[float]]) -> Table:
    """Six decimals, so that every machine writes the same bank."""
    return np.round(np.array(rows, dtype=np.float64), 6).astype(np.float32)
