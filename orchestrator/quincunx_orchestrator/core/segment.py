"""A segment: one phrase as a render unit, or the song that mixes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.history import Effective, History, Intervene, Operation, fold
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import Encoded


@dataclass(frozen=True)
class Segment:
    """Base graph, clusters, inputs and edit history of one render unit.

    `links` are inputs that read outputs of other segments, in order: so the song's mix reads all phrases.
    `laid` are interventions of the base: what a snapshot kept of its history. `label` is for people, and so are
    `places`: where a person finds each note. A segment with other content is another object; the same object keeps what
    was derived from it.
    """

    id: SegmentId
    graph: Graph
    inputs: Mapping[PortKey, Encoded] = field(default_factory=dict)
    links: Mapping[PortKey, tuple[Address, ...]] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    merge_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pinned: frozenset[PortKey] = frozenset()
    laid: tuple[Intervene, ...] = ()
    history: History = field(default_factory=History)
    label: str = ""
    places: tuple[str, ...] = ()

    @cached_property
    def effective(self) -> Effective:
        """What the history makes of the base."""
        return fold(self.graph, self.history, self.inputs, self.laid)

    def with_operation(self, operation: Operation) -> Segment:
        """Return the segment after an edit."""
        return replace(self, history=self.history.push(operation))

    def undone(self) -> Segment:
        """Return the segment without its last edit."""
        return replace(self, history=self.history.undo()[0])

    def redone(self) -> Segment:
        """Return the segment with the last undone edit done again."""
        return replace(self, history=self.history.redo()[0])

    def snapshot(self) -> Segment:
        """Collapse the history into the base: the same effect, but nothing left to undo.

        What sleeps is dropped, because the node it waits for can no longer come back.
        """
        folded = self.effective
        return replace(self, graph=folded.graph, inputs=folded.inputs, laid=folded.laid, history=History())
