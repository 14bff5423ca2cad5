"""A transcript as a .ds file that DiffSinger and OpenUTAU read."""

from __future__ import annotations

import json
from collections.abc import Iterable

from quincunx_orchestrator.score.transcript import DsSegment, Level, SampledCurve, Transcript
from quincunx_shared.canonical import Json


def write_ds(transcript: Transcript) -> bytes:
    """Return the file. Numbers are written so that reading them gives the same number again."""
    segments = [_members(segment) for segment in transcript.segments]
    return (json.dumps(segments, ensure_ascii=False, indent=2) + "\n").encode()


def _members(segment: DsSegment) -> dict[str, Json]:
    members: dict[str, Json] = {
        "offset": segment.offset,
        "text": segment.text,
        "lang": segment.lang,
        "ph_seq": " ".join(segment.ph_seq),
        "ph_dur": None if segment.ph_dur is None else _numbers(segment.ph_dur),
        "ph_num": _numbers(segment.ph_num),
        "note_seq": " ".join(note.name for note in segment.notes),
        "note_dur": _numbers(note.seconds for note in segment.notes),
        "note_slur": _numbers(int(note.slur) for note in segment.notes),
        "note_glide": " ".join(segment.glides),
        "seed": segment.seed,
        "input_type": "phoneme",
    }
    if segment.f0 is not None:
        members |= _level("f0_seq", segment.f0, "f0_timestep")
    for name, level in segment.levels.items():
        members |= _level(name, level, f"{name}_timestep")
    if segment.spk_mix:
        members |= _speakers(segment)
    if segment.ph_spk_mix:
        weights = segment.ph_spk_mix.items()
        members["ph_spk_mix"] = {name: _numbers(one) if isinstance(one, tuple) else one for name, one in weights}
    return {key: value for key, value in members.items() if value not in (None, "")}


def _speakers(segment: DsSegment) -> dict[str, Json]:
    """Return the mix; its curves share one time step, which the file has room for once."""
    members: dict[str, Json] = {"spk_mix": {name: _weights(level) for name, level in segment.spk_mix.items()}}
    for level in segment.spk_mix.values():
        if isinstance(level, SampledCurve):
            members["spk_mix_timestep"] = _number(level.timestep)
    return members


def _weights(level: Level) -> Json:
    return _numbers(level.values) if isinstance(level, SampledCurve) else level


def _level(key: str, level: Level, timestep_key: str) -> dict[str, Json]:
    if isinstance(level, SampledCurve):
        return {key: _numbers(level.values), timestep_key: _number(level.timestep)}
    return {key: level}


def _numbers(values: Iterable[float]) -> str:
    return " ".join(map(_number, values))


def _number(value: float) -> str:
    return repr(value)
