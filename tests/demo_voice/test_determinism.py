"""The same input gives the same bits: in another thread count, another batch, another window."""

import numpy as np
import pytest
from tests.demo_voice.singer import HOP, Floats, Ints, Singer, named

from quincunx_workers.demo_voice.resume import noise_offset_at, phase_at

#: Frames before a window that the vocoder has to see again, and that the acoustic model's smoothing reaches.
VOCODER_MARGIN = 4
ACOUSTIC_REACH = 5

PHONES = [*named("en", "t w ih ng k ah l"), "AP", *named("ja", "s a ky u r a")]
FRAMES = [8, 7, 30, 7, 8, 20, 7, 20, 9, 25, 9, 25, 4, 30]


@pytest.fixture(scope="module")
def phrase(singer: Singer) -> tuple[Ints, Ints, Floats]:
    tokens, durations = singer.phrase(PHONES, FRAMES)
    frame = np.arange(int(durations.sum()))
    return tokens, durations, (220.0 * 2 ** (0.4 * np.sin(frame / 40)))[None].astype(np.float32)


@pytest.fixture(scope="module")
def rendered(singer: Singer, phrase: tuple[Ints, Ints, Floats]) -> tuple[Floats, Floats]:
    mel = singer.mel(*phrase)
    return mel, singer.waveform(mel, phrase[2])


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_a_bit(
    phrase: tuple[Ints, Ints, Floats], rendered: tuple[Floats, Floats], threads: int
) -> None:
    other = Singer(threads)

    mel = other.mel(*phrase)

    assert np.array_equal(mel, rendered[0])
    assert np.array_equal(other.waveform(mel, phrase[2]), rendered[1])


def test_a_padded_batch_does_not_change_a_bit(
    singer: Singer, phrase: tuple[Ints, Ints, Floats], rendered: tuple[Floats, Floats]
) -> None:
    tokens, durations, f0 = phrase
    short_tokens, short_durations = singer.phrase(["ja/a", "ja/k", "ja/o"], [20, 8, 30])
    frames = int(short_durations.sum())
    short_f0 = f0[:, :frames]
    short_mel = singer.mel(short_tokens, short_durations, short_f0)
    missing = tokens.shape[1] - short_tokens.shape[1]

    batch_f0 = np.concatenate([f0, np.pad(short_f0, ((0, 0), (0, f0.shape[1] - frames)), mode="edge")])
    batch_mel = singer.mel(
        np.concatenate([tokens, np.pad(short_tokens, ((0, 0), (0, missing)))]),
        np.concatenate([durations, np.pad(short_durations, ((0, 0), (0, missing)))]),
        batch_f0,
    )
    batch = singer.waveform(batch_mel, batch_f0)

    assert np.array_equal(batch_mel[:1], rendered[0])
    assert np.array_equal(batch[:1], rendered[1])
    assert np.array_equal(batch_mel[1:, :frames], short_mel)
    assert np.array_equal(batch[1:, : frames * HOP], singer.waveform(short_mel, short_f0))
    assert not batch[1, frames * HOP :].any()


@pytest.mark.parametrize(("first", "last"), [(20, 90), (101, 150), (37, 60), (64, 200)])
def test_a_window_rendered_again_continues_the_whole_phrase_bit_for_bit(
    singer: Singer, phrase: tuple[Ints, Ints, Floats], rendered: tuple[Floats, Floats], first: int, last: int
) -> None:
    mel, whole = rendered
    f0 = phrase[2]

    window = singer.waveform(
        mel[:, first:last],
        f0[:, first:last],
        phase0=phase_at(f0[0], first),
        noise_offset=noise_offset_at(first),
    )

    # What follows the window overlaps its last frames, so they belong to the next one.
    again = window[0, VOCODER_MARGIN * HOP : -VOCODER_MARGIN * HOP]
    assert np.array_equal(again, whole[0, (first + VOCODER_MARGIN) * HOP : (last - VOCODER_MARGIN) * HOP])


def test_a_pitch_edit_changes_the_mel_only_where_it_is(
    singer: Singer, phrase: tuple[Ints, Ints, Floats], rendered: tuple[Floats, Floats]
) -> None:
    tokens, durations, f0 = phrase
    edited = f0.copy()
    edited[:, 60:70] *= 1.02

    changed = np.flatnonzero((singer.mel(tokens, durations, edited) != rendered[0]).any(axis=2)[0])

    assert changed.size
    assert set(changed) <= set(range(60, 70))


def test_a_lyric_edit_changes_the_mel_within_the_reach_of_coarticulation(
    singer: Singer, phrase: tuple[Ints, Ints, Floats], rendered: tuple[Floats, Floats]
) -> None:
    tokens, durations, f0 = phrase
    edited = tokens.copy()
    edited[0, 6] = singer.tokens["en/iy"]
    start = int(durations[0, :6].sum())
    end = start + int(durations[0, 6])

    changed = np.flatnonzero((singer.mel(edited, durations, f0) != rendered[0]).any(axis=2)[0])

    assert start - ACOUSTIC_REACH <= changed.min() <= start
    assert end <= changed.max() + 1 <= end + ACOUSTIC_REACH
