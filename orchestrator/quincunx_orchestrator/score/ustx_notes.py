"""The notes of an OpenUTAU part: which are sung, their words, their drawn pitch, their vibrato."""

from __future__ import annotations

from typing import cast, get_args

from quincunx_orchestrator.score.fields import Fields
from quincunx_orchestrator.score.model import Note
from quincunx_shared.hints import did_you_mean
from quincunx_shared.phrase import Extension, Lyric, PitchPoint, PointShape, Vibrato

#: Wider than any song: what lies outside was not drawn by hand, and overflows later on.
_POINT_MS = 1e7
_POINT_TENTHS = 2400
_TUNING_CENTS = 1200

_SHAPES = frozenset(get_args(PointShape))


def read_notes(part: Fields, version: tuple[int, ...]) -> tuple[tuple[Note, ...], tuple[Fields, ...]]:
    """Return the notes that are sung, in order of time, and those left out because they overlap the one before.

    OpenUTAU leaves these out as well. Where a note that is left out itself overlaps the next, the next is sung.
    """
    spans = sorted(map(_span, part.children("notes")), key=lambda span: span[0])
    notes: list[Note] = []
    dropped: list[Fields] = []
    end: int | None = None
    for start, duration, fields in spans:
        if end is not None and start < end:
            dropped.append(fields)
            continue
        lyric = read_lyric(_written_lyric(fields, version), touching=start == end)
        notes.append(_note(fields, start, duration, lyric))
        end = start + duration
    return tuple(notes), tuple(dropped)


def read_lyric(written: str, *, touching: bool) -> Lyric:
    """Return a lyric with its hint: `hello[hh ax l ow]` sings these phonemes.

    A `+` continues the note it touches: with the next syllable, or, as `+~` and `+*`, on the same vowel. One that
    touches no note is no extension, and stays the text it is; what it then sings is the phonemizer's affair.
    """
    opening, closing = written.find("["), written.rfind("]")
    if not 0 <= opening < closing:
        return Lyric(written, (), _extension(written, touching))
    text = (written[:opening] + written[closing + 1 :]).strip()
    return Lyric(text, tuple(written[opening + 1 : closing].split()), _extension(text, touching))


def _extension(text: str, touching: bool) -> Extension:
    if not touching or not text.startswith("+"):
        return ""
    return "vowel" if text.startswith(("+~", "+*")) else "syllable"


def _span(fields: Fields) -> tuple[int, int, Fields]:
    return fields.integer("position", 0), fields.integer("duration", 1), fields


def _written_lyric(fields: Fields, version: tuple[int, ...]) -> str:
    lyric = fields.text("lyric")
    return "+" if lyric == "..." and version < (0, 5) else lyric


def _note(fields: Fields, start: int, duration: int, lyric: Lyric) -> Note:
    pitch = fields.child("pitch")
    return Note(
        position_tick=start,
        duration_ticks=duration,
        tone=fields.integer("tone", 0, 127),
        lyric=lyric,
        tuning_cents=fields.number("tuning", -_TUNING_CENTS, _TUNING_CENTS, 0.0),
        points=_points(pitch),
        snap_first=pitch.flag("snap_first", True),
        vibrato=_vibrato(fields.child("vibrato")),
    )


def _points(pitch: Fields) -> tuple[PitchPoint, ...]:
    points = (
        PitchPoint(
            ms=point.number("x", -_POINT_MS, _POINT_MS),
            cents=10.0 * point.number("y", -_POINT_TENTHS, _POINT_TENTHS),
            shape=_shape(point),
        )
        for point in pitch.children("data")
    )
    return tuple(sorted(points, key=lambda point: point.ms))


def _shape(point: Fields) -> PointShape:
    shape = point.text("shape", "io")
    if shape not in _SHAPES:
        raise point.refuse("shape", "io, i, o, l or sp", did_you_mean(shape, _SHAPES).lstrip("; "))
    return cast(PointShape, shape)


def _vibrato(fields: Fields) -> Vibrato | None:
    """Return the vibrato, moved into the ranges of OpenUTAU as OpenUTAU does; None if it has no length."""
    length = fields.clamped("length", 0.0, 100.0, 0.0)
    if not length:
        return None
    fade_out = fields.clamped("out", 0.0, 100.0, 10.0)
    return Vibrato(
        length=length,
        period_ms=fields.clamped("period", 5.0, 500.0, 175.0),
        depth_cents=fields.clamped("depth", 5.0, 200.0, 25.0),
        # Together the fades fill the vibrato at most; the fade-out goes first, it is read last there.
        fade_in=min(fields.clamped("in", 0.0, 100.0, 10.0), 100.0 - fade_out),
        fade_out=fade_out,
        shift=fields.clamped("shift", 0.0, 100.0, 0.0),
        drift=fields.clamped("drift", -100.0, 100.0, 0.0),
    )
