"""The vocoder graph: a mel spectrogram and a pitch to a waveform, by formula.

Inputs   mel           float32 [B, F, 128]
         f0            float32 [B, F]       Hz; at or below 20 is unvoiced
         phase0        float64 [1, 1]       optional: cycles one hop before the first frame's centre (see ``resume``)
         noise_offset  int64 [1]            optional: samples of noise already used
Output   waveform      float32 [B, F * 512]

    f0 -> phase -> pulses --+                     +-> x harmonic gain -+
    sample number -> noise -+-> windowed frames --+-> x noise gain ----+-> minimum phase -> overlap and add
    mel ------------------------------------------+-> envelope, voicing

A block is the stretch from one frame's centre to the next, so F frames have F + 1 blocks, and a frame is two.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx

from quincunx_workers.demo_voice import fourier
from quincunx_workers.demo_voice.formula_graph import DOUBLE, END, FLOAT, INT, Graph, Tensor, count, joined
from quincunx_workers.demo_voice.mel_layout import (
    FFT_SIZE,
    HOP_SIZE,
    LOWEST_F0_HZ,
    MEL_BINS,
    MEL_HZ_OF_UNIT_SINE,
    MEL_OF_UNIT_NOISE,
    SAMPLE_RATE,
    Reals,
    fft_bins_hz,
    mel_bin_of_fft_bin,
    mel_centres_hz,
)
from quincunx_workers.demo_voice.resume import PHASE_STEPS, RESUMABLE

F0_OF_SILENCE_HZ: Final = 100.0
HIGHEST_HARMONIC_HZ: Final = 18_000.0
FRAME_SIZE: Final = 2 * HOP_SIZE
#: Magnitudes this close to the floor of 1e-5 are silence, exactly: so padding cannot leak into a phrase.
SILENCE_MAGNITUDE: Final = 1.2e-5


def vocoder_model() -> onnx.ModelProto:
    """The graph; it holds no table beyond one cycle of a cosine and the places of the mel bins."""
    graph = Graph("demo_voice_vocoder")
    mel = graph.input("mel", FLOAT, ("batch", "n_frames", MEL_BINS))
    f0 = graph.input("f0", FLOAT, ("batch", "n_frames"))
    phase0 = graph.optional_input("phase0", np.zeros((1, 1), dtype=np.float64))
    noise_offset = graph.optional_input("noise_offset", np.zeros(1, dtype=np.int64))

    pitch = pitch_of(f0)
    phase = block_phase(pitch, phase0)
    voicing = voicing_of(mel, pitch)
    window = _hann(graph)
    hum = 1.0 + (framed(phase) * (2.0 * math.pi)).cos() * 0.5 * voicing.strength
    harmonics, noises = fourier.transform(
        framed(pulse_train(phase, pitch)) * window,
        framed(white_noise(f0, noise_offset)) * window * hum,
    )

    envelope = envelope_of(mel)
    harmonic_gain = envelope.magnitude * voicing.harmonic * pitch.per_frame * (1.0 / MEL_HZ_OF_UNIT_SINE)
    noise_gain = envelope.magnitude * voicing.noise * (1.0 / MEL_OF_UNIT_NOISE)
    spectrum = fourier.Spectrum(
        harmonics.real * harmonic_gain + noises.real * noise_gain,
        harmonics.imaginary * harmonic_gain + noises.imaginary * noise_gain,
    )
    frames = fourier.inverse(fourier.rotated(spectrum, envelope.phase))
    graph.output("waveform", overlapped(frames), ("batch", "n_samples"))
    return graph.model(__doc__, RESUMABLE)


@dataclass(frozen=True)
class Pitch:
    """The note in Hz. ``per_frame`` [B, F, 1]; ``start`` and ``end`` float64 [B, F + 1], at the ends of a block."""

    per_frame: Tensor
    gate: Tensor
    start: Tensor
    end: Tensor


def pitch_of(f0: Tensor) -> Pitch:
    """f0 with short gaps filled from the neighbours, as a phase must run through them."""
    voiced = f0 > LOWEST_F0_HZ
    near = {"kernel_shape": [9], "pads": [4, 4]}
    filled = f0.graph.op("MaxPool", f0.with_axis(1), attributes=near).without_axis(1)
    filled = (filled > LOWEST_F0_HZ).where(filled, F0_OF_SILENCE_HZ)
    pitch = voiced.where(f0, filled)
    held = pitch.padded([0, 1], [0, 1], mode="edge").cast(DOUBLE)
    frames = f0.axis_length(1)
    return Pitch(
        per_frame=pitch.with_axis(2),
        gate=voiced.cast(FLOAT).with_axis(2),
        start=held.part(1, 0, frames + 1),
        end=held.part(1, 1, frames + 2),
    )


def block_phase(pitch: Pitch, phase0: Tensor) -> Tensor:
    """Cycles at every sample, within half a cycle of zero; [B, F + 1, 512].

    The pitch is linear within a block, so its integral is a parabola; blocks are joined in float64.
    """
    graph = phase0.graph
    advance = (pitch.start + pitch.end) * (HOP_SIZE / 2 / SAMPLE_RATE)
    advance = _rounded(advance * PHASE_STEPS) * (1.0 / PHASE_STEPS)
    exclusive = {"exclusive": 1}
    begun = graph.op("CumSum", advance, graph.constant(1, INT), attributes=exclusive) + phase0
    begun = (begun - begun.floor()).with_axis(2)

    seconds = np.arange(HOP_SIZE) / SAMPLE_RATE
    start, slope = pitch.start.with_axis(2), (pitch.end - pitch.start).with_axis(2)
    cycles = begun + start * seconds + slope * (seconds**2 * (SAMPLE_RATE / HOP_SIZE / 2))
    return (cycles - _rounded(cycles)).cast(FLOAT)


def pulse_train(phase: Tensor, pitch: Pitch) -> Tensor:
    """Sum of cos(2 pi k phase) for every harmonic up to 18 kHz, by Dirichlet's kernel; [B, F + 1, 512]."""
    along = (np.arange(HOP_SIZE) / HOP_SIZE).astype(np.float32)
    start, end = (tensor.cast(FLOAT).with_axis(2) for tensor in (pitch.start, pitch.end))
    harmonics = (HIGHEST_HARMONIC_HZ / (start + (end - start) * along)).floor()
    half_cycle = phase * math.pi
    at_peak = phase * phase < 1e-12
    below = at_peak.where(phase.like(1.0), half_cycle.sin() * 2.0)
    kernel = (half_cycle * (harmonics * 2.0 + 1.0)).sin() / below - 0.5
    return at_peak.where(harmonics, kernel)


