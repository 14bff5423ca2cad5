"""The mel spectrogram both graphs speak: openvpi's layout for 44.1 kHz vocoders.

Magnitudes of a 2048-point Hann spectrum, through 128 area-normalised triangles on Slaney's mel scale between
40 Hz and 16 kHz, as natural logarithms with a floor at 1e-5. Frame n is centred on sample n * 512 + 256.
"""

import math

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
HOP_SIZE = 512
FFT_SIZE = 2_048
WIN_SIZE = 2_048
MEL_BINS = 128
MEL_FMIN_HZ = 40.0
MEL_FMAX_HZ = 16_000.0
#: An f0 at or below this is none.
LOWEST_F0_HZ = 20.0
#: Power that stands for silence: its root, 1e-5, is the floor of the layout.
FLOOR_POWER = 1e-10

#: Mel magnitude of harmonics of amplitude 1, times their distance in Hz: the sum of the Hann window.
MEL_HZ_OF_UNIT_SINE = 1_024.0
#: Mel magnitude of white noise of unit variance: the mean of a Rayleigh variable, sqrt(pi / 4), times the root of
#: the window's energy, sqrt(768), times the triangles' density of one bin per 21.53 Hz.
MEL_OF_UNIT_NOISE = math.sqrt(math.pi / 4 * 768) * FFT_SIZE / SAMPLE_RATE

#: Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, then logarithmic with 27 steps per factor of 6.4.
_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_KNEE_HZ = 1_000.0
_KNEE_MEL = _KNEE_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27.0

Reals = NDArray[np.float64]


def mel_of_hz(frequency_hz: Reals) -> Reals:
    """Place of a frequency on Slaney's mel scale."""
    above_knee = np.maximum(frequency_hz, _KNEE_HZ) / _KNEE_HZ
    return np.where(
        frequency_hz < _KNEE_HZ,
        frequency_hz / _LINEAR_HZ_PER_MEL,
        _KNEE_MEL + np.log(above_knee) / _LOG_STEP,
    )


def hz_of_mel(mel: Reals) -> Reals:
    """Frequency of a place on Slaney's mel scale."""
    above_knee = _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ_PER_MEL, above_knee)


def mel_edges_hz() -> Reals:
    """The 130 corner frequencies of the 128 triangles; the inner 128 are their centres."""
    lowest, highest = mel_of_hz(np.array([MEL_FMIN_HZ, MEL_FMAX_HZ]))
    return hz_of_mel(np.linspace(lowest, highest, MEL_BINS + 2))


def mel_centres_hz() -> Reals:
    """Centre frequency of each mel bin; shape [128].

    Rounded to a tenth of a millihertz, so that every machine writes the same bank.
    """
    return np.round(mel_edges_hz()[1:-1], 4)


def mel_widths_hz() -> Reals:
    """Stretch of the spectrum that each mel bin stands for: half its triangle; shape [128]."""
    edges = mel_edges_hz()
    return np.round((edges[2:] - edges[:-2]) / 2, 4)


def fft_bins_hz() -> Reals:
    """Frequency of each bin of the linear spectrum; shape [1025]."""
    return np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1)


def mel_bin_of_fft_bin() -> Reals:
    """Fractional mel bin at each linear frequency, held at the first and the last bin outside them; [1025]."""
    lowest, highest = mel_of_hz(np.array([MEL_FMIN_HZ, MEL_FMAX_HZ]))
    bins_per_mel = (MEL_BINS + 1) / (highest - lowest)
    place: Reals = np.clip((mel_of_hz(fft_bins_hz()) - lowest) * bins_per_mel - 1.0, 0.0, MEL_BINS - 1.0)
    return np.round(place, 6)
