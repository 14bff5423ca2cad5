"""The blackboard of one render in Redis: a hash, gone after the render, or after a while when nobody closes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quincunx_shared.errors import MissingInputs
from quincunx_shared.farm.render_keys import BOARD, board_field, board_ref, board_value, render_key
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef

if TYPE_CHECKING:
    from redis import Redis

#: As long as the rest of what a render leaves behind when nobody closes it.
KEEP_SECONDS = 7 * 86_400

_BATCH = 1000


class RedisBoard:
    """References by address. Workers write to the same hash when they end a bundle."""

    def __init__(self, client: Redis, namespace: str, render: RenderId, keep_seconds: float = KEEP_SECONDS) -> None:
        self._redis = client
        self._key = render_key(namespace, render, BOARD)
        self._keep = round(keep_seconds * 1000)

    def put(self, values: Mapping[Address, ParamRef]) -> None:
        """Pin references, in one round trip."""
        if not values:
            return
        fields = {board_field(address): board_value(ref) for address, ref in values.items()}
        with self._redis.pipeline(transaction=False) as writing:
            writing.hset(self._key, mapping=fields)  # type: ignore[arg-type]
            writing.pexpire(self._key, self._keep)
            writing.execute()

    def take(self, addresses: Sequence[Address]) -> Mapping[Address, ParamRef]:
        """Return the references, or name what is missing."""
        if not addresses:
            return {}
        with self._redis.pipeline(transaction=False) as asking:
            for start in range(0, len(addresses), _BATCH):
                asking.hmget(self._key, [board_field(one) for one in addresses[start : start + _BATCH]])
            answers: list[Any] = asking.execute()
        values: list[bytes | None] = [value for answer in answers for value in answer]
        found = {one: board_ref(value) for one, value in zip(addresses, values, strict=True) if value is not None}
        taken = {one: ref for one, ref in found.items() if ref is not None}
        if absent := [one for one in addresses if one not in taken]:
            ports: dict[str, list[str]] = {}
            for one in absent:
                ports.setdefault(f"{one.segment}/{one.key.node}", []).append(one.key.port)
            raise MissingInputs(ports, where="the blackboard")
        return taken

    def close(self) -> None:
        """Forget everything."""
        self._redis.unlink(self._key)
