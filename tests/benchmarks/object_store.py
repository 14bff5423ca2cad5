"""What an S3 store costs: many small blobs, one large one, and asking whether thousands are there.

`python tests/benchmarks/object_store.py [--blobs 2000] [--json]` starts a real server of its own, in one process on
this machine: the figures compare ways of asking it, and say little about other servers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.farm.s3_server import running_s3

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Digest
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.bucket import Bucket
from quincunx_shared.stores.machine_cache import MachineCache
from quincunx_shared.stores.presence import Presence
from quincunx_shared.stores.s3 import S3BlobStore, key_of

SIZE = 40_000


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(bucket: Bucket, count: int, folder: Path) -> dict[str, float]:
    blobs = {digest_of_bytes(content): content for content in (os.urandom(SIZE) for _ in range(count))}
    few = dict(list(blobs.items())[: count // 10])
    strangers = [digest_of_bytes(os.urandom(8)) for _ in range(count)]
    figures: dict[str, float] = {}

    def put_all(chosen: dict[Digest, bytes], writers: int) -> None:
        with closing(S3BlobStore(bucket)) as store, closing(BehindBlobStore(store, writers=writers)) as behind:
            for digest, content in chosen.items():
                behind.put(digest, content)
            behind.flush()

    figures["put_ms_one_writer"] = 1000 * seconds(lambda: put_all(few, 1)) / len(few)
    figures["put_ms_eight_writers"] = 1000 * seconds(lambda: put_all(blobs, 8)) / len(blobs)
    with closing(S3BlobStore(bucket, Presence(most=-1))) as store:
        figures["all_there_listed_s"] = seconds(lambda: store.missing(blobs))
        figures["half_there_listed_s"] = seconds(lambda: store.missing([*blobs, *strangers]))
        figures["few_there_asked_s"] = seconds(lambda: store.missing(list(blobs)[:50]))
        asked = list(blobs)[: count // 10]
        one_by_one = lambda: list(store._pool.map(lambda one: bucket.has(key_of(one)), asked))  # noqa: E731
        figures["all_there_asked_s"] = seconds(one_by_one) * 10
    with closing(S3BlobStore(bucket)) as store:
        store.missing(blobs)
        figures["remembered_s"] = seconds(lambda: store.missing(blobs))
        with closing(MachineCache(store, folder, 10e9)) as machine:
            figures["get_ms_one_by_one"] = 1000 * seconds(lambda: [store.get(one) for one in few]) / len(few)
            figures["fetch_ms_side_by_side"] = 1000 * seconds(lambda: machine.fetch(blobs)) / count
            figures["get_ms_from_machine"] = 1000 * seconds(lambda: [machine.get(one) for one in blobs]) / count
        large = os.urandom(1 << 20) * 100
        digest = digest_of_bytes(large)
        figures["put_100_mb_s"] = seconds(lambda: store.put(digest, large))
        figures["get_100_mb_s"] = seconds(lambda: store.get(digest))
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--blobs", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_s3(Path(folder) / "s3") as server:
        bucket = server.bucket("benchmark")
        bucket.make()
        figures = measure(bucket, wishes.blobs, Path(folder) / "machine")
    if wishes.json:
        print(json.dumps({"blobs": wishes.blobs, **figures}))
    else:
        print("\n".join(f"{name:24} {value:10.4f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
