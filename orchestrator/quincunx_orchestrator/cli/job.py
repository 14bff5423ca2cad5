"""One song on the command line: read it, plan it, render it, deliver it, remember it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from quincunx_orchestrator.cli.main import STARTED
from quincunx_orchestrator.cli.song_file import content_of
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.core.planner import Plan, StepKey
from quincunx_orchestrator.core.reasons import Ledger
from quincunx_orchestrator.core.segment_names import SegmentNames, names_of
from quincunx_orchestrator.embedded import this_machine
from quincunx_orchestrator.installed import cutter_named, format_table
from quincunx_orchestrator.render import Deliver
from quincunx_orchestrator.render_result import RenderResult
from quincunx_orchestrator.score import readers
from quincunx_orchestrator.score.phrasing import Cutter
from quincunx_orchestrator.score.readers import Song
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.ledger import ledger_for, read_record, record_song, signatures_by_part, with_losses
from quincunx_orchestrator.song.phrase_graph import REPORT, REVERB, SONG_STEPS, Delivery, Take
from quincunx_orchestrator.song.takes import Takes, read_takes
from quincunx_orchestrator.studio import Studio, StudioSettings, open_studio
from quincunx_shared.errors import BadInput, QuincunxError, StoreError
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.names import SONG, Address, SegmentId
from quincunx_shared.payload import Payload
from quincunx_shared.stores.cache_folder import Cache
from quincunx_shared.stores.leases import rendering
from quincunx_shared.stores.memory import MemoryEventLog

#: A song with what was done to it, rendered as any song.
PROJECT_SUFFIX = ".qxp"


@dataclass(frozen=True)
class Wishes:
    """What a person asked for on the command line."""

    voice: str = ""
    strict_voice: bool = False
    take: Take = field(default_factory=Take)
    delivery: Delivery = field(default_factory=Delivery)
    cutter: str = "rests"
    voice_for: tuple[str, ...] = ()
    #: The seed of the first take; None is that of the take that was kept.
    seed: int | None = None
    #: Which of several takes this is, from 1; 0 is the only one.
    number: int = 0
    #: A take to keep, and to render.
    keep: int | None = None


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
    path: Path
    take: Take
    takes: Takes
    wishes: Wishes
    #: When the work on it began, on the clock of `time.perf_counter`.
    started: float
    #: Its results lie on a farm: what this machine's cache may throw away is not touched by it.
    elsewhere: bool = False

    def plan(self) -> Plan:
        """What a render would do."""
        return self.studio.plan(self.assembly, ledger=self.ledger)

    def render(self, deliver: Deliver | None = None) -> RenderResult:
        """Render, and remember what every step was made of, and which take it was.

        Where no phrase could be sung, nothing is delivered: a file of nothing but silence is no song with a phrase
        missing.
        """

        def unless_silent(result: RenderResult, target: Address, payload: Payload) -> Payload:
            return payload if deliver is None or self._is_silent(result) else deliver(result, target, payload)

        self._own()
        result = self.studio.render(self.assembly, ledger=self.ledger, deliver=unless_silent)
        if result.state != "failed":
            self._remember(result)
        if self._is_silent(result):
            result.payloads, result.state = {}, "failed"
        return result

    def remember_submitted(self) -> None:
        """Remember what the song is made of, as if all of it succeeded: the next submission is compared with this."""
        self._remember_song({})

    def _own(self) -> None:
        """Before anything runs, so that nobody who makes room takes what this render is about to read."""
        if self.elsewhere:
            return
        signatures = signatures_by_part(self.assembly, self.studio.bind(self.assembly))
        path = str(self.path.resolve())
        self.cache.owners.remember(self.key, path, signatures, time.time(), as_well=not self._is_the_song)

    @property
    def _is_the_song(self) -> bool:
        """Whether this is the whole song in its first take; what else is rendered of it stands beside that."""
        return self.assembly.delivery.stretch is None and self.wishes.number <= 1

    def _is_silent(self, result: RenderResult) -> bool:
        failed = {segment for segment, _ in result.failed}
        phrases, waves = self.assembly.placed, self.assembly.waves
        return failed.issuperset([*(one.segment.id for one in phrases), *(one.segment.id for one in waves)])

    def _remember(self, result: RenderResult) -> None:
        wishes = self.wishes
        if wishes.number:
            done = self.takes.rendered(self.take.seed - wishes.number + 1, wishes.number)
            remember_takes(self.cache, self.path, done)
        elif wishes.keep is not None:
            remember_takes(self.cache, self.path, self.takes)
        self._remember_song(failures_of(result))

    def _remember_song(self, failures: Mapping[StepKey, str]) -> None:
        # Of a range and of later takes nothing is remembered: the next render explains itself by the whole song.
        if self._is_the_song:
            former = self.cache.history.recall(self.key)
            bound = self.studio.bind(self.assembly)
            record = record_song(self.assembly, bound, failures, read_record(former))
            if record != former:
                self.cache.history.remember(self.key, record)

    def in_song(self, segment: str, error: str) -> str:
        """Say where in the song an error is: a step counts the notes of its phrase, a person looks for a bar."""
        return self.names.in_song(SegmentId(segment), error)

    def label_of(self, segment: str) -> str:
        """What a person calls a segment."""
        return self.names.labels.get(SegmentId(segment), segment)

    @cached_property
    def names(self) -> SegmentNames:
        """What a person calls the segments."""
        return names_of(self.assembly.segments, self.studio.voice_files)


@dataclass
class Room:
    """An open studio with its cache, in which one job after another can be done while everything stays warm."""

    studio: Studio
    cache: Cache
    log: MemoryEventLog
    limit_bytes: float | None = None
    since: float = STARTED

    def job(self, song: Path, score: Song, wishes: Wishes, cutter: Cutter) -> Job:
        """Make a song ready that has been read."""
        takes = recall_takes(self.cache, song)
        if wishes.keep is not None:
            takes = takes.keep(wishes.keep, where=str(song))
        take = replace(wishes.take, seed=seed_of(wishes, takes))
        assembly = self.studio.assemble(
            score,
            voice=wishes.voice,
            voice_for=wishes.voice_for,
            strict_voice=wishes.strict_voice,
            take=take,
            delivery=wishes.delivery,
            cutter=cutter,
            folder=song.parent,
        )
        if not (assembly.placed or assembly.waves):
            raise _nothing_to_sing(song, wishes, assembly.notices)
        key = song_key(song)
        ledger = ledger_for(assembly, read_record(self.cache.history.recall(key)))
        ledger = with_losses(ledger, self.studio.bind(assembly), self.cache.owners.gone)
        return Job(
            self.studio, assembly, self.cache, self.log, key, ledger, score, song, take, takes, wishes, self.since
        )

    def turn_over(self, *, forget: bool) -> None:
        """Make ready for the next render; forgetting the song in hand, the memory is then as before it."""
        self.since = time.perf_counter()
        self.log.forget()
        self.cache.upkeep.keep_below(self.limit_bytes)
        if forget:
            self.cache.database.give_back()
            self.studio.forget()


def _nothing_to_sing(song: Path, wishes: Wishes, notices: Sequence[str] = ()) -> BadInput:
    if wishes.delivery.stretch is not None:
        return BadInput(f"nothing is sung in {wishes.delivery.stretch.text}", where=song.name)
    return BadInput(
        "there is nothing to sing", where=song.name, remedy="; ".join(("every track is empty or muted", *notices))
    )


@contextmanager
def open_job(song: Path, wishes: Wishes, workspace: Workspace, *, sung: bool = False) -> Iterator[Job]:
    """Read a song and make it ready. Everything that can be wrong with it is said before anything runs.

    With `sung`, a song of recordings alone is refused as well.
    """
    score, cutter = read_song(song, workspace.isolation), cutter_named(wishes.cutter, workspace.isolation)
    with open_room(workspace) as room:
        job = room.job(song, score, wishes, cutter)
        if sung and not job.assembly.placed:
            raise _nothing_to_sing(song, wishes)
        yield job


@contextmanager
def open_room(workspace: Workspace, *, frugal: bool = False) -> Iterator[Room]:
    """Open the cache and a studio on it; a frugal one keeps its memory flat over many songs."""
    log = MemoryEventLog()
    machine = this_machine(workspace.device)
    settings = StudioSettings(
        workspace.thread_count,
        machine,
        isolation=workspace.isolation,
        limits=workspace.limits,
        frugal=frugal,
    )
    with workspace.cache_to_render_on() as cache:
        try:
            with (
                rendering(cache.root),
                open_studio(cache, log, workspace.catalogue(cache), settings) as studio,
            ):
                yield Room(studio, cache, log, workspace.cache_bytes)
        except BaseException:
            # What went wrong is what a person has to hear; that no room was made is of no weight then.
            with contextlib.suppress(StoreError):
                cache.upkeep.keep_below(workspace.cache_bytes)
            raise
        # Only now, because what a running render made stays.
        cache.upkeep.keep_below(workspace.cache_bytes)


def seed_of(wishes: Wishes, takes: Takes) -> int:
    """Return the seed to sing with: that of the take, counted from the one given, else that of the kept take."""
    if wishes.number:
        return (wishes.seed or 0) + wishes.number - 1
    return takes.seed if wishes.seed is None else wishes.seed


def recall_takes(cache: Cache, song: Path) -> Takes:
    """Return what is remembered of the takes of a song."""
    return read_takes(cache.history.recall(_takes_key(song)))


def remember_takes(cache: Cache, song: Path, takes: Takes) -> None:
    """Remember the takes of a song, as long as the cache is kept."""
    cache.history.remember(_takes_key(song), takes.to_record())


def _takes_key(song: Path) -> str:
    return hashlib.sha256(song_key(song).encode() + b":takes").hexdigest()


def read_song(path: Path, isolation: Isolation = TRUSTING) -> Song:
    """Read a song file of any format we know."""
    if path.suffix.lower() == PROJECT_SUFFIX:
        from quincunx_orchestrator.cli.project_files import song_of_project

        return song_of_project(path)
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
        told |= {(SONG, node): "made without the phrases that failed last time" for node in (*SONG_STEPS, REVERB)}
    return told


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
