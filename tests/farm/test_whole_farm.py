"""A farm of real processes: what it makes equals what is made here, and nothing is done or sent that need not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.farm.audit import Expected, audit, left_behind
from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.real_farm import RealFarm, real_farm

from quincunx_shared.farm.queues import queues_of


def messages(farm: RealFarm) -> int:
    """How many messages the farm's Redis was ever given: what its append-only file says."""
    written = b"".join(path.read_bytes() for path in (farm.folder / "redis" / "appendonlydir").glob("*.aof"))
    return sum(written.count(f":celery:{queue}\r\n".encode()) for queue in queues_of(("cpu", "gpu")))


def test_a_song_is_made_once_and_equal_and_an_edit_makes_only_what_it_changed(tmp_path: Path) -> None:
    with real_farm(tmp_path) as farm:
        farm.coordinator()
        farm.worker("one")
        farm.worker("two")
        farm.worker("three", "gpu", 2)
        farm.ready()
        song = ProofSong(12, trace=farm.trace, colours=STAGED)
        reference = song.reference()
        with farm.client() as near:
            cold = near.render(song)
            assert (cold.state, len(cold.ran)) == ("succeeded", reference.steps)
            audit(farm, Expected(cold.id, 12, reference, cold.payloads[TARGET]))

            sent = messages(farm)
            assert sent >= 4
            again = near.render(song)
            assert (again.state, len(again.ran), messages(farm)) == ("succeeded", 0, sent)
            assert np.array_equal(again.payloads[TARGET], reference.sound)
            assert sum(farm.executions().values()) == reference.steps

            song.edit(5, 1)
            edited = near.render(song)
            assert sorted(edited.ran) == [("p5", f"s{place}") for place in range(4)] + [("song", "mix")]
            assert sum(farm.executions().values()) == reference.steps + 5
        everybody = [pid for name in farm.processes for pid in farm.pids(name)]
        farm.end()
        assert left_behind(everybody) == []
        assert {one.returncode for one in farm.processes.values()} == {0}
