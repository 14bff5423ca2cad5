"""Fourier transforms as matrix products.

ONNX Runtime has no DFT kernel for CUDA. The matrices are not stored: they are gathered from one cycle of a
cosine by integer arithmetic, exactly, and folded when a session loads. So the file stays small.
"""

from dataclasses import dataclass

import numpy as np

from quincunx_workers.demo_voice.mel_layout import FFT_SIZE, HOP_SIZE
from quincunx_workers.demo_voice.onnx_graph import FLOAT, INT, Graph, Tensor, count

BINS = FFT_SIZE // 2 + 1
FRAME_SIZE = 2 * HOP_SIZE
#: Quefrencies of the minimum-phase filter: 9 ms, longer than the pitch period of any sung note but the lowest.
QUEFRENCIES = 400


@dataclass(frozen=True)
class Spectrum:
    """Half of the spectrum of real frames; each [..., F, 1025]."""

    real: Tensor
    imaginary: Tensor


def transform(frames: Tensor) -> Spectrum:
    """Spectrum of frames of 1024 samples, zero-padded to 2048."""
    cosine, sine = _cosine_and_sine(frames.graph, FRAME_SIZE, BINS)
    return Spectrum(frames @ cosine, -(frames @ sine))


def inverse(spectrum: Spectrum) -> Tensor:
    """Frames of 2048 samples; [..., F, 2048]."""
    cosine, sine = _cosine_and_sine(spectrum.real.graph, BINS, FFT_SIZE)
    weights = _both_halves()[:, None]
    return spectrum.real @ (cosine * weights) - spectrum.imaginary @ (sine * weights)


def rotated(spectrum: Spectrum, phase: Tensor) -> Spectrum:
    """The spectrum through an all-pass filter."""
    cosine, sine = phase.cos(), phase.sin()
    return Spectrum(
        spectrum.real * cosine - spectrum.imaginary * sine,
        spectrum.real * sine + spectrum.imaginary * cosine,
    )


def minimum_phase(log_magnitude: Tensor) -> Tensor:
    """Phase of the minimum-phase filter of a magnitude, by its cepstrum (Oppenheim and Schafer, section 13.5).

    Folding the cepstrum onto positive time doubles it there; the phase is the sine transform of that.
    """
    cosine, _ = _cosine_and_sine(log_magnitude.graph, BINS, QUEFRENCIES)
    _, sine = _cosine_and_sine(log_magnitude.graph, QUEFRENCIES, BINS)
    cepstrum = log_magnitude @ (cosine * _both_halves()[:, None])
    return cepstrum @ (sine * -2.0)


def _both_halves() -> np.ndarray:
    """Weight of each bin when the mirrored half is summed with it, over the length of the transform."""
    weights = np.full(BINS, 2.0 / FFT_SIZE, dtype=np.float32)
    weights[[0, -1]] = 1.0 / FFT_SIZE
    return weights


def _cosine_and_sine(graph: Graph, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """cos and sin of 2 pi r c / 2048; [rows, columns]."""
    angle = np.arange(FFT_SIZE) * (2.0 * np.pi / FFT_SIZE)
    cycle = graph.constant(np.cos(angle), FLOAT)
    row = count(graph, graph.constant(rows, INT)).with_axis(1)
    column = count(graph, graph.constant(columns, INT)).with_axis(0)
    turns = row * column % FFT_SIZE
    quarter = FFT_SIZE // 4
    return (
        graph.op("Gather", cycle, turns),
        graph.op("Gather", cycle, (turns + (FFT_SIZE - quarter)) % FFT_SIZE),
    )
