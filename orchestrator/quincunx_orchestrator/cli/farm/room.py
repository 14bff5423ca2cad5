"""A room whose renders happen on a farm: songs are read, planned and told of here, and computed there."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.job import Job, Room, Wishes
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.embedded import installed_steps, manifests_of
from quincunx_orchestrator.farm.numeric_classes import numeric_classes_of
from quincunx_orchestrator.farm.remote import OnFarm
from quincunx_orchestrator.installed import interpolations, operators
from quincunx_orchestrator.studio import Studio
from quincunx_shared.names import Digest, RenderId
from quincunx_shared.stores.memory import MemoryEventLog

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.client import Submitted
    from quincunx_orchestrator.farm.opening import OpenFarm
    from quincunx_orchestrator.farm.submission import Submission
    from quincunx_orchestrator.score.phrasing import Cutter
    from quincunx_orchestrator.score.readers import Song


@dataclass
class FarmRoom(Room):
    """A room on a farm. What is remembered of songs, their takes and last renders, stays on this machine."""

    on_farm: OnFarm = field(kw_only=True)

    def job(self, song: Path, score: Song, wishes: Wishes, cutter: Cutter) -> Job:
        """Make a song ready, to be submitted under its name."""
        self.on_farm.how = replace(self.on_farm.how, song=str(song.resolve()), song_key=farm_song_key(song))
        return replace(super().job(song, score, wishes, cutter), elsewhere=True)

    def submit(self, job: Job) -> Submitted:
        """Submit a song and come back at once."""
        assembly = job.assembly
        return self.on_farm.client.submit(
            job.studio.bind(assembly),
            assembly.targets,
            assembly.beside,
            how=self.on_farm.how,
            files=self.on_farm.files,
            ledger=job.ledger,
        )


def farm_song_key(path: Path) -> str:
    """Name a song on a farm: a newer render of the same file replaces an older, but not that of another machine."""
    return hashlib.sha256(socket.gethostname().encode() + b"\0" + os.fsencode(path.resolve())).hexdigest()


@contextmanager
def open_farm_room(
    workspace: Workspace,
    farm: OpenFarm,
    how: Submission,
    accepted: Callable[[Submitted], None] = lambda _: None,
    looked: Callable[[RenderId, bool], None] = lambda *_: None,
) -> Iterator[FarmRoom]:
    """Open a room on a farm; `accepted` and `looked` are those of `OnFarm`."""
    registry, merging = installed_steps(workspace.isolation), operators(workspace.isolation)
    ways = interpolations(workspace.isolation)
    log, files = MemoryEventLog(), dict[Digest, Path]()
    on_farm = OnFarm(farm.client(), log, files, how, accepted, looked)
    with workspace.cache_to_render_on() as cache:
        classes = numeric_classes_of(farm.nodes.seen(), farm.nodes.last_classes())
        manifests, catalogue = manifests_of(registry.found), workspace.catalogue(cache)
        studio = Studio(on_farm, manifests, catalogue, files, classes["cpu"], {"gpu": classes["gpu"]})
        studio.operators = merging.found
        studio.left_out = {**registry.problems, **merging.problems, **ways.problems}
        yield FarmRoom(studio, cache, log, on_farm=on_farm)
