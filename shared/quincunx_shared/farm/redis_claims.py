"""Who computes what right now, among the machines of a farm. `SharedFlights` of a worker stands on it.

    <namespace>:claim:<signature>    the process that computes it; gone when its lease ends, in the time of Redis

Claims only save work: what is computed twice is stored once. So where Redis does not answer, or takes nothing more,
everybody gets every claim, and a process that was held up longer than its lease loses nothing but the exclusiveness.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from quincunx_shared.errors import StoreUnreachable
from quincunx_shared.farm.redis_client import store_errors
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.names import Signature

if TYPE_CHECKING:
    from redis import Redis

LEASE_SECONDS = 15.0

#: ARGV: process, milliseconds. If the claim is this process's now, what the index says of the signature (KEYS[2]).
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {0} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if KEYS[2] then return {1, redis.call('GET', KEYS[2])} end
return {1}
"""

#: ARGV: process, milliseconds (0: let go). Only what is still this process's is touched.
_KEEP = """
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    if ARGV[2] == '0' then redis.call('DEL', key) else redis.call('PEXPIRE', key, ARGV[2]) end
  end
end
return 1
"""


class RedisClaims:
    """The claims of one process. Threads of it do not exclude each other; see `Flights`.

    Whoever has a claim looks the signature up next, so an index hears with the claim what is known of it.
    """

    def __init__(
        self,
        client: Redis,
        namespace: str = "qx",
        lease_seconds: float = LEASE_SECONDS,
        index: RedisIndex | None = None,
    ) -> None:
        self._index = index
        self._prefix = f"{namespace}:claim:"
        self._lease = lease_seconds
        self._me = uuid.uuid4().hex
        self._take = client.register_script(_TAKE)
        self._keep = client.register_script(_KEEP)
        self._changed = threading.Condition()
        self._held: set[Signature] = set()
        self._closing = False
        self._keeper: threading.Thread | None = None

    def take(self, signature: Signature) -> bool:
        """Claim a computation. False if another process has it now."""
        with self._changed:
            known = signature in self._held
            self._held.add(signature)
            if self._keeper is None and not self._closing:
                self._keeper = threading.Thread(target=self._renew, name="quincunx-claims", daemon=True)
                self._keeper.start()
        taken = False
        try:
            taken = self._run_take(signature)
        finally:
            if not taken and not known:
                with self._changed:
                    self._held.discard(signature)
        return taken

    def give_back(self, signatures: Iterable[Signature]) -> None:
        """Let others have them, as far as they are still this process's."""
        with self._changed:
            names = [name for name in signatures if name in self._held]
            self._held.difference_update(names)
        self._for_each(names, 0)

    def nobody_else(self) -> bool:
        """Never: a farm has other machines, and somebody may wait for what ends here."""
        return False

    def close(self) -> None:
        """Give everything back."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            keeper, names = self._keeper, list(self._held)
            self._held.clear()
        if keeper is not None:
            keeper.join()
        self._for_each(names, 0)

    def _run_take(self, signature: Signature) -> bool:
        index = self._index
        keys: list[str | bytes] = [self._prefix + signature, *([] if index is None else [index.key_of(signature)])]
        writes = 0 if index is None else index.writes
        try:
            with store_errors():
                taken, *known = self._take(keys, [self._me, round(self._lease * 1000)])
        except StoreUnreachable:
            return True
        if index is not None and known:
            index.hear({signature: known[0]}, writes)
        return bool(taken)

    def _for_each(self, names: Iterable[Signature], milliseconds: int) -> None:
        keys = [self._prefix + name for name in names]
        # Their leases end by themselves. An error would end the thread that renews them, for good.
        with suppress(StoreUnreachable), store_errors():
            if keys:
                self._keep(keys, [self._me, milliseconds])

    def _renew(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(self._lease / 3)
                if self._closing:
                    return
                names = list(self._held)
            self._for_each(names, round(self._lease * 1000))
