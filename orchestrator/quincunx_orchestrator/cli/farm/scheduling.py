"""Carrying out `quincunx schedule`: a song is read and stored now, and submitted later by a coordinator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from quincunx_orchestrator.cli.farm.opening import open_desk
from quincunx_orchestrator.cli.farm.options import named_farm
from quincunx_orchestrator.cli.farm.room import open_farm_room
from quincunx_orchestrator.cli.job import read_song
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.cli.tasks import wishes_from
from quincunx_orchestrator.farm.job import Priority
from quincunx_orchestrator.farm.opening import open_farm
from quincunx_orchestrator.farm.schedule import Schedule, checked
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_orchestrator.installed import cutter_named
from quincunx_shared.names import Digest, RenderId
from quincunx_shared.stores.farm_store import store_from


@dataclass(frozen=True)
class Wanted:
    """What `schedule add` was asked."""

    song: Path
    when: str
    name: str
    zone: str
    priority: Priority
    tags: tuple[str, ...]


def add_schedule(wanted: Wanted, choices: Choices, cache_dir: Path | None, flags: dict[str, str | None]) -> float:
    """Store a song with all that it reads, schedule it, and return when it is due. Raises `BadInput`."""
    # Before anything is read or stored; the farm's own clock has the last word.
    checked(Schedule(wanted.name, wanted.when, _nothing_yet(), wanted.zone), time.time())
    settings = named_farm(**flags)
    workspace = choices.workspace(cache_dir)
    score, cutter = read_song(wanted.song, workspace.isolation), cutter_named(choices.cut, workspace.isolation)
    # It is an older state of the song than what somebody may be rendering when it is due.
    how = Submission(priority=wanted.priority, tags=wanted.tags, supersede=False, limit=settings.max_jobs)
    with open_farm(settings) as farm, open_farm_room(workspace, farm, how, lambda _: None) as room:
        job = room.job(wanted.song, score, wishes_from(Path("song.wav"), choices), cutter)
        bound, assembly = job.studio.bind(job.assembly), job.assembly
        on_farm = room.on_farm
        kept = on_farm.client.keep(bound, assembly.targets, assembly.beside, how=on_farm.how, files=on_farm.files)
        return farm.schedules().set(Schedule(wanted.name, wanted.when, kept, wanted.zone))


@contextmanager
def open_schedules(flags: dict[str, str | None]) -> Iterator[RedisSchedules]:
    """The schedules of the farm that the settings name."""
    with open_desk(**flags) as desk, closing(store_from(desk.settings)) as store:
        yield RedisSchedules(desk.redis, desk.settings.namespace, desk.jobs, store.documents)


def _nothing_yet() -> Accepted:
    return Accepted(RenderId(""), Digest(""), "", Submission())
