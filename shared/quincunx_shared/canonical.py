"""One text form for every value, so that equal values have equal digests on every machine.

JSON with sorted keys, no spaces, UTF-8, floats in Python's shortest round-trip form (fixed by IEEE 754, the same
on every platform), NaN and infinities refused. JSON's own syntax carries the type tags: `1`, `1.0`, `"1"` and
`true` differ. Arrays and blobs stand as tagged objects (see `payload.ParamRef.identity`). Never `repr`, `hash()`,
pickle or the order of a dict: peers that used those served wrong results or computed twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import TypeAlias

from quincunx_shared.errors import BadInput
from quincunx_shared.names import Digest

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def canonical_bytes(value: object) -> bytes:
    """Return the canonical text of a JSON-like value (tuples count as lists) as UTF-8."""
    try:
        return _encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"this value has no canonical form: {error}") from error


def digest_of_bytes(content: bytes | bytearray | memoryview) -> Digest:
    """Return the SHA-256 of raw bytes."""
    return Digest(hashlib.sha256(content).hexdigest())


def digest_of(value: object) -> Digest:
    """Return the digest of a JSON-like value by its canonical text."""
    return digest_of_bytes(canonical_bytes(value))