def white_noise(f0: Tensor, noise_offset: Tensor) -> Tensor:
    """Unit variance noise that is a function of the sample's number alone; [1, F + 1, 512].

    Three quadratic rounds modulo the Mersenne prime 2^31 - 1, in int64, where no product overflows. Integers
    make it the same on every device, and no random operator makes it the same on every run.
    """
    prime = 2**31 - 1
    graph = f0.graph
    block = count(graph, f0.axis_length(1) + 1).with_axis(0).with_axis(2)
    number = block * HOP_SIZE + np.arange(HOP_SIZE) + noise_offset
    hashed = (number * 48_271 + 11_213) % prime
    for salt in (1_566_083_941, 668_265_263, 374_761_393):
        hashed = (hashed * hashed + number * salt) % prime
    return ((hashed.cast(DOUBLE) * (1.0 / prime) - 0.5) * math.sqrt(12.0)).cast(FLOAT)


@dataclass(frozen=True)
class Voicing:
    """How much of a frame is voice: ``strength`` [B, F, 1]; amplitude gains over frequency [B, F, 1025]."""

    strength: Tensor
    harmonic: Tensor
    noise: Tensor


def voicing_of(mel: Tensor, pitch: Pitch) -> Voicing:
    """Read the voice from the mel itself, as DiffSinger hands a vocoder nothing else.

    A frame is voiced as far as its first harmonic stands above the highs, where every noise has its share; its
    harmonics reach up to a frequency between 0.9 and 6.5 kHz, higher the more the lows outweigh the highs.
    """
    centres = mel_centres_hz()
    note = pitch.per_frame
    first = _highest_within(mel, centres, note * 0.73, (note * 1.5).at_least(100.0))
    low = first.at_least(_highest_within(mel, centres, note * 0.73, note.like(1_100.0)))
    highs = _mean_within(mel, centres, 4_500.0, 9_000.0)
    strength = (first - highs - 0.4).relu().at_most(1.0) * pitch.gate

    balance = low - highs
    reach = ((balance - 3.15) * 3.5).sigmoid()
    log_limit = reach * math.log(6_500.0 / 900.0) + math.log(900.0)
    # A note above the limit would turn into noise altogether.
    log_limit = log_limit.at_least((note * 3.0).log())
    log_frequency = np.log(np.maximum(fft_bins_hz(), 1.0)).astype(np.float32)
    share = ((log_limit - log_frequency) * 5.0).sigmoid() * strength
    # A vectorised sigmoid may exceed one by its last bit.
    return Voicing(strength, share.sqrt(), (1.0 - share).relu().sqrt())


