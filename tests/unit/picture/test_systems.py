"""A song is cut into systems at bar lines, evenly, and nothing of it is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.picture.sheet import Bar
from quincunx_orchestrator.picture.systems import LONGEST_SECONDS, MOST_SYSTEMS, STRETCH, cut_into_systems

BAR_SECONDS = st.floats(0.3, 40.0)


def bars_of(length: float, seconds: float) -> list[Bar]:
    return [Bar(number + 1, number * length) for number in range(int(seconds / length) + 1)]


@given(st.floats(0.05, 2_000.0), BAR_SECONDS, st.booleans())
def test_the_systems_cover_the_song_without_gaps(seconds: float, bar: float, barred: bool) -> None:
    spans = cut_into_systems(0.0, seconds, bars_of(bar, seconds) if barred else [])
    assert spans[0].start == 0
    assert spans[-1].end == seconds
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert all(span.seconds > 0 for span in spans)
    assert len(spans) <= 2 * MOST_SYSTEMS


@given(st.floats(18.0, 250.0), st.floats(0.3, 8.0))
def test_every_system_begins_at_a_bar_line_where_bars_are_short(seconds: float, bar: float) -> None:
    bars = bars_of(bar, seconds)
    spans = cut_into_systems(0.0, seconds, bars)
    assert {span.start for span in spans} <= {one.seconds for one in bars}
    assert all(span.seconds <= LONGEST_SECONDS * STRETCH + 1e-9 for span in spans)


@pytest.mark.parametrize(
    ("seconds", "bar", "starts"),
    [
        (10.0, 2.0, [0]),
        (32.0, 2.0, [0, 16]),
        (36.0, 2.0, [0, 12, 24]),
        (40.0, 2.0, [0, 14, 26]),
        (18.5, 2.0, [0]),
        (103.4, 15 / 7, [15 / 7 * bars for bars in (0, 8, 16, 24, 32, 40)]),
        (40.0, 100.0, [0, 40 / 3, 80 / 3]),
    ],
)
def test_systems_are_of_about_one_length(seconds: float, bar: float, starts: list[float]) -> None:
    found = [span.start for span in cut_into_systems(0.0, seconds, bars_of(bar, seconds))]
    assert found == pytest.approx(starts)


def test_a_stretch_of_a_song_is_cut_like_a_song_of_its_own() -> None:
    spans = cut_into_systems(10.0, 42.0, bars_of(2.0, 60.0))
    assert [(span.start, span.end) for span in spans] == [(10.0, 26.0), (26.0, 42.0)]
