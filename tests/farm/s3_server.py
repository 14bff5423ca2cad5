"""Starts a real S3 server on a free port of the loopback, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quincunx_shared.farm.store_address import BucketAddress
from quincunx_shared.stores.bucket import Bucket, open_bucket
from quincunx_shared.stores.patience import Patience

#: Booting takes one second on an idle machine.
BOOT_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """A running server; `pid` is its one process."""

    endpoint: str
    access_key: str
    secret_key: str
    pid: int

    def bucket(self, name: str, endpoint: str = "", prefix: str = "", patience: Patience | None = None) -> Bucket:
        """Open a bucket, which need not exist, at this server or through what stands before it."""
        address = BucketAddress(endpoint or self.endpoint, name, prefix)
        return open_bucket(address, self.access_key, self.secret_key, patience=patience)


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Yield a server that keeps what it stores in a folder, which must not exist. Fails when it does not come up."""
    folder.mkdir()
    secret = os.urandom(12).hex()
    program = Path(__file__).with_name("swift_server.py")
    log = (folder / "log.txt").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(program), str(folder), "0"],
        env={**os.environ, "SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told.startswith("ready on "), (folder / "log.txt").read_text()
        yield S3Server(f"127.0.0.1:{told.split()[-1]}", "farm:worker", secret, process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        log.close()
        if process.stdout is not None:
            process.stdout.close()
