"""Reverb: the small room a mix stands in, as a convolution with a decaying noise that a seed draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext

Samples: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]

#: Between the voice and the first of the room, so that consonants stay clear.
DELAY_SECONDS = 0.015
#: A room has no rumble, and its air and walls take the highs.
LOWEST_HZ, HIGHEST_HZ = 180.0, 5_000.0
#: Samples convolved at once: the size at which the transform is quickest for rooms of a second.
BLOCK = 1 << 17


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> Samples:
    """Return float32[…, N + room]: the sound as it was, and `amount` of the room behind it.

    At amount 1 a steady noise has as much energy from the room as it has itself. The two sides of a stereo mix hear
    different walls.
    """
    audio: Samples = inputs["audio"]
    amount, rate = options["amount"], options["sample_rate"]
    if amount == 0 or not audio.size:
        return audio
    rows = audio.reshape(-1, audio.shape[-1])
    length = audio.shape[-1]
    out = np.zeros((len(rows), length + round(rate * (options["seconds"] + DELAY_SECONDS))), dtype=np.float32)
    out[:, :length] = rows
    for channel, row in enumerate(rows):
        add_convolved(out[channel], row, amount * room(rate, options["seconds"], options["seed"], channel))
    return out.reshape(*audio.shape[:-1], -1)


def room(rate: int, seconds: float, seed: int, channel: int) -> Floats:
    """Return the answer of a room to a click, of energy 1: it falls by 60 dB within `seconds`."""
    count, delay = round(rate * seconds), round(rate * DELAY_SECONDS)
    # Bits whose stream NumPy keeps for ever, so that a seed gives the same room on every machine.
    bits = np.random.PCG64(seed * 8 + channel).random_raw(count)
    noise = (bits >> np.uint64(11)) * 2.0**-52 - 1
    falling = noise * 10.0 ** (-3.0 * np.arange(count) / count)
    # Twice as long, or the filters would ring from the click round to the end.
    frequency = np.fft.rfftfreq(2 * count, 1 / rate)
    high_pass = frequency**2 / (frequency**2 + LOWEST_HZ**2)
    colour = high_pass / (1 + (frequency / HIGHEST_HZ) ** 2)
    coloured = np.fft.irfft(np.fft.rfft(falling, 2 * count) * colour, 2 * count)[:count]
    energy = float(np.sqrt((coloured**2).sum()))
    return np.concatenate([np.zeros(delay), coloured / max(energy, 1e-12)])


def add_convolved(out: Samples, row: Samples, answer: Floats) -> None:
    """Add the convolution of a row with an answer to `out` in place, block by block; what does not fit is left out."""
    size = 1 << int(np.ceil(np.log2(max(BLOCK, 2 * len(answer)))))
    step = size - len(answer) + 1
    spectrum = np.fft.rfft(answer, size)
    for start in range(0, len(row), step):
        piece = row[start : start + step]
        if not piece.any():
            continue
        wet = np.fft.irfft(np.fft.rfft(piece, size) * spectrum, size)
        reach = min(len(piece) + len(answer) - 1, len(out) - start)
        out[start : start + reach] += wet[:reach].astype(np.float32)


STEP = Step(
    Manifest(
        name="reverb",
        version="1",
        summary="Put the mix into a small room.",
        numeric=True,
        inputs=(Input(name="audio", type="audio", summary="float32[2, N] or float32[N]"),),
        outputs=(Output(name="audio", type="audio", summary="The same with the room behind it, longer by the room."),),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="amount", type="float", default=0.1, minimum=0.0, maximum=1.0, summary="Of the room."),
            Option(name="seconds", type="float", default=0.9, minimum=0.05, maximum=5.0, summary="To fall by 60 dB."),
            Option(name="seed", type="int", default=0, minimum=0, summary="Which room."),
        ),
    ),
    run,
)
