"""The parts of an OpenUTAU project, and the account of what in them is not sung as written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from quincunx_orchestrator.score.fields import Fields, dotted
from quincunx_orchestrator.score.model import Part
from quincunx_orchestrator.score.ustx_curves import read_curves, unapplied
from quincunx_orchestrator.score.ustx_notes import read_notes

#: How many notes a notice names before it only counts them, and how much it repeats of a text.
_NAMED = 3
_SHOWN_LENGTH = 20


@dataclass
class Unsung:
    """What was met on the way and is not sung as written."""

    notices: list[str] = field(default_factory=list)
    expressions: set[str] = field(default_factory=set)
    overrides: bool = False
    volume_links: bool = False
    curves: set[str] = field(default_factory=set)

    def sentences(self) -> tuple[str, ...]:
        """Return the notices of the score; what stands in many notes is said once."""
        unapplied_things = [f"phoneme expressions ({_few(self.expressions)})"] * bool(self.expressions)
        unapplied_things += ["phoneme overrides"] * self.overrides
        unapplied_things += ["volume links of vibratos"] * self.volume_links
        unapplied_things += [f"curves ({_few(self.curves)})"] * bool(self.curves)
        said = (f"not applied yet: {', '.join(unapplied_things)}",) if unapplied_things else ()
        return (*self.notices, *said)


def read_parts(top: Fields, track_count: int, version: tuple[int, ...], unsung: Unsung) -> tuple[Part, ...]:
    """Return the voice parts in the order of the file, and add to `unsung` what they hold beyond."""
    project = _project_expressions(top)
    of_tracks = [_track_expressions(track) for track in top.children("tracks")]
    parts = []
    for fields in top.children("voice_parts"):
        track = fields.integer("track_no", 0)
        if track >= track_count:
            raise fields.refuse("track_no", f"the number of a track, of which there are {track_count}, counted from 0")
        curves = read_curves(fields, (of_tracks[track], project))
        notes, dropped = read_notes(fields, version)
        unsung.curves |= unapplied(curves)
        _account(fields, dropped, version, unsung)
        parts.append(Part(track, fields.integer("position", 0), notes, curves, fields.text("name", "")))
    return tuple(parts)


def _project_expressions(top: Fields) -> dict[str, Fields]:
    expressions = top.child("expressions")
    return {abbreviation: expressions.child(abbreviation) for abbreviation in expressions.values}


def _track_expressions(track: Fields) -> dict[str, Fields]:
    return {fields.text("abbr"): fields for fields in track.children("track_expressions")}


def _account(part: Fields, dropped: Sequence[Fields], version: tuple[int, ...], unsung: Unsung) -> None:
    if dropped:
        unsung.notices.append(_overlap_notice(dropped))
    for note in part.children("notes"):
        unsung.expressions |= {_expression(one, version) for one in note.children("phoneme_expressions")}
        unsung.overrides |= note.length("phoneme_overrides") > 0
        vibrato = note.child("vibrato")
        if vibrato.clamped("length", 0.0, 100.0, 0.0):
            unsung.volume_links |= vibrato.clamped("vol_link", -100.0, 100.0, 0.0) != 0


def _expression(fields: Fields, version: tuple[int, ...]) -> str:
    name = fields.text("abbr", "")
    return "atk" if name == "acc" and version < (0, 4) else name


def _overlap_notice(dropped: Sequence[Fields]) -> str:
    named = ", ".join(f"{dotted(note.path)} {note.text('lyric', '')[:_SHOWN_LENGTH]!r}" for note in dropped[:_NAMED])
    more = f" and {len(dropped) - _NAMED} more" if len(dropped) > _NAMED else ""
    begin = "start" if len(dropped) > 1 else "starts"
    left_out = "are" if len(dropped) > 1 else "is"
    return f"{named}{more} {begin} before the note before ends, and {left_out} left out"


def _few(names: Collection[str]) -> str:
    """Name a dozen: a file may hold any number of them, of any length."""
    shown = ", ".join(name[:_SHOWN_LENGTH] for name in sorted(names)[:12])
    return shown if len(names) <= 12 else f"{shown}, …"
