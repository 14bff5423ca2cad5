"""`quincunx render SONG -o OUT --watch`: whenever the song is saved, what the save changed is rendered again.

Everything stays warm from one save to the next: the process, the models, the compiled graphs. A save that cannot be
read is told, and what was rendered before stays as it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import click

from quincunx_orchestrator.cli import telling
from quincunx_orchestrator.cli.interrupts import ended_by_kill, how_to_end
from quincunx_orchestrator.cli.job import Job, Room, read_song
from quincunx_orchestrator.cli.main import INTERRUPTED, tell_error
from quincunx_orchestrator.cli.readiness import Readiness, Sound, audio_signatures, known_sounds
from quincunx_orchestrator.cli.render import open_place, render_task
from quincunx_orchestrator.cli.saves import Stamp, saved_at, saves_of, stamp_of
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.cli.tasks import Task
from quincunx_orchestrator.cli.telling import Told
from quincunx_orchestrator.cli.warm_voices import WarmCatalogue
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.installed import cutter_named
from quincunx_orchestrator.song.assembly import Placed
from quincunx_shared.errors import QuincunxError
from quincunx_shared.isolation import Isolation
from quincunx_shared.names import SegmentId, Signature


def watch(task: Task, choices: Choices, workspace: Workspace, saves: Iterable[Stamp] | None = None) -> int:
    """Render a song, then again after every save, until somebody interrupts or kills it; return the exit code.

    `saves` stands in for the saves of the file itself. A song that is wrong from the start is refused as ever.
    """
    known = stamp_of(task.song)
    read_song(task.song, workspace.isolation)
    with ended_by_kill(), open_place(workspace, choices) as room:
        warm = room.studio.catalogue
        room.studio.catalogue = WarmCatalogue(warm.folders, warm.vocoder_dirs, warm.hidden, warm.digest_of)
        watcher = _Watcher(room, task, choices, workspace.isolation)
        try:
            watcher.render(time.time(), first=True)
            if not choices.quiet:
                click.echo(f"Watching {task.song}; {how_to_end()}.", err=True)
            for stamp in saves_of(task.song, known) if saves is None else saves:
                watcher.attempt(saved_at(stamp, time.time()))
        except KeyboardInterrupt:
            click.echo("Stopped watching.", err=True)
            return INTERRUPTED
    return watcher.code


@dataclass
class _Watcher:
    """The song as it was last rendered, and how to render it again."""

    room: Room
    task: Task
    choices: Choices
    isolation: Isolation
    signatures: set[Signature] = field(default_factory=set)
    sounds: set[Sound] = field(default_factory=set)
    code: int = 0
    #: Every save would repeat what was decided for the person without asking; once is enough.
    noticed: set[str] = field(default_factory=set)

    def attempt(self, saved: float) -> None:
        """Render a save; what is wrong with it is told, and the next one waited for."""
        self.room.since = time.perf_counter() - (time.time() - saved)
        try:
            self.render(saved)
        except (QuincunxError, OSError) as error:
            self._print(telling.told_of_error(self.task.song, error, tell_error(error)), {})
        self.room.turn_over(forget=False)

    def render(self, saved: float, *, first: bool = False) -> None:
        """Render the song as it is saved now, and tell of the phrases that are new as they become ready."""
        score = read_song(self.task.song, self.isolation)
        job = self.room.job(self.task.song, score, self.task.wishes, cutter_named(self.choices.cut, self.isolation))
        readiness = None if first else self._readiness(job, saved)
        told = render_task(self._with_new_notices(job), self.task, self.choices, readiness)
        self._print(told, _after_save(readiness, time.time() - saved) if readiness else {})
        signatures = audio_signatures(job.studio, job.assembly)
        self.signatures, self.code = set(signatures.values()), told.code
        self.sounds = set(known_sounds(job.studio, signatures).values())

    def _readiness(self, job: Job, saved: float) -> Readiness:
        signatures = audio_signatures(job.studio, job.assembly)
        new = {name: signature for name, signature in signatures.items() if signature not in self.signatures}

        def sounds(phrases: Iterable[Placed]) -> Mapping[SegmentId, Sound]:
            return known_sounds(job.studio, {one.segment.id: new[one.segment.id] for one in phrases})

        return Readiness(
            new=tuple(one for one in job.assembly.placed if one.segment.id in new),
            heard_before=self.sounds,
            sounds=sounds,
            seconds=lambda: time.time() - saved,
            tell=self._tell_phrase,
        )

    def _with_new_notices(self, job: Job) -> Job:
        new = tuple(one for one in job.assembly.notices if one not in self.noticed)
        self.noticed.update(new)
        return replace(job, assembly=replace(job.assembly, notices=new))

    def _tell_phrase(self, phrase: Placed, seconds: float) -> None:
        if not (self.choices.quiet or self.choices.as_json):
            click.echo(f"Ready after {seconds:.2f} s: {phrase.segment.label}", err=True)

    def _print(self, told: Told, more: dict[str, Any]) -> None:
        if self.choices.as_json:
            click.echo(json.dumps({**told.document, **more}, ensure_ascii=False))


def _after_save(readiness: Readiness, seconds: float) -> dict[str, Any]:
    """What a document says of a save: the changed phrases, and how long after it each of them was ready."""
    rows = [
        {
            "segment": one.segment.id,
            "label": one.segment.label,
            "ready_seconds": _rounded(readiness.ready.get(one.segment.id)),
        }
        for one in readiness.changed
    ]
    return {
        "changed": rows,
        "first_phrase_seconds": _rounded(readiness.first_seconds),
        "saved_to_written_seconds": round(seconds, 3),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
