"""Renders a song and fetches what it was rendered for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from quincunx_orchestrator.core.binding import BoundSong
from quincunx_orchestrator.core.planner import (
    DrawnOnConflict,
    Plan,
    conflicts_of,
    plan_render,
    recall_from,
    watched_signatures,
)
from quincunx_orchestrator.core.reasons import Ledger, reasons_by
from quincunx_orchestrator.render_result import RenderResult, final_state
from quincunx_orchestrator.rounds import Farm, see_through
from quincunx_shared.errors import BlobsLost
from quincunx_shared.events import RenderEnded
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef, Payload, decode
from quincunx_shared.recall import Recall

#: Takes a target's payload when all steps have ended, and returns what the result is to keep of it.
Deliver: TypeAlias = Callable[[RenderResult, Address, Payload], Payload]


class Renderer(Protocol):
    """Renders bound songs somewhere: in this process, or on a farm."""

    @property
    def recall(self) -> Recall:
        """The cache it renders on."""

    def render(
        self,
        song: BoundSong,
        targets: Sequence[Address],
        *,
        beside: Sequence[Address] = (),
        ledger: Ledger | None = None,
        deliver: Deliver | None = None,
    ) -> RenderResult:
        """Render targets and fetch their payloads; see `render`."""

    def forget(self) -> None:
        """Let go of what was kept for the song in hand."""


@dataclass(frozen=True)
class InProcess:
    """Renders on a farm that this process sees through itself."""

    farm: Farm

    @property
    def recall(self) -> Recall:
        """The cache it renders on."""
        return self.farm.recall

    def render(
        self,
        song: BoundSong,
        targets: Sequence[Address],
        *,
        beside: Sequence[Address] = (),
        ledger: Ledger | None = None,
        deliver: Deliver | None = None,
    ) -> RenderResult:
        """Render, here."""
        return render(song, targets, self.farm, beside=beside, ledger=ledger, deliver=deliver)

    def forget(self) -> None:
        """Let go of the song in hand."""
        self.farm.forget()


def plan(song: BoundSong, targets: Sequence[Address], recall: Recall, *, ledger: Ledger | None = None) -> Plan:
    """Plan a render of the targets against the cache, without running anything."""
    return recall_from(plan_render(song, targets, why=reasons_by(ledger or {}, song)), recall.find)


def render(
    song: BoundSong,
    targets: Sequence[Address],
    farm: Farm,
    *,
    beside: Sequence[Address] = (),
    ledger: Ledger | None = None,
    deliver: Deliver | None = None,
) -> RenderResult:
    """Render the targets and fetch their payloads; `beside` are targets that may fail, which is then `partial`.

    With `deliver`, the result keeps what that makes of each payload: a file that is written need not stay in memory.
    It is called once more for a target that had to be computed again.

    A phrase that fails leaves the others alone; the result is then `partial`. Blobs that are missing or wrong are
    computed again. A target is what its step makes: interventions lie between a step and those who read it.
    """
    places = song.places((*targets, *beside))

    def collect(result: RenderResult, refs: Mapping[Address, ParamRef]) -> bool:
        return deliver_all(
            result, {target: refs[at] for target, at in places.items() if at in refs}, farm.recall, deliver
        )

    result = see_through(
        song, tuple(places), farm, RenderId(uuid.uuid4().hex), why=reasons_by(ledger or {}, song), collect=collect
    )
    result.state = final_state(result, targets)
    result.conflicts = conflicts_now(song, farm.recall)
    farm.log.append(RenderEnded(result.id, result.state))
    return result


def deliver_all(
    result: RenderResult, refs: Mapping[Address, ParamRef], recall: Recall, deliver: Deliver | None
) -> bool:
    """Fetch the targets, verified. False if one is lost, so that it is computed again."""
    try:
        for target, ref in refs.items():
            payload = _fetch(ref, recall)
            result.payloads[target] = payload if deliver is None else deliver(result, target, payload)
    except BlobsLost:
        result.payloads.clear()
        return False
    return True


def _fetch(ref: ParamRef, recall: Recall) -> Payload:
    return decode(ref, recall.blobs.get(ref.digest) if ref.inline is None else ref.inline)


def conflicts_now(song: BoundSong, recall: Recall) -> tuple[DrawnOnConflict, ...]:
    """The overrides that were drawn on other outputs than those the cache holds now."""
    watched = watched_signatures(song)
    return conflicts_of(song, recall.find(watched)) if watched else ()
