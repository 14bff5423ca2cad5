"""Params, and how a payload becomes bytes and comes back.

A payload is what flows through a port: a JSON-like value, a NumPy array, or raw bytes. `None` is a legal payload
and not the same as nothing at all. NumPy is imported where an array may be met: who only names payloads, as every
command about jobs does, need not wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from quincunx_shared.canonical import Json, canonical_bytes, digest_of_bytes
from quincunx_shared.errors import BadInput
from quincunx_shared.names import Digest

if TYPE_CHECKING:
    import numpy as np

Payload: TypeAlias = Any
Kind: TypeAlias = Literal["json", "array", "bytes"]

#: Larger payloads travel as a digest and live in the blob store; smaller ones ride inside the reference.
INLINE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class ParamRef:
    """A payload by content: enough to fetch it, to check it, and to tell it from every other payload.

    `inline` holds the encoded bytes of a small payload; otherwise they are a blob named `digest`.
    """

    digest: Digest
    kind: Kind
    size_bytes: int
    shape: tuple[int, ...] = ()
    dtype: str = ""
    inline: bytes | None = field(default=None, compare=False, repr=False)

    def identity(self) -> list[Json]:
        """Return what enters a signature: the same bytes read as another shape or type are another value."""
        return [self.kind, self.dtype, list(self.shape), self.digest]


@dataclass(frozen=True, slots=True)
class Param:
    """A value with its meaning in the flow (`name`), its kind of data (`type`) and free metadata."""

    name: str
    type: str
    payload: Payload | ParamRef = None
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A payload as bytes, together with the reference that names them."""

    ref: ParamRef
    content: bytes


def encode(payload: Payload) -> Encoded:
    """Turn a payload into bytes and the reference that names them.

    Arrays are stored as little-endian bytes in C order; object and structured arrays are refused. The bytes are a
    copy: whoever made the payload may go on writing into it.
    """
    if payload is None:
        return _encoded(canonical_bytes(None), "json")
    import numpy as np

    if isinstance(payload, np.ndarray | np.generic):
        return _encode_array(np.asarray(payload))
    if isinstance(payload, bytes | bytearray | memoryview):
        return _encoded(bytes(payload), "bytes")
    return _encoded(canonical_bytes(payload), "json")


def decode(ref: ParamRef, content: bytes | memoryview) -> Payload:
    """Turn bytes back into the payload. Arrays come back read-only, so that no step can spoil another's input."""
    if ref.kind == "json":
        return json.loads(bytes(content))
    if ref.kind == "bytes":
        return bytes(content)
    import numpy as np

    array = np.frombuffer(content, dtype=np.dtype(ref.dtype)).reshape(ref.shape)
    array.flags.writeable = False
    return array


def _encode_array(array: np.ndarray[Any, Any]) -> Encoded:
    import numpy as np

    if array.dtype.kind not in "biufc":
        raise BadInput(f"an array of {array.dtype} cannot be a payload", remedy="use numbers or booleans")
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    return _encoded(little.tobytes(), "array", shape=array.shape, dtype=little.dtype.str)


def _encoded(content: bytes, kind: Kind, *, shape: tuple[int, ...] = (), dtype: str = "") -> Encoded:
    size = len(content)
    inline = content if size <= INLINE_BYTES else None
    ref = ParamRef(digest_of_bytes(content), kind, size, tuple(shape), dtype, inline)
    return Encoded(ref, content)