@dataclass(frozen=True)
class Envelope:
    """Magnitude and minimum phase over frequency; [B, F, 1025]."""

    magnitude: Tensor
    phase: Tensor


def envelope_of(mel: Tensor) -> Envelope:
    """The mel spectrogram on the linear axis, and the phase of the minimum-phase filter it describes."""
    graph = mel.graph
    place = graph.constant(mel_bin_of_fft_bin(), FLOAT)
    bins = graph.constant(np.arange(MEL_BINS)[:, None], FLOAT)
    away = place - bins
    interpolation = (1.0 - away.at_least(-away)).relu()
    beyond = np.clip((fft_bins_hz() - 15_800.0) / 1_000.0 * 5.0, 0.0, 14.0).astype(np.float32)
    log_magnitude = mel @ interpolation - beyond
    magnitude = (log_magnitude.cast(DOUBLE).exp() - SILENCE_MAGNITUDE).relu().cast(FLOAT)
    return Envelope(magnitude, fourier.minimum_phase(log_magnitude))


def framed(blocks: Tensor) -> Tensor:
    """Frames of two neighbouring blocks; [B, F + 1, 512] to [B, F, 1024]."""
    return joined([blocks.part(1, 0, -1), blocks.part(1, 1, END)], axis=2)


def overlapped(frames: Tensor) -> Tensor:
    """Sum of the frames, each 2048 long and a hop after the last; [B, F, 2048] to [B, F * 512]."""
    overlap = FFT_SIZE // HOP_SIZE
    pieces = [
        frames.part(2, i * HOP_SIZE, (i + 1) * HOP_SIZE).padded([0, i, 0], [0, overlap - 1 - i, 0])
        for i in range(overlap)
    ]
    total = pieces[0] + pieces[1] + pieces[2] + pieces[3]
    samples = frames.axis_length(1) * HOP_SIZE
    # The first frame begins half a frame before its centre, which is sample 256.
    lead = FRAME_SIZE // 2 - HOP_SIZE // 2
    return total.reshaped(0, -1).part(1, lead, samples + lead)


def _highest_within(mel: Tensor, centres: Reals, low: Tensor, high: Tensor) -> Tensor:
    frequency = mel.like(centres)
    inside = (frequency >= low) & (frequency <= high)
    return inside.where(mel, -100.0).highest(2)


def _mean_within(mel: Tensor, centres: Reals, low_hz: float, high_hz: float) -> Tensor:
    inside = (centres >= low_hz) & (centres <= high_hz)
    weights = np.where(inside, 1.0 / inside.sum(), 0.0).astype(np.float32)
    return mel @ weights[:, None]


def _hann(graph: Graph) -> Tensor:
    window = np.sin(np.pi * np.arange(FRAME_SIZE) / FRAME_SIZE) ** 2
    return graph.constant(window, FLOAT)


def _rounded(tensor: Tensor) -> Tensor:
    return (tensor + 0.5).floor()
