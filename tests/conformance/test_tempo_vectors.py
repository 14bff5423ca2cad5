"""The vectors of tempo.json: events are `[tick, bpm, end_bpm]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quincunx_shared.errors import BadInput
from quincunx_shared.tempo import TempoEvent, TempoMap

VECTORS = json.loads(Path(__file__).with_name("tempo.json").read_text(encoding="utf-8"))


def named(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["says"]) for vector in VECTORS[kind]]


def map_of(vector: Any) -> TempoMap:
    return TempoMap(tuple(TempoEvent(*event) for event in vector["events"]), vector.get("origin", 0))


@pytest.mark.parametrize("vector", named("seconds"))
def test_a_tick_has_its_second_and_a_second_its_tick(vector: Any) -> None:
    tempo = map_of(vector)
    ticks, seconds = [float(tick) for tick in vector["seconds"]], list(vector["seconds"].values())

    assert [tempo.seconds_at(tick) for tick in ticks] == pytest.approx(seconds, rel=1e-14, abs=1e-14)
    assert [tempo.tick_at(second) for second in seconds] == pytest.approx(ticks, rel=1e-13, abs=1e-10)
    np.testing.assert_allclose(tempo.seconds_at_ticks(ticks), seconds, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(tempo.ticks_at_seconds(seconds), ticks, rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize("vector", named("refused"))
def test_what_is_no_tempo_is_refused(vector: Any) -> None:
    with pytest.raises(BadInput):
        map_of(vector)


@pytest.mark.parametrize("vector", named("around"))
def test_a_window_has_the_tempo_that_sounds_in_it(vector: Any) -> None:
    tempo = TempoMap(tuple(TempoEvent(*event) for event in vector["events"]))
    start, end = vector["window"]
    assert tempo.around(start, end, vector["origin"]) == tuple(TempoEvent(*one) for one in vector["expect"])
