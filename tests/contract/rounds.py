"""What tests of a whole cache store in it, round by round, and how they look whether it is still right."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from pathlib import Path

from quincunx_shared.names import Digest, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs
from quincunx_shared.stores.cache_folder import Cache, open_cache


def content_of(name: str, number: int) -> bytes:
    """40 KB that no other name and number has."""
    return sha256(f"{name} {number}".encode()).digest() * 1250


def signature_of(name: str, number: int) -> Signature:
    return Signature(sha256(f"signature {name} {number}".encode()).hexdigest())


def outputs_of(name: str, number: int) -> Outputs:
    """A large output, which is a blob, and a small one, which lies in the record."""
    content = content_of(name, number)
    small = content[:40]
    return (
        ParamRef(Digest(sha256(content).hexdigest()), "bytes", len(content)),
        ParamRef(Digest(sha256(small).hexdigest()), "bytes", len(small), inline=small),
    )


def store_round(cache: Cache, name: str, number: int) -> None:
    """Store what a step made, so that every process finds it."""
    outputs = outputs_of(name, number)
    cache.blobs.put(outputs[0].digest, content_of(name, number))
    cache.index.add({signature_of(name, number): outputs})
    cache.blobs.flush()
    cache.index.flush()


def store_rounds(root: Path, name: str, count: int) -> None:
    """Open a cache and store so many rounds."""
    with closing(open_cache(root)) as cache:
        for number in range(count):
            store_round(cache, name, number)


def is_whole(cache: Cache, name: str, number: int) -> bool:
    """Whether a round is known. What is known must be right, down to the last byte of its blob."""
    signature = signature_of(name, number)
    outputs = cache.index.find([signature]).get(signature)
    if outputs is None:
        return False
    assert_right(outputs, name, number)
    assert cache.blobs.get(outputs[0].digest) == content_of(name, number)
    return True


def assert_right(outputs: Outputs, name: str, number: int) -> None:
    """Inline bytes do not take part in the equality of references."""
    assert outputs == outputs_of(name, number)
    assert [ref.inline for ref in outputs] == [ref.inline for ref in outputs_of(name, number)]
