"""What a person asks for in `edit`: one class an operation, the words of a batch file and of the command line.

Notes are `TRACK:BAR:BEAT` or `PHRASE#N`; phrases are a name, `TRACK:BAR` or (a part of) a label; ports `node.port`.
The order of the fields is the order of the words on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, JsonValue, TypeAdapter

from quincunx_orchestrator.project.changes import Number, Text


@dataclass(frozen=True)
class FileValue:
    """Numbers of a file: .npy, .npz (its first array) or .csv."""

    file: Text


@dataclass(frozen=True)
class CurveValue:
    """A curve by its control points: `{"points": [[position, value], …], "interpolation": "linear"}`."""

    curve: Mapping[str, JsonValue]


@dataclass(frozen=True)
class JsonOf:
    """Any value of JSON, as a port may carry it."""

    value: JsonValue


#: A number, a row of numbers, a file, a curve, or a value.
Value: TypeAlias = Number | tuple[Number, ...] | FileValue | CurveValue | JsonOf


@dataclass(frozen=True)
class SetLyric:
    note: Text
    lyric: Text
    op: Literal["lyric"] = "lyric"


@dataclass(frozen=True)
class SetTone:
    note: Text
    tone: int | Text
    op: Literal["tone"] = "tone"


@dataclass(frozen=True)
class MoveNote:
    note: Text
    ticks: int
    op: Literal["move"] = "move"


@dataclass(frozen=True)
class ResizeNote:
    note: Text
    ticks: int
    op: Literal["resize"] = "resize"


@dataclass(frozen=True)
class Insert:
    at: Text
    ticks: int
    tone: int | Text
    lyric: Text
    op: Literal["insert"] = "insert"


@dataclass(frozen=True)
class Delete:
    note: Text
    op: Literal["delete"] = "delete"


@dataclass(frozen=True)
class Tempo:
    at: Text
    bpm: Number
    op: Literal["tempo"] = "tempo"


@dataclass(frozen=True)
class Draw:
    """Points are (tick of the song, value)."""

    track: Text
    curve: Text
    points: tuple[tuple[int, Number], ...]
    op: Literal["curve"] = "curve"


@dataclass(frozen=True)
class Volume:
    track: Text
    db: Number
    op: Literal["volume"] = "volume"


@dataclass(frozen=True)
class Pan:
    track: Text
    pan: Number
    op: Literal["pan"] = "pan"


@dataclass(frozen=True)
class Mute:
    track: Text
    mute: bool
    op: Literal["mute"] = "mute"


@dataclass(frozen=True)
class SingWith:
    track: Text
    voice: Text
    op: Literal["voice"] = "voice"


@dataclass(frozen=True)
class Option:
    phrase: Text
    option: Text
    value: JsonValue
    op: Literal["option"] = "option"


@dataclass(frozen=True)
class AddStep:
    phrase: Text
    node: Text
    step: Text
    options: Mapping[Text, JsonValue] = field(default_factory=dict)
    op: Literal["add-node"] = "add-node"


@dataclass(frozen=True)
class RemoveStep:
    phrase: Text
    node: Text
    op: Literal["remove-node"] = "remove-node"


@dataclass(frozen=True)
class AddLine:
    phrase: Text
    source: Text
    target: Text
    op: Literal["add-edge"] = "add-edge"


@dataclass(frozen=True)
class RemoveLine:
    phrase: Text
    source: Text
    target: Text
    op: Literal["remove-edge"] = "remove-edge"


@dataclass(frozen=True)
class BypassStep:
    """`way` is mute, off (no longer bypassed), or output=input to hand through."""

    phrase: Text
    node: Text
    way: Text
    op: Literal["bypass"] = "bypass"


@dataclass(frozen=True)
class LayOn:
    """Override, offset or scale an output; `consumer` is the one input it is for."""

    phrase: Text
    port: Text
    value: Value
    consumer: Text = ""
    op: Literal["override", "offset", "scale"] = "override"


@dataclass(frozen=True)
class MaskOn:
    """Let `user` through where the mask is 1, and the model where it is 0."""

    phrase: Text
    port: Text
    value: Value
    user: Value
    consumer: Text = ""
    op: Literal["mask"] = "mask"


@dataclass(frozen=True)
class ClearPort:
    phrase: Text
    port: Text
    op: Literal["clear"] = "clear"


@dataclass(frozen=True)
class FillInput:
    phrase: Text
    port: Text
    value: Value
    op: Literal["input"] = "input"


Request: TypeAlias = (
    SetLyric
    | SetTone
    | MoveNote
    | ResizeNote
    | Insert
    | Delete
    | Tempo
    | Draw
    | Volume
    | Pan
    | Mute
    | SingWith
    | Option
    | AddStep
    | RemoveStep
    | AddLine
    | RemoveLine
    | BypassStep
    | LayOn
    | MaskOn
    | ClearPort
    | FillInput
)

#: Word on the command line → its class.
REQUESTS: Mapping[str, type[Request]] = {
    "lyric": SetLyric,
    "tone": SetTone,
    "move": MoveNote,
    "resize": ResizeNote,
    "insert": Insert,
    "delete": Delete,
    "tempo": Tempo,
    "curve": Draw,
    "volume": Volume,
    "pan": Pan,
    "mute": Mute,
    "voice": SingWith,
    "option": Option,
    "add-node": AddStep,
    "remove-node": RemoveStep,
    "add-edge": AddLine,
    "remove-edge": RemoveLine,
    "bypass": BypassStep,
    "override": LayOn,
    "offset": LayOn,
    "scale": LayOn,
    "mask": MaskOn,
    "clear": ClearPort,
    "input": FillInput,
}


@dataclass(frozen=True)
class BatchFile:
    """A file of operations, carried out in this order as one unit."""

    operations: tuple[Annotated[Request, Field(discriminator="op")], ...]


@cache
def batch_adapter() -> TypeAdapter[BatchFile]:
    """Return what reads batch files."""
    return TypeAdapter(BatchFile)


def batch_schema() -> dict[str, Any]:
    """Return the JSON Schema of batch files."""
    schema = batch_adapter().json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Quincunx edits", **schema}
