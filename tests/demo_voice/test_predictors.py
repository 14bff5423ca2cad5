"""The duration and the pitch model of the bank: DiffSinger's inputs, and lines as voices have them."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.demo_voice.singer import BANK, session, tokens_by_name

FRAME = 512 / 44_100
SOUNDS = [name for name in tokens_by_name() if name not in ("<PAD>",)]


@cache
def model(path: str) -> Any:
    return session(BANK / path)


def durations(phones: list[str], counts: list[int], frames: list[int], midi: int = 60) -> np.ndarray:
    tokens = np.array([[tokens_by_name()[name] for name in phones]])
    feeds = {"tokens": tokens, "word_div": np.array([counts]), "word_dur": np.array([frames])}
    encoder_out, masks = model("dsdur/linguistic.onnx").run(None, feeds)
    numbers = np.array([[0 if name in ("SP", "AP") else midi for name in phones]])
    feeds = {"encoder_out": encoder_out, "x_masks": masks, "ph_midi": numbers}
    return np.asarray(model("dsdur/dur.onnx").run(None, feeds)[0][0])


def line(notes: list[float], frames: list[int], *, expr: float = 1.0, retake: Any = True) -> np.ndarray:
    """The pitch of a held /a/ over notes, between silences of 20 frames."""
    total = sum(frames)
    tokens = np.array([[tokens_by_name()[name] for name in ("SP", "ja/a", "SP")]])
    ph_dur = np.array([[20, total - 40, 20]])
    encoder_out, _ = model("dspitch/linguistic.onnx").run(None, {"tokens": tokens, "ph_dur": ph_dur})
    feeds = {
        "encoder_out": encoder_out,
        "ph_dur": ph_dur,
        "note_midi": np.array([notes], np.float32),
        "note_dur": np.array([frames]),
        "pitch": np.full((1, total), 48.0, np.float32),
        "expr": np.full((1, total), expr, np.float32),
        "retake": np.broadcast_to(np.asarray(retake), (1, total)).copy(),
        "steps": np.array([10]),
    }
    return np.asarray(model("dspitch/pitch.onnx").run(None, feeds)[0][0])


@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("dsdur/linguistic.onnx", ["tokens", "word_div", "word_dur"]),
        ("dsdur/dur.onnx", ["encoder_out", "x_masks", "ph_midi"]),
        ("dspitch/linguistic.onnx", ["tokens", "ph_dur"]),
        ("dspitch/pitch.onnx", ["encoder_out", "ph_dur", "note_midi", "note_dur", "pitch", "expr", "retake", "steps"]),
    ],
)
def test_the_models_take_what_diffsingers_do(path: str, inputs: list[str]) -> None:
    assert [each.name for each in model(path).get_inputs()] == inputs


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(SOUNDS), min_size=1, max_size=5), st.integers(1, 300)),
        min_size=1,
        max_size=6,
    ),
    st.integers(36, 84),
)
def test_the_frames_of_a_word_with_a_vowel_are_those_it_has(words: list[tuple[list[str], int]], midi: int) -> None:
    phones = [name for names, _ in words for name in names]
    found = durations(phones, [len(names) for names, _ in words], [frames for _, frames in words], midi)

    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert len(found) == len(phones)


def test_the_vowel_takes_what_the_consonants_leave() -> None:
    short, long = (durations(["SP", "en/s", "en/aa", "en/m", "SP"], [2, 2, 1], [40, n, 20]) for n in (20, 100))

    assert np.allclose([short[2:4].sum(), long[2:4].sum()], [20, 100], atol=0.1)
    assert long[3] == pytest.approx(1.25 * 85 / 1_000 / FRAME, rel=0.01), "a nasal before a rest"
    assert short[3] <= 0.45 * 20 + 0.1


def test_consonants_are_shorter_in_clusters_and_on_high_notes() -> None:
    alone = durations(["SP", "en/s", "en/aa", "SP"], [2, 1, 1], [60, 80, 20])[1]
    cluster = durations(["SP", "en/s", "en/t", "en/aa", "SP"], [3, 1, 1], [60, 80, 20])[1]
    high = durations(["SP", "en/s", "en/aa", "SP"], [2, 1, 1], [60, 80, 20], midi=84)[1]

    assert cluster == pytest.approx(alone * 0.8, rel=1e-3)
    assert high < alone * 0.9


def test_the_voice_sets_out_early_goes_a_little_too_far_and_arrives() -> None:
    pitch = line([60, 67, 67], [60, 60, 30], expr=0.0)

    assert pitch[50] == pytest.approx(60, abs=0.05)
    assert 60.3 < pitch[59] < 66.0, "on its way when the note begins"
    assert 67.2 < pitch[60:80].max() < 67.7
    assert pitch[95] == pytest.approx(67, abs=0.05)


def test_vibrato_sets_in_after_a_while_at_five_and_a_half_hertz() -> None:
    swing = line([60, 60, 60], [30, 200, 30]) - line([60, 60, 60], [30, 200, 30], expr=0.0)

    assert np.abs(swing[: 30 + round(0.2 / FRAME)]).max() < 1e-6
    steady = swing[100:210]
    assert 0.3 <= np.abs(steady).max() <= 0.4
    crossings = np.flatnonzero(np.diff(np.signbit(steady)))
    assert 1 / (2 * np.diff(crossings).mean() * FRAME) == pytest.approx(5.5, rel=0.03)
    assert np.abs(line([60, 60, 60], [30, 40, 30]) - line([60, 60, 60], [30, 40, 30], expr=0.0)).max() < 1e-6


def test_a_phrase_rises_from_below_and_sinks_at_its_end() -> None:
    pitch = line([60, 60, 60], [20, 60, 20], expr=0.0)
    assert pitch[21] < 59.9 < 59.98 < pitch[50] < 60.02
    assert pitch[78] < 59.9


def test_what_is_not_to_be_taken_again_keeps_its_pitch() -> None:
    again = np.arange(100) >= 50
    pitch = line([60, 60, 60], [20, 60, 20], retake=again)
    assert (pitch[:50] == 48.0).all()
    assert (pitch[50:] > 59).all()
