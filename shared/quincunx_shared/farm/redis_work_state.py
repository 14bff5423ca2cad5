"""The state of the bundles in Redis, for all coordinators and workers of a farm."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from quincunx_shared.events import Event
from quincunx_shared.farm import work_scripts
from quincunx_shared.farm.render_keys import BOARD, EVENTS, board_field, board_value, render_key
from quincunx_shared.farm.wire import event_to_json
from quincunx_shared.farm.work_scripts import PARTS, TOKEN_LENGTH
from quincunx_shared.farm.work_state import LEASE_SECONDS, MOST_ATTEMPTS, BundleId, Finished, Grant, Verdict
from quincunx_shared.names import RenderId

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

#: What a render leaves behind when nobody closes it is gone after this time.
KEEP_SECONDS = 7 * 86_400

#: That a render is over is known for so long: longer than anybody stands still who still sees it through.
_OVER_SECONDS = 3600

#: Redis answers nobody else while a script runs, so none of them touches more bundles than this.
_AT_ONCE = 500

#: What Redis says of a script it does not have, as the client words it.
_NOT_LOADED = "No matching script"


class RedisWorkState:
    """Work states of a namespace. The client must not decode answers; scripts are registered once."""

    def __init__(
        self, client: Redis, namespace: str = "qx", lease_seconds: float = LEASE_SECONDS, keep: float = KEEP_SECONDS
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._lease = round(lease_seconds * 1000)
        self._keep = round(keep * 1000)
        register = client.register_script
        self._release = register(work_scripts.RELEASE)
        self._take = register(work_scripts.LEASE)
        self._begin = register(work_scripts.BEGIN)
        self._finish = register(work_scripts.FINISH)
        self._tell = register(work_scripts.TELL)
        self._hand_back = register(work_scripts.HAND_BACK)
        self._leave = register(work_scripts.LEAVE)
        self._renew = register(work_scripts.RENEW)
        self._unclaimed = register(work_scripts.UNCLAIMED)
        self._in_hand = register(work_scripts.IN_HAND)
        self._unknown = register(work_scripts.UNKNOWN)
        self._stop = register(work_scripts.STOP)
        self._close = register(work_scripts.CLOSE)

    def release(self, render: RenderId, generation: int, bundles: Mapping[BundleId, bytes]) -> bool:
        """Open bundles, some at a time."""
        keys, told, opened = self._keys(render), list(bundles.items()), True
        # Of nothing, too, the answer says whether this generation is still the one.
        for first in range(0, len(told) or 1, _AT_ONCE):
            some = [part for pair in told[first : first + _AT_ONCE] for part in pair]
            opened = self._release(keys, [self._keep, generation, *some]) == 1 and opened
        return opened

    def suspend(self, render: RenderId, generation: int) -> None:
        """Begin the next generation, with nothing in it."""
        self._release(self._keys(render), [self._keep, generation + 1])

    def lease(self, render: RenderId, ids: Sequence[BundleId], worker: str) -> Grant:
        """Take what is free."""
        token = uuid.uuid4().hex
        granted = self._take(self._keys(render), [self._keep, token, self._lease, worker, *ids])
        if granted is None:
            return Grant(token, open=False)
        found = iter(granted)
        return Grant(token, {name.decode(): content for name, content in zip(found, found, strict=True)})

    def begin(
        self,
        render: RenderId,
        bundles: Sequence[BundleId],
        token: str,
        *,
        survived: Sequence[BundleId] = (),
        alone: bool = False,
    ) -> tuple[Verdict, ...]:
        """Count the attempts, and say whether to go on."""
        limits = [self._keep, token, self._lease, MOST_ATTEMPTS, int(alone)]
        given: list[Any] = [*limits, len(bundles), *bundles, *survived]
        return tuple(map(_verdict, self._begin(self._keys(render), given)))

    def finish(self, render: RenderId, token: str, finished: Sequence[Finished]) -> frozenset[BundleId]:
        """End bundles, in one round trip."""
        if not finished:
            return frozenset()
        keys = [*self._keys(render), *(render_key(self._namespace, render, part) for part in (BOARD, EVENTS))]
        answers = self._together(
            self._finish,
            [(keys, [self._keep, token, one.id, one.outcome, *_effects(one)]) for one in finished],
        )
        return frozenset(one.id for one, answer in zip(finished, answers, strict=True) if answer == 1)

    def tell(self, render: RenderId, worker: str, event: Event) -> None:
        """Add to the events."""
        keys = [*self._keys(render), render_key(self._namespace, render, EVENTS)]
        self._tell(keys, [self._keep, worker, event_to_json(event)])

    def hand_back(self, render: RenderId, ids: Sequence[BundleId], token: str, reason: str = "") -> None:
        """Let others have them."""
        if ids:
            self._hand_back(self._keys(render), [self._keep, token, reason, *ids])

    def leave(self, render: RenderId, ids: Sequence[BundleId]) -> None:
        """Tell that they lie in no queue."""
        if ids:
            self._leave(self._keys(render), [self._keep, *ids])

    def renew(self, render: RenderId, ids: Sequence[BundleId], token: str) -> Verdict:
        """Keep them."""
        return _verdict(self._renew(self._keys(render), [self._keep, token, self._lease, *ids]))

    def outcomes(self, render: RenderId, ids: Iterable[BundleId]) -> Mapping[BundleId, bytes]:
        """What has ended."""
        asked, key = iter(ids), self._keys(render)[PARTS.index("ended")]
        found: dict[BundleId, bytes] = {}
        while some := list(islice(asked, _AT_ONCE)):
            answers = cast("list[bytes | None]", self._client.hmget(key, some))
            found.update({one: value[TOKEN_LENGTH:] for one, value in zip(some, answers, strict=True) if value})
        return found

    def unclaimed(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """What nobody has."""
        asked, keys = iter(ids), self._keys(render)
        found: set[BundleId] = set()
        while some := list(islice(asked, _AT_ONCE)):
            found.update(name.decode() for name in self._unclaimed(keys, some))
        return found

    def unknown(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """What is neither open nor over."""
        asked, keys = iter(ids), self._keys(render)
        found: set[BundleId] = set()
        while some := list(islice(asked, _AT_ONCE)):
            found.update(name.decode() for name in self._unknown(keys, some))
        return found

    def returned(self, render: RenderId) -> Mapping[BundleId, int]:
        """How often they came back."""
        told = cast("dict[bytes, bytes]", self._client.hgetall(self._keys(render)[PARTS.index("returned")]))
        return {name.decode(): int(times) for name, times in told.items()}

    def in_hand(self, render: RenderId) -> int:
        """How many bundles somebody has."""
        return int(cast("int", self._in_hand(self._keys(render), [])))

    def refusals(self, render: RenderId) -> Mapping[BundleId, str]:
        """Why bundles were handed back."""
        told = cast("dict[bytes, bytes]", self._client.hgetall(self._keys(render)[PARTS.index("refusals")]))
        return {name.decode(): reason.decode() for name, reason in told.items()}

    def stop(self, render: RenderId) -> None:
        """Accept nothing more."""
        self._stop([*self._keys(render), render_key(self._namespace, render, BOARD)], [self._keep])

    def close(self, render: RenderId) -> None:
        """Forget it but for its end."""
        self._close(self._keys(render), [_OVER_SECONDS * 1000])

    def _keys(self, render: RenderId) -> list[str]:
        return [render_key(self._namespace, render, part) for part in PARTS]

    def _together(self, script: Script, calls: Sequence[tuple[list[str], list[Any]]]) -> list[Any]:
        """Run a script several times in one round trip. The client's own way asks each time whether it is loaded."""
        for last_try in (False, True):
            with self._client.pipeline(transaction=False) as pipe:
                for keys, given in calls:
                    pipe.evalsha(script.sha, len(keys), *keys, *given)
                answers = pipe.execute(raise_on_error=last_try)
            errors = [answer for answer in answers if isinstance(answer, Exception)]
            if not errors:
                return answers
            if not all(_NOT_LOADED in str(error) for error in errors):
                raise errors[0]
            # Redis was restarted. All of it is said again: what was done already stays as it is.
            self._client.script_load(script.script)
        return []


def _effects(one: Finished) -> list[bytes | int]:
    exports = [part for at, ref in one.exports.items() for part in (board_field(at), board_value(ref))]
    return [len(one.exports), *exports, *map(event_to_json, one.events)]


def _verdict(answer: bytes) -> Verdict:
    return cast("Verdict", answer.decode())
