"""What the stores of one machine cost.

python tests/benchmarks/stores.py

put_40kb_ms, get_40kb_ms     one blob, written and read again (verified)
put_known_40kb_ms            a blob that is there already
missing_10k_ms               which of 10,000 blobs are there
add_10k_ms                   10,000 records of one or two outputs, written
find_10k_ms                  the same, found in one question
open_ms                      opening a cache that exists
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Signature
from quincunx_shared.payload import encode
from quincunx_shared.stores.cache_folder import Cache, open_cache

BLOBS, RECORDS, TIMES = 500, 10_000, 7


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with closing(open_cache(Path(folder))) as cache:
            figures = measure_blobs(cache) | measure_index(cache)
        figures["open_ms"] = median_ms(lambda: open_cache(Path(folder)).close())
    print(json.dumps({name: round(figure, 4) for name, figure in figures.items()}, indent=2))


def measure_blobs(cache: Cache) -> dict[str, float]:
    contents = {digest_of_bytes(content): content for content in (os.urandom(40_000) for _ in range(BLOBS))}

    def put_all() -> None:
        for digest, content in contents.items():
            cache.blobs.put(digest, content)

    def get_all() -> None:
        for digest in contents:
            cache.blobs.get(digest)

    asked = list(contents) * (RECORDS // BLOBS)
    return {
        "put_40kb_ms": milliseconds(put_all) / BLOBS,
        "put_known_40kb_ms": median_ms(put_all) / BLOBS,
        "get_40kb_ms": median_ms(get_all) / BLOBS,
        "missing_10k_ms": median_ms(lambda: cache.blobs.missing(asked)),
    }


def measure_index(cache: Cache) -> dict[str, float]:
    large, small = encode(b"x" * 5000).ref, encode([1.0] * 20).ref
    names = [Signature(sha256(str(number).encode()).hexdigest()) for number in range(RECORDS)]
    records = {name: (large, small) if number % 2 else (large,) for number, name in enumerate(names)}

    def add_all() -> None:
        cache.index.add(records)
        cache.index.flush()

    return {"add_10k_ms": milliseconds(add_all), "find_10k_ms": median_ms(lambda: cache.index.find(names))}


def median_ms(work: Callable[[], object]) -> float:
    return statistics.median(milliseconds(work) for _ in range(TIMES))


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
