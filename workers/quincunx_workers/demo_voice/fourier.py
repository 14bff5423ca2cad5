"""Fourier transforms as matrix products.

ONNX Runtime has no DFT kernel for CUDA. The matrices are not stored: they are gathered from one cycle of a
cosine by integer arithmetic, exactly, and folded when a session loads. So the file stays small.
"""

from dataclasses import dataclass

import numpy as np

from quincunx_workers.demo_voice.mel_layout import FFT_SIZE, HOP_SIZE, Reals
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


def transform(*frames: Tensor) -> tuple[Spectrum, ...]:
    """Spectra of frames of 1024 samples each, zero-padded to 2048; the tensors share their matrices."""
    turns = _turns(frames[0].graph, FRAME_SIZE, BINS)
    cosine, sine = _cosine(turns), _sine(turns)
    return tuple(Spectrum(each @ cosine, -(each @ sine)) for each in frames)


def inverse(spectrum: Spectrum) -> Tensor:
    """Frames of 2048 samples; [..., F, 2048]."""
    turns = _turns(spectrum.real.graph, BINS, FFT_SIZE)
    weights = _both_halves()[:, None]
    return spectrum.real @ (_cosine(turns) * weights) - spectrum.imaginary @ (_sine(turns) * weights)


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
    graph = log_magnitude.graph
    cepstrum = log_magnitude @ (_cosine(_turns(graph, BINS, QUEFRENCIES)) * _both_halves()[:, None])
    return cepstrum @ (_sine(_turns(graph, QUEFRENCIES, BINS)) * -2.0)


def _both_halves() -> Reals:
    """Weight of each bin when the mirrored half is summed with it, over the length of the transform."""
    weights = np.full(BINS, 2.0 / FFT_SIZE)
    weights[[0, -1]] = 1.0 / FFT_SIZE
    return weights


def _turns(graph: Graph, rows: int, columns: int) -> Tensor:
    """r c mod 2048: the angle of each element of a Fourier matrix in parts of a cycle; int64 [rows, columns]."""
    row = count(graph, graph.constant(rows, INT)).with_axis(1)
    column = count(graph, graph.constant(columns, INT)).with_axis(0)
    return row * column % FFT_SIZE


def _cosine(turns: Tensor) -> Tensor:
    return turns.graph.op("Gather", turns.graph.constant(np.cos(_cycle()), FLOAT), turns)


def _sine(turns: Tensor) -> Tensor:
    return turns.graph.op("Gather", turns.graph.constant(np.sin(_cycle()), FLOAT), turns)


def _cycle() -> Reals:
    return np.linspace(0.0, 2.0 * np.pi, FFT_SIZE, endpoint=False)
