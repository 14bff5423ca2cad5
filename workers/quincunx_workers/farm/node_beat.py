"""Tells the farm of this worker every few seconds, and hears whether it is to take no more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from quincunx_shared.farm.alive import AliveFile
from quincunx_shared.farm.nodes import BEAT_SECONDS, Node, RedisNodes

LOG = logging.getLogger(__name__)


@dataclass
class NodeBeat:
    """Beats on a thread of its own. `drained` is what a person asked for last, as far as was heard."""

    nodes: RedisNodes
    node: Node
    doing: Callable[[], tuple[str, ...]]
    alive: AliveFile
    #: What this machine measures of itself, asked at every beat.
    gauges: Callable[[], Mapping[str, float]] = dict
    #: Called at every beat: for what is told of in passing.
    also: Callable[[], None] = lambda: None
    drained: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self.node = replace(self.node, started_at=time.time())
        self._thread = threading.Thread(target=self._run, name="quincunx-node", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the node out of the list."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(BEAT_SECONDS)
        try:
            self.also()
            self.nodes.leave(self.node.name)
        except Exception as error:  # it falls silent instead
            LOG.warning("this node could not take its leave: %s", error)

    def beat(self) -> None:
        """Tell and hear once."""
        try:
            node = replace(self.node, doing=self.doing(), gauges=self.gauges(), taking=not self.drained)
            drain = self.nodes.beat(node)
            self.also()
        except Exception as error:  # the broker is away; Celery tells of it, too
            LOG.debug("this node could not tell of itself: %s", error)
            return
        if self.drained != (drain is not None):
            self.drained = drain is not None
            LOG.warning("this node takes %s", f"no more work: {drain.reason}" if drain else "work again")
            # At once: whoever asked waits to see that it was heard.
            self.beat()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.beat()
            self.alive.touch()
            self._ended.wait(BEAT_SECONDS)
