"""A song as a project has it: with wishes for the graphs of its phrases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.transcript import Transcript

if TYPE_CHECKING:
    # Types alone: whoever renders a song that is no project must not wait for pydantic's.
    from quincunx_orchestrator.project.changes import GraphWish


@dataclass(frozen=True)
class Wish:
    """A wish for the graph of a phrase; `where` is its place in the project file, `unit` what it is undone with."""

    wish: GraphWish
    where: str
    unit: int


@dataclass(frozen=True, slots=True)
class EditedScore(Score):
    """A score with wishes for the graphs of its phrases, by the names of these; `source` says what file it is of."""

    wishes: Mapping[str, tuple[Wish, ...]] = field(default_factory=dict)
    source: str = ""
    #: Voice → digest, as they were when the project was made with them.
    voices_then: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EditedTranscript(Transcript):
    """A transcript with wishes for the graphs of its segments, and the rest as an edited score has it."""

    wishes: Mapping[str, tuple[Wish, ...]] = field(default_factory=dict)
    source: str = ""
    voices_then: Mapping[str, str] = field(default_factory=dict)


EditedSong: TypeAlias = EditedScore | EditedTranscript
