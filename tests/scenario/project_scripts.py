"""Random scripts of edits over a project, and what must hold after each: incremental equals full, undo runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st
from tests.scenario.desk import Desk, Ran, open_desk
from tests.scenario.songs import SongText, phrase

from quincunx_orchestrator.cli.project_stage import MachineStage
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.project.changes import Source
from quincunx_orchestrator.project.document import read_project, write_project
from quincunx_orchestrator.project.editing import edit
from quincunx_orchestrator.project.folding import State, fold
from quincunx_orchestrator.project.grammar import request_of
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import StudioSettings, open_studio
from quincunx_shared.errors import BadInput
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog, MemoryIndex

#: Operations as they are typed; `{p}` is a bar with a phrase, `{n}` a small number.
OPERATIONS = (
    "lyric 1:{p}:2 two",
    "lyric 1:{p}:2 'night'",
    "tone 1:{p}:2 +{n}",
    "tone 1:{p}:3 6{n}",
    "move 1:{p}:3 {n}0",
    "resize 1:{p}:3 30{n}",
    "insert 1:{p}:4 240 C4 la",
    "insert 1:9:1 240 D4 oh",
    "delete 1:{p}:2",
    "delete 1:{p}:3",
    "tempo {p} 12{n}",
    "curve 1 pitd 480=0 600={n}0 700=0",
    "curve 1 dyn 480=0 600=-{n}0 900=0",
    "volume 1 -{n}",
    "pan 1 {n}0",
    "voice 1 demo-low",
    "offset 1:{p} pitch.f0 {n}",
    "offset 1:{p} pitch.f0 linear:0=0,1={n} vocoder.f0",
    "scale 1:{p} pitch.f0 1.0{n}",
    "override 1:{p} pitch.f0 2{n}0",
    "mask 1:{p} acoustic.mel 0.{n} -5",
    "clear 1:{p} pitch.f0",
    "bypass 1:{p} post audio=audio",
    "bypass 1:{p} post off",
    "option 1:{p} phonemize.language ja",
    'input 1:{p} pitch.pitd \'{{"ticks": [0, 300], "values": [5{n}.0, 0.0], "default": 0.0}}\'',
)
operations = st.tuples(st.sampled_from(OPERATIONS), st.sampled_from("13"), st.sampled_from("0123456789")).map(
    lambda drawn: drawn[0].format(p=drawn[1], n=drawn[2])
)
#: A unit of operations, or what is done with units.
Action: TypeAlias = tuple[str, ...] | str
actions = st.lists(operations, min_size=1, max_size=3).map(tuple) | st.sampled_from(
    ["undo", "redo", "snapshot", "restore"]
)
scripts = st.lists(actions, min_size=1, max_size=5)

SMALL = SongText((phrase(1, "la", "two"), phrase(9, "は", "な")))


class Forgetful(MemoryIndex):
    """An index that can forget everything at once: a new cache, without the wait for models."""

    def forget_all(self) -> None:
        self.forget([*self._records])


class _Stage(MachineStage):
    """As the command line has it, without a second look into the cache."""

    def output(self, state: State, phrase: str, target: tuple[str, str]) -> str | None:
        del state, phrase, target
        return None


@dataclass
class Bench:
    """A project on a desk."""

    desk: Desk
    #: A desk that knows nothing whenever `forgetful` has forgotten; its models stay loaded.
    fresh: Desk
    forgetful: Forgetful
    stage: MachineStage
    imported: Project
    refused: int = 0
    edited: int = 0
    first: bytes = b""

    def play(self, script: list[Action]) -> None:
        """Do a script, rendering after each action; compare with a fresh render; undo all."""
        project = self.imported
        for action in script:
            project = read_project(write_project(self.after(project, action)), "p.qxp")
            self.render(project, self.desk)
        incremental = self.desk.sound
        self.forgetful.forget_all()
        ran = self.render(project, self.fresh)
        assert ("song", "mix") in ran or not ran, "the fresh desk remembered something"
        assert self.fresh.sound == incremental or not ran, script
        while project.done:
            project, _ = project.undo()
        assert self.render(project, self.desk) == [], script
        assert self.desk.sound == self.first, script

    def after(self, project: Project, action: Action) -> Project:
        """Return the project after an action; one that does not fit changes nothing."""
        if action == "undo":
            return project.undo()[0]
        if action == "redo":
            return project.redo()[0]
        with suppress(BadInput):
            if action == "snapshot":
                return project.snapshot("kept")
            if action == "restore":
                return project.restore("kept", "")
        typed = action if isinstance(action, tuple) else ()
        # All as one unit; if that is refused, each alone, so that one that does not fit takes no other with it.
        for unit in (typed, *([one] for one in typed)):
            try:
                project, _ = edit(project, [(one, request_of(one, 1)) for one in unit], self.stage, "")
                self.edited += len(unit)
                if unit is typed:
                    break
            except BadInput:
                self.refused += 1
        return project

    def render(self, project: Project, desk: Desk) -> Ran:
        """Render a project; one of which nothing is left to sing is as silent as before."""
        assembly = desk.studio.assemble(fold(project).edited_song("p.qxp", project.voices))
        return desk.render(assembly) if assembly.placed else []


@contextmanager
def open_bench(root: Path) -> Iterator[Bench]:
    """A project of a small song, rendered once."""
    score = read_ustx(SMALL.ustx().encode(), "small.ustx")
    forgetful, log = Forgetful(), MemoryEventLog()
    with closing(open_cache(root / "fresh")) as cache:
        forgetting: Any = replace(cache, index=forgetful)  # type: ignore[arg-type]
        settings = StudioSettings(threads=1)
        with (
            open_desk(root / "used", threads=1) as desk,
            open_studio(forgetting, log, find_voices([]), settings) as studio,
        ):
            stage = _Stage(Workspace(root / "used"))
            bench = Bench(desk, Desk(studio, log), forgetful, stage, Project(Source("small.ustx", ""), score))
            bench.render(bench.imported, desk)
            bench.first = desk.sound
            yield bench
