"""Mix: lay every phrase at its place, with its track's volume and pan.

Volume and pan follow the field's editor (OpenUTAU): at most −24 dB is silence, below −16 dB the scale runs twice as
fast, and the pan has equal power, so that the centre is at −3 dB.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext

Samples: TypeAlias = npt.NDArray[np.float32]

_SILENCE: Samples = np.zeros(0, dtype=np.float32)

#: Long enough that a cut does not click, short enough that no consonant is lost.
CUT_FADE_SECONDS = 0.005

#: A song without a sound is this short, not empty: most players refuse an empty file.
EMPTY_SECONDS = 0.1


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> Samples:
    """Sum mono phrases, and mono or stereo recordings, into float32[2, N].

    N ends with the last of them, muted ones included, or with the window.

    `placements[i]` is `[start_sample, volume_db or None when muted, pan]` of `audio[i]`; a phrase that failed is None
    and stays silent. Of stereo, float32[2, n], each channel has the gain its side has, as in the editor.
    """
    window = (options["first_sample"], options["sample_count"])
    return mixed(inputs["audio"], inputs["placements"], options["sample_rate"], window)


def mixed(
    phrases: Sequence[Samples | None], placements: Sequence[Any], sample_rate: int, window: tuple[int, int | None]
) -> Samples:
    """Return the stretch of the mix that begins at `window[0]` and has `window[1]` samples, or ends with the song.

    What lies before sample 0 of the song is cut, with a short fade; at the borders of the window nothing fades, so
    that a stretch has the bits it has in the whole. The sum is taken in the order given: it depends on it in the last
    bit, and equal inputs must give equal bits.
    """
    if len(phrases) != len(placements):
        raise BadInput(f"{len(phrases)} phrases but {len(placements)} placements", where="placements")
    heard = [_SILENCE if audio is None else audio for audio in phrases]
    first, count = window
    if count is None:
        ends = [start + audio.shape[-1] for audio, (start, _, _) in zip(heard, placements, strict=True)]
        count = max([0, *ends]) - first
    if count <= 0:
        count = round(EMPTY_SECONDS * sample_rate)

    song = np.zeros((2, count), dtype=np.float32)
    for audio, (start, volume_db, pan) in zip(heard, placements, strict=True):
        if volume_db is not None:
            sound = audio if start >= 0 else _cut(audio, -start, sample_rate)
            _lay(song, sound, max(0, start) - first, gains(volume_db, pan))
    return song


def gains(volume_db: float, pan: float) -> tuple[np.float32, np.float32]:
    """Return the gains of the left and the right channel for a volume in dB and a pan of −100 … 100."""
    if volume_db <= -24:
        return np.float32(0), np.float32(0)
    decibels = 2 * volume_db + 16 if volume_db < -16 else volume_db
    linear = 10 ** (decibels / 20)
    angle = (min(max(pan, -100.0), 100.0) + 100) / 200 * math.pi / 2
    return np.float32(linear * math.cos(angle)), np.float32(linear * math.sin(angle))


def _cut(audio: Samples, count: int, sample_rate: int) -> Samples:
    """Drop the first samples, and fade in what is left: it may begin in the middle of a sound."""
    heard = audio[..., count:].copy()
    length = min(heard.shape[-1], round(CUT_FADE_SECONDS * sample_rate))
    heard[..., :length] *= np.linspace(0, 1, length, dtype=np.float32)
    return heard


def _lay(song: Samples, sound: Samples, start: int, channel_gains: tuple[np.float32, np.float32]) -> None:
    """Add a sound that starts at a sample of the window, perhaps before it, as far as it lies in it."""
    first, last = max(0, start), min(song.shape[1], start + sound.shape[-1])
    if last <= first:
        return
    inside = sound[..., first - start : last - start]
    sides = inside if inside.ndim == 2 else (inside, inside)
    for channel, side, gain in zip(song, sides, channel_gains, strict=True):
        if gain:
            channel[first:last] += side * gain


STEP = Step(
    Manifest(
        name="mix",
        version="2",
        summary="Lay the phrases at their places, with the volume and pan of their tracks.",
        numeric=True,
        inputs=(
            Input(name="audio", type="audio", multi=True, partial=True, summary="The phrases, float32[n] each."),
            Input(
                name="placements", type="placements", summary="[start_sample, volume_db or null, pan], one a phrase."
            ),
        ),
        outputs=(Output(name="audio", type="audio", summary="float32[2, N]"),),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="first_sample", type="int", default=0, minimum=0, summary="Where the window begins."),
            Option(name="sample_count", type="int", minimum=1, summary="Its length; without it, up to the end."),
        ),
    ),
    run,
)
