"""Fourier transforms as matrix products.

ONNX Runtime has no DFT kernel for CUDA. The matrices are not stored: they are gathered from one cycle of a
cosine by integer arithmetic, exactly, and folded when a session loads. So the file stays small. Time is counted
from a frame's centre: there a frame is an even part, which cosines alone transform, and an odd part for the sines,
each half as long. That halves the work, and these products are nearly all of the vocoder's work.
"""

from dataclasses import dataclass

import numpy as np

from quincunx_workers.demo_voice.formula_graph import FLOAT, INT, Graph, Tensor, count, joined
from quincunx_workers.demo_voice.mel_layout import FFT_SIZE, HOP_SIZE, Reals

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
    """Spectra of frames of 1024 samples that begin with a zero; the tensors share their matrices."""
    centre = FRAME_SIZE // 2
    turns = _turns(frames[0].graph, centre, BINS)
    # The centre stands in both halves of a frame.
    once = np.where(np.arange(centre) == 0, 0.5, 1.0)[:, None]
    cosine, sine = _cosine(turns) * once, _sine(turns)

    halves = [(each.part(2, centre, FRAME_SIZE), each.part(2, centre, 0, step=-1)) for each in frames]
    return tuple(Spectrum((after + before) @ cosine, (before - after) @ sine) for after, before in halves)


def inverse(spectrum: Spectrum) -> Tensor:
    """Frames of 2048 samples, from half a frame before their centres; [..., F, 2048]."""
    turns = _turns(spectrum.real.graph, BINS, BINS)
    weights = _both_halves()[:, None]
    even = spectrum.real @ (_cosine(turns) * weights)
    odd = spectrum.imaginary @ (_sine(turns) * weights)

    after, before = even - odd, even + odd
    lead, half = FRAME_SIZE // 2, FFT_SIZE // 2
    # What comes later than half a transform after the centre is, on a circle, before it.
    wrapped = before.part(2, half - 1, lead, step=-1)
    return joined([before.part(2, lead, 0, step=-1), after, wrapped], axis=2)


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
