"""A desk to render test songs on: a studio over a cache folder, and what ran in the last render."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from quincunx_orchestrator.render_result import RenderResult
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.phrase_graph import FILE, Take
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import Studio, StudioSettings, open_studio
from quincunx_shared.names import SONG, Address
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog

#: (phrase or "song", step); phrases are numbered from 1 as they stand in the song.
Ran = list[tuple[str, str]]


@dataclass
class Desk:
    """A studio, and the song on it."""

    studio: Studio
    log: MemoryEventLog
    ran: Ran = field(default_factory=list)
    sound: bytes = b""

    def assemble(self, text: str, *, voice: str = "", take: Take | None = None) -> Assembly:
        """Read a song."""
        return self.studio.assemble(read_ustx(text.encode(), "test.ustx"), voice=voice, take=take)

    def render(self, song: str | Assembly) -> Ran:
        """Render a song and return what ran, in the order of the plan."""
        assembly = self.assemble(song) if isinstance(song, str) else song
        result = self.studio.render(assembly)
        assert result.state == "succeeded", result.failed
        self.ran = what_ran(result, assembly)
        self.sound = result.payloads[Address(SONG, FILE)]
        return self.ran


def what_ran(result: RenderResult, assembly: Assembly) -> Ran:
    """Name phrases by their place in the song."""
    names = {one.segment.id: f"phrase {number}" for number, one in enumerate(assembly.placed, 1)}
    return [(names.get(segment, "song"), node) for segment, node in result.ran]


@contextmanager
def open_desk(root: Path, *, threads: int = 2) -> Iterator[Desk]:
    """A desk over the cache in a folder."""
    cache = open_cache(root)
    log = MemoryEventLog()
    try:
        with open_studio(cache, log, find_voices([]), StudioSettings(threads=threads)) as studio:
            yield Desk(studio, log)
    finally:
        cache.close()


def steps_of(name: str, steps: Sequence[str]) -> Ran:
    """The steps of one phrase, as `Desk.render` returns them."""
    return [(name, step) for step in steps]
