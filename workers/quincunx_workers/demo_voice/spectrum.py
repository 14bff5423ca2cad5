"""Spectra of the voice as formulas: the tract's resonances, the glottal source, and loudness.

Everything here is a power gain over frequency, in float64: ``Log`` and ``Exp`` of float32 differ in their last
bit between the vector body and the scalar tail of ONNX Runtime's loops, and which elements fall into the tail
depends on the number of threads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quincunx_workers.demo_voice.formula_graph import Tensor

#: Resonances above the ones that speech moves, with their bandwidths; they belong to the singer, not the phone. The
#: first of them moves with how much a voice rings.
FIXED_RESONANCES_HZ: Final = ((4_700.0, 280.0), (5_900.0, 420.0), (7_300.0, 600.0))
F4_BANDWIDTH_HZ: Final = 220.0
#: Where a voice that rings has its fourth and fifth resonance (Sundberg 1974 finds the cluster near 3 kHz).
RINGING_F4_HZ: Final = 3_250.0
RINGING_F5_HZ: Final = 3_700.0
RINGING_BANDWIDTH_HZ: Final = 130.0
#: A uniform tube with walls so lossy that it hardly resonates: dividing by it leaves the formants' peaks and
#: valleys and removes the fall of 12 dB per octave that each resonance brings.
NEUTRAL_RESONANCES_HZ: Final = tuple((550.0 * (2 * i + 1), 900.0) for i in range(7))
#: Pole of the nose and the zero above it, after Klatt (1980), table II; both rise with a high note.
NASAL_POLE_HZ: Final = 270.0
NASAL_ZERO_OVER_POLE: Final = 1.67
NASAL_BANDWIDTH_HZ: Final = 100.0
#: The closed mouth takes sound at its own resonance: a zero, filled up again by a wider pole.
MOUTH_ZERO_BANDWIDTH_HZ: Final = 200.0
MOUTH_POLE_BANDWIDTH_HZ: Final = 900.0

#: A singer opens the jaw so that the first formant stays above the note, up to here.
HIGHEST_F1_HZ: Final = 1_500.0


@dataclass(frozen=True)
class Tract:
    """Resonances of one phrase, each a frequency and a bandwidth in Hz, and the nose; tensors [B, F, 1]."""

    resonances: tuple[tuple[Tensor, Tensor], ...]
    nasal: Tensor
    nasal_pole: Tensor
    mouth: Tensor


def tract_of(columns: Mapping[str, Tensor], f0: Tensor, ring: Tensor) -> Tract:
    """The sung tract: formants of the postures, kept above the note as singers keep them.

    ``ring``, 0 to 1, is how far the upper resonances are drawn together.
    """
    ring = ring.at_least(0.0).at_most(1.0)
    f1 = columns["f1"].at_least((f0 * 1.05).at_most(HIGHEST_F1_HZ))
    f2 = columns["f2"].at_least(f1 * 1.2)
    b1 = columns["b1"].at_least(f1 * 0.13)
    # No resonance overtakes the one below it: /i/ has its third where others have their fourth.
    f4 = (columns["f4"] * (1.0 - ring) + RINGING_F4_HZ * ring).at_least(columns["f3"] * 1.04 * ring)
    narrow = F4_BANDWIDTH_HZ * (1.0 - ring) + RINGING_BANDWIDTH_HZ * ring
    narrow_5 = FIXED_RESONANCES_HZ[0][1] * (1.0 - ring) + RINGING_BANDWIDTH_HZ * ring
    resonances = (
        (f1, b1),
        (f2, columns["b2"]),
        (columns["f3"].at_least(f2 * 1.1), columns["b3"]),
        (f4, narrow),
        ((FIXED_RESONANCES_HZ[0][0] * (1.0 - ring) + RINGING_F5_HZ * ring).at_least(f4 * 1.05), narrow_5),
    )
    # Below the note there is nothing to resonate: a fixed pole would leave high notes to the zero alone.
    pole = (f0 * 1.1).at_least(NASAL_POLE_HZ)
    return Tract(resonances, columns["nasal"], pole, columns["mouth_hz"])


def tract_gain(tract: Tract, frequency: Tensor) -> Tensor:
    """Power gain of the tract at each frequency, relative to the neutral tube."""
    square = frequency * frequency
    gain = resonance(square, *tract.resonances[0])
    for centre, bandwidth in tract.resonances[1:]:
        gain = gain * resonance(square, centre, bandwidth)
    fixed = _constant_gain(square, FIXED_RESONANCES_HZ[1:]) / _constant_gain(square, NEUTRAL_RESONANCES_HZ)
    return gain * fixed * _nasal_gain(tract, square)


def resonance(square: Tensor, centre: Tensor, bandwidth: Tensor) -> Tensor:
    """Power gain of a pair of poles, one at zero frequency (Fant 1960, section 1.3): a^2 / ((a - f^2)^2 + f^2 B^2).

    With a = F^2 + (B / 2)^2; ``square`` is f^2.
    """
    a = centre * centre + bandwidth * bandwidth * 0.25
    detuning = a - square
    return a * a / (detuning * detuning + square * (bandwidth * bandwidth))


def source_gain(frequency: Tensor, f0: Tensor, tilt_db: Tensor) -> Tensor:
    """Power of the radiated glottal pulse, one at f0.

    It falls by 6 dB per octave, a little more above 1.5 kHz and by 16 dB above 3.6 kHz. ``tilt_db`` is a further
    fall in dB per octave above 300 Hz. Below the first harmonic there is no voice.
    """
    square = frequency * frequency
    below = f0 * 0.72 / frequency
    below_4 = below * below * below * below
    fall = (
        _rolloff(square, 1_500.0) * 0.2 + _rolloff(square, 3_600.0) * 1.5 + _rolloff(square, 300.0) * (tilt_db / 6.0206)
    )
    return f0 * f0 / square / (below_4 * below_4 + 1.0) * (-fall).exp()


def loudness_weight(frequency: Tensor) -> Tensor:
    """Power weight of hearing, after the K filter of ITU-R BS.1770: a high pass at 60 Hz, +4 dB above 1.5 kHz."""
    square = frequency * frequency
    high_pass = square / (square + 60.0**2)
    return high_pass * high_pass * (1.0 + 1.5 * (square / (square + 1_500.0**2)))


def _rolloff(square: Tensor, knee_hz: float) -> Tensor:
    return (square / knee_hz**2 + 1.0).log()


def _constant_gain(square: Tensor, resonances: tuple[tuple[float, float], ...]) -> Tensor:
    gain = resonance(square, square.like(resonances[0][0]), square.like(resonances[0][1]))
    for centre, bandwidth in resonances[1:]:
        gain = gain * resonance(square, square.like(centre), square.like(bandwidth))
    return gain


def _nasal_gain(tract: Tract, square: Tensor) -> Tensor:
    """The nose with the mouth as a side branch; 1 with the nose closed."""
    narrow = square.like(NASAL_BANDWIDTH_HZ)
    nose = resonance(square, tract.nasal_pole, narrow) / resonance(
        square, tract.nasal_pole * NASAL_ZERO_OVER_POLE, narrow
    )
    mouth = resonance(square, tract.mouth, square.like(MOUTH_POLE_BANDWIDTH_HZ)) / resonance(
        square, tract.mouth, square.like(MOUTH_ZERO_BANDWIDTH_HZ)
    )
    return ((nose * mouth).log() * tract.nasal).exp()
