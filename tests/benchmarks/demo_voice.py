"""Figures of the demo voice as JSON: ``python -m tests.benchmarks.demo_voice`` from the root of the repository.

What the tests hold to a bound is measured here; so is speed, which no test asserts.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyloudnorm
from tests.demo_voice import ears
from tests.demo_voice.singer import BANK, HEAD, HOP, RATE, Floats, Singer, named, session

from quincunx_shared.phonemes import NotePhonemes, Phonemes
from quincunx_workers.demo_voice.phones import ENGLISH, vocabulary
from quincunx_workers.singing.alignment import align

VOWELS = named("en", "aa ae ah ao eh er ih iy uh uw")
SUSTAINED = [*VOWELS, *named("en", "m n ng l r w y f th s sh hh z zh v dh")]
GLIDE_FRAMES = 200
GLIDE = np.linspace(60.0, 85.0, GLIDE_FRAMES + 2 * HEAD)


def main() -> None:
    singer = Singer()
    sections: list[Callable[[Singer], Iterator[tuple[str, float]]]] = [pitch, vowels, levels, weak_points, speed]
    figures = {name: round(value, 6) for section in sections for name, value in section(singer)}
    print(json.dumps(figures, indent=2))


def pitch(singer: Singer) -> Iterator[tuple[str, float]]:
    frames = 500
    seconds = np.arange(frames + 2 * HEAD) * HOP / RATE
    wanted = 220.0 * 2 ** (1.5 * seconds / seconds[-1] + 35 / 1_200 * np.sin(2 * np.pi * 5.5 * seconds))
    found, _ = ears.pitch_of(singer.sing(["en/aa"], [frames], wanted))
    error = np.abs(ears.cents(found, wanted))[HEAD + 6 : -HEAD - 6]
    yield "f0_median_cents", float(np.median(error))
    yield "f0_p95_cents", float(np.percentile(error, 95))

    held = singer.sing(["en/aa"], [int(120 * RATE / HOP)], 220.0)
    yield "phase_drift_cycles", abs(ears.phase_at(held, 220.0, 2 * RATE) - ears.phase_at(held, 220.0, 118 * RATE))
    for f0 in (220.0, 1_760.0):
        worst = max(ears.off_grid_level(singer.hold(phone, f0, 100), f0, 2_000.0) for phone in ("en/aa", "en/iy"))
        yield f"off_grid_db_{f0:.0f}_hz", worst


def vowels(singer: Singer) -> Iterator[tuple[str, float]]:
    postures = {phone.name: phone.hold for phone in vocabulary()}
    errors = []
    for phone in [*VOWELS, *named("ja", "a i u e o")]:
        target = np.array([postures[phone].f1, postures[phone].f2, postures[phone].f3])
        found = ears.formants(singer.hold(phone, GLIDE, GLIDE_FRAMES), target)
        errors.append(np.abs(found / target - 1.0) * 100)
    for number, worst in enumerate(np.max(errors, axis=0), start=1):
        yield f"f{number}_worst_percent", float(worst)

    shapes = [ears.envelope(singer.hold(phone, GLIDE, GLIDE_FRAMES), 72.0) for phone in VOWELS]
    pairs = [(one, other) for i, one in enumerate(shapes) for other in shapes[i + 1 :]]
    yield "closest_vowels_db", float(min(np.sqrt(np.mean((one - other) ** 2)) for one, other in pairs))

    learnt = np.stack([ears.envelope(singer.hold(phone, 196.0), 196.0) for phone in SUSTAINED])
    for f0 in (147.0, 262.0, 330.0):
        heard = [ears.envelope(singer.hold(phone, f0), f0) for phone in SUSTAINED]
        nearest = [int(np.argmin(((learnt - shape) ** 2).mean(axis=1))) for shape in heard]
        yield f"recognised_percent_{f0:.0f}_hz", 100 * float(np.mean(np.array(nearest) == np.arange(len(nearest))))


def levels(singer: Singer) -> Iterator[tuple[str, float]]:
    meter = pyloudnorm.Meter(RATE)
    held = {(phone, f0): singer.hold(phone, f0) for phone in VOWELS for f0 in (82.0, 147.0, 262.0, 523.0)}
    loudness = [meter.integrated_loudness(samples.astype(np.float64)) for samples in held.values()]
    yield "vowel_loudness_lowest_lufs", min(loudness)
    yield "vowel_loudness_highest_lufs", max(loudness)
    yield "peak", max(float(np.abs(samples).max()) for samples in held.values())
    yield "above_18500_hz_db", max(ears.level_between(held[phone, 262.0], 18_500.0, RATE) for phone in VOWELS)
    yield "mel_bias_db", mel_bias(singer)


def weak_points(singer: Singer) -> Iterator[tuple[str, float]]:
    """What the prototype did badly, each with what it measured there (demo-voice.md, section 8)."""
    # Prototype: 30 ms, whatever the note.
    for milliseconds in (250, 500, 1_000):
        yield f"coda_before_a_stolen_onset_ms_in_{milliseconds}_ms", coda_milliseconds(milliseconds / 1_000)
    meter = pyloudnorm.Meter(RATE)

    def lufs(phone: str, f0: float, speaker: tuple[float, float] = (0.0, 0.0)) -> float:
        return float(meter.integrated_loudness(singer.hold(phone, f0, speaker=speaker).astype(np.float64)))

    # Prototype: falls steadily above 440 Hz.
    for phone in ("en/m", "en/n", "en/ng"):
        yield f"{phone[3:]}_at_880_against_330_hz_lu", lufs(phone, 880.0) - lufs(phone, 330.0)
    # Prototype: 3 to 5 LU below above 700 Hz.
    for f0 in (740.0, 1_047.0):
        yield f"iy_against_aa_at_{f0:.0f}_hz_lu", lufs("en/iy", f0) - lufs("en/aa", f0)
    # Prototype: no such preset.
    for name, speaker in (("clear", (0.0, 0.0)), ("ring", (0.0, 1.0))):
        levels = [ears.level_between(singer.hold(phone, 262.0, speaker=speaker), 2_700.0, 4_100.0) for phone in VOWELS]
        yield f"{name}_level_2700_to_4100_hz_db", float(np.median(levels))


def coda_milliseconds(note_seconds: float) -> float:
    """How long /ng/ lasts in "sing" before the /k/ of the next note, by the rule of durations."""
    natural = {f"en/{phone.name}": phone.duration_ms / 1_000 for phone in ENGLISH}
    phonemes = Phonemes((NotePhonemes(("en/s", "en/ih", "en/ng"), (1,)), NotePhonemes(("en/k", "en/iy"), (1,))))
    notes = [(0.0, note_seconds), (note_seconds, 2 * note_seconds)]
    spans = align(phonemes, notes, lambda symbol: natural.get(symbol, 0.1), head_seconds=0.4, breath=False)
    starts = {span.symbol: span.start for span in spans}
    return (starts["en/k"] - starts["en/ng"]) * 1_000


def mel_bias(singer: Singer) -> float:
    """Median over the loud bins of /a/ at 110 Hz of what the output's mel exceeds the requested one by, in dB."""
    tokens, durations = singer.phrase(["en/aa"], [60])
    f0 = np.full((1, int(durations.sum())), 110.0, np.float32)
    mel = singer.mel(tokens, durations, f0)
    inner = slice(HEAD + 10, HEAD + 50)
    wanted, heard = mel[0][inner], ears.mel_spectrogram(singer.waveform(mel, f0)[0])[inner]
    nepers = float(np.median((heard - wanted)[wanted > wanted.max() - 5.0]))
    return nepers * 20 / math.log(10)


def speed(singer: Singer) -> Iterator[tuple[str, float]]:
    yield "bank_bytes", sum(path.stat().st_size for path in BANK.rglob("*") if path.is_file())
    models = ("acoustic.onnx", "dsvocoder/vocoder.onnx", "dsdur/dur.onnx", "dspitch/pitch.onnx")
    for name, path in ((Path(model).stem, BANK / model) for model in models):
        yield f"{name}_load_seconds", best_time(partial(session, path))

    tokens, durations = singer.phrase(named("en", "t w ih ng k ah l") * 8, [8, 7, 30, 7, 8, 45, 7] * 8)
    f0 = np.full((1, int(durations.sum())), 262.0, np.float32)
    sung_seconds = f0.size * HOP / RATE
    mel: Floats = singer.mel(tokens, durations, f0)
    yield "acoustic_rtf", best_time(lambda: singer.mel(tokens, durations, f0)) / sung_seconds
    yield "vocoder_rtf", best_time(lambda: singer.waveform(mel, f0)) / sung_seconds


def best_time(run: Callable[[], object]) -> float:
    """Shortest of five runs: the one that other work disturbed least."""
    elapsed = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        elapsed.append(time.perf_counter() - start)
    return min(elapsed)


if __name__ == "__main__":
    main()
