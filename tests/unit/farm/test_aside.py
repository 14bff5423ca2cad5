"""A worker that can run nothing of what it is sent leaves more and more of it to others, until something fits."""

from __future__ import annotations

import pytest

from quincunx_workers.farm.aside import Aside


def test_it_waits_longer_each_time_until_something_fits() -> None:
    slept: list[float] = []
    aside = Aside(lambda: False, slept.append)

    def waits(*, fits: bool) -> float:
        slept.clear()
        aside.stand(fits=fits)
        return sum(slept)

    told = [waits(fits=False) for _ in range(9)]
    assert told == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])
    assert waits(fits=True) == 0
    assert waits(fits=False) == pytest.approx(0.1)


def test_who_is_told_to_end_does_not_wait() -> None:
    slept: list[float] = []
    aside = Aside(lambda: len(slept) >= 2, slept.append, misfits=5000)
    aside.stand(fits=False)
    assert len(slept) == 2
