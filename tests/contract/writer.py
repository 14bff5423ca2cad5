"""A process that writes into a cache, for tests in which several do, or in which one is killed.

python -m tests.contract.writer ROOT NAME FIRST COUNT

It says `ready`, waits for a line, opens the cache and writes the results FIRST … FIRST + COUNT - 1. After each one
that every process can find from then on it says the number and the digest of what the index knows.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Digest, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.stores.cache_folder import Cache, open_cache

ROOT = Path(__file__).parents[2]


def signature_of(number: int) -> Signature:
    """The name of a computation."""
    return Signature(sha256(b"step %d" % number).hexdigest())


def content_of(number: int, name: str = "") -> bytes:
    """What the computation made: the same from every writer, unless they sign it."""
    return sha256(f"{name} {number}".encode()).digest() * 1250


def keep(cache: Cache, number: int, name: str = "") -> Digest:
    """Put a result into the cache, and return the digest that the index knows afterwards."""
    content = content_of(number, name)
    ref = ParamRef(digest_of_bytes(content), "bytes", len(content))
    cache.blobs.put(ref.digest, content)
    cache.index.add({signature_of(number): (ref,)})
    cache.index.flush()
    ((known,),) = cache.index.find([signature_of(number)]).values()
    return known.digest


def start(root: Path, name: str, first: int, count: int) -> subprocess.Popen[str]:
    """Start a writer and wait until it is ready to open the cache."""
    command = [sys.executable, "-W", "error", "-m", "tests.contract.writer", str(root), name, str(first), str(count)]
    pipe = subprocess.PIPE
    writer = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def main(root: Path, name: str, first: int, count: int) -> None:
    """Write, and say what was written."""
    print("ready", flush=True)
    sys.stdin.readline()
    with closing(open_cache(root)) as cache:
        for number in range(first, first + count):
            print(number, keep(cache, number, name), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
