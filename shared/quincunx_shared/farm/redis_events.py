"""What happened in one render, as a Redis Stream: in order, without gaps, for any number of writers and readers.

Event k is the entry `0-<k+1>`: Redis itself counts (`XADD … 0-*`), so that workers that end a bundle can tell of it in
the same script. The stream is bounded, the oldest entries go first, and it is gone a while after its last event.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from quincunx_shared.events import Event, stamped
from quincunx_shared.farm.render_keys import AT_FIELD, EVENT_FIELD, EVENTS, WORKER_FIELD, render_key
from quincunx_shared.farm.wire import BadMessage, event_from_json, event_to_json
from quincunx_shared.names import RenderId

if TYPE_CHECKING:
    from redis import Redis

KEEP_SECONDS = 7 * 86_400

#: Far more than a song of ten thousand phrases tells of itself.
MOST_EVENTS = 500_000

_BATCH = 1000

#: A blocking read ends well before the client takes the silence for a dead server.
_BLOCK_PART = 0.5

#: KEYS: the stream, the writers. ARGV: milliseconds to keep, most events, writer, its count, events.
#: A call whose answer was lost comes again with the same count, and must not tell everything twice.
_APPEND = """
local before = redis.call('HGET', KEYS[2], ARGV[3])
if before then
  local count, last = string.match(before, '^(%d+) (.*)$')
  if count == ARGV[4] then return last end
end
local last, clock = '', redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
for i = 5, #ARGV do
  last = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '0-*', 'event', ARGV[i], 'at', now)
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4] .. ' ' .. last)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return last
"""


class RedisEventLog:
    """The events of one render. Threads may share it."""

    def __init__(
        self,
        client: Redis,
        namespace: str,
        render: RenderId,
        *,
        keep_seconds: float = KEEP_SECONDS,
        most_events: int = MOST_EVENTS,
    ) -> None:
        self._redis = client
        self._key = render_key(namespace, render, EVENTS)
        self._writers = render_key(namespace, render, f"{EVENTS}:writers")
        self._bounds = (round(keep_seconds * 1000), most_events)
        self._append = client.register_script(_APPEND)
        self._guard = threading.Lock()
        self._writer, self._count = uuid.uuid4().hex, 0
        timeout = client.connection_pool.connection_kwargs.get("socket_timeout")
        self._longest_block = float(timeout or 10.0) * _BLOCK_PART

    def append(self, event: Event) -> int:
        """Add an event and return its sequence number."""
        return self.append_all([event])

    def append_all(self, events: Sequence[Event]) -> int:
        """Add events, next to each other, in one round trip; return the sequence number of the last."""
        texts = [event_to_json(event) for event in events]
        with self._guard:
            self._count += 1
            last = self._append([self._key, self._writers], [*self._bounds, self._writer, self._count, *texts])
        return _sequence(last)

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from that sequence number on, as far as they are kept."""
        return tuple(event for _, event in self.numbered(sequence))

    def numbered(self, sequence: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield the events from that number on that are there now, each with its number.

        What a newer process told, in a form that is not known here, is left out; it keeps its number.
        """
        return ((number, event) for number, event in self._entries(sequence) if event is not None)

    def follow(self, since: int, seconds: float) -> list[tuple[int, Event]]:
        """Return the events from that number on; wait for the first of them, but no longer than that."""
        deadline = time.monotonic() + seconds
        while True:
            entries = list(self._entries(since))
            found = [(number, event) for number, event in entries if event is not None]
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            since = entries[-1][0] + 1 if entries else since
            block = max(1, round(min(left, self._longest_block) * 1000))
            self._redis.xread({self._key: f"0-{since}"}, count=1, block=block)

    def _entries(self, sequence: int) -> Iterator[tuple[int, Event | None]]:
        while True:
            entries = cast("list[Any]", self._redis.xrange(self._key, f"0-{sequence + 1}", "+", count=_BATCH))
            for name, fields in entries:
                sequence = _sequence(name) + 1
                yield sequence - 1, _event(fields)
            if len(entries) < _BATCH:
                return

    def forget(self) -> None:
        """Drop all events."""
        self._redis.unlink(self._key, self._writers)


def _event(fields: Mapping[bytes, bytes]) -> Event | None:
    try:
        event = event_from_json(fields[EVENT_FIELD.encode()])
    except BadMessage:
        return None
    at, worker = fields.get(AT_FIELD.encode(), b"0"), fields.get(WORKER_FIELD.encode(), b"")
    return stamped(event, int(at) / 1000, worker.decode())


def _sequence(name: bytes | str) -> int:
    text = name.decode() if isinstance(name, bytes) else name
    return int(text.partition("-")[2]) - 1
