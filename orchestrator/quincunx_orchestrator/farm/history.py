"""What became of jobs, and which of them wait for a person, as documents in the store: what Redis loses is there again.

    history/<hour>      the records of jobs that ended in that hour, by render
    paused/<render>     the record of a job that somebody has paused

Redis lists the jobs that have ended since somebody looked (`jobs:ended`). Whoever looks does so alone; one that dies on
the way writes the same once more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from quincunx_orchestrator.farm import job_scripts
from quincunx_shared.farm.step_counts import PLANNED_STEPS, named
from quincunx_shared.farm.wire import dump
from quincunx_shared.names import RenderId
from quincunx_shared.ports import Documents

if TYPE_CHECKING:
    from redis import Redis

LOG = logging.getLogger(__name__)

HISTORY = "history/"
PAUSED = "paused/"

_HOUR = 3600

_AT_ONCE = 500

#: The record of a job as Redis keeps it.
_Fields = Mapping[str, str]


@dataclass(frozen=True)
class History:
    """The jobs of a farm that are over or paused. `count` adds to what the farm counts."""

    redis: Redis
    namespace: str
    documents: Documents
    count: Callable[[Mapping[str, float]], None] = lambda _: None

    def keep(self, since: float) -> None:
        """Write down what has ended since the last look, and drop what ended before a time."""
        ended = f"{self.namespace}:jobs:ended"
        while names := cast("list[bytes]", self.redis.lrange(ended, 0, _AT_ONCE - 1)):
            by_hour: dict[int, dict[str, _Fields]] = {}
            for fields in self._records(map(bytes.decode, names)):
                by_hour.setdefault(int(float(fields["ended_at"])) // _HOUR, {})[fields["render"]] = fields
            for hour, records in by_hour.items():
                if self._add(f"{HISTORY}{hour:010d}", records):
                    self._forget_before(since)
            with self.redis.pipeline(transaction=False) as pipe:
                # By name: whoever took longer than the lease for this look drops nothing that it has not written.
                for name in names:
                    pipe.lrem(ended, 1, name)  # type: ignore[arg-type] # bytes are as good
                pipe.execute()

    def restore(self) -> int:
        """Take up again the jobs that are over and that Redis does not know, and return how many."""
        return sum(self._remember(self._read(name).values()) for name in self.documents.names(HISTORY))

    def agree(self, active: AbstractSet[RenderId], paused: AbstractSet[RenderId]) -> None:
        """Write down which jobs are paused. Those that Redis has lost are paused again."""
        there = {RenderId(name.removeprefix(PAUSED)) for name in self.documents.names(PAUSED)}
        for render in there - active:
            if self._remember(self._read(PAUSED + render).values()):
                LOG.warning("job %s was lost by Redis and is paused again", render)
            else:
                self.documents.delete(PAUSED + render)
        for render in (there & active) - paused:
            self.documents.delete(PAUSED + render)
        for fields in self._records(paused - there):
            if fields["state"] == "paused":  # still
                self.documents.put(PAUSED + fields["render"], dump({fields["render"]: fields}))

    def _add(self, name: str, records: Mapping[str, _Fields]) -> bool:
        """Add to a document and count what is new in it. True if there was none."""
        before = self._read(name)
        self.documents.put(name, dump({**before, **records}))
        new = [fields for render, fields in records.items() if render not in before]
        # Of those that a coordinator saw through, the events say it.
        known = sum(_recalled(fields) for fields in new if fields.get("generation") == "0")
        if known:
            self.count({named(PLANNED_STEPS, "recalled"): known})
        return not before

    def _forget_before(self, moment: float) -> None:
        for name in self.documents.names(HISTORY):
            if (int(name.removeprefix(HISTORY)) + 1) * _HOUR < moment:
                self.documents.delete(name)

    def _read(self, name: str) -> dict[str, _Fields]:
        content = self.documents.get(name)
        try:
            return {} if content is None else dict(json.loads(content))
        except ValueError as error:
            LOG.error("%s cannot be read: %s", name, error)
            return {}

    def _records(self, names: Iterable[str]) -> Iterator[_Fields]:
        with self.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(f"{self.namespace}:job:{name}")
            for found in pipe.execute():
                if found:
                    yield {one.decode(): value.decode() for one, value in found.items()}

    def _remember(self, records: Iterable[_Fields]) -> int:
        script = self.redis.register_script(job_scripts.COMMON + job_scripts.REMEMBER)
        told: Any = [
            script(
                keys=[], args=[self.namespace, fields["render"], *(part for pair in fields.items() for part in pair)]
            )
            for fields in records
        ]
        return sum(told)


def _recalled(fields: _Fields) -> int:
    if fields.get("state") != "succeeded":
        return 0
    return int(json.loads(fields.get("result") or "{}").get("counts", {}).get("recalled", 0))
