"""The pitch of a phrase: OpenUTAU's line, on our frames, with a drift of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.steps.stage import perform

from quincunx_shared.errors import BadInput
from quincunx_shared.frames import FrameGrid
from quincunx_shared.phrase import DrawnCurve, Melody, NoteMelody, PitchPoint, PointShape, Timing, Vibrato
from quincunx_shared.tempo import TempoEvent
from quincunx_workers.singing.drift import drift
from quincunx_workers.singing.pitch_line import pitch_line
from quincunx_workers.steps.pitch import STEP, hertz

Floats = npt.NDArray[np.float64]

#: At 125 bpm a tick is a millisecond.
TEMPO = (TempoEvent(-960, 125.0),)
GRID = FrameGrid()
SHAPES: tuple[PointShape, ...] = ("io", "i", "o", "l", "sp")


def timing(*notes: tuple[int, int]) -> Timing:
    return Timing(TEMPO, tuple(start for start, _ in notes), tuple(length for _, length in notes))


def line(when: Timing, *notes: NoteMelody, pitd: DrawnCurve | None = None) -> Floats:
    return pitch_line(when, Melody(notes), pitd or DrawnCurve())


def sung(when: Timing, *notes: NoteMelody, pitd: DrawnCurve | None = None, **options: Any) -> npt.NDArray[np.float32]:
    inputs = {"timing": when.to_payload(), "melody": Melody(notes).to_payload()}
    f0: npt.NDArray[np.float32] = perform(
        STEP, inputs if pitd is None else {**inputs, "pitd": pitd.to_payload()}, **{"drift_cents": 0.0, **options}
    )
    return f0


def cents_of(f0: npt.NDArray[np.float32]) -> Floats:
    return np.asarray(1200 * np.log2(f0.astype(np.float64) / 440) + 6900)


def test_a_tone_lasts_to_the_end_of_its_note_and_a_rest_has_the_next_one() -> None:
    cents = line(timing((0, 100), (100, 50), (200, 100)), NoteMelody(60), NoteMelody(62.25), NoteMelody(64))
    assert cents[:20].tolist() == [6000] * 20
    assert cents[20:30].tolist() == [6225] * 10
    assert cents[30:].tolist() == [6400] * 31


def test_vibrato_is_a_sine_over_the_last_part_of_a_note() -> None:
    """A note of 400 ms, the last half with two periods of 100 ms: quarters of a period lie 25 ms apart."""
    vibrato = Vibrato(50, period_ms=100, depth_cents=40, fade_in=0, fade_out=0)
    cents = line(timing((0, 400)), NoteMelody(60, vibrato=vibrato)) - 6000
    assert not cents[:41].any()
    np.testing.assert_allclose(cents[40:80:5], [0, 40, 0, -40, 0, 40, 0, -40], atol=1e-9)


def test_vibrato_fades_in_and_out_and_may_be_shifted_and_lifted() -> None:
    vibrato = Vibrato(100, period_ms=100, depth_cents=40, fade_in=50, fade_out=25, shift=25, drift=50)
    cents = line(timing((0, 400)), NoteMelody(60, vibrato=vibrato)) - 6000
    np.testing.assert_allclose(cents[20:41:20], [60 * 0.5, 60], atol=1e-9)
    np.testing.assert_allclose(cents[60:71:5], [60, 20 * 0.75, -20 * 0.5], atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "halfway"),
    [("io", 50), ("i", 100 * (1 - math.sqrt(0.5))), ("o", 100 * math.sqrt(0.5)), ("l", 50), ("sp", 50)],
)
def test_a_shape_belongs_to_the_point_on_its_left(shape: PointShape, halfway: float) -> None:
    points = (PitchPoint(0, 0, shape), PitchPoint(200, 100, "l"))
    cents = line(timing((0, 400)), NoteMelody(60, points)) - 6000
    assert cents[20] == pytest.approx(halfway)
    assert set(cents[40:80]) == {100}


def test_a_spline_goes_through_the_neighbours_and_ends_at_the_last_point_drawn() -> None:
    points = (PitchPoint(0, 0, "sp"), PitchPoint(100, 100, "sp"), PitchPoint(200, 0, "sp"))
    cents = line(timing((0, 400)), NoteMelody(60, points, snap_first=False)) - 6000
    # Slopes over the way: 100 at the start (its own neighbour), 0 at the top, −100/3 at the far end, whose neighbour
    # is the end of the note.
    assert cents[10] == pytest.approx(100 * 0.5 + 100 * 0.125)
    assert cents[20] == pytest.approx(100)
    assert cents[30] == pytest.approx(100 * 0.5 + 100 / 3 * 0.125)
    assert not cents[40:].any()


def test_the_first_point_snaps_to_the_tone_of_the_note_before() -> None:
    """The glide starts before the note, where the raster still holds the tone it leaves."""
    points = (PitchPoint(-50, 1234, "l"), PitchPoint(50, 0, "l"))
    cents = line(timing((0, 200), (200, 200)), NoteMelody(60), NoteMelody(64, points))
    assert cents[30] == 6000
    assert cents[40] == pytest.approx(6200)
    assert cents[50:].tolist() == [6400] * 31


def test_without_a_touching_note_the_first_point_snaps_to_its_own_tone() -> None:
    points = (PitchPoint(-50, 1234, "l"), PitchPoint(50, 0, "l"))
    cents = line(timing((0, 200), (300, 200)), NoteMelody(60), NoteMelody(64, points))
    assert set(cents[40:].tolist()) == {6400}


def test_a_first_point_that_does_not_snap_starts_where_it_was_drawn() -> None:
    points = (PitchPoint(0, -200, "l"), PitchPoint(100, 0, "l"))
    cents = line(timing((0, 200)), NoteMelody(60, points, snap_first=False))
    assert cents[:21].tolist() == pytest.approx([5800 + 10 * step for step in range(21)])


def test_points_are_completed_to_both_ends_of_their_note() -> None:
    points = (PitchPoint(50, -100, "l"), PitchPoint(100, 100, "l"))
    cents = line(timing((0, 200)), NoteMelody(60, points, snap_first=False)) - 6000
    assert cents[:10].tolist() == [-100] * 10
    assert cents[20:40].tolist() == [100] * 20


def test_drawn_pitch_is_added_in_cents() -> None:
    cents = line(timing((0, 200)), NoteMelody(60), pitd=DrawnCurve((50, 100), (0.0, 100.0)))
    assert cents[10:21].tolist() == pytest.approx([6000 + 10 * step for step in range(11)])
    assert cents[:10].tolist() == [6000] * 10
    assert cents[21:].tolist() == [6000] * 20


VIBRATOS = st.none() | st.builds(
    Vibrato,
    length=st.floats(0, 100),
    period_ms=st.floats(5, 500),
    depth_cents=st.floats(5, 200),
    fade_in=st.floats(0, 100),
    fade_out=st.floats(0, 100),
    shift=st.floats(0, 100),
    drift=st.floats(-100, 100),
)
POINTS = st.lists(
    st.builds(PitchPoint, st.floats(-300, 900), st.floats(-500, 500), st.sampled_from(SHAPES)), max_size=5
)


@st.composite
def songs(draw: st.DrawFn) -> tuple[Timing, Melody]:
    """Draw a phrase of up to five notes with rests, ascending pitch points and vibrato, under a changing tempo."""
    tick = 0
    spans: list[tuple[int, int]] = []
    notes: list[NoteMelody] = []
    for _ in range(draw(st.integers(1, 5))):
        tick += draw(st.sampled_from([0, 0, 3, 240])) if spans else 0
        length = draw(st.integers(15, 900))
        spans.append((tick, length))
        tick += length
        points = tuple(sorted(draw(POINTS), key=lambda point: point.ms))
        notes.append(NoteMelody(draw(st.integers(40, 80)), points, draw(st.booleans()), draw(VIBRATOS)))
    tempo = (TempoEvent(-960, 120.0), TempoEvent(300, 90.0, 150.0), TempoEvent(900, 60.0))
    starts, lengths = zip(*spans, strict=True)
    return Timing(tempo, starts, lengths), Melody(tuple(notes))


@settings(max_examples=60)
@given(songs())
def test_the_line_is_the_one_that_loops_over_notes_and_points_give(song: tuple[Timing, Melody]) -> None:
    when, melody = song
    np.testing.assert_allclose(pitch_line(when, melody, DrawnCurve()), by_loops(when, melody), rtol=0, atol=1e-6)


def by_loops(when: Timing, melody: Melody) -> list[float]:
    """The same rules, one point at a time."""
    cents = []
    spans = [(start, start + length) for start, length in zip(when.start_ticks, when.duration_ticks, strict=True)]
    for x in range(0, when.end_tick + 1, 5):
        number = next((place for place, (_, end) in enumerate(spans) if x < end), len(spans) - 1)
        value = melody.notes[number].tone * 100
        for place, (start, end) in enumerate(spans):
            if start <= x < end:
                value += wave(melody.notes[place].vibrato, when, place, x)
            value += bend(when, melody, place, x)
        cents.append(value)
    return cents


def wave(vibrato: Vibrato | None, when: Timing, place: int, x: int) -> float:
    if vibrato is None or vibrato.length <= 0:
        return 0
    begin, end = when.note_seconds()[place]
    n, start = (x - when.start_ticks[place]) / when.duration_ticks[place], 1 - vibrato.length / 100
    rise, fall = (vibrato.length / 100 * part / 100 for part in (vibrato.fade_in, vibrato.fade_out))
    turns = (n - start) / (vibrato.period_ms / 1000 / (end - begin)) + vibrato.shift / 100
    height = math.sin(2 * math.pi * turns) * vibrato.depth_cents + vibrato.depth_cents / 100 * vibrato.drift
    if n < start:
        return 0
    if n < start + rise:
        return height * (n - start) / rise
    return height * (1 - n) / fall if n > 1 - fall else height


def bend(when: Timing, melody: Melody, place: int, x: int) -> float:
    note, start, axis = melody.notes[place], when.start_ticks[place], when.axis()
    end = start + when.duration_ticks[place]
    before_end = start - 1 if place == 0 else when.start_ticks[place - 1] + when.duration_ticks[place - 1]
    before = melody.notes[place - 1].tone * 100
    own = note.tone * 100
    points = [
        (round(axis.tick_at(axis.seconds_at(start) + point.ms / 1000)), own + point.cents, point.shape, True)
        for point in note.points
    ]
    if not points:
        return 0
    if note.snap_first:
        points[0] = (points[0][0], before if place and before_end == start else own, points[0][2], True)
    if points[0][0] > start:
        points.insert(0, (start, points[0][1], "io", False))
    if points[-1][0] < end:
        points.append((end, points[-1][1], "io", False))

    for right in range(1, len(points)):
        (x0, y0, shape, _), (x1, y1, _, drawn) = points[right - 1], points[right]
        if x0 <= x < x1:
            if shape == "sp" and len(note.points) > 2 and drawn:
                value = spline(points[max(right - 2, 0)][:2], (x0, y0), (x1, y1), points[right + 1 :][:1], x)
            else:
                value = y0 + (y1 - y0) * ease(shape, (x - x0) / (x1 - x0))
            return value - (before if place and x < before_end else own)
    return 0


def ease(shape: str, t: float) -> float:
    if shape in ("io", "sp"):
        return (1 - math.cos(math.pi * t)) / 2
    if shape == "i":
        return 1 - math.cos(math.pi * t / 2)
    return math.sin(math.pi * t / 2) if shape == "o" else t


def spline(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: Any, x: float) -> float:
    after = d[0] if d else c
    width = c[0] - b[0]
    out, into = (c[1] - a[1]) / (c[0] - a[0]) * width, (after[1] - b[1]) / (after[0] - b[0]) * width
    t = (x - b[0]) / width
    return float(
        b[1] * (2 * t**3 - 3 * t**2 + 1)
        + out * (t**3 - 2 * t**2 + t)
        + c[1] * (3 * t**2 - 2 * t**3)
        + into * (t**3 - t**2)
    )


def test_points_out_of_order_never_count_twice() -> None:
    points = (PitchPoint(0, 0, "l"), PitchPoint(200, 100, "l"), PitchPoint(100, 0, "l"), PitchPoint(300, 0, "l"))
    cents = line(timing((0, 400)), NoteMelody(60, points, snap_first=False)) - 6000
    assert cents.max() <= 100
    assert cents[40] == 0


def test_a_melody_of_another_length_is_refused() -> None:
    with pytest.raises(BadInput, match="1 tones for 2 notes"):
        line(timing((0, 100), (100, 100)), NoteMelody(60))


def test_f0_has_a_value_for_every_frame_and_a440_is_440_hz() -> None:
    when = timing((0, 480))
    f0 = sung(when, NoteMelody(69))
    assert f0.dtype == np.float32
    assert f0.shape == (GRID.frame_count(when),)
    assert set(f0.tolist()) == {440.0}
    assert hertz(np.array([5700.0, 8100.0])).tolist() == pytest.approx([220, 880])


def test_f0_is_the_line_at_the_centres_of_the_frames() -> None:
    when = timing((0, 1000))
    cents = cents_of(sung(when, NoteMelody(60, (PitchPoint(0, 0, "l"), PitchPoint(1000, 1000, "l")))))
    centres = GRID.centre_seconds(len(cents)) * 1000
    inside = (centres > 0) & (centres < 995)
    np.testing.assert_allclose(cents[inside], 6000 + centres[inside], atol=1e-3)


def test_head_and_tail_hold_the_first_and_the_last_pitch() -> None:
    """A fall at the end of the last note rings on where it arrived; the bare tone does not come back."""
    fall = (PitchPoint(0, 200, "l"), PitchPoint(600, 0, "l"), PitchPoint(900, -300, "l"))
    cents = cents_of(sung(timing((0, 1000)), NoteMelody(60, fall, snap_first=False)))
    np.testing.assert_allclose(cents[: GRID.head_frames], 6200, atol=1e-3)
    np.testing.assert_allclose(cents[-GRID.tail_frames :], 5700, atol=1e-3)


def test_drawn_pitch_reaches_f0_and_none_is_none() -> None:
    when, note = timing((0, 480)), NoteMelody(60)
    raised = cents_of(sung(when, note, pitd=DrawnCurve((-960, 960), (50.0, 50.0))))
    np.testing.assert_allclose(raised, 6050, atol=1e-3)
    assert sung(when, note).tobytes() == sung(when, note, pitd=DrawnCurve()).tobytes()


def test_a_voice_without_head_or_tail_has_a_pitch_too() -> None:
    f0 = sung(timing((0, 7)), NoteMelody(69), head_frames=0, tail_frames=0)
    assert f0.tolist() == [440.0]
    assert sung(timing((0, 3)), NoteMelody(69), head_frames=0, tail_frames=0, drift_cents=4.0).tolist() == [440.0]


LONG, TONE = timing((0, 10000)), NoteMelody(69)


@settings(max_examples=50)
@given(st.integers(0, 2**63), st.integers(40, 80))
def test_drift_is_slight_and_has_no_mean(seed: int, tone: int) -> None:
    cents = cents_of(sung(LONG, NoteMelody(tone), drift_cents=4.0, seed=seed)) - tone * 100
    assert np.median(np.abs(cents)) < 3
    assert np.abs(cents).max() <= 4.001
    assert abs(cents.mean()) < 1e-3
    assert cents.std() > 0.5


def test_drift_is_slow() -> None:
    frames = 2048
    power = np.abs(np.fft.rfft(drift(frames, GRID.frame_seconds, 7) * np.hanning(frames))) ** 2
    rate = np.fft.rfftfreq(frames, GRID.frame_seconds)
    assert power[rate > 5].sum() < 1e-3 * power.sum()


def test_drift_is_the_same_every_time_and_another_for_another_seed_or_melody() -> None:
    first = sung(LONG, TONE, drift_cents=4.0)
    assert first.tobytes() == sung(LONG, TONE, drift_cents=4.0).tobytes()
    assert first.tobytes() != sung(LONG, TONE, drift_cents=4.0, seed=1).tobytes()

    same = sung(LONG, NoteMelody(69, (PitchPoint(-40, 0), PitchPoint(40, 0))), drift_cents=4.0)
    assert same.tobytes() == first.tobytes(), "who moves a pitch point wants to hear that one move"
    other = sung(LONG, NoteMelody(71), drift_cents=4.0)
    assert abs(np.corrcoef(cents_of(first), cents_of(other))[0, 1]) < 0.5


def test_drift_keeps_its_bits() -> None:
    """Cached phrases depend on it: whoever changes these numbers raises the version of the step."""
    known = [-0.4329043935927104, -0.3050921237577005, -0.06255638930991776]
    assert drift(1000, GRID.frame_seconds, 0)[:900:300].tolist() == pytest.approx(known, abs=1e-12)


@given(st.integers(0, 10**9))
def test_where_a_phrase_stands_does_not_touch_its_pitch(tick: int) -> None:
    """Its payloads hold no place at all; a longer lead of the same tempo in front changes nothing either."""
    moved = Timing((TempoEvent(-tick - 1, 125.0),), LONG.start_ticks, LONG.duration_ticks)
    points = (PitchPoint(-40, 0), PitchPoint(37.3, 0))
    assert sung(moved, NoteMelody(60, points)).tobytes() == sung(LONG, NoteMelody(60, points)).tobytes()
