"""The ledger of a song: what every step of its last render was made of, so that the next can say what changed.

A phrase that was edited has another name, so the ledger is matched to the phrases of today: by name, else by place,
else by what they share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_orchestrator.core.binding import BoundSong
from quincunx_orchestrator.core.reasons import Ledger, StepRecord, record_of
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_shared.canonical import Json, canonical_bytes
from quincunx_shared.names import SONG, SegmentId, Signature

#: Changes when the form of the record does; an older record is then as good as none.
FORM = 3


@dataclass(frozen=True)
class PhraseRecord:
    """One phrase of the last render: where it stood, and what its steps were made of."""

    name: str
    track: int
    anchor_tick: int
    label: str
    steps: Mapping[str, StepRecord]


@dataclass(frozen=True)
class SongRecord:
    """The last render of a song."""

    phrases: tuple[PhraseRecord, ...]
    song: Mapping[str, StepRecord]
    #: By segment: what made the files beside the song.
    beside: Mapping[SegmentId, Mapping[str, StepRecord]] = field(default_factory=dict)


def record_song(
    assembly: Assembly,
    bound: BoundSong,
    failures: Mapping[tuple[SegmentId, str], str],
    former: SongRecord | None = None,
) -> bytes:
    """Return the record of a song as it was rendered. `failures` are the steps without a lasting result, and why.

    Stems that were not asked for this time stay as the former record has them.
    """
    phrases: list[Json] = [
        [one.segment.id, one.track, one.anchor_tick, one.segment.label, _steps(bound, one.segment.id, failures)]
        for one in assembly.placed
    ]
    stems = former.beside if former else {}
    beside = {name: _form(steps, {}) for name, steps in stems.items()}
    for one in assembly.deliverables:
        # A phrase's file has the phrase's name: after an edit it is another one, and nothing is left to compare.
        if one.kind == "stem":
            beside[one.segment.id] = _steps(bound, one.segment.id, failures)
    return canonical_bytes([FORM, phrases, _steps(bound, SONG, failures), {**beside}])


def read_record(content: bytes | None) -> SongRecord | None:
    """Read a record; None if there is none, or one of another form."""
    if content is None:
        return None
    try:
        form, *rest = json.loads(content)
        if form != FORM:
            return None
        phrases, song, beside = rest
        records = tuple(
            PhraseRecord(name, track, tick, label, _read_steps(steps)) for name, track, tick, label, steps in phrases
        )
        return SongRecord(records, _read_steps(song), {name: _read_steps(steps) for name, steps in beside.items()})
    except (ValueError, TypeError, KeyError):
        # The record only explains; a render must never fail for it.
        return None


def ledger_for(assembly: Assembly, record: SongRecord | None) -> Ledger:
    """Return the record under today's names."""
    if record is None:
        return {}
    ledger = {(SONG, node): step for node, step in record.song.items()}
    for segment, steps in record.beside.items():
        ledger.update({(segment, node): step for node, step in steps.items()})
    for name, former in match_phrases(assembly, record).items():
        ledger.update({(name, node): step for node, step in former.steps.items()})
    return ledger


def with_losses(
    ledger: Ledger,
    bound: BoundSong,
    gone: Callable[[Iterable[Signature]], Mapping[Signature, tuple[float, str]]],
) -> Ledger:
    """Return the ledger with what is known of results that left the cache; `gone` says when and why they did."""
    names = {
        key: step.signature
        for key in ledger
        if key[0] in bound.segments and (step := bound.segments[key[0]].steps.get(key[1])) is not None
    }
    lost = gone(names.values())
    if not lost:
        return ledger
    told = {
        key: replace(ledger[key], failure=ledger[key].failure or f"its result was {lost[name][1]}")
        for key, name in names.items()
        if name in lost
    }
    return {**ledger, **told}


def signatures_by_part(assembly: Assembly, bound: BoundSong) -> dict[tuple[str, str], list[Signature]]:
    """Return the signatures a song uses, by the voice that sings them and the step; the mix and recordings have
    the voice ''.
    """
    voices = {
        SONG: "",
        **{one.segment.id: "" for one in assembly.waves},
        **{one.segment.id: one.voice for one in assembly.placed},
    }
    found: dict[tuple[str, str], list[Signature]] = {}
    for segment, voice in voices.items():
        if segment in bound.segments:
            for node, step in bound.segments[segment].steps.items():
                found.setdefault((voice, node), []).append(step.signature)
    return found


def match_phrases(assembly: Assembly, record: SongRecord) -> dict[SegmentId, PhraseRecord]:
    """Find for each phrase of today the phrase it was: the same content, else the same place on the same track.

    What is left on both sides is paired by what it shares, most first; with nothing in common, a phrase is new.
    """
    left = {one.name: one for one in record.phrases}
    found: dict[SegmentId, PhraseRecord] = {}
    for placed in assembly.placed:
        if placed.segment.id in left:
            found[placed.segment.id] = left.pop(placed.segment.id)
    places = {(one.track, one.anchor_tick): one for one in left.values()}
    for placed in assembly.placed:
        former = places.get((placed.track, placed.anchor_tick))
        if placed.segment.id not in found and former is not None and former.name in left:
            found[placed.segment.id] = left.pop(former.name)
    open_phrases = [one for one in assembly.placed if one.segment.id not in found]
    for placed in open_phrases:
        same_track = [one for one in left.values() if one.track == placed.track]
        digests = {value.ref.digest[:12] for value in placed.segment.inputs.values()}
        best = max(same_track, key=lambda one: len(digests & _input_digests(one)), default=None)
        if best is not None and len(digests & _input_digests(best)) > _COMMON_TO_ALL:
            found[placed.segment.id] = left.pop(best.name)
    return found


#: Phonology and the two id tables are the same for every phrase of a voice: sharing them means nothing.
_COMMON_TO_ALL = 3


def _input_digests(phrase: PhraseRecord) -> set[str]:
    return {digest for step in phrase.steps.values() for digests in step.inputs.values() for digest in digests}


def _steps(bound: BoundSong, segment: SegmentId, failures: Mapping[tuple[SegmentId, str], str]) -> Json:
    records = {node: record_of(bound, segment, node) for node in bound.segments[segment].steps}
    return _form(records, {node: failures[segment, node] for node in records if (segment, node) in failures})


def _form(records: Mapping[str, StepRecord], failures: Mapping[str, str]) -> Json:
    return {
        node: [
            one.version,
            dict(one.options),
            _lists(one.inputs),
            _lists(one.feeders),
            failures.get(node, one.failure),
        ]
        for node, one in records.items()
    }


def _lists(values: Mapping[str, Sequence[str]]) -> Json:
    return {name: list(found) for name, found in values.items()}


def _read_steps(steps: Mapping[str, Sequence[object]]) -> dict[str, StepRecord]:
    return {node: StepRecord(*_fields(fields)) for node, fields in steps.items()}


def _fields(
    fields: Sequence[object],
) -> tuple[str, Mapping[str, Json], Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]], str]:
    version, options, inputs, feeders, failure = fields
    if not (isinstance(version, str) and isinstance(options, dict) and isinstance(failure, str)):
        raise TypeError("not a step record")
    return version, options, _tuples(inputs), _tuples(feeders), failure


def _tuples(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise TypeError("not a step record")
    return {name: tuple(found) for name, found in value.items()}
