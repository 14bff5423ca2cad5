"""Which phrases a save changed, and when each of them can be heard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from quincunx_orchestrator.song.assembly import Assembly, Placed
from quincunx_orchestrator.studio import Studio
from quincunx_shared.events import Event, RenderPlanned, StepRan, StepRecalled
from quincunx_shared.names import Digest, SegmentId, Signature

#: What a phrase sounds like, by content.
Sound: TypeAlias = tuple[Digest, ...]


def audio_signatures(studio: Studio, assembly: Assembly) -> Mapping[SegmentId, Signature]:
    """Return the signature of each phrase's audio: what it will sound like, before anything is computed.

    A phrase whose graph cannot be bound has none.
    """
    bound = studio.bind(assembly).segments
    steps = {one.segment.id: bound[one.segment.id].steps.get(one.audio.key.node) for one in assembly.placed}
    return {name: step.signature for name, step in steps.items() if step is not None}


def known_sounds(studio: Studio, signatures: Mapping[SegmentId, Signature]) -> Mapping[SegmentId, Sound]:
    """Return what the cache knows of the audio of phrases, by their names."""
    known = studio.recall.find(signatures.values())
    return {
        name: tuple(ref.digest for ref in known[signature])
        for name, signature in signatures.items()
        if signature in known
    }


@dataclass
class Readiness:
    """Hears the events of a render and tells of each phrase that sounds new when it is ready, once.

    `new` are the phrases that may sound new: a lyric with the same phones does not. `sounds` looks up what some of
    them sound like, as far as that is known; `heard_before` is what the song sounded like. `seconds` says how long
    ago the save was; `tell` receives the phrase and those seconds.
    """

    new: tuple[Placed, ...]
    heard_before: Collection[Sound]
    sounds: Callable[[Iterable[Placed]], Mapping[SegmentId, Sound]]
    seconds: Callable[[], float]
    tell: Callable[[Placed, float], None]
    ready: dict[SegmentId, float] = field(default_factory=dict)
    same: set[SegmentId] = field(default_factory=set)

    def hear(self, event: Event) -> None:
        """Note a step that ended; the last one of a phrase makes it ready, and so does a plan that recalls it."""
        if isinstance(event, RenderPlanned):
            self._look_up(self.new)
        elif isinstance(event, StepRan | StepRecalled):
            ended = [one for one in self.new if (one.audio.segment, one.audio.key.node) == (event.segment, event.node)]
            if isinstance(event, StepRan):
                self._are_ready(ended)
            elif ended:
                self._look_up(ended)

    @property
    def changed(self) -> Iterator[Placed]:
        """The phrases that sound new, and those that failed."""
        return (one for one in self.new if one.segment.id not in self.same)

    @property
    def first_seconds(self) -> float | None:
        """When the first changed phrase was ready, in seconds after the save; None if none was."""
        return min(self.ready.values(), default=None)

    def _look_up(self, phrases: Iterable[Placed]) -> None:
        found = self.sounds(phrases)
        self.same |= {name for name, sound in found.items() if sound in self.heard_before}
        self._are_ready([one for one in phrases if one.segment.id in found and one.segment.id not in self.same])

    def _are_ready(self, phrases: Iterable[Placed]) -> None:
        for phrase in phrases:
            if phrase.segment.id not in self.ready:
                self.ready[phrase.segment.id] = self.seconds()
                self.tell(phrase, self.ready[phrase.segment.id])
