"""Wave: a recording that lies on a track of the song, decoded and brought to the song's sample rate."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.resampling import resampled

Audio = npt.NDArray[np.float32]

#: Six hours, the longest song there is.
_LONGEST_SECONDS = 21600.0

#: Where the file is said to end may lie this far behind its last sample: seconds are rounded.
_ROUNDING_FRAMES = 2


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> Audio:
    """Return the stretch of a sound file that is heard: float32[n], or float32[2, n] of a stereo one.

    It begins `skip_seconds` into the file and lasts `seconds`. Raises `BadInput` if the file holds less than that.
    """
    samples, rate = _decoded(inputs["file"], options["skip_seconds"], options["seconds"])
    audio = resampled(samples, rate, options["sample_rate"])
    _fade(audio, options["fade_in_seconds"] * options["sample_rate"])
    _fade(audio[:, ::-1], options["fade_out_seconds"] * options["sample_rate"])
    return audio[0] if len(audio) == 1 else audio


def _decoded(content: bytes, skip_seconds: float, seconds: float) -> tuple[Audio, int]:
    """Return float32[channels, n] and the file's own sample rate."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            first, count = round(skip_seconds * file.samplerate), round(seconds * file.samplerate)
            count = min(count, max(file.frames - first, 0))
            file.seek(first)
            # The header was checked before anything ran; if it promises more than there is, less comes back.
            samples = file.read(count, dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except RuntimeError as error:
        reason = getattr(error, "error_string", type(error).__name__)
        raise BadInput(f"the recording cannot be decoded: {reason}", remedy="export it as WAV") from error
    if len(samples) < count - _ROUNDING_FRAMES:
        what = f"the recording ends after {first + len(samples)} samples, and its header promises {first + count}"
        raise BadInput(what, remedy="export it again")
    return np.nan_to_num(np.ascontiguousarray(samples.T), copy=False, posinf=0.0, neginf=0.0), rate


def _fade(audio: Audio, length: float) -> None:
    """Fade the start in place, in a straight line."""
    count = min(round(length), audio.shape[1])
    audio[:, :count] *= np.linspace(0, 1, count, endpoint=False, dtype=np.float32)


STEP = Step(
    Manifest(
        name="wave",
        version="1",
        summary="Decode a recording that lies on a track, at the sample rate of the song.",
        numeric=True,
        inputs=(Input(name="file", type="file", summary="The whole sound file: WAV, FLAC, Ogg, MP3."),),
        outputs=(Output(name="audio", type="audio", summary="float32[n], or float32[2, n] in stereo"),),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="skip_seconds", type="float", default=0.0, minimum=0.0, maximum=_LONGEST_SECONDS),
            Option(name="seconds", type="float", default=0.0, minimum=0.0, maximum=_LONGEST_SECONDS),
            Option(name="fade_in_seconds", type="float", default=0.0, minimum=0.0, maximum=_LONGEST_SECONDS),
            Option(name="fade_out_seconds", type="float", default=0.0, minimum=0.0, maximum=_LONGEST_SECONDS),
        ),
    ),
    run,
)
