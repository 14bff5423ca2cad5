"""Mandarin is told apart by breath, by place and by glides."""

import numpy as np
import pytest
from tests.demo_voice import ears
from tests.demo_voice.singer import HEAD, HOP, RATE, Floats, Singer, named

PAIRS = [("b", "p"), ("d", "t"), ("g", "k"), ("z", "c"), ("zh", "ch"), ("j", "q")]
HELD = named("zh", "a o e E i i0 ir u v")


def mel_of(singer: Singer, phones: list[str], frames: list[int], f0: float = 196.0) -> Floats:
    """Frames of a phrase, without the silence around it."""
    tokens, durations = singer.phrase(phones, frames)
    mel = singer.mel(tokens, durations, np.full((1, int(durations.sum())), f0, np.float32))
    return np.asarray(mel[0, HEAD:-HEAD])


def milliseconds_of_breath(singer: Singer, initial: str) -> float:
    """From the first noise of an initial to the voice of the /a/ behind it."""
    samples = singer.sing([f"zh/{initial}", "zh/a"], [16, 30], 196.0)
    steps = samples[: (HEAD + 40) * HOP].reshape(-1, 64)
    power = 20 * np.log10(np.sqrt((steps.astype(np.float64) ** 2).mean(axis=1)) + 1e-9)
    noise = int(np.argmax(power > power.max() - 45.0))
    _, periodicity = ears.pitch_of(samples)
    voice = int(np.argmax(periodicity[HEAD:] > 0.8)) + HEAD
    return (voice * HOP - noise * 64) / RATE * 1_000


@pytest.mark.parametrize(("plain", "aspirated"), PAIRS)
def test_an_aspirated_initial_breathes_longer_than_its_plain_twin(singer: Singer, plain: str, aspirated: str) -> None:
    assert milliseconds_of_breath(singer, aspirated) > milliseconds_of_breath(singer, plain) + 25.0


def test_hisses_are_the_higher_the_further_front_the_tongue_is(singer: Singer) -> None:
    centres = []
    for phone in named("zh", "s x sh"):
        frequency, power = ears.power_spectrum(singer.hold(phone, 196.0))
        centres.append(float((frequency * power).sum() / power.sum()))
    assert centres[0] > centres[1] * 1.2 > centres[2] * 1.2 * 1.15


@pytest.mark.parametrize("f0", [147.0, 262.0])
def test_single_finals_are_recognised_at_a_pitch_they_were_not_learnt_at(singer: Singer, f0: float) -> None:
    learnt = np.stack([ears.envelope(singer.hold(phone, 196.0), 196.0) for phone in HELD])

    heard = [ears.envelope(singer.hold(phone, f0), f0) for phone in HELD]

    assert [HELD[int(np.argmin(((learnt - shape) ** 2).mean(axis=1)))] for shape in heard] == HELD


@pytest.mark.parametrize(
    ("final", "parts"),
    [("ia", "i a a"), ("iao", "i a u"), ("uai", "u a i"), ("iang", "i a ng"), ("van", "v E n"), ("ou", "o o u")],
)
def test_a_final_glides_from_its_medial_through_its_vowel_to_its_end(singer: Singer, final: str, parts: str) -> None:
    names = {"a": "zh/a", "ng": "en/ng", "n": "zh/n", **{name: f"zh/{name}" for name in ("i", "u", "v", "o", "E")}}
    held = {name: mel_of(singer, [phone], [60])[30] for name, phone in names.items()}
    sung = mel_of(singer, [f"zh/{final}"], [80])

    def nearest(frame: int, among: list[str]) -> str:
        return min(among, key=lambda name: float(np.abs(held[name] - sung[frame]).mean()))

    stations = parts.split()
    among = sorted(set(stations))
    assert [nearest(frame, among) for frame in (3, 40, 78)] == stations
