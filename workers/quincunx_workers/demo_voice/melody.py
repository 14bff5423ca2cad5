"""The pitch model by formula: DiffSinger's two graphs, notes to a sung line of pitch.

linguistic   tokens, ph_dur int64 [B, P]                                ->  encoder_out [B, P, 3], x_masks [B, P]
pitch        encoder_out, ph_dur, note_midi float32 [B, N], note_dur int64 [B, N], pitch float32 [B, F],
             expr float32 [B, F], retake bool [B, F], steps int64 [1]   ->  pitch_pred float32 [B, F], semitones

The voice goes from note to note as a muscle does, a little too far and back; it rises into a phrase and sinks out
of it; voiced closures pull it down, voiceless ones let it up; and on a long note it begins to swing. After Saitou,
Unoki and Akagi (2005), who find overshoot, preparation, vibrato and fine fluctuation in sung pitch.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx

from quincunx_workers.demo_voice.articulation import Manner, Phone
from quincunx_workers.demo_voice.formula_graph import BOOL, DOUBLE, FLOAT, INT, Graph, Tensor, count, joined
from quincunx_workers.demo_voice.mel_layout import HOP_SIZE, SAMPLE_RATE, Reals
from quincunx_workers.demo_voice.timing import at, ends_of, place_on_frames

FRAME_SECONDS: Final = HOP_SIZE / SAMPLE_RATE
#: Channels of ``encoder_out``: whether it sounds, semitones it bends the pitch by, its frames.
CHANNELS: Final = 3
#: Of the system that follows the notes: its swing in Hz and its damping, below one, so that it overshoots by 6 %.
GLIDE_HZ: Final = 4.0
GLIDE_DAMPING: Final = 0.67
#: It sets out before the note does, or every note would sound late.
GLIDE_AHEAD_SECONDS: Final = 0.06
GLIDE_TAPS: Final = 61
VIBRATO_HZ: Final = 5.5
VIBRATO_SEMITONES: Final = 0.35
VIBRATO_AFTER_SECONDS: Final = 0.22
#: Shorter notes stay straight.
VIBRATO_FROM_SECONDS: Final = 0.5
#: How far below its note a phrase begins and ends, in semitones.
SCOOP: Final = 0.5
SCOOP_TAPS: Final = 11


def linguistic_model(phones: Sequence[Phone]) -> onnx.ModelProto:
    """The encoder: what each phone does to the pitch."""
    graph = Graph("demo_voice_pitch_linguistic")
    tokens = graph.input("tokens", INT, ("batch", "n_tokens"))
    durations = graph.input("ph_dur", INT, ("batch", "n_tokens"))
    table = graph.constant(np.array([[float(_sounds(phone)), _bend(phone)] for phone in phones]), FLOAT)
    looked_up = graph.op("Gather", table, tokens, dtype=FLOAT)
    encoded = joined([looked_up, durations.cast(FLOAT).with_axis(2)], 2)
    graph.output("encoder_out", encoded, ("batch", "n_tokens", CHANNELS))
    graph.output("x_masks", tokens <= 0, ("batch", "n_tokens"))
    return graph.model(__doc__)


def pitch_model() -> onnx.ModelProto:
    """The predictor. Frames that are not to be taken again keep the pitch they had."""
    graph = Graph("demo_voice_pitch")
    encoded = graph.input("encoder_out", FLOAT, ("batch", "n_tokens", CHANNELS))
    durations = graph.input("ph_dur", INT, ("batch", "n_tokens"))
    note_midi = graph.input("note_midi", FLOAT, ("batch", "n_notes"))
    note_dur = graph.input("note_dur", INT, ("batch", "n_notes"))
    pitch = graph.input("pitch", FLOAT, ("batch", "n_frames"))
    expr = graph.input("expr", FLOAT, ("batch", "n_frames"))
    retake = graph.input("retake", BOOL, ("batch", "n_frames"))
    steps = graph.input("steps", INT, (1,))

    frames = pitch.axis_length(1)
    phone = place_on_frames(ends_of(durations), frames, durations.axis_length(1))
    sounds, bend = (at(phone, encoded.part(2, i, i + 1).without_axis(2)) for i in range(2))
    note_ends = ends_of(note_dur + steps * 0)
    note = place_on_frames(note_ends, frames, note_dur.axis_length(1))

    line = _swept(at(note, note_midi), _glide_taps())
    line = line + _swept(bend, _hann(7)) + (_swept(sounds, _hann(SCOOP_TAPS)) - 1.0) * SCOOP * sounds
    swing = _vibrato(at(note, note_dur), at(note, note_ends), frames) * expr
    line = line + swing * _swept(sounds, _hann(SCOOP_TAPS))
    graph.output("pitch_pred", retake.where(line, pitch), ("batch", "n_frames"))
    return graph.model(__doc__)


def _vibrato(length: Tensor, end: Tensor, frames: Tensor) -> Tensor:
    """Semitones of swing on every frame: none at first, growing within a third of a second, gone at the end."""
    frame = count(length.graph, frames).with_axis(0)
    sung = (length - end + frame).cast(DOUBLE) * FRAME_SECONDS - VIBRATO_AFTER_SECONDS
    left = (end - frame).cast(DOUBLE) * FRAME_SECONDS
    long = (length.cast(DOUBLE) * FRAME_SECONDS - VIBRATO_FROM_SECONDS) * 8.0
    depth = _gate(sung * 3.0) * _gate(left * 12.0) * _gate(long) * VIBRATO_SEMITONES
    return (depth * (sung.at_least(0.0) * (2.0 * math.pi * VIBRATO_HZ)).sin()).cast(FLOAT)


def _gate(tensor: Tensor) -> Tensor:
    return tensor.at_least(0.0).at_most(1.0)


def _swept(row: Tensor, taps: Reals) -> Tensor:
    """A row [B, F] through a filter centred in its taps, ends held."""
    reach = len(taps) // 2
    held = row.with_axis(1).padded([0, 0, reach], [0, 0, reach], mode="edge")
    kernel = row.graph.constant(np.round(taps, 6)[None, None, :], FLOAT)
    return row.graph.op("Conv", held, kernel, attributes={"kernel_shape": [len(taps)]}).without_axis(1)


def _glide_taps() -> Reals:
    """Impulse response of the damped oscillator, reversed for ``Conv``, with unit sum."""
    half = GLIDE_TAPS // 2
    seconds = (np.arange(GLIDE_TAPS) - half) * FRAME_SECONDS + GLIDE_AHEAD_SECONDS
    omega, zeta = 2 * math.pi * GLIDE_HZ, GLIDE_DAMPING
    ringing = omega * math.sqrt(1 - zeta**2)
    response = np.where(seconds >= 0, np.exp(-zeta * omega * seconds) * np.sin(ringing * seconds), 0.0)
    taps: Reals = (response / response.sum())[::-1]
    return taps


def _hann(length: int) -> Reals:
    window = np.sin(np.pi * (np.arange(length) + 1) / (length + 1)) ** 2
    return np.asarray(window / window.sum())


def _sounds(phone: Phone) -> bool:
    return any(posture.is_voiced for posture in phone.postures)


def _bend(phone: Phone) -> float:
    """Semitones; closures lower the pressure that drives the voice, and open glottis raises the folds' tension."""
    if phone.manner not in (Manner.STOP, Manner.FRICATIVE, Manner.AFFRICATE) or phone.name in ("AP", "<PAD>"):
        return 0.0
    return -0.4 if phone.hold.is_voiced else 0.25
