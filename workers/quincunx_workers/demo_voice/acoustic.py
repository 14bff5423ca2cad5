"""The acoustic graph: tokens, durations and curves to a mel spectrogram, by formula.

Inputs   tokens, durations  int64 [B, T]     padded with 0 (``<PAD>``, no frames)
         f0                 float32 [B, F]   Hz
         gender             float32 [B, F]   1 raises the formants by five semitones
         velocity           float32 [B, F]   2 halves bursts, releases, openings and glides
         spk_embed          float32 [B, F, 2] who sings: a shift that adds to gender, and how much the voice rings
         steps              int64 [1]        accepted and ignored: there is no diffusion
Output   mel                float32 [B, F, 128]

    tokens, durations -> postures -> smoothed parameters --+-> tract x source -> voice --+
                                                           +-> tract ---------> breath --+-> power sum -> log
    f0, gender --------------------------------------------+-> bands ---------> noise ---+
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx

from quincunx_workers.demo_voice import parameters, speakers, spectrum
from quincunx_workers.demo_voice.articulation import Phone
from quincunx_workers.demo_voice.formula_graph import DOUBLE, FLOAT, INT, Graph, Tensor, count
from quincunx_workers.demo_voice.mel_layout import (
    FLOOR_POWER,
    LOWEST_F0_HZ,
    MEL_BINS,
    MEL_HZ_OF_UNIT_SINE,
    SAMPLE_RATE,
    mel_centres_hz,
    mel_widths_hz,
)
from quincunx_workers.demo_voice.timing import at, ends_of, place_on_frames

#: Semitones that gender = 1 moves the formants; a bank states it as random_pitch_shifting.range.
GENDER_SEMITONES: Final = 5.0
LARGEST_SHIFT_SEMITONES: Final = 12.0
#: Where a phrase has no f0, its spectrum is that of this note.
F0_OF_SILENCE_HZ: Final = 150.0
HARMONICS_HEARD: Final = 48
#: A vowel's loudness is levelled by this power of what its formants would make of it; the rest stays, as an open
#: vowel is louder than a closed one.
LEVELLING: Final = 0.9
BREATH_HIGH_PASS_HZ: Final = 1_700.0


def acoustic_model(phones: Sequence[Phone]) -> onnx.ModelProto:
    """The graph for a vocabulary; token n is ``phones[n]``."""
    graph = Graph("demo_voice_acoustic")
    tokens = graph.input("tokens", INT, ("batch", "n_tokens"))
    durations = graph.input("durations", INT, ("batch", "n_tokens"))
    f0 = graph.input("f0", FLOAT, ("batch", "n_frames"))
    gender = graph.input("gender", FLOAT, ("batch", "n_frames"))
    velocity = graph.input("velocity", FLOAT, ("batch", "n_frames"))
    speaker = graph.input("spk_embed", FLOAT, ("batch", "n_frames", speakers.CHANNELS)).cast(DOUBLE)
    steps = graph.input("steps", INT, (1,))

    rows = posture_rows(phones, tokens + steps * 0, durations, velocity)
    columns = smoothed_columns(phones, rows)
    length = gender.cast(DOUBLE).with_axis(2) + speaker.part(2, 0, 1)
    mel = log_mel(columns, f0.cast(DOUBLE).with_axis(2), length, speaker.part(2, 1, 2))
    graph.output("mel", mel.cast(FLOAT), ("batch", "n_frames", MEL_BINS))
    return graph.model(__doc__)


def posture_rows(phones: Sequence[Phone], tokens: Tensor, durations: Tensor, velocity: Tensor) -> Tensor:
    """The row of the posture table that each frame takes; int64 [B, F]."""
    graph = tokens.graph
    frames = velocity.axis_length(1)
    frame = count(graph, frames).with_axis(0)
    ends = ends_of(durations)
    place = place_on_frames(ends, frames, tokens.axis_length(1))

    token, duration, end = (at(place, tensor) for tensor in (tokens, durations, ends))
    remaining = (end - frame).cast(FLOAT)
    timing = graph.op("Gather", graph.constant(parameters.timing_table(phones), FLOAT), token)
    burst, release, share, opening = (timing.part(2, i, i + 1).without_axis(2) for i in range(4))
    speed = velocity.at_least(0.25).at_most(4.0)
    release = _ceiling(release / speed).at_most((duration.cast(FLOAT) * share).floor())
    burst = _ceiling(burst / speed)
    opening = _ceiling(opening / speed).at_most((duration.cast(FLOAT) * parameters.OPENING_SHARE).floor())
    opens = (duration.cast(FLOAT) - remaining < opening) & (remaining > release + burst)
    # Hold, burst and release are 0, 1 and 2, counted from the end; the opening is 3.
    late = (remaining <= release).cast(INT) + (remaining <= release + burst).cast(INT)
    return token * parameters.POSTURES + late + opens.cast(INT) * 3


def smoothed_columns(phones: Sequence[Phone], rows: Tensor) -> Mapping[str, Tensor]:
    """Each parameter of the voice over time; float64 [B, F, 1]."""
    graph = rows.graph
    weighted = parameters.WEIGHTED
    values = graph.op("Gather", graph.constant(parameters.posture_table(phones), FLOAT), rows, dtype=FLOAT)
    weights = graph.op("Gather", graph.constant(parameters.weight_table(phones), FLOAT), rows, dtype=FLOAT)
    windows = parameters.smoothing_windows()

    shapes = _smoothed(values.part(2, 0, weighted) * weights, windows[:weighted])
    shapes = shapes / _smoothed(weights, windows[:weighted])
    amounts = _smoothed(values.part(2, weighted, len(parameters.COLUMNS)), windows[weighted:])

    placed = [(shapes, i) for i in range(weighted)]
    placed += [(amounts, i) for i in range(len(parameters.COLUMNS) - weighted)]
    return {name: tensor.part(2, i, i + 1) for name, (tensor, i) in zip(parameters.COLUMNS, placed, strict=True)}


def log_mel(columns: Mapping[str, Tensor], f0: Tensor, gender: Tensor, ring: Tensor) -> Tensor:
    """Voice, breath and noise add as powers; float64 [B, F, 128]."""
    centres = f0.graph.constant(mel_centres_hz(), DOUBLE)
    note = (f0 > LOWEST_F0_HZ).where(f0, F0_OF_SILENCE_HZ)
    semitones = (gender * GENDER_SEMITONES).at_least(-LARGEST_SHIFT_SEMITONES).at_most(LARGEST_SHIFT_SEMITONES)
    # A shorter tract is the same tract heard at lower frequencies.
    shift = (semitones * (-math.log(2.0) / 12.0)).exp()
    tract = spectrum.tract_of(columns, note * shift, ring)
    tract_gain = spectrum.tract_gain(tract, centres * shift)

    voice = voice_power(
        columns, tract, note, shift, tract_gain * spectrum.source_gain(centres, note, columns["tilt_db"])
    )
    breath = breath_power(columns, centres, tract_gain)
    noise = noise_power(columns, centres)
    return (voice + breath + noise + FLOOR_POWER).log() * 0.5


def voice_power(
    columns: Mapping[str, Tensor], tract: spectrum.Tract, note: Tensor, shift: Tensor, gain: Tensor
) -> Tensor:
    """Squared mel magnitude of the voice: ``gain`` brought to the loudness of a sung vowel.

    The loudness is that of the harmonics which the same formulas give, so it holds for every phone at every
    pitch; without it high notes gain 15 to 20 dB when harmonics meet formants.
    """
    numbers = np.arange(1, HARMONICS_HEARD + 1, dtype=np.float64)
    harmonics = note * numbers
    heard = (
        spectrum.tract_gain(tract, harmonics * shift)
        * spectrum.source_gain(harmonics, note, columns["tilt_db"])
        * spectrum.loudness_weight(harmonics)
    )
    level = (heard.summed(2).log() * -LEVELLING).exp() * (2.0 * parameters.VOICE_RMS**2)
    amplitude = columns["voice"] * MEL_HZ_OF_UNIT_SINE / note
    return amplitude * amplitude * level * gain


def breath_power(columns: Mapping[str, Tensor], centres: Tensor, tract_gain: Tensor) -> Tensor:
    """Squared mel magnitude of breath at the glottis: it lacks lows and takes the tract's shape, not its gain.

    Brought to one level, as the voice is; the formants of /i/ stand so close that a breath through them would
    drown the vowel.
    """
    square = centres * centres
    high_pass = square / (square + BREATH_HIGH_PASS_HZ**2)
    shape = tract_gain * high_pass * high_pass
    power = (shape * (mel_widths_hz() / (SAMPLE_RATE / 2))).summed(2)
    return columns["breath"] * columns["breath"] * shape / power


def noise_power(columns: Mapping[str, Tensor], centres: Tensor) -> Tensor:
    """Squared mel magnitude of frication: two Gaussians over octaves, untouched by gender."""
    octaves = centres.log() * (1.0 / math.log(2.0))
    power = []
    for suffix in ("", "_2"):
        away = (octaves - columns[f"centre{suffix}"]) / columns[f"width{suffix}"]
        magnitude = columns[f"noise{suffix}"]
        power.append(magnitude * magnitude * (-(away * away)).exp())
    return power[0] + power[1]


def _ceiling(tensor: Tensor) -> Tensor:
    return tensor.graph.op("Ceil", tensor)


def _smoothed(tensor: Tensor, windows: parameters.Table) -> Tensor:
    """Each column [B, F, C] through its own window, ends held; float64."""
    kernels = tensor.graph.constant(windows[:, None, :], FLOAT)
    held = tensor.padded([0, parameters.REACH, 0], [0, parameters.REACH, 0], mode="edge")
    attributes = {"group": len(windows), "kernel_shape": [parameters.TAPS]}
    swept = tensor.graph.op("Conv", held.transposed(0, 2, 1), kernels, attributes=attributes)
    return swept.transposed(0, 2, 1).cast(DOUBLE)
