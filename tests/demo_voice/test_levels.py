"""How loud the voice is: even, never clipped, and exactly silent when it rests."""

import numpy as np
import pyloudnorm
import pytest
from tests.demo_voice import ears
from tests.demo_voice.singer import HEAD, HOP, RATE, Singer, named, tokens_by_name

VOWELS = named("en", "aa ae ah ao eh er ih iy uh uw")
NASALS = ["en/m", "en/n", "en/ng", "ja/N"]
PITCHES = (82.0, 147.0, 262.0, 523.0)


def loudness(samples: np.ndarray) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64)))


def test_vowels_are_equally_loud_within_six_units_over_three_octaves(singer: Singer) -> None:
    levels = [loudness(singer.hold(phone, f0)) for phone in VOWELS for f0 in PITCHES]

    assert max(levels) - min(levels) <= 6.0


def test_nasals_stay_as_loud_on_high_notes_as_on_low_ones(singer: Singer) -> None:
    for phone in NASALS:
        levels = [loudness(singer.hold(phone, f0)) for f0 in (147.0, 262.0, 523.0, 740.0)]
        assert max(levels) - min(levels) <= 3.0


def test_hisses_are_softer_than_vowels_and_louder_than_breath(singer: Singer) -> None:
    vowel, hiss, breath = (loudness(singer.hold(phone, 220.0)) for phone in ("en/aa", "en/s", "AP"))

    assert vowel - 12.0 < hiss < vowel - 4.0
    assert breath < hiss - 4.0


def test_breath_through_any_vowel_stays_below_it(singer: Singer) -> None:
    for vowel in VOWELS:
        samples = singer.sing(["en/hh", vowel], [40, 60], 220.0)
        breath = loudness(samples[(HEAD + 4) * HOP : (HEAD + 39) * HOP + 3_000])
        assert breath < loudness(samples[(HEAD + 50) * HOP :]) - 6.0


@pytest.mark.parametrize("gender", [-1.0, 0.0, 1.0])
def test_no_phone_clips_at_any_pitch(singer: Singer, gender: float) -> None:
    for phone in sorted(tokens_by_name().keys() - {"<PAD>", "SP"}):
        for f0 in (82.0, 330.0):
            assert np.abs(singer.sing([phone], [24], f0, gender)).max() < 0.95, phone


def test_nothing_is_heard_above_eighteen_kilohertz(singer: Singer) -> None:
    for phone in ("en/aa", "en/iy", "en/ae", "en/s", "en/sh"):
        assert ears.level_between(singer.hold(phone, 220.0), 18_500.0, RATE) <= -70.0


def test_the_waveform_has_no_offset(singer: Singer) -> None:
    assert abs(float(singer.sing(["en/ow"], [60], 220.0).mean(dtype=np.float64))) < 1e-6


def test_a_rest_is_digital_silence_six_frames_after_the_voice(singer: Singer) -> None:
    for phone in ("en/aa", "en/s", "AP"):
        samples = singer.sing([phone, "SP"], [40, 30], 220.0)
        assert not samples[(HEAD + 40 + 6) * HOP :].any()


def test_padding_and_a_closed_glottis_are_as_silent_as_a_rest(singer: Singer) -> None:
    for name in ("<PAD>", "SP", "ja/cl"):
        assert not singer.sing([name], [20], 220.0).any()


def test_the_vocoder_renders_the_mel_it_is_given_within_a_decibel(singer: Singer) -> None:
    for phone in ("en/aa", "en/iy", "en/s", "en/sh", "en/hh"):
        tokens, durations = singer.phrase([phone], [60])
        f0 = np.full((1, int(durations.sum())), 110.0, np.float32)
        mel = singer.mel(tokens, durations, f0)
        heard = ears.mel_spectrogram(singer.waveform(mel, f0)[0])

        loud = mel[0] > mel[0, HEAD + 30].max() - 5.0
        difference = (heard - mel[0])[HEAD + 10 : -HEAD - 10][loud[HEAD + 10 : -HEAD - 10]]
        assert abs(float(np.median(difference))) * 20 / np.log(10) <= 1.0


@pytest.mark.parametrize("f0", [147.0, 262.0, 523.0])
def test_the_ringing_speaker_is_louder_around_three_kilohertz_and_hardly_louder_altogether(
    singer: Singer, f0: float
) -> None:
    for phone in ("en/aa", "en/ao", "en/eh"):
        clear, ringing = (singer.hold(phone, f0, speaker=speaker) for speaker in ((0.0, 0.0), (0.0, 1.0)))
        band = [ears.level_between(samples, 2_700.0, 4_100.0) for samples in (clear, ringing)]
        assert band[1] - band[0] >= 3.0, phone
        assert abs(loudness(ringing) - loudness(clear)) <= 2.0
        assert np.abs(ringing).max() < 0.95


def test_high_i_is_as_loud_as_high_a(singer: Singer) -> None:
    for f0 in (740.0, 880.0, 1_047.0):
        levels = [loudness(singer.hold(phone, f0)) for phone in ("en/iy", "ja/i", "zh/i", "en/aa")]
        assert max(levels) - min(levels) <= 3.0
