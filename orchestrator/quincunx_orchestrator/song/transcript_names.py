"""Names and labels of the segments of a transcript: by what is sung, whoever sings it and wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping

from quincunx_orchestrator.score.transcript import DsSegment, Level, SampledCurve, Transcript
from quincunx_shared.canonical import Json, digest_of
from quincunx_shared.names import SegmentId

#: How much of its text a segment's label shows.
_LABEL_LENGTH = 24


def segment_names(transcript: Transcript) -> tuple[SegmentId, ...]:
    """Return the name of every segment: a digest of what is sung; repetitions are counted (`.2`).

    Voice and place are not in it: an edit that hangs on the name stays when another voice sings, or later.
    """
    count: dict[str, int] = {}
    names = []
    for segment in transcript.segments:
        name = f"s-{digest_of(_music(segment))[:8]}"
        count[name] = count.get(name, 0) + 1
        names.append(SegmentId(f"{name}.{count[name]}" if count[name] > 1 else name))
    return tuple(names)


def label_of(segment: DsSegment) -> str:
    """Return what a person calls a segment: when it begins and what it sings."""
    minutes, seconds = divmod(max(segment.offset, 0.0), 60)
    words = segment.text or " ".join(segment.ph_seq)
    return f"{int(minutes)}:{seconds:06.3f} {words[:_LABEL_LENGTH]}".strip()


def _music(segment: DsSegment) -> Json:
    notes: list[Json] = [[one.name, one.seconds, one.slur] for one in segment.notes]
    return [
        segment.lang,
        list(segment.ph_seq),
        None if segment.ph_dur is None else list(segment.ph_dur),
        list(segment.ph_num),
        notes,
        list(segment.glides),
        None if segment.f0 is None else _level(segment.f0),
        _levels(segment.levels),
        _levels(segment.spk_mix),
        {name: list(one) if isinstance(one, tuple) else one for name, one in segment.ph_spk_mix.items()},
        segment.seed,
    ]


def _levels(levels: Mapping[str, Level]) -> Json:
    return {name: _level(one) for name, one in levels.items()}


def _level(level: Level) -> Json:
    return [level.timestep, list(level.values)] if isinstance(level, SampledCurve) else level
