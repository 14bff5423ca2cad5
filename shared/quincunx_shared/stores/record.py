"""What the index writes of one computation: its outputs as bytes, with a checksum over them and their signature.

    checksum                                              u32, CRC-32 of the signature and all that follows
    per output:  digest                                   32 bytes
                 size_bytes, kind, dimensions             u64, u8, u8
                 length of dtype, length of inline bytes  u8, u32 (all ones: not inline)
                 shape, dtype, inline bytes               u64 each, ASCII, bytes

Little-endian. A fixed layout, because a song asks for ten thousand records at once, and JSON takes twice as long and
twice the room. Another layout needs another `database.SCHEMA`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from quincunx_shared.names import Digest
from quincunx_shared.payload import Kind, ParamRef
from quincunx_shared.ports import Outputs

_KINDS: tuple[Kind, ...] = ("json", "array", "bytes")
_CHECKSUM = struct.Struct("<I")
_OUTPUT = struct.Struct("<32sQBBBI")
_SHAPES = tuple(struct.Struct(f"<{dimensions}Q") for dimensions in range(256))
_NOT_INLINE = 0xFFFFFFFF


def pack(key: bytes, outputs: Outputs) -> bytes:
    """Return the record of a computation whose signature, as bytes, is `key`."""
    body = b"".join([_pack_one(ref) for ref in outputs])
    return _CHECKSUM.pack(_checksum(key, body)) + body


def unpack(key: bytes, record: object) -> Outputs | None:
    """Return the outputs, or None if these are not the bytes that were written for this signature."""
    if not isinstance(record, bytes) or len(record) < _CHECKSUM.size:
        return None
    # SQLite does not check its pages: without this a flipped bit in a small output would be sung.
    if _CHECKSUM.unpack_from(record)[0] != _checksum(key, record[_CHECKSUM.size :]):
        return None
    return tuple(_unpack_all(record))


def _checksum(key: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(key))


def _pack_one(ref: ParamRef) -> bytes:
    dtype = ref.dtype.encode("ascii")
    inline_size = _NOT_INLINE if ref.inline is None else len(ref.inline)
    head = _OUTPUT.pack(
        bytes.fromhex(ref.digest), ref.size_bytes, _KINDS.index(ref.kind), len(ref.shape), len(dtype), inline_size
    )
    return head + _SHAPES[len(ref.shape)].pack(*ref.shape) + dtype + (ref.inline or b"")


def _unpack_all(record: bytes) -> Sequence[ParamRef]:
    refs = []
    at, end = _CHECKSUM.size, len(record)
    while at < end:
        digest, size, kind, dimensions, dtype_size, inline_size = _OUTPUT.unpack_from(record, at)
        at += _OUTPUT.size
        shape: tuple[int, ...] = ()
        dtype, inline = "", None
        if dimensions:
            shape = _SHAPES[dimensions].unpack_from(record, at)
            at += 8 * dimensions
        if dtype_size:
            dtype = record[at : at + dtype_size].decode("ascii")
            at += dtype_size
        if inline_size != _NOT_INLINE:
            inline = record[at : at + inline_size]
            at += inline_size
        refs.append(ParamRef(Digest(digest.hex()), _KINDS[kind], size, shape, dtype, inline))
    return refs
