"""Why a step runs: what it is made of now, against what it was made of in the last render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from quincunx_orchestrator.core.binding import BoundSong
from quincunx_shared.canonical import Json, digest_of
from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import Source

NEVER_RENDERED = "never rendered before"
NOT_IN_CACHE = "nothing changed, but its result is no longer in the cache"


@dataclass(frozen=True)
class StepRecord:
    """What went into a step's signature, part by part, in short.

    `options` are the values; `inputs` hold, for each port, the digests of its sources: of the payload itself, or of
    the recipe of the step that makes it (`feeders` names those steps).
    """

    version: str
    options: Mapping[str, Json]
    inputs: Mapping[str, tuple[str, ...]]
    feeders: Mapping[str, tuple[str, ...]]
    #: What kept the step from a lasting result in the last render, if anything did.
    failure: str = ""


Ledger: TypeAlias = Mapping[tuple[SegmentId, str], StepRecord]


def record_of(song: BoundSong, segment: SegmentId, node: str) -> StepRecord:
    """Return the record of one bound step."""
    step = song.step(segment, node)
    inputs: dict[str, tuple[str, ...]] = {}
    feeders: dict[str, tuple[str, ...]] = {}
    for feed, sources in zip(step.compiled.step.feeds, step.sources, strict=True):
        inputs[feed.port] = tuple(_digest_of_source(song, source) for source in sources)
        feeders[feed.port] = tuple(source.address.key.node for source in sources if source.address)
    return StepRecord(step.compiled.manifest.version, step.compiled.step.options, inputs, feeders)


def reasons_by(ledger: Ledger, song: BoundSong) -> Callable[[tuple[SegmentId, str]], str]:
    """Return what gives the reason for a step, from what each step was made of in the last render."""

    def why(key: tuple[SegmentId, str]) -> str:
        before = ledger.get(key)
        return reason_for(record_of(song, *key), before) if before else NEVER_RENDERED

    return why


def reason_for(now: StepRecord, before: StepRecord) -> str:
    """Return the reason in a person's words, naming every part that changed."""
    changes = [f"step version {before.version} → {now.version}"] if before.version != now.version else []
    changes += _option_changes(now.options, before.options)
    for port, digests in now.inputs.items():
        changes += _input_change(port, digests, before.inputs.get(port, ()), now.feeders.get(port, ()))
    return "; ".join(changes) or before.failure or NOT_IN_CACHE


def _digest_of_source(song: BoundSong, source: Source) -> str:
    if source.address is not None:
        base: str = song.step(source.address.segment, source.address.key.node).signature
    else:
        base = source.value.digest if source.value else ""
    laid = [one.identity() for one in source.interventions]
    return base[:12] + (f"+{digest_of(laid)[:12]}" if laid else "")


def _option_changes(now: Mapping[str, Json], before: Mapping[str, Json]) -> list[str]:
    return [
        f"option {name} changed {_short(before.get(name))} → {_short(value)}"
        for name, value in now.items()
        if before.get(name) != value
    ]


def _input_change(port: str, now: tuple[str, ...], before: tuple[str, ...], feeders: tuple[str, ...]) -> list[str]:
    if now == before:
        return []
    if len(now) == 1 and len(before) == 1:
        subject = f"{feeders[0]} → {port}" if feeders else f"input {port}"
        intervened = now[0].split("+")[0] == before[0].split("+")[0]
        return [f"{subject}: the edit laid on it changed" if intervened else f"{subject} changed"]
    if len(now) <= 1 and len(before) <= 1:
        return [f"input {port} {'is new' if now else 'is gone'}"]
    return [_many_changed(port, now, before)]


def _many_changed(port: str, now: tuple[str, ...], before: tuple[str, ...]) -> str:
    new, gone = len(set(now) - set(before)), len(set(before) - set(now))
    parts = [f"{new} of {len(now)} new or changed"] if new else []
    parts += [f"{gone} of {len(before)} gone or changed"] if gone and not new else []
    return f"input {port}: {', '.join(parts) or 'another order'}"


def _short(value: Json) -> str:
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 16 else f"{text[:12]}…"
