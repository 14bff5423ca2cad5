"""What editing asks of this machine: graphs of phrases, outputs the cache knows, files of numbers, voices."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.array_file import unpickled_array
from quincunx_orchestrator.cli.song_file import content_of
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.embedded import installed_steps, manifests_of
from quincunx_orchestrator.installed import operators
from quincunx_orchestrator.project.attaching import Checker, digest_of_voice
from quincunx_orchestrator.project.edited_score import Wish
from quincunx_orchestrator.project.folding import State
from quincunx_orchestrator.project.operands import Drawn, Numbers, Operand, Plain, numbers_of
from quincunx_orchestrator.project.requests import CurveValue, FileValue, JsonOf, Value
from quincunx_orchestrator.score.readers import Song
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.assembly import Assembly, assemble
from quincunx_orchestrator.song.transcript_assembly import assemble_transcript, left_out, voice_of
from quincunx_orchestrator.song.voices import cast
from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Address, PortKey, SegmentId

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class MachineStage:
    """The `Stage` of the command line. Nothing is opened before it is needed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._assembled: tuple[object, Assembly] | None = None
        #: Operations that read files find them from here.
        self.folder = Path()

    @cached_property
    def manifests(self) -> Mapping[str, Manifest]:
        """The steps there are."""
        return manifests_of(installed_steps(self._workspace.isolation).found)

    @cached_property
    def checker(self) -> Checker:
        """What refuses graphs that could not be rendered."""
        return Checker(self.manifests, operators(self._workspace.isolation).found)

    def edited(self, state: State, phrase: str, wishes: Sequence[Wish]) -> Segment:
        """Return a phrase with its edits."""
        placed = {one.segment.id: one.segment for one in self._assembly(state).placed}
        if phrase not in placed:
            raise BadInput(f"{phrase} is on a track that is not heard", remedy="unmute it first")
        return self.checker.edited(placed[SegmentId(phrase)], wishes)

    def output(self, state: State, phrase: str, target: tuple[str, str]) -> str | None:
        """Return the digest of what a port gives now, if the cache knows it. Nothing is run."""
        if not self._workspace.cache_root.is_dir():
            return None
        from quincunx_orchestrator.cli.job import open_room

        with open_room(self._workspace) as room:
            assembly = room.studio.assemble(state.edited_song("", {}))
            bound = room.studio.bind(assembly)
            address = Address(SegmentId(phrase), PortKey(*target))
            segment = bound.segments.get(address.segment)
            step = segment.steps.get(address.key.node) if segment else None
            if step is None or address.key.port not in step.compiled.outputs:
                return None
            known = room.studio.recall.find({step.signature}).get(step.signature)
            return known[step.compiled.outputs[address.key.port]].digest if known else None

    def operand(self, value: Value) -> Operand:
        """Return a value as a project holds it, files read."""
        if isinstance(value, FileValue):
            return _array_of(self.folder / value.file)
        if isinstance(value, CurveValue):
            drawn = Drawn(value.curve)
            drawn.encoded()
            return drawn
        if isinstance(value, JsonOf):
            return Plain(value.value)
        if isinstance(value, tuple):
            import numpy as np

            return numbers_of(np.array(value, dtype=np.float32))
        return Plain(value)

    def check_voice(self, name: str) -> None:
        """Refuse a voice that is not installed."""
        self._workspace.catalogue().load(name)

    def voices_of(self, song: Song) -> dict[str, str]:
        """Return the digests of the voices that sing a song here."""
        catalogue = self._workspace.catalogue()
        if isinstance(song, Transcript):
            voices = [voice_of(song, catalogue, "")[0]]
        else:
            voices = [*cast(song, catalogue).voices.values()]
        return {voice.name: digest_of_voice(voice) for voice in voices}

    def _assembly(self, state: State) -> Assembly:
        if self._assembled is None or self._assembled[0] is not state.song:
            self._assembled = (state.song, self._made(state))
        return self._assembled[1]

    def _made(self, state: State) -> Assembly:
        catalogue = self._workspace.catalogue()
        if isinstance(state.song, Transcript):
            voice, transcript = voice_of(state.song, catalogue, "")
            predicting = voice.predicting(left_out(transcript), strict=False)
            return assemble_transcript(transcript, predicting, self.manifests)
        return assemble(state.score, cast(state.score, catalogue), self.manifests)


def _array_of(path: Path) -> Numbers:
    """Read numbers: .npy, .npz (its first array) or .csv, of which a line is a frame."""

    raw = content_of(path)
    try:
        array = _table(raw.decode("utf-8-sig")) if path.suffix.lower() == ".csv" else unpickled_array(raw)
        return numbers_of(array)
    except BadInput as error:
        raise BadInput(error.what, where=str(path), remedy=error.remedy) from error
    except (ValueError, OSError, EOFError, IndexError, KeyError, MemoryError) as error:
        raise BadInput(f"no numbers can be read: {error}", where=str(path)) from error


def _table(text: str) -> npt.NDArray[np.float32]:
    """Read numbers, a line a frame; of a table as `export` writes it, without its head and its seconds."""
    import numpy as np

    head = text.partition("\n")[0].strip().split(",")
    named = head[-1].startswith("value")
    array = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.float32, ndmin=2, skiprows=1 if named else 0)
    kept = array[:, 1:] if named and head[0] == "seconds" else array
    return kept[:, 0] if kept.shape[1] == 1 else kept
