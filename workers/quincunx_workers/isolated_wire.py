"""What a worker and an isolated child say to each other: messages of JSON and payloads, never code.

A message is a mapping whose values are payloads, or lists and mappings of payloads; arrays and bytes travel beside
the JSON. On the wire: the length of the JSON (8 bytes, big-endian), the JSON, then the bytes of its payloads. An
object of the JSON has one key: `mapping`, or `payload` for what stands beside it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from quincunx_shared.payload import ParamRef, decode, encode

_LENGTH = struct.Struct(">Q")


class Wire:
    """Both directions of a conversation; a payload of more than `limit_bytes` is not read."""

    def __init__(self, reading: BinaryIO, writing: BinaryIO, limit_bytes: int) -> None:
        self._reading = reading
        self._writing = writing
        self._limit_bytes = limit_bytes

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Raises `OSError` when nobody listens any more, `BadInput` for what cannot be sent."""
        contents: list[bytes] = []
        text = json.dumps(_packed(message, contents)).encode()
        self._writing.write(_LENGTH.pack(len(text)))
        self._writing.write(text)
        for content in contents:
            self._writing.write(content)
        self._writing.flush()

    def receive(self) -> dict[str, Any]:
        """Return the next message. Raises `EOFError` when the other side has gone, `ValueError` for garbage."""
        document = json.loads(self._exactly(*_LENGTH.unpack(self._exactly(_LENGTH.size))))
        try:
            message = self._unpacked(document)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a message: {error}") from error
        if not isinstance(message, dict):
            raise ValueError("not a message: it is no mapping")
        return message

    def _unpacked(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._unpacked(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "mapping" in value:
            return {name: self._unpacked(one) for name, one in value["mapping"].items()}
        kind, dtype, shape, size = value["payload"]
        return decode(ParamRef("", kind, size, tuple(shape), dtype), self._exactly(size))  # type: ignore[arg-type]

    def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= self._limit_bytes:
            raise ValueError(f"a message of {size} bytes")
        content = self._reading.read(size)
        if len(content) != size:
            raise EOFError
        return content


def _packed(value: Any, contents: list[bytes]) -> Any:
    if isinstance(value, Mapping):
        return {"mapping": {str(name): _packed(one, contents) for name, one in value.items()}}
    if isinstance(value, list | tuple):
        return [_packed(one, contents) for one in value]
    if isinstance(value, np.ndarray | np.generic | bytes | bytearray | memoryview):
        encoded = encode(value)
        contents.append(encoded.content)
        return {"payload": [encoded.ref.kind, encoded.ref.dtype, list(encoded.ref.shape), len(encoded.content)]}
    return value
