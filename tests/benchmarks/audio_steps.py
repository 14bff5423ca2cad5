"""How long mixing and mastering take: 104 phrases, 75 seconds of stereo. Prints JSON, in seconds.

python tests/benchmarks/audio_steps.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.step import Step
from quincunx_workers.limiter import block_peaks, true_peak
from quincunx_workers.loudness import integrated_loudness
from quincunx_workers.sound_file import encode
from quincunx_workers.steps import master, mix

RATE = 44100
PHRASES = 104
PHRASE_SECONDS = 1.4


class Alone:
    """A context that lends nothing."""

    def report(self, percent: float, text: str = "") -> None:
        """Nobody listens."""

    def model(self, digest: str) -> Any:
        raise AssertionError(digest)

    def file(self, digest: str) -> bytes:
        raise AssertionError(digest)


def phrases() -> list[npt.NDArray[np.float32]]:
    """Swelling tones with some breath."""
    random = np.random.default_rng(0)
    moments = np.arange(round(PHRASE_SECONDS * RATE)) / RATE
    swell = 0.2 * np.hanning(len(moments))
    return [
        (swell * np.sin(2 * np.pi * hertz * moments) + 0.01 * random.standard_normal(len(moments))).astype(np.float32)
        for hertz in np.geomspace(150, 600, PHRASES)
    ]


def seconds(work: Callable[[], Any]) -> dict[str, float]:
    """The first run, which pays for caches and plans, and the best of five later ones."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return {"first": round(once(), 4), "best": round(min(once() for _ in range(5)), 4)}


def perform(step: Step, inputs: dict[str, Any], **options: Any) -> Any:
    return step.run(inputs, step.manifest.resolve_options(options), Alone())


def main() -> None:
    placements = [[round(place * RATE * 0.71), 0.0, (place % 5 - 2) * 30.0] for place in range(PHRASES)]
    laid = {"audio": phrases(), "placements": placements}
    song = perform(mix.STEP, laid)
    figures = {
        "mix": seconds(lambda: perform(mix.STEP, laid)),
        "master": seconds(lambda: perform(master.STEP, {"audio": song})),
        "master, limited": seconds(lambda: perform(master.STEP, {"audio": song}, loudness_lufs=-6.0)),
        "loudness": seconds(lambda: integrated_loudness(song, RATE)),
        "true peak": seconds(lambda: true_peak(song)),
        "true peak, everywhere": seconds(lambda: block_peaks(song, 1e-6)),
        **{
            f"encode {container} {subtype}": seconds(partial(encode, song, RATE, container, subtype))
            for container, subtype in (("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("flac", "PCM_16"))
        },
    }
    print(json.dumps({"phrases": PHRASES, "song_seconds": song.shape[1] / RATE, "seconds": figures}, indent=2))


if __name__ == "__main__":
    main()
