"""What the planner has to know of a song: its steps with their signatures, and what they read.

A song that was just bound is one; so is an order that a farm's coordinator reads back, long after the graphs and
histories it was made of are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from quincunx_orchestrator.core.bound import DrawnOn, Reach
from quincunx_shared.names import Address, SegmentId, Signature
from quincunx_shared.recipe import RecipeStep, Source


class PlannableStep(Protocol):
    """A step with its data, and where it runs."""

    @property
    def step(self) -> RecipeStep:
        """The step itself, as a worker gets it."""

    @property
    def recipe(self) -> str:
        """The name of the recipe it belongs to."""

    @property
    def cluster(self) -> str:
        """The class of machine that runs it."""

    @property
    def level(self) -> int:
        """The stage it runs in."""

    @property
    def outputs(self) -> Mapping[str, int]:
        """The position of each output."""

    @property
    def sources(self) -> tuple[tuple[Source, ...], ...]:
        """What each input reads, in the manifest's order."""

    @property
    def signature(self) -> Signature:
        """Its recipe signature."""

    @property
    def nameless(self) -> bool:
        """Whether the signature names no one result."""


class PlannableSegment(Protocol):
    """The steps of a segment, in topological order."""

    @property
    def steps(self) -> Mapping[str, PlannableStep]:
        """By node."""

    @property
    def reach(self) -> Reach:
        """What each step depends on."""

    @property
    def drawn_on(self) -> tuple[DrawnOn, ...]:
        """The overrides that remember what they were drawn on."""


class PlannableSong(Protocol):
    """All segments; those that read others stand after them."""

    @property
    def segments(self) -> Mapping[SegmentId, PlannableSegment]:
        """By name."""

    def step(self, segment: SegmentId, node: str) -> PlannableStep:
        """Return one step."""

    def places(self, targets: Iterable[Address]) -> dict[Address, Address]:
        """Where the targets are made; those of segments that cannot be rendered are left out."""
