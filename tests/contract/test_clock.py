"""What every clock does, and what the one for tests does besides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.ports import Clock
from quincunx_shared.stores.memory import ManualClock, SystemClock


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()])
def test_time_never_runs_backwards(clock: Clock) -> None:
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)


@given(st.lists(st.floats(0, 1e6), max_size=10))
def test_a_manual_clock_stands_where_it_was_put(steps: list[float]) -> None:
    clock = ManualClock(start=5.0)
    for seconds in steps:
        before = clock.now()
        clock.advance(seconds)
        assert clock.now() == before + seconds
    assert clock.now() == clock.now()
