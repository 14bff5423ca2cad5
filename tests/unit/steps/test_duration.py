"""The step duration: frames that add up, whatever the notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.tiny_bank import DEMO, BankContext

from quincunx_shared.frames import FrameGrid
from quincunx_shared.phonemes import NotePhonemes, Phonemes
from quincunx_shared.phrase import Timing
from quincunx_shared.tempo import TempoEvent
from quincunx_shared.voicebank import load_voicebank
from quincunx_workers.steps.duration import EDGE_FRAMES, STEP

BANK = load_voicebank(DEMO)
GRID = FrameGrid()
HELLO = Phonemes((NotePhonemes(("en/hh", "en/ah"), (1,)), NotePhonemes(("en/l", "en/ow"), (1,))))


def timing(*lengths: int, bpm: float = 120.0) -> Timing:
    """Touching notes of these lengths in ticks."""
    starts = tuple(sum(lengths[:number]) for number in range(len(lengths)))
    return Timing((TempoEvent(0, bpm),), starts, lengths)


def run(phonemes: Phonemes, when: Timing, **options: Any) -> Mapping[str, Any]:
    inputs = {"phonemes": phonemes.to_payload(), "timing": when.to_payload(), "phonology": BANK.phonology()}
    made = STEP.run(inputs, STEP.manifest.resolve_options(options), BankContext(BANK))
    assert isinstance(made, Mapping)
    return made


def starts(made: Mapping[str, Any]) -> dict[str, int]:
    """First frame of each phone."""
    begun = np.cumsum(made["ph_dur"]) - made["ph_dur"]
    return dict(zip(made["ph_seq"], begun.tolist(), strict=True))


def test_vowels_start_on_the_frame_of_their_note() -> None:
    made = run(HELLO, timing(480, 480))

    assert made["ph_seq"] == ["SP", "AP", "en/hh", "en/ah", "en/l", "en/ow", "SP"]
    assert starts(made)["en/ah"] == GRID.head_frames
    assert starts(made)["en/ow"] == GRID.frame_at(0.5)


def test_natural_durations_are_the_bank_s() -> None:
    made = dict(zip(*run(HELLO, timing(480, 480)).values(), strict=False))

    assert made["en/l"] == round(0.075 / GRID.frame_seconds)


def test_a_breath_can_be_left_out() -> None:
    assert "AP" not in run(HELLO, timing(480, 480), breath=False)["ph_seq"]


def test_the_grid_is_the_one_that_is_asked_for() -> None:
    grid = FrameGrid(48000, 256, 100, 30)
    made = run(HELLO, timing(480, 480), sample_rate=48000, hop_size=256, head_frames=100, tail_frames=30)

    assert made["ph_dur"].sum() == grid.frame_count(timing(480, 480))
    assert starts(made)["en/ow"] == grid.frame_at(0.5)


def test_a_grid_without_head_and_tail_still_adds_up() -> None:
    made = run(HELLO, timing(480, 480), head_frames=0, tail_frames=0)

    assert made["ph_dur"].sum() == FrameGrid(head_frames=0, tail_frames=0).frame_count(timing(480, 480))
    assert made["ph_dur"].min() >= 1


SYLLABLES = st.sampled_from(
    [
        NotePhonemes(("en/aa",), (0,)),
        NotePhonemes(("en/s", "en/t", "en/r", "en/eh", "en/ng", "en/k", "en/s"), (3,)),
        NotePhonemes(("en/k", "en/aa", "en/t", "en/iy"), (1, 3)),
        NotePhonemes(),
        NotePhonemes(("en/n", "en/d"), ()),
        NotePhonemes(("SP",), (0,)),
        NotePhonemes(("AP",), (0,)),
    ]
)
NOTES = st.lists(
    st.tuples(SYLLABLES, st.integers(10, 2000) | st.just(10), st.sampled_from([0, 0, 0, 1, 30, 240])),
    min_size=1,
    max_size=12,
)


@given(NOTES, st.floats(20, 400), st.integers(0, 60), st.integers(0, 30))
def test_frames_add_up_for_any_notes(
    notes: list[tuple[NotePhonemes, int, int]], bpm: float, head_frames: int, tail_frames: int
) -> None:
    begins, now = [], 0
    for _, length, gap in notes:
        begins.append(now)
        now += length + gap
    when = Timing((TempoEvent(0, bpm),), tuple(begins), tuple(length for _, length, _ in notes))
    made = run(Phonemes(tuple(one for one, _, _ in notes)), when, head_frames=head_frames, tail_frames=tail_frames)
    total = FrameGrid(head_frames=head_frames, tail_frames=tail_frames).frame_count(when)

    assert made["ph_dur"].dtype == np.int64
    assert len(made["ph_seq"]) == len(made["ph_dur"])
    assert made["ph_dur"].sum() == total
    assert made["ph_dur"].min() >= (1 if len(made["ph_dur"]) <= total else 0)
    assert made["ph_seq"][0] == made["ph_seq"][-1] == "SP"
    if len(made["ph_dur"]) + 2 * EDGE_FRAMES <= total:
        assert min(made["ph_dur"][0], made["ph_dur"][-1]) >= EDGE_FRAMES
