"""Master: bring the song to its loudness, hold its peaks, and write the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.canonical import Json
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.limiter import NEAR, apply_gains, block_peaks, limiting_gains
from quincunx_workers.loudness import integrated_loudness
from quincunx_workers.resampling import resampled
from quincunx_workers.sound_file import clipped_samples, encode


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> dict[str, Any]:
    """Return the encoded file, what was done to float32[2, N], and what a stem must know to match it.

    The report holds `loudness_lufs` (null for silence) and `true_peak_dbtp` (null for digital silence) as they are in
    the file, `gain_db` before the limiter, `seconds`, and how many samples were `clipped`. Everything is measured at
    the rate of the file.
    """
    mixed = _cropped(inputs["audio"], options["first_sample"], options["sample_count"])
    rate, target = options["rate"] or options["sample_rate"], options["loudness_lufs"]
    audio = resampled(mixed, options["sample_rate"], rate)
    loudness = integrated_loudness(audio, rate)
    gain_db = 0.0 if target == 0 or loudness is None else target - loudness

    ceiling_dbtp = options["true_peak_dbtp"] if options["limiter"] else math.inf
    song, peak, limited = _level(audio, gain_db, ceiling_dbtp)
    if limited:
        loudness = integrated_loudness(song, rate)
    elif loudness is not None:
        loudness += gain_db
    report: Json = {
        "loudness_lufs": None if loudness is None else round(loudness, 3),
        "true_peak_dbtp": round(20 * math.log10(peak), 3) if peak > 0 else None,
        "gain_db": round(gain_db, 3),
        "seconds": audio.shape[1] / rate,
        "clipped": clipped_samples(song, options["subtype"]) if peak > 1 else 0,
    }
    level: Json = {"gain_db": gain_db, "samples": mixed.shape[1]}
    file = encode(song, rate, options["container"], options["subtype"], dither=options["dither"])
    return {"file": file, "report": report, "level": level}


def _cropped(audio: npt.NDArray[np.float32], first: int, count: int | None) -> npt.NDArray[np.float32]:
    """Return the samples that are delivered: a room may need to hear more than a listener is to."""
    if first == 0 and count is None:
        return audio
    return np.ascontiguousarray(audio[:, first : None if count is None else first + count])


def _level(
    audio: npt.NDArray[np.float32], gain_db: float, ceiling_dbtp: float
) -> tuple[npt.NDArray[np.float32], float, bool]:
    """Return the song after gain and limiter, its true peak (linear), and whether the limiter had to act."""
    gain, ceiling = 10 ** (gain_db / 20), 10 ** (ceiling_dbtp / 20)
    loudest = float(np.max(np.abs(audio), initial=0.0))
    # Without a ceiling, only what is loudest is looked at between the samples.
    peaks = block_peaks(audio, min(loudest, ceiling / gain) * NEAR)

    held = limiting_gains(peaks, ceiling / gain)
    peak = gain * float(np.max(peaks * np.maximum(held[:-1], held[1:]), initial=0.0))
    limited = bool((held < 1).any())
    return apply_gains(audio, held * gain) if limited else audio * np.float32(gain), peak, limited


STEP = Step(
    Manifest(
        name="master",
        version="2",
        summary="Bring the mix to its loudness, limit its true peak, encode the file.",
        numeric=True,
        inputs=(Input(name="audio", type="audio", summary="float32[2, N]"),),
        outputs=(
            Output(name="file", type="file", summary="The whole encoded file."),
            Output(name="report", type="report", summary="loudness_lufs, true_peak_dbtp, gain_db, seconds, clipped."),
            Output(name="level", type="level", summary="gain_db, exact; samples of the mix before resampling."),
        ),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000, summary="Of the mix."),
            Option(name="first_sample", type="int", default=0, minimum=0, summary="The first one delivered."),
            Option(name="sample_count", type="int", minimum=1, summary="How many are; without it, up to the end."),
            Option(
                name="rate",
                type="int",
                minimum=8000,
                maximum=192000,
                summary="Of the file; without it, that of the mix.",
            ),
            Option(
                name="loudness_lufs",
                type="float",
                default=-16.0,
                minimum=-60.0,
                maximum=0.0,
                summary="Target of EBU R128; 0 leaves the level as it is.",
            ),
            Option(name="true_peak_dbtp", type="float", default=-1.0, minimum=-20.0, maximum=0.0),
            Option(name="limiter", type="bool", default=True, summary="Whether the true peak is held at all."),
            Option(name="dither", type="bool", default=True, summary="Without it 16 bits are x · 32767, cut off."),
            Option(name="container", type="str", default="wav", choices=("wav", "flac")),
            Option(name="subtype", type="str", default="PCM_16", choices=("PCM_16", "PCM_24", "FLOAT")),
        ),
    ),
    run,
)
