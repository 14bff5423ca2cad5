"""The rows of orders: a text for each segment. Whoever wrote or read the same row before, does not do it again.

After an edit the order of a song is as it was but for a few rows, and both who submits it and who plans it still have
the others. A row names its steps by what they are, so it means the same in every order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from quincunx_orchestrator.core.bound import DrawnOn, Reach
from quincunx_orchestrator.core.plannable import PlannableStep
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.farm.wire import (
    BadMessage,
    dump,
    recipe_step_from_wire,
    recipe_step_to_wire,
    source_from_wire,
    source_to_wire,
)
from quincunx_shared.names import SegmentId, Signature
from quincunx_shared.recipe import RecipeStep, Source

#: So many rows are remembered by who reads them, at most twice: some 20 MB.
REMEMBERED_ROWS = 2000


class SubmittedSegment(Protocol):
    """What of a segment goes into an order."""

    @property
    def steps(self) -> Mapping[str, PlannableStep]:
        """By node, in topological order."""


@dataclass(frozen=True, slots=True)
class OrderedStep:
    """A step of an order."""

    step: RecipeStep
    recipe: str
    cluster: str
    level: int
    outputs: Mapping[str, int]
    sources: tuple[tuple[Source, ...], ...]
    signature: Signature
    nameless: bool


@dataclass(frozen=True, slots=True)
class OrderedSegment:
    """The steps of a segment, in topological order."""

    steps: Mapping[str, OrderedStep]
    reach: Reach
    drawn_on: tuple[DrawnOn, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A segment, its row, and the steps that the row names."""

    segment: SubmittedSegment
    text: str
    steps: Mapping[str, Any]


class RowWriter:
    """Writes the rows of one song after the other. A segment that is the very same as before keeps its row."""

    def __init__(self) -> None:
        self._before: dict[SegmentId, _Row] = {}

    def write(self, segments: Mapping[SegmentId, SubmittedSegment]) -> tuple[list[str], dict[str, Any]]:
        """Return the rows, and the steps they name."""
        named: dict[tuple[int, str, str], tuple[str, Any]] = {}
        after: dict[SegmentId, _Row] = {}
        steps: dict[str, Any] = {}
        for name, segment in segments.items():
            row = self._before.get(name)
            if row is None or row.segment is not segment:
                row = _written(name, segment, named)
            after[name] = row
            steps.update(row.steps)
        self._before = after
        return [row.text for row in after.values()], steps


def _written(name: SegmentId, segment: SubmittedSegment, named: dict[tuple[int, str, str], tuple[str, Any]]) -> _Row:
    row, steps = [], {}
    for one in segment.steps.values():
        # Segments of one topology share the very same step.
        key = (id(one.step), one.recipe, one.cluster)
        if key not in named:
            told = [recipe_step_to_wire(one.step), one.recipe, one.cluster]
            named[key] = _name_of(told), told
        called, told = named[key]
        steps[called] = told
        sources = [[source_to_wire(source) for source in found] for found in one.sources]
        row.append([called, one.level, sources, one.signature, one.nameless])
    return _Row(segment, dump([name, row]).decode(), steps)


def _name_of(step: Any) -> str:
    return digest_of_bytes(dump(step))[:32]


class RowReader:
    """Reads rows, and remembers them in two generations; the older one is dropped as a whole. Safe for threads."""

    def __init__(self, most: int = REMEMBERED_ROWS) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._young: dict[str, tuple[SegmentId, OrderedSegment]] = {}
        self._old: dict[str, tuple[SegmentId, OrderedSegment]] = {}

    def read(self, rows: Iterable[str], steps: Mapping[str, Any]) -> dict[SegmentId, OrderedSegment]:
        """Return the segments. Raises `BadMessage`, and what reading JSON of another shape raises."""
        opened: dict[str, tuple[RecipeStep, str, str]] = {}
        return dict(self._known(text) or self._keep(text, _read(text, steps, opened)) for text in rows)

    def _known(self, text: str) -> tuple[SegmentId, OrderedSegment] | None:
        with self._guard:
            return self._young.get(text) or self._old.get(text)

    def _keep(self, text: str, row: tuple[SegmentId, OrderedSegment]) -> tuple[SegmentId, OrderedSegment]:
        with self._guard:
            if len(self._young) >= self._most:
                self._old, self._young = self._young, {}
            self._young[text] = row
        return row


def _read(
    text: str, steps: Mapping[str, Any], opened: dict[str, tuple[RecipeStep, str, str]]
) -> tuple[SegmentId, OrderedSegment]:
    name, row = json.loads(text)
    segment = SegmentId(name)
    found: dict[str, OrderedStep] = {}
    for called, level, sources, signature, nameless in row:
        if called not in opened:
            opened[called] = _opened(called, steps[called])
        step, recipe, cluster = opened[called]
        outputs = {port: place for place, port in enumerate(step.outputs)}
        read = tuple(tuple(map(source_from_wire, one)) for one in sources)
        found[step.id] = OrderedStep(step, recipe, cluster, level, outputs, read, Signature(signature), nameless)
    return segment, OrderedSegment(found, Reach.of(segment, found))


def _opened(called: str, told: Any) -> tuple[RecipeStep, str, str]:
    """Read a step. It must be what its name says: rows are shared by orders of different people."""
    if _name_of(told) != called:
        raise BadMessage("an order names a step that is another", where=called[:12])
    step, recipe, cluster = told
    return recipe_step_from_wire(step), recipe, cluster
