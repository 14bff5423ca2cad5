"""What a unit of edits did, as data: addresses are those at the time of the change, so that it can be done again.

A change of the score names a part and a note by number; a change of a graph names its phrase by content and holds the
wish (`this option is 3`), not the graph, because another voice or take has another graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag

from quincunx_orchestrator.project.operands import Operand
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_shared.phrase import Lyric

Text = Annotated[str, Field(max_length=4000)]
Place = Annotated[int, Field(ge=0, le=10_000_000)]
Tick = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class ChangeNote:
    """Give a note another lyric, tone, position (in its part) or duration; None leaves it."""

    part: Place
    note: Place
    lyric: Lyric | None = None
    tone: Annotated[int, Field(ge=0, le=127)] | None = None
    position_tick: Annotated[Tick, Field(ge=0)] | None = None
    duration_ticks: Annotated[Tick, Field(ge=1)] | None = None
    kind: Literal["change_note"] = "change_note"


@dataclass(frozen=True)
class InsertNote:
    """Put a new note into a part."""

    part: Place
    position_tick: Annotated[Tick, Field(ge=0)]
    duration_ticks: Annotated[Tick, Field(ge=1)]
    tone: Annotated[int, Field(ge=0, le=127)]
    lyric: Lyric
    kind: Literal["insert_note"] = "insert_note"


@dataclass(frozen=True)
class DeleteNote:
    """Take a note out of a part."""

    part: Place
    note: Place
    kind: Literal["delete_note"] = "delete_note"


@dataclass(frozen=True)
class SetTempo:
    """Set the tempo from a tick of the song on."""

    tick: Annotated[Tick, Field(ge=0)]
    bpm: Annotated[float, Field(ge=5, le=1000)]
    kind: Literal["set_tempo"] = "set_tempo"


@dataclass(frozen=True)
class DrawCurve:
    """Draw over a part; what stood between the first and the last point is replaced. Ticks are those of the part."""

    part: Place
    curve: Text
    points: tuple[tuple[Tick, Number], ...]
    kind: Literal["draw_curve"] = "draw_curve"


@dataclass(frozen=True)
class ChangeTrack:
    """Give a track another volume, pan, mute or singer; None leaves it."""

    track: Place
    volume_db: Annotated[float, Field(ge=-200, le=24)] | None = None
    pan: Annotated[float, Field(ge=-100, le=100)] | None = None
    mute: bool | None = None
    singer: Text | None = None
    kind: Literal["change_track"] = "change_track"


@dataclass(frozen=True)
class Source:
    """Where a score came from: the name of its file, and the digest of its bytes."""

    name: Text
    digest: Text


#: What a song of notes, and one of segments, is called where an error says which was tried.
SONG_TAGS = frozenset(("notes", "transcript"))


def _tag_of(song: object) -> str:
    segments = isinstance(song, Transcript) or (isinstance(song, Mapping) and "segments" in song)
    return "transcript" if segments else "notes"


#: A song as a project keeps it.
KeptSong: TypeAlias = Annotated[
    Annotated[Score, Tag("notes")] | Annotated[Transcript, Tag("transcript")], Discriminator(_tag_of)
]


@dataclass(frozen=True)
class ReplaceScore:
    """Take a newer song; what was edited in the notes of the older one counts no longer."""

    score: KeptSong
    source: Source
    kind: Literal["replace_score"] = "replace_score"


@dataclass(frozen=True)
class Follow:
    """Edits of graphs follow their phrases to new names, all at once: former name → name."""

    names: Mapping[Text, Text]
    kind: Literal["follow"] = "follow"


@dataclass(frozen=True)
class Restore:
    """Be again as after these units, which a snapshot kept."""

    snapshot: Text
    units: tuple[Place, ...]
    kind: Literal["restore"] = "restore"


@dataclass(frozen=True)
class SetOption:
    """Set one option of a node."""

    node: Text
    option: Text
    value: JsonValue
    does: Literal["set_option"] = "set_option"


@dataclass(frozen=True)
class PutNode:
    """Add a node that uses a step."""

    node: Text
    step: Text
    options: Mapping[Text, JsonValue] = field(default_factory=dict)
    does: Literal["add_node"] = "add_node"


@dataclass(frozen=True)
class TakeNode:
    """Remove a node with its edges."""

    node: Text
    does: Literal["remove_node"] = "remove_node"


@dataclass(frozen=True)
class Connect:
    """Connect an output with an input."""

    source: tuple[Text, Text]
    target: tuple[Text, Text]
    does: Literal["add_edge"] = "add_edge"


@dataclass(frozen=True)
class Disconnect:
    """Take a connection away."""

    source: tuple[Text, Text]
    target: tuple[Text, Text]
    does: Literal["remove_edge"] = "remove_edge"


@dataclass(frozen=True)
class SetBypass:
    """Take a node out of the flow, or (off) put it back: mute it, or hand inputs through, output → input."""

    node: Text
    off: bool = False
    mute: bool = False
    pass_through: Mapping[Text, Text] = field(default_factory=dict)
    does: Literal["bypass"] = "bypass"


@dataclass(frozen=True)
class Lay:
    """Lay an intervention on an output, for all consumers or for one; `user` is a mask's value."""

    law: Literal["override", "offset", "scale", "mask", "custom"]
    target: tuple[Text, Text]
    operand: Operand
    user: Operand | None = None
    operator: Text = ""
    scope: tuple[Text, Text] | None = None
    drawn_on: Text | None = None
    does: Literal["lay"] = "lay"


@dataclass(frozen=True)
class Clear:
    """Take all interventions on an output away."""

    target: tuple[Text, Text]
    does: Literal["clear"] = "clear"


@dataclass(frozen=True)
class GiveInput:
    """Fill an open input, or (without a value) leave it open again."""

    target: tuple[Text, Text]
    value: Operand | None
    does: Literal["set_input"] = "set_input"


GraphWish: TypeAlias = SetOption | PutNode | TakeNode | Connect | Disconnect | SetBypass | Lay | Clear | GiveInput


@dataclass(frozen=True)
class ChangeGraph:
    """Change the graph of a phrase, or what flows in it."""

    phrase: Text
    wish: Annotated[GraphWish, Field(discriminator="does")]
    kind: Literal["change_graph"] = "change_graph"


ScoreChange: TypeAlias = ChangeNote | InsertNote | DeleteNote | SetTempo | DrawCurve | ChangeTrack
Change: TypeAlias = Annotated[
    ChangeNote
    | InsertNote
    | DeleteNote
    | SetTempo
    | DrawCurve
    | ChangeTrack
    | ReplaceScore
    | Follow
    | Restore
    | ChangeGraph,
    Field(discriminator="kind"),
]
