"""The machines of a farm: who is there, what each can do, and whom a person has asked to take no more.

Every coordinator and worker tells of itself every `BEAT_SECONDS`, and hears in return whether it is drained. Times are
those of Redis. A node that fell silent stays in the list for a day, so that a person sees what is missing.

    <namespace>:nodes    name → JSON of a `Node`, with the time of its last beat
    <namespace>:classes  device and numeric class → when a worker of them told of itself last; stays when they go, for
                         those that come in their place compute alike
    <namespace>:drains   name → JSON of a `Drain`; stays when the node goes, for it comes back under the same name
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from redis import Redis

BEAT_SECONDS = 5.0

#: Three beats and a little: one lost packet is no dead machine.
SILENT_SECONDS = 16.0

FORGET_SECONDS = 86400.0


@dataclass(frozen=True)
class Node:
    """A coordinator or worker as it tells of itself."""

    name: str
    role: Literal["worker", "coordinator"]
    host: str
    pid: int
    version: str
    device: str = ""
    queues: tuple[str, ...] = ()
    slots: int = 1
    numeric_class: str = ""
    #: Of every step that it can run, the version.
    steps: Mapping[str, str] = field(default_factory=dict)
    #: What it does just now, in words: `render 1a2b, acoustic: s17`.
    doing: tuple[str, ...] = ()
    started_at: float = 0.0
    #: Whether it takes work: false once it has heard that it is drained.
    taking: bool = True
    #: What it measures of itself, for metrics: `vram_used_bytes`.
    gauges: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Drain:
    """A node is to finish what it has and take no more."""

    reason: str
    by: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class SeenNode:
    """A node as the farm sees it."""

    node: Node
    silent_seconds: float
    drain: Drain | None = None

    @property
    def state(self) -> Literal["up", "draining", "drained", "silent"]:
        """`silent`: it died or cannot reach Redis; `draining`: it has not heard of it, or works on what it had."""
        if self.silent_seconds > SILENT_SECONDS:
            return "silent"
        if self.drain is None:
            return "up"
        return "draining" if self.node.doing or self.node.taking else "drained"


class RedisNodes:
    """The list of nodes in Redis."""

    def __init__(self, client: Redis, namespace: str) -> None:
        self._redis = client
        self._nodes = f"{namespace}:nodes"
        self._classes = f"{namespace}:classes"
        self._drains = f"{namespace}:drains"

    def beat(self, node: Node) -> Drain | None:
        """Tell of a node, and return what a person has asked of it."""
        with self._redis.pipeline(transaction=False) as asking:
            asking.hget(self._drains, node.name)
            asking.time()
            asked, told = asking.execute()
        content = json.dumps({**asdict(node), "seen_at": _seconds(told)}, ensure_ascii=False)
        with self._redis.pipeline(transaction=False) as telling:
            telling.hset(self._nodes, node.name, content)
            if node.role == "worker" and node.numeric_class:
                telling.hset(self._classes, f"{node.device} {node.numeric_class}", _seconds(told))
            telling.execute()
        return _drain(asked)

    def leave(self, name: str) -> None:
        """Take a node out of the list: it ended as it was meant to."""
        self._redis.hdel(self._nodes, name)

    def seen(self) -> list[SeenNode]:
        """Every node of the last day, by name."""
        with self._redis.pipeline(transaction=False) as asking:
            asking.hgetall(self._nodes)
            asking.hgetall(self._drains)
            asking.time()
            nodes, drains, told = asking.execute()
        asked = {_text(name): _drain(content) for name, content in drains.items()}
        found = [_seen(content, _seconds(told)) for content in nodes.values()]
        self._forget([one.node.name for one in found if one.silent_seconds > FORGET_SECONDS])
        recent = (one for one in found if one.silent_seconds <= FORGET_SECONDS)
        return sorted((replace(one, drain=asked.get(one.node.name)) for one in recent), key=lambda one: one.node.name)

    def last_classes(self) -> dict[str, str]:
        """Of each device, the numeric class in which its workers computed last, whether or not one is up."""
        return {device: numeric for _, device, numeric in self._classes_seen()}

    def recent_classes(self, seconds: float) -> dict[str, set[str]]:
        """Of each device, the numeric classes in which workers of it computed so lately."""
        since = _seconds(self._redis.time()) - seconds
        found: dict[str, set[str]] = {}
        for at, device, numeric in self._classes_seen():
            if at > since:
                found.setdefault(device, set()).add(numeric)
        return found

    def _classes_seen(self) -> list[tuple[float, str, str]]:
        told = {_text(name): float(at) for name, at in self._redis.hgetall(self._classes).items()}
        return sorted((at, *name.split(" ", 1)) for name, at in told.items())  # type: ignore[misc] # two

    def drain(self, name: str, reason: str, by: str = "") -> None:
        """Ask a node to take no more."""
        told = self._redis.time()
        self._redis.hset(self._drains, name, json.dumps(asdict(Drain(reason, by, _seconds(told))), ensure_ascii=False))

    def undrain(self, name: str) -> bool:
        """Let a node work again. False if nobody had drained it."""
        return bool(self._redis.hdel(self._drains, name))

    def _forget(self, names: list[str]) -> None:
        if names:
            self._redis.hdel(self._nodes, *names)


def _seen(content: bytes | str, now: float) -> SeenNode:
    fields: dict[str, Any] = json.loads(content)
    seen_at = fields.pop("seen_at")
    # A newer node may tell more than we know.
    known = {name: fields[name] for name in Node.__dataclass_fields__ if name in fields}
    node = Node(**{**known, "queues": tuple(known["queues"]), "doing": tuple(known["doing"])})
    return SeenNode(node, max(now - seen_at, 0.0))


def _drain(content: bytes | str | None) -> Drain | None:
    return None if content is None else Drain(**json.loads(content))


def _seconds(told: tuple[int, int]) -> float:
    return told[0] + told[1] / 1e6


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
