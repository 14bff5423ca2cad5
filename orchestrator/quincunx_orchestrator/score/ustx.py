"""Reads OpenUTAU projects, `.ustx` 0.5 to 0.9 and what older ones wrote differently.

The writer leaves `no`, `on` and `1:30` unquoted where it means text, so every scalar is read as text and each field
says what it must be. Nothing is repaired in silence: what cannot be sung is refused with its place, and what is left
out or not applied is a notice of the score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from quincunx_orchestrator.score.fields import Document, Fields
from quincunx_orchestrator.score.formats import ScoreFormat, decode_text
from quincunx_orchestrator.score.model import Part, Score, Track
from quincunx_orchestrator.score.ustx_parts import Unsung, read_parts
from quincunx_orchestrator.score.ustx_time import read_tempos, read_time_signatures
from quincunx_orchestrator.score.ustx_waves import read_wave_parts
from quincunx_orchestrator.score.ustx_writer import write_ustx
from quincunx_shared.errors import BadInput, BadScore
from quincunx_shared.strict_yaml import read_yaml
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoEvent, TempoMap

#: The newest version these rules were written for.
_NEWEST = (0, 9)
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}")

#: Room for a million curve points, and no more seconds than a person waits; an hour of song has a tenth of it.
_ENTRY_LIMIT = 2_000_000
_LONGEST_SECONDS = 6 * 3600

_NO_PROJECT = "is this an OpenUTAU project?"


def read_ustx(raw: bytes, name: str) -> Score:
    """Return the song of a .ustx file; `name` is the file's, for errors.

    Raises `BadScore` with the line and the path of the first thing that is wrong.
    """
    top = _open(decode_text(raw, name), name)
    version = _version(top)
    if top.integer("resolution", 1, default=TICKS_PER_QUARTER) != TICKS_PER_QUARTER:
        remedy = "OpenUTAU ignores this number, so its ticks cannot be trusted; export the song again at 480"
        raise top.refuse("resolution", f"{TICKS_PER_QUARTER} ticks a quarter note", remedy)
    unsung = Unsung()
    if version > _NEWEST:
        newest = ".".join(map(str, _NEWEST))
        unsung.notices.append(f"the file is of ustx version {top.text('ustx_version')}, newer than {newest}")
    tempos = read_tempos(top, version)
    tracks = tuple(_track(fields, number) for number, fields in enumerate(top.children("tracks"), 1))
    parts = read_parts(top, len(tracks), version, unsung)
    _check_length(top, parts, tempos)
    waves = read_wave_parts(top, len(tracks))
    title = top.text("name", "") or name.rsplit(".", 1)[0]
    metres = read_time_signatures(top, version)
    return Score(title, tracks, parts, tempos, metres, unsung.sentences(), waves)


def _open(text: str, name: str) -> Fields:
    if text.count("\n") + text.count(",") > _ENTRY_LIMIT:
        what = f"more than {_ENTRY_LIMIT:,} lines, notes and curve points are too many for a song"
        raise BadScore(what, where=name, remedy="split the song, or draw its curves with fewer points")
    content = text.encode("utf-8", "surrogatepass")
    try:
        values = read_yaml(content, where=name)
    except BadInput as error:
        raise BadScore(error.what, where=error.where, remedy=error.remedy) from error
    document = Document(name, content)
    if not isinstance(values, dict):
        raise document.refuse((), "must be a mapping", _NO_PROJECT)
    return Fields(document, (), values)


def _version(top: Fields) -> tuple[int, ...]:
    if not top.has("ustx_version"):
        raise top.document.refuse((), "ustx_version is missing", _NO_PROJECT)
    written = top.text("ustx_version")
    if not _VERSION.fullmatch(written):
        raise top.refuse("ustx_version", "a version such as 0.9")
    return tuple(map(int, written.split(".")))


def _track(fields: Fields, number: int) -> Track:
    return Track(
        name=fields.text("track_name", "") or f"Track {number}",
        singer=fields.text("singer", ""),
        phonemizer=fields.text("phonemizer", ""),
        # The fader ends at -24 and is silent there; what is lower is as silent.
        volume_db=fields.number("volume", -200, 24, 0.0),
        pan=fields.number("pan", -100, 100, 0.0),
        mute=fields.flag("mute", False),
        solo=fields.flag("solo", False),
    )


def _check_length(top: Fields, parts: Sequence[Part], tempos: tuple[TempoEvent, ...]) -> None:
    """Refuse a song of days: one wrong digit in a position must not fill the memory of the mix."""
    axis = TempoMap(tempos)
    for number, part in enumerate(parts):
        end = part.position_tick + (part.notes[-1].end_tick if part.notes else 0)
        if axis.seconds_at(end) > _LONGEST_SECONDS:
            what = f"ends at tick {end}, more than {_LONGEST_SECONDS // 3600} hours into the song"
            raise top.document.refuse(("voice_parts", number), what, "check its position and its last note")


USTX = ScoreFormat("OpenUTAU project", read_ustx, write_ustx)
