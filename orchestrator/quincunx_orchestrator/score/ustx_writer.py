"""Writes OpenUTAU projects, version 0.9, that the editor opens and our reader reads back without loss.

Lists and mappings stand in YAML's block style, a note's inner ones in its flow style as the editor writes them; every
text is quoted, so that `no`, `1:30` and `#` stay what they are in any YAML reader.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from quincunx_orchestrator.score.formats import Written
from quincunx_orchestrator.score.losses import sentences, tempo_ramps, written_lyric
from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, Track, WavePart
from quincunx_orchestrator.score.ustx_curves import CURVE_KINDS
from quincunx_shared.phrase import PitchPoint, Vibrato

_VERSION = "0.9"
#: The editor shows a part as long as it says; so long is one of its bars of 4/4.
_BAR_TICKS = 1920


def write_ustx(score: Score) -> Written:
    """Return a song as a project. Tempos that change gradually become steps; all else is kept."""
    odd = sum(not same for part in score.parts for _, same in _lyrics(part))
    lines = [
        f"name: {quoted(score.name)}",
        'comment: ""',
        f"ustx_version: {quoted(_VERSION)}",
        "resolution: 480",
        f"bpm: {_number(score.tempos[0].bpm)}",
        f"beat_per_bar: {score.time_signatures[0].beats}",
        f"beat_unit: {score.time_signatures[0].unit}",
        "expressions: {}",
        *_list("time_signatures", (_metre(one.bar, one.beats, one.unit) for one in score.time_signatures)),
        *_list("tempos", (f"{{position: {one.tick}, bpm: {_number(one.bpm)}}}" for one in score.tempos)),
        *_list("tracks", (_flow(_track(score, number, one)) for number, one in enumerate(score.tracks))),
        *_parts(score),
        *_list("wave_parts", (_flow(_wave(one)) for one in score.wave_parts)),
    ]
    losses = sentences({"gradual tempo change": tempo_ramps(score), "unwritable lyric": odd})
    return Written(("\n".join(lines) + "\n").encode("utf-8", "replace"), losses)


def quoted(text: str) -> str:
    """Return a text in YAML's double quotes; what is not printable is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable() and character != "\ufeff":
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _metre(bar: int, beats: int, unit: int) -> str:
    return f"{{bar_position: {bar}, beat_per_bar: {beats}, beat_unit: {unit}}}"


def _track(score: Score, number: int, track: Track) -> dict[str, str]:
    phonemizer = {"phonemizer": quoted(track.phonemizer)} if track.phonemizer else {}
    return {
        "singer": quoted(track.singer),
        **phonemizer,
        "track_name": quoted(track.name),
        "mute": _flag(track.mute),
        "solo": _flag(track.solo),
        "volume": _number(track.volume_db),
        "pan": _number(track.pan),
        "track_expressions": _row(_flow(one) for one in _defaults(score, number)),
    }


def _defaults(score: Score, track: int) -> Iterator[dict[str, str]]:
    """Yield the curves of a track whose default is not the editor's own."""
    found: dict[str, PartCurve] = {}
    for part in score.parts:
        if part.track == track:
            found = {**part.curves, **found}
    for abbreviation, curve in found.items():
        kind = CURVE_KINDS.get(abbreviation)
        if curve.default != (0.0 if kind is None else kind.neutral):
            default = _number(curve.default)
            yield {"abbr": quoted(abbreviation), "default_value": default, "custom_default_value": default}


def _parts(score: Score) -> list[str]:
    if not score.parts:
        return ["voice_parts: []"]
    return ["voice_parts:", *(line for part in score.parts for line in _part(part))]


def _part(part: Part) -> Iterator[str]:
    end = part.notes[-1].end_tick if part.notes else _BAR_TICKS
    yield f"- name: {quoted(part.name)}"
    yield '  comment: ""'
    yield f"  track_no: {part.track}"
    yield f"  position: {part.position_tick}"
    yield f"  duration: {max(_BAR_TICKS, -(-end // _BAR_TICKS) * _BAR_TICKS)}"
    notes = (_flow(_note(note, lyric)) for note, (lyric, _) in zip(part.notes, _lyrics(part), strict=True))
    yield from _list("notes", notes, indent="  ")
    drawn = {name: curve for name, curve in part.curves.items() if curve.ticks or name not in CURVE_KINDS}
    yield from _list("curves", (_flow(_curve(name, curve)) for name, curve in drawn.items()), indent="  ")


def _wave(part: WavePart) -> dict[str, str]:
    return {
        "relative_path": quoted(part.path),
        "name": quoted(part.name),
        "track_no": str(part.track),
        "position": str(part.position_tick),
        "skip": _number(part.skip_ticks),
        "trim": _number(part.trim_ticks),
        "fadein": _number(part.fade_in_ticks),
        "fadeout": _number(part.fade_out_ticks),
    }


def _lyrics(part: Part) -> list[tuple[str, bool]]:
    touching = [False, *(after.position_tick == before.end_tick for before, after in pairwise(part.notes))]
    return [written_lyric(note.lyric, touching=one) for note, one in zip(part.notes, touching, strict=False)]


def _note(note: Note, lyric: str) -> dict[str, str]:
    points = _row(_flow(_point(point)) for point in note.points)
    return {
        "position": str(note.position_tick),
        "duration": str(note.duration_ticks),
        "tone": str(note.tone),
        "lyric": quoted(lyric),
        "pitch": _flow({"data": points, "snap_first": _flag(note.snap_first)}),
        "vibrato": _flow(_vibrato(note.vibrato)),
        "tuning": _number(note.tuning_cents),
        "phoneme_expressions": "[]",
        "phoneme_overrides": "[]",
    }


def _point(point: PitchPoint) -> dict[str, str]:
    return {"x": _number(point.ms), "y": _number(_tenth(point.cents)), "shape": point.shape}


def _tenth(cents: float) -> float:
    """Return the number that, times ten, is read as exactly these cents."""
    near = cents / 10.0
    candidates = (near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf))
    return next((one for one in candidates if 10.0 * one == cents), near)


def _vibrato(vibrato: Vibrato | None) -> dict[str, str]:
    shape = vibrato or Vibrato(0.0)
    return {
        "length": _number(shape.length),
        "period": _number(shape.period_ms),
        "depth": _number(shape.depth_cents),
        "in": _number(shape.fade_in),
        "out": _number(shape.fade_out),
        "shift": _number(shape.shift),
        "drift": _number(shape.drift),
        "vol_link": "0",
    }


def _curve(abbreviation: str, curve: PartCurve) -> dict[str, str]:
    return {
        "xs": _row(map(str, curve.ticks)),
        "ys": _row(map(_number, curve.values)),
        "abbr": quoted(abbreviation),
    }


def _list(key: str, entries: Iterable[str], indent: str = "") -> list[str]:
    lines = [f"{indent}- {entry}" for entry in entries]
    return [f"{indent}{key}:", *lines] if lines else [f"{indent}{key}: []"]


def _flow(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def _row(entries: Iterable[str]) -> str:
    return "[" + ", ".join(entries) + "]"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _number(value: float) -> str:
    """Return a number that is read as the same one; whole ones without a point, as the editor writes them."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
