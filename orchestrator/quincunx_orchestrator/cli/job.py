"""One song on the command line: read it, plan it, render it, deliver it, remember it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quincunx_orchestrator.cli.song_file import content_of
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.core.planner import Plan, StepKey
from quincunx_orchestrator.core.reasons import Ledger
from quincunx_orchestrator.embedded import this_machine
from quincunx_orchestrator.installed import cutter_named, format_table
from quincunx_orchestrator.render import RenderResult
from quincunx_orchestrator.score import readers
from quincunx_orchestrator.score.phrasing import Cutter
from quincunx_orchestrator.score.readers import Song
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.ledger import ledger_for, read_record, record_song
from quincunx_orchestrator.song.phrase_graph import FILE, REPORT, SONG_STEPS, Delivery, Take
from quincunx_orchestrator.studio import Studio, StudioSettings, open_studio
from quincunx_shared.errors import BadInput, QuincunxError
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.names import SONG, Address
from quincunx_shared.stores.cache_folder import Cache
from quincunx_shared.stores.memory import MemoryEventLog


@dataclass(frozen=True)
class Wishes:
    """What a person asked for on the command line."""

    voice: str = ""
    strict_voice: bool = False
    take: Take = field(default_factory=Take)
    delivery: Delivery = field(default_factory=Delivery)
    cutter: str = "rests"
    voice_for: tuple[str, ...] = ()


@dataclass
class Job:
    """A song in hand, with the studio that renders it and what the last render of it was made of."""

    studio: Studio
    assembly: Assembly
    cache: Cache
    log: MemoryEventLog
    key: str
    ledger: Ledger
    score: Song

    def plan(self) -> Plan:
        """What a render would do."""
        return self.studio.plan(self.assembly, ledger=self.ledger)

    def render(self) -> RenderResult:
        """Render, and remember what every step was made of."""
        result = self.studio.render(self.assembly, ledger=self.ledger)
        record = record_song(self.assembly, self.studio.bind(self.assembly), failures_of(result))
        if result.state != "failed" and record != self.cache.history.recall(self.key):
            self.cache.history.remember(self.key, record)
        silent = {segment for segment, _ in result.failed}
        if silent and all(one.segment.id in silent for one in self.assembly.placed):
            # A file of nothing but silence is no song with a phrase missing.
            result.payloads, result.state = {}, "failed"
        return result

    def in_song(self, segment: str, error: str) -> str:
        """Say where in the song an error is: a step counts the notes of its phrase, a person looks for a bar."""
        places = next((one.places for one in self.assembly.placed if one.segment.id == segment), ())

        def place(found: re.Match[str]) -> str:
            number = int(found[1])
            return places[number] if number < len(places) else found[0]

        return re.sub(r"notes\[(\d+)\](?:\.lyric)?", place, error)

    def label_of(self, segment: str) -> str:
        """What a person calls a segment."""
        return next((one.label for one in self.assembly.segments if one.id == segment), segment)


@contextmanager
def open_job(song: Path, wishes: Wishes, workspace: Workspace) -> Iterator[Job]:
    """Read a song and make it ready. Everything that can be wrong with it is said before anything runs."""
    score, cutter = read_song(song, workspace.isolation), cutter_named(wishes.cutter, workspace.isolation)
    with open_room(workspace) as room:
        yield room.job(song, score, wishes, cutter)


@dataclass(frozen=True)
class Room:
    """An open studio with its cache, in which one job after another can be done while everything stays warm."""

    studio: Studio
    cache: Cache
    log: MemoryEventLog

    def job(self, song: Path, score: Song, wishes: Wishes, cutter: Cutter) -> Job:
        """Make a song ready that has been read."""
        assembly = self.studio.assemble(
            score,
            voice=wishes.voice,
            voice_for=wishes.voice_for,
            strict_voice=wishes.strict_voice,
            take=wishes.take,
            delivery=wishes.delivery,
            cutter=cutter,
        )
        if not assembly.placed:
            raise BadInput("there is nothing to sing", where=song.name, remedy="every track is empty or muted")
        key = song_key(song)
        ledger = ledger_for(assembly, read_record(self.cache.history.recall(key)))
        return Job(self.studio, assembly, self.cache, self.log, key, ledger, score)


@contextmanager
def open_room(workspace: Workspace) -> Iterator[Room]:
    """Open the cache and a studio on it."""
    log = MemoryEventLog()
    with workspace.cache() as cache:
        machine = this_machine(workspace.device)
        settings = StudioSettings(
            workspace.thread_count, machine, isolation=workspace.isolation, limits=workspace.limits
        )
        with open_studio(cache, log, workspace.catalogue(), settings) as studio:
            yield Room(studio, cache, log)


def read_song(path: Path, isolation: Isolation = TRUSTING) -> Song:
    """Read a song file of any format we know."""
    formats = format_table(path.suffix, isolation)
    return readers.read_song(path.name, content_of(path), formats)


def song_key(path: Path) -> str:
    """Name a song by where it lies: the same file after an edit is the same song."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()


def failures_of(result: RenderResult) -> dict[StepKey, str]:
    """The steps that left no result for the next render, and what to tell about each of them."""
    told = {key: f"failed last time: {error}" for key, error in result.failed.items()}
    told |= {key: f"not reached last time: {because}" for key, because in result.skipped.items()}
    if result.state == "partial":
        told |= {(SONG, node): "made without the phrases that failed last time" for node in SONG_STEPS}
    return told


def sound_of(result: RenderResult) -> bytes | None:
    """The finished file, if the render got that far."""
    return result.payloads.get(Address(SONG, FILE))


def report_of(result: RenderResult) -> dict[str, Any]:
    """What the mastering measured: loudness, true peak, seconds."""
    report: dict[str, Any] = result.payloads.get(Address(SONG, REPORT)) or {}
    return report


def check_output(path: Path) -> None:
    """Refuse an output that could not be written, before an hour is spent on it."""
    if path.is_dir():
        raise BadInput("this is a folder", where=str(path), remedy="name a file, such as song.wav")
    if not path.parent.is_dir():
        raise BadInput("the folder does not exist", where=str(path.parent), remedy=f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise BadInput("the folder cannot be written to", where=str(path.parent))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile."""
    target = path.resolve()  # a link stays a link
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            # mkstemp makes files for their owner alone; a song is an ordinary file.
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        remedy = "free some room, or write elsewhere; what was rendered is in the cache"
        raise QuincunxError(f"cannot be written: {error.strerror}", where=str(path), remedy=remedy) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
