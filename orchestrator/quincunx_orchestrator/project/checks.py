"""What the types of a project file cannot say: promises that whoever takes a score relies on, and numbers of units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from quincunx_orchestrator.project.changes import Change, KeptSong, ReplaceScore, Restore
from quincunx_orchestrator.project.segments import check_transcript
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.model import Note, Part, Score
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_shared.errors import BadInput
from quincunx_shared.tempo import TempoMap

#: As the readers of songs have it: no more seconds than a person waits.
LONGEST_SECONDS = 6 * 3600
INT_LIMIT = 2**31


def check_project(project: Project) -> None:
    """Refuse the first field that contradicts another. Raises `BadInput` with its path."""
    check_song(project.score, "score")
    known: set[int] = set()
    for place, unit in enumerate(project.units):
        if unit.number in known:
            raise BadInput(f"unit {unit.number} stands twice", where=f"units[{place}].number")
        known.add(unit.number)
        for number, change in enumerate(unit.changes):
            _check_change(change, unit.number, f"units[{place}].changes[{number}]")
    for where, named in _named_units(project):
        unknown = next((number for number in named if number not in known), None)
        if unknown is not None:
            raise BadInput(f"there is no unit {unknown}", where=where)
    stacked = (*project.done, *project.undone)
    if len({*stacked}) < len(stacked):
        raise BadInput("a unit is in effect once, or undone once", where="done")


def _named_units(project: Project) -> Iterator[tuple[str, Sequence[int]]]:
    yield "done", project.done
    yield "undone", project.undone
    for name, units in project.snapshots.items():
        yield f"snapshots.{name[:40]}", units
    for place, unit in enumerate(project.units):
        yield f"units[{place}]", unit.restored or ()


def _check_change(change: Change, unit: int, where: str) -> None:
    if isinstance(change, ReplaceScore):
        check_song(change.score, f"{where}.score")
    # A restore that reached itself would never end.
    if isinstance(change, Restore) and any(number >= unit for number in change.units):
        raise BadInput("a restore brings back earlier units only", where=f"{where}.units")


def check_song(song: KeptSong, where: str) -> None:
    """Refuse a song that breaks what its kind promises."""
    if isinstance(song, Transcript):
        check_transcript(song, where)
    else:
        check_score(song, where)


def check_score(score: Score, where: str) -> None:
    """Refuse a score that breaks what `Score` promises."""
    for path, what in _broken(score):
        raise BadInput(what, where=f"{where}.{path}")
    try:
        axis = TempoMap(score.tempos)
    except BadInput as error:
        raise BadInput(error.what, where=f"{where}.tempos") from error
    for number, part in enumerate(score.parts):
        end = part.position_tick + (part.notes[-1].end_tick if part.notes else 0)
        if axis.seconds_at(end) > LONGEST_SECONDS:
            what = f"ends more than {LONGEST_SECONDS // 3600} hours into the song"
            raise BadInput(what, where=f"{where}.parts[{number}]")


def _broken(score: Score) -> Iterator[tuple[str, str]]:
    if not score.tempos or score.tempos[0].tick != 0:
        yield "tempos", "must begin at tick 0"
    signatures = score.time_signatures
    if not signatures or signatures[0].bar != 0 or any(b.bar <= a.bar for a, b in pairwise(signatures)):
        yield "time_signatures", "must begin at bar 0 and ascend"
    for number, one in enumerate(signatures):
        if not (1 <= one.beats <= 1000 and one.unit in (1, 2, 4, 8, 16, 32, 64)):
            yield f"time_signatures[{number}]", "must be of 1 to 1000 beats, each of 1, 2, 4, 8, 16, 32 or 64"
    for number, track in enumerate(score.tracks):
        if not (-200 <= track.volume_db <= 24 and -100 <= track.pan <= 100):
            yield f"tracks[{number}]", "volume goes from -200 to 24, pan from -100 to 100"
    for number, part in enumerate(score.parts):
        for path, what in _broken_part(part, len(score.tracks)):
            yield f"parts[{number}].{path}", what
    for number, wave in enumerate(score.wave_parts):
        if not 0 <= wave.track < len(score.tracks):
            yield f"wave_parts[{number}].track", f"must be one of {len(score.tracks)} tracks, counted from 0"
        ticks = (wave.position_tick, wave.skip_ticks, wave.trim_ticks, wave.fade_in_ticks, wave.fade_out_ticks)
        if not all(0 <= one < INT_LIMIT for one in ticks):
            yield f"wave_parts[{number}]", "counts ticks from 0 on"


def _broken_part(part: Part, track_count: int) -> Iterator[tuple[str, str]]:
    if not 0 <= part.track < track_count:
        yield "track", f"must be one of {track_count} tracks, counted from 0"
    if not 0 <= part.position_tick < INT_LIMIT:
        yield "position_tick", "must be a tick from 0 on"
    for number, note in enumerate(part.notes):
        for path, what in _broken_note(note):
            yield f"notes[{number}].{path}", what
    for number, (before, after) in enumerate(pairwise(part.notes), 1):
        if after.position_tick < before.end_tick:
            yield f"notes[{number}].position_tick", "begins before the note in front ends"
    for name, curve in part.curves.items():
        if len(curve.ticks) != len(curve.values):
            yield f"curves.{name[:40]}", f"has {len(curve.ticks)} ticks and {len(curve.values)} values"
        if any(not -INT_LIMIT <= tick < INT_LIMIT for tick in curve.ticks):
            yield f"curves.{name[:40]}.ticks", "are too large"
        if any(after <= before for before, after in pairwise(curve.ticks)):
            yield f"curves.{name[:40]}.ticks", "must ascend"


def _broken_note(note: Note) -> Iterator[tuple[str, str]]:
    if not 0 <= note.position_tick < INT_LIMIT:
        yield "position_tick", "must be a tick from 0 on"
    if not 1 <= note.duration_ticks < INT_LIMIT:
        yield "duration_ticks", "must be at least 1"
    if not 0 <= note.tone <= 127:
        yield "tone", "must be a tone from 0 to 127"
    if any(after.ms < before.ms for before, after in pairwise(note.points)):
        yield "points", "must ascend"
