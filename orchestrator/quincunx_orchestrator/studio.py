"""The front door of the library: open a studio, give it a song, and render; edit, and render again.

    with closing(open_cache(folder)) as cache, open_studio(cache, MemoryEventLog(), find_voices([])) as studio:
        song = studio.assemble(read_score(path.name, path.read_bytes()), voice="demo")
        first = studio.render(song)
        path.write_bytes(first.payloads[Address(SONG, FILE)])

        up = encode(50.0)  # Hz, on every frame
        edit = Intervene(Intervention(PortKey("pitch", "f0"), "offset", up.ref), (up,))
        phrase = song.placed[0].segment.with_operation(edit)
        again = studio.render(song.with_segment(phrase))

Everything runs in this process. What did not change between two renders is not even looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.planner import Plan
from quincunx_orchestrator.core.reasons import Ledger
from quincunx_orchestrator.embedded import (
    Machine,
    frugal_limits,
    installed_steps,
    manifests_of,
    models_from,
    open_farm,
    this_machine,
)
from quincunx_orchestrator.installed import interpolations, operators
from quincunx_orchestrator.project.attaching import attach
from quincunx_orchestrator.project.edited_score import EditedScore, EditedTranscript
from quincunx_orchestrator.render import Deliver, InProcess, Renderer, plan
from quincunx_orchestrator.render_result import RenderResult
from quincunx_orchestrator.score.phrasing import Cutter
from quincunx_orchestrator.score.readers import Song
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.assembly import Assembly, assemble
from quincunx_orchestrator.song.phrase_graph import Delivery, Take
from quincunx_orchestrator.song.transcript_assembly import assemble_transcript, left_out, voice_of
from quincunx_orchestrator.song.voices import Catalogue, cast
from quincunx_orchestrator.song.wave_files import read_waves
from quincunx_shared.errors import BadInput
from quincunx_shared.intervention import Operator
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.manifest import Manifest
from quincunx_shared.model_limits import GENEROUS, ModelLimits
from quincunx_shared.names import Address, Digest
from quincunx_shared.plugins import Plugins
from quincunx_shared.ports import EventLog
from quincunx_shared.recall import Recall
from quincunx_shared.step import Step
from quincunx_shared.stores.cache_folder import Cache


@dataclass(frozen=True)
class StudioSettings:
    """How many bundles run at once, on what, and what else differs from a plain installation.

    Without `steps` and `operators`, those of the installed packages are used; `isolation` says whose steps run in
    processes of their own.
    """

    threads: int = 2
    machine: Machine | None = None
    steps: Mapping[str, Step] | None = None
    operators: Mapping[str, Operator] | None = None
    isolation: Isolation = TRUSTING
    limits: ModelLimits = GENEROUS
    #: Give memory back as soon as it is free, at a tenth of the time: for a process that renders many songs.
    frugal: bool = False


class Studio:
    """A place to render, together with what it remembers of the song in hand."""

    def __init__(
        self,
        renderer: Renderer,
        manifests: Mapping[str, Manifest],
        catalogue: Catalogue,
        bank_files: dict[Digest, Path],
        numeric_class: str,
        classes: Mapping[str, str] | None = None,
    ) -> None:
        self._renderer = renderer
        self.manifests = manifests
        self.catalogue = catalogue
        self.operators: Mapping[str, Operator] = {}
        #: Plug-ins that could not be used, with the reason: `package: name` → what is wrong.
        self.left_out: Mapping[str, str] = {}
        self._bank_files = bank_files
        self._numeric_class = numeric_class
        self._classes = classes or {}
        self._compiler = Compiler(manifests, numeric_class, self._classes)
        self._bound: BoundSong | None = None

    @property
    def recall(self) -> Recall:
        """The cache it renders on."""
        return self._renderer.recall

    @property
    def voice_files(self) -> dict[str, str]:
        """Where the files lie that the voices of its songs are made of, by digest."""
        return {digest: str(path) for digest, path in self._bank_files.items()}

    def assemble(
        self,
        song: Song,
        *,
        voice: str = "",
        voice_for: Sequence[str] = (),
        strict_voice: bool = False,
        take: Take | None = None,
        delivery: Delivery | None = None,
        cutter: Cutter | None = None,
        folder: Path | None = None,
    ) -> Assembly:
        """Choose voices for a song and make it segments; a score is cut at its rests, or as a cutter says.

        `folder` is where the song lies, and its recordings beside it; without one they are left out.
        """
        predict = None if take is None else take.predict
        if isinstance(song, Transcript):
            if voice_for:
                raise BadInput("a .ds file has no tracks", where=f"--voice-for {voice_for[0]}", remedy="use --voice")
            sung_by, transcript = voice_of(song, self.catalogue, voice)
            sung_by = sung_by.predicting(
                left_out(transcript) if predict is None else predict, strict=predict is not None
            )
            self._bank_files.update(sung_by.files)
            assembly = assemble_transcript(transcript, sung_by, self.manifests, take=take, delivery=delivery)
            if isinstance(song, EditedTranscript):
                return attach(assembly, song, (sung_by,), self.manifests, self.operators)
            return assembly
        casting = cast(song, self.catalogue, voice=voice, voice_for=voice_for, strict=strict_voice)
        if predict:
            casting = casting.predicting(predict)
        for one in casting.voices.values():
            self._bank_files.update(one.files)
        waves = None if folder is None else read_waves(song, folder)
        assembly = assemble(song, casting, self.manifests, take=take, delivery=delivery, cutter=cutter, waves=waves)
        if isinstance(song, EditedScore):
            return attach(assembly, song, casting.voices.values(), self.manifests, self.operators)
        return assembly

    def bind(self, assembly: Assembly) -> BoundSong:
        """Bind a song; segments that are the same objects as the last time keep their signatures."""
        self._bound = bind_song(assembly.segments, self._compiler, operators=self.operators, before=self._bound)
        return self._bound

    def plan(
        self, assembly: Assembly, targets: Sequence[Address] | None = None, *, ledger: Ledger | None = None
    ) -> Plan:
        """Return what a render would do, and why, without doing it."""
        wanted = targets or (*assembly.targets, *assembly.beside)
        return plan(self.bind(assembly), wanted, self.recall, ledger=ledger)

    def render(
        self,
        assembly: Assembly,
        targets: Sequence[Address] | None = None,
        *,
        ledger: Ledger | None = None,
        deliver: Deliver | None = None,
    ) -> RenderResult:
        """Render the finished song and the files beside it, or whatever outputs are asked for."""
        song, beside = self.bind(assembly), () if targets else assembly.beside
        return self._renderer.render(song, targets or assembly.targets, beside=beside, ledger=ledger, deliver=deliver)

    def forget(self) -> None:
        """Forget the song in hand. The next one starts as in a new studio, but with models and cache at hand."""
        self._bound = None
        self._compiler = Compiler(self.manifests, self._numeric_class, self._classes)
        self._renderer.forget()


@contextmanager
def open_studio(
    cache: Cache, log: EventLog, catalogue: Catalogue, settings: StudioSettings | None = None
) -> Iterator[Studio]:
    """Yield a studio on a cache. The caller owns the cache and the log."""
    chosen = settings or StudioSettings()
    registry = installed_steps(chosen.isolation) if chosen.steps is None else Plugins(chosen.steps, {}, {})
    merging = operators(chosen.isolation) if chosen.operators is None else Plugins(chosen.operators, {}, {})
    ways = interpolations(chosen.isolation)
    machine = chosen.machine or this_machine()
    bank_files: dict[Digest, Path] = {}
    limits = frugal_limits(chosen.limits) if chosen.frugal else chosen.limits
    with open_farm(
        registry.found,
        cache.blobs,
        cache.index,
        log,
        models=models_from(bank_files, machine, limits, changed=cache.file_digests.forget),
        threads=chosen.threads,
        numeric=machine.numeric_class,
        operators=merging.found,
        interpolations=ways.found,
        claims=cache.claims,
    ) as farm:
        studio = Studio(InProcess(farm), manifests_of(registry.found), catalogue, bank_files, machine.numeric_class)
        studio.operators = merging.found
        studio.left_out = {**registry.problems, **merging.problems, **ways.problems}
        yield studio
