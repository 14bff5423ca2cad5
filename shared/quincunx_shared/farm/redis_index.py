"""The signature index in Redis: signature → outputs, for all machines of a farm.

    <namespace>:sig:<32 bytes of the signature>    a record of `stores.record`, with its checksum; never expires

A whole plan is one question. Measured: 10,000 records are found in 40 ms (17 of them Redis), and take 136 bytes each
with one large output.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from quincunx_shared.farm.redis_client import store_errors
from quincunx_shared.names import Signature
from quincunx_shared.ports import Outputs
from quincunx_shared.stores.record import pack, unpack

if TYPE_CHECKING:
    from redis import Redis

#: Redis answers nobody else while one command runs; one with so many keys takes it under a millisecond.
_BATCH = 1000


class RedisIndex:
    """Signature → outputs. The first writer of a signature wins.

    What was added is written with the next `flush`, in one round trip; until then this process finds it all the
    same, and a crash loses it, which is computed again. A record that is not as it was written is dropped.

    Raises `StoreUnreachable` for whatever the server has: none of it is a step's fault.
    """

    def __init__(self, client: Redis, namespace: str = "qx") -> None:
        self._redis = client
        self._prefix = f"{namespace}:sig:".encode()
        self._guard = threading.Lock()
        # Held while records are written or forgotten, so that none comes back that was forgotten on its way.
        self._writing = threading.Lock()
        self._unwritten: dict[Signature, Outputs] = {}
        #: Answers that came with other questions, each good for one look.
        self._heard: dict[Signature, bytes | None] = {}
        #: How often something was written: an answer to what was asked before that may not be true any more.
        self.writes = 0

    def key_of(self, signature: Signature) -> bytes:
        """Where a record lies, for scripts that look at it on the way."""
        return self._prefix + bytes.fromhex(signature)

    def hear(self, records: Mapping[Signature, bytes | None], writes: int) -> None:
        """Take note of what lay there after so many writes, so that the next `find` of these names need not ask."""
        with self._guard:
            if writes == self.writes:
                self._heard.update(records)

    def foresee(self, signatures: Iterable[Signature]) -> None:
        """Look up, in one round trip, what is about to be asked for one by one; forget what was foreseen before.

        What somebody adds in between is overlooked once: the step is then known by its real inputs.
        """
        names = list(dict.fromkeys(signatures))
        records = self._records([bytes.fromhex(name) for name in names])
        with self._guard:
            self._heard = dict(zip(names, records, strict=True))

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known of the signatures."""
        names = list(dict.fromkeys(signatures))
        with self._guard:
            found = {name: self._unwritten[name] for name in names if name in self._unwritten}
            heard = {name: self._heard.pop(name) for name in names if name in self._heard}
        unheard = [name for name in names if name not in heard]
        records = heard | dict(zip(unheard, self._records([bytes.fromhex(name) for name in unheard]), strict=True))
        spoilt: list[Signature] = []
        for name, record in records.items():
            key = bytes.fromhex(name)
            if record is None:
                continue
            # What is written came first and wins over what waits here.
            if (outputs := unpack(key, record)) is not None:
                found[name] = outputs
            else:
                spoilt.append(name)
        if spoilt:
            # Left in place they would win over every later result, and their steps would run in every render.
            self.forget(spoilt)
        return found

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add records; those that exist stay as they are."""
        with self._guard:
            for name, outputs in records.items():
                self._unwritten.setdefault(name, outputs)

    def flush(self, first: Callable[[], None] = lambda: None) -> None:
        """Write what is not written yet, so that every process finds it."""
        with self._guard:
            asked = dict(self._unwritten)
        first()
        with self._writing:
            with self._guard:
                # What was forgotten meanwhile is left out, even if it was added anew.
                taken = {name: made for name, made in asked.items() if self._unwritten.get(name) is made}
            if not taken:
                return
            with store_errors(), self._redis.pipeline(transaction=False) as writing:
                for name, outputs in taken.items():
                    key = bytes.fromhex(name)
                    writing.set(self._prefix + key, pack(key, outputs), nx=True)
                writing.execute()
            with self._guard:
                self.writes += 1
                for name in taken:
                    del self._unwritten[name]
                    # From here on, who heard before that nothing is there would find it in neither place.
                    self._heard.pop(name, None)

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records."""
        names = list(signatures)
        with self._writing:
            with self._guard:
                for name in names:
                    self._unwritten.pop(name, None)
            self._delete([bytes.fromhex(name) for name in names])

    def records(self) -> Iterator[tuple[Signature, Outputs | None]]:
        """Every record that is there from the beginning to the end, some of them perhaps twice; None is spoilt."""
        pattern = self._prefix.replace(b"[", b"\\[") + b"*"
        names = cast("Iterator[bytes]", self._redis.scan_iter(pattern, count=_BATCH))
        keys = (name[len(self._prefix) :] for name in names)
        while batch := _next_of(keys):
            for key, record in zip(batch, self._records(batch), strict=True):
                if record is not None:
                    yield Signature(key.hex()), unpack(key, record)

    def _records(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if not keys:
            return []
        with store_errors(), self._redis.pipeline(transaction=False) as asking:
            for start in range(0, len(keys), _BATCH):
                asking.mget([self._prefix + key for key in keys[start : start + _BATCH]])
            answers: list[Any] = asking.execute()
        return [record for answer in answers for record in answer]

    def _delete(self, keys: Sequence[bytes]) -> None:
        if keys:
            with store_errors(), self._redis.pipeline(transaction=False) as dropping:
                for start in range(0, len(keys), _BATCH):
                    dropping.unlink(*(self._prefix + key for key in keys[start : start + _BATCH]))
                dropping.execute()


def _next_of(keys: Iterator[bytes]) -> list[bytes]:
    with store_errors():
        return list(islice(keys, _BATCH))
