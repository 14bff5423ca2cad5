"""Envelopes: a message says what it is for, until when it is good, and that somebody of this farm wrote it.

    qx1 <HMAC-SHA256 in hex> {"kind": …, "expires": …, "nonce": …, "fields": {…}}

The seal covers every byte after it, and the kind is inside: a message that is changed, or put under another task's
name, is refused. A message sent twice is not told from the first one here; whoever acts on one asks a durable state
whether there is anything left to do.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from quincunx_shared.errors import QuincunxError

_VERSION = "qx1"

#: A message that is so old was sent again long ago.
TTL_SECONDS = 86_400.0

#: A day of songs fits many times; what is larger was not written by us.
MOST_CHARACTERS = 4_000_000


class BadEnvelope(QuincunxError):
    """A message that nobody of this farm wrote, or that is too old. Workers count it; nothing is done."""


def seal(kind: str, fields: Mapping[str, Any], key: bytes, now: float, ttl: float = TTL_SECONDS) -> str:
    """Put fields, which are JSON, into an envelope. `now` is the time of Redis, which all machines share."""
    told = {"kind": kind, "expires": round(now + ttl, 3), "nonce": secrets.token_hex(12), "fields": fields}
    body = json.dumps(told, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"{_VERSION} {_seal_of(body, key)} {body}"


def open_sealed(text: object, kind: str, keys: bytes | Sequence[bytes], now: float) -> Mapping[str, Any]:
    """Return the fields of an envelope of this kind, sealed with the key or, while keys change, with one of several.

    Raises `BadEnvelope`, without the content: it may be anything.
    """
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        raise BadEnvelope("a message is no envelope")
    version, _, rest = text.partition(" ")
    seal_told, _, body = rest.partition(" ")
    if version != _VERSION:
        raise BadEnvelope("a message has no envelope of a known version", remedy="update the older side")
    known = [keys] if isinstance(keys, bytes) else keys
    told_seal = seal_told.encode("utf-8", "surrogatepass")
    if not any(hmac.compare_digest(told_seal, _seal_of(body, key).encode()) for key in known):
        raise BadEnvelope("a message is not sealed with this farm's key", remedy="give all of a farm the same key file")
    told = json.loads(body)
    if told["kind"] != kind:
        raise BadEnvelope(f"a message is for {told['kind']} and came to {kind}")
    if told["expires"] < now:
        raise BadEnvelope(f"a message expired {now - told['expires']:.0f} s ago")
    fields: Mapping[str, Any] = told["fields"]
    return fields


def _seal_of(body: str, key: bytes) -> str:
    return hmac.new(key, body.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
