"""Reads .ust songs of UTAU, and the files it hands to its plug-ins.

A song is one track of notes and rests that follow each other; each note may change the tempo from itself on. In a
plug-in's file, [#PREV] and [#NEXT] show the neighbours of what is edited and are not sung, [#INSERT] is a note like
the others, and [#DELETE] is one that is no more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from quincunx_orchestrator.score.formats import ScoreFormat
from quincunx_orchestrator.score.model import Note, Part, Score, TimeSignature, Track
from quincunx_orchestrator.score.ust_file import Section, read_sections
from quincunx_orchestrator.score.ust_pitch import pitch_points, vibrato
from quincunx_orchestrator.score.ust_writer import write_ust
from quincunx_orchestrator.score.ustx_notes import read_lyric
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TempoEvent, TempoMap

#: What a .ustx song may last as well.
_LONGEST_SECONDS = 6 * 3600

_BPM = (1.0, 10_000.0)
_TICKS = (1, 10**9)
_RESTS = frozenset({"", "R", "r", "rest", "Rest"})
_NOTE = re.compile(r"[0-9]+|INSERT")

#: A lyric of a VCV bank names the vowel before it: `a か`.
_VCV = re.compile(r"(?:-|[aiueonN]) (?=\S)")

#: What else a note may hold that would be heard: its key, and the values that change nothing.
_UNAPPLIED = {
    "Velocity": ("", "100"),
    "Intensity": ("", "100"),
    "Modulation": ("", "0"),
    "Flags": ("",),
    "PitchBend": ("", "0"),
}


def read_ust(raw: bytes, name: str) -> Score:
    """Return the song of a .ust file; `name` is the file's, for errors. Raises `BadScore` with the line."""
    sections = read_sections(raw, name)
    setting = next((one for one in sections if one.title == "SETTING"), None)
    sung = [one for one in sections if _NOTE.fullmatch(one.title)]
    if setting is None and not sung:
        raise BadScore("there is neither [#SETTING] nor a note", where=name, remedy="is this a song of UTAU?")
    bpm = 120.0 if setting is None else setting.number("Tempo", *_BPM, default=120.0)
    notes, tempos = _notes(sung, bpm, name)
    title = "" if setting is None else setting.text("ProjectName").strip()
    title = title or name.rsplit(".", 1)[0]
    singer = "" if setting is None else _singer(setting.text("VoiceDir"))
    track, metre = Track(title, singer), TimeSignature(0, 4, 4)
    return Score(title, (track,), (Part(0, 0, notes),), tempos, (metre,), _notices(sections, sung))


def _notes(sung: Sequence[Section], bpm: float, name: str) -> tuple[tuple[Note, ...], tuple[TempoEvent, ...]]:
    notes: list[Note] = []
    tempos = {0: bpm}
    tick = 0
    for one in sung:
        length = int(one.number("Length", *_TICKS))
        if one.text("Tempo").strip():
            tempos[tick] = one.number("Tempo", *_BPM)
        if one.text("Lyric").strip() not in _RESTS:
            notes.append(_note(one, tick, length, touching=bool(notes) and notes[-1].end_tick == tick))
        tick += length
    kept = [at for at, before in zip(tempos, (0.0, *tempos.values()), strict=False) if tempos[at] != before]
    ordered = tuple(TempoEvent(at, tempos[at]) for at in kept)
    if TempoMap(ordered).seconds_at(tick) > _LONGEST_SECONDS:
        what = f"the song ends at tick {tick}, after more than {_LONGEST_SECONDS // 3600} hours"
        raise BadScore(what, where=name, remedy="is the length of one of its notes wrong?")
    return tuple(notes), tuple(
        one for place, one in enumerate(ordered) if not place or one.bpm != ordered[place - 1].bpm
    )


def _note(section: Section, tick: int, length: int, *, touching: bool) -> Note:
    points = pitch_points(section)
    tone = section.number("NoteNum", 0, 127)
    if not tone.is_integer():
        raise section.refuse("NoteNum", f"must be a whole number, not {tone:g}")
    return Note(
        position_tick=tick,
        duration_ticks=length,
        tone=int(tone),
        lyric=read_lyric(_VCV.sub("", section.text("Lyric").strip(), count=1), touching=touching),
        points=points,
        # The line starts from the pitch of the note it touches; elsewhere it starts where it was drawn.
        snap_first=touching or not points or points[0].cents == 0,
        vibrato=vibrato(section),
    )


def _singer(voice_dir: str) -> str:
    """Return the folder's own name: `%VOICE%uta` and `C:\\voice\\uta` are both `uta`."""
    return re.split(r"[\\/%]", voice_dir.strip().rstrip("\\/"))[-1].strip()


def _notices(sections: Sequence[Section], sung: Sequence[Section]) -> tuple[str, ...]:
    notices = []
    unapplied = [key for key, neutral in _UNAPPLIED.items() if any(_sounds(one, key, neutral) for one in sung)]
    if unapplied:
        notices.append(f"not applied: {', '.join(unapplied)} of notes")
    if any(_VCV.match(one.text("Lyric").strip()) for one in sung):
        notices.append("the lyrics name the vowel before them (VCV); it is left out, since the voice knows it")
    if any(one.title in ("PREV", "NEXT") for one in sections):
        notices.append("the neighbours of a plug-in's selection ([#PREV], [#NEXT]) are not sung")
    return tuple(notices)


def _sounds(note: Section, key: str, neutral: Sequence[str]) -> bool:
    written = note.text(key).strip()
    return written not in neutral and any(one not in "0.,- " for one in written)


UST = ScoreFormat("song of UTAU", read_ust, write_ust, one_track=True)
