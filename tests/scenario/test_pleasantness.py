"""--natural and --reverb: asked for, they are steps and options of their own; unasked, nothing of them is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.demo_voice.ears import cents
from tests.unit.tiny_song import note, part, read

from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.phrase_graph import Delivery, Take
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import Studio, open_studio
from quincunx_shared.events import StepRan
from quincunx_shared.names import Address, PortKey
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog

SWINGING = {"length": 60, "period": 180, "depth": 40, "in": 10, "out": 10, "shift": 0, "drift": 0, "vol_link": 0}
FLAT = {**SWINGING, "length": 0}


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture
def studio(tmp_path: Path, log: MemoryEventLog) -> Iterator[Studio]:
    with closing(open_cache(tmp_path)) as cache, open_studio(cache, log, find_voices([])) as opened:
        yield opened


def song(studio: Studio, *, natural: bool = False, reverb: float = 0.0, volume: int = 0, **changes: Any) -> Assembly:
    score = read(part([note(960, 960, "la", tone=64, **changes)]), tracks=[{"singer": "demo", "volume": volume}])
    return studio.assemble(score, take=Take(natural=natural), delivery=Delivery(reverb=reverb))


def f0_of(studio: Studio, assembly: Assembly) -> Any:
    address = Address(assembly.placed[0].segment.id, PortKey("pitch", "f0"))
    return studio.render(assembly, [address]).payloads[address].astype(np.float64)


def test_a_long_note_swings_only_when_asked_and_only_where_nobody_drew_a_vibrato(studio: Studio) -> None:
    plain = f0_of(studio, song(studio, vibrato=FLAT))
    natural = f0_of(studio, song(studio, natural=True, vibrato=FLAT))
    drawn, untouched = (f0_of(studio, song(studio, natural=way, vibrato=SWINGING)) for way in (False, True))

    assert 60 < np.ptp(cents(natural, plain)) < 75
    assert np.array_equal(drawn, untouched)


def test_reverb_is_a_step_between_mix_and_master_and_makes_the_song_longer(studio: Studio) -> None:
    dry, wet = song(studio), song(studio, reverb=0.1)

    assert set(dry.song.graph.nodes) == {"mix", "master"}
    assert set(wet.song.graph.nodes) == {"mix", "reverb", "master"}
    seconds = [
        studio.render(one, [Address(one.song.id, PortKey("master", "report"))]).payloads.popitem()[1]["seconds"]
        for one in (dry, wet)
    ]
    assert seconds[1] - seconds[0] == pytest.approx(0.915, abs=0.001)


def test_an_edit_of_the_mix_alone_runs_mix_reverb_and_master(studio: Studio, log: MemoryEventLog) -> None:
    studio.render(song(studio, reverb=0.1))
    before = len(log.since(0))
    studio.render(song(studio, reverb=0.1, volume=-3))

    ran = [event.node for event in list(log.since(0))[before:] if isinstance(event, StepRan)]
    assert ran == ["mix", "reverb", "master"]
