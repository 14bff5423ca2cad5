"""Writes one track as a song of UTAU, in Shift-JIS as UTAU saves it, or in UTF-8 where the words need that."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from quincunx_orchestrator.score.formats import Written
from quincunx_orchestrator.score.losses import drawn_curves, mixing_settings, sentences, tempo_ramps, written_lyric
from quincunx_orchestrator.score.model import Note, Score
from quincunx_shared.phrase import PitchPoint, PointShape, Vibrato

_SHAPES: dict[PointShape, str] = {"io": "", "l": "s", "o": "r", "i": "j", "sp": ""}


def write_ust(score: Score) -> Written:
    """Return the notes of all parts as one line of notes and rests: meant for a song of one track."""
    lost = Counter[str]()
    lines = ["UST Version1.2", "[#SETTING]", f"Tempo={_number(score.tempos[0].bpm)}", "Tracks=1"]
    lines += [f"ProjectName={_one_line(score.name)}", f"VoiceDir={_singer(score)}", "Mode2=True"]
    for number, section in enumerate(_sections(score, lost)):
        lines += [f"[#{number:04}]", *section]
    text = "\r\n".join([*lines, "[#TRACKEND]", ""])
    lost["curve"] = drawn_curves(score)
    lost["wave part"] = len(score.wave_parts)
    lost["track setting"] = mixing_settings(score)
    lost["gradual tempo change"] = tempo_ramps(score)
    lost["metre"] = sum((one.beats, one.unit) != (4, 4) for one in score.time_signatures)
    try:
        return Written(f"[#VERSION]\r\n{text}".encode("cp932"), sentences(lost))
    except UnicodeEncodeError:
        said = "the words need UTF-8, which OpenUTAU reads and UTAU itself does not"
        content = f"[#VERSION]\r\nCharset=UTF-8\r\n{text}".encode("utf-8", "replace")
        return Written(content, (*sentences(lost), said))


def _sections(score: Score, lost: Counter[str]) -> Iterator[list[str]]:
    """Yield the lines of each note and rest in order of time."""
    placed = sorted(
        ((part.position_tick + note.position_tick, note) for part in score.parts for note in part.notes),
        key=lambda one: one[0],
    )
    tempos = _Tempos(score)
    now = 0
    for start, note in placed:
        if start < now:
            lost["overlapping note"] += 1
            continue
        for begin, end in tempos.pieces(now, start):
            yield [f"Length={end - begin}", "Lyric=R", "NoteNum=60", *tempos.at(begin, lost)]
        lyric, same = written_lyric(note.lyric, touching=start == now and start > 0)
        lost["unwritable lyric"] += not same or lyric != _one_line(lyric)
        head = [f"Length={note.duration_ticks}", f"Lyric={_one_line(lyric)}", f"NoteNum={note.tone}"]
        yield [*head, *tempos.at(start, lost), *_pitch(note, lost)]
        now = start + note.duration_ticks


class _Tempos:
    """The tempos of a song, of which a note can only change one at its start."""

    def __init__(self, score: Score) -> None:
        self._ticks = [event.tick for event in score.tempos]
        self._bpms = [event.bpm for event in score.tempos]
        self._told = 0

    def pieces(self, start: int, end: int) -> list[tuple[int, int]]:
        """Cut a rest where the tempo changes."""
        borders = [start, *(tick for tick in self._ticks if start < tick < end), end]
        return [piece for piece in pairwise(borders) if piece[0] < piece[1]]

    def at(self, tick: int, lost: Counter[str]) -> list[str]:
        """Return the line that a section at this tick needs, and count the changes that come late."""
        place = bisect_right(self._ticks, tick) - 1
        if place == self._told:
            return []
        late = place - self._told - (self._ticks[place] == tick)
        lost["tempo change inside of a note"] += late
        self._told = place
        return [f"Tempo={_number(self._bpms[place])}"]


def _pitch(note: Note, lost: Counter[str]) -> Iterator[str]:
    lost["tuned note"] += note.tuning_cents != 0
    if note.points:
        first, *others = note.points
        lost["splined pitch point"] += sum(point.shape == "sp" for point in note.points)
        lost["unfinished pitch line"] += note.points[-1].cents != 0
        yield f"PBS={_number(first.ms)};{_number(first.cents / 10)}"
        yield f"PBW={','.join(_number(after.ms - before.ms) for before, after in pairwise(note.points))}"
        yield f"PBY={','.join(_number(point.cents / 10) for point in others)}"
        yield f"PBM={','.join(_SHAPES[point.shape] for point in _ways(note.points))}"
    if note.vibrato:
        yield f"VBR={_vibrato(note.vibrato)}"


def _ways(points: tuple[PitchPoint, ...]) -> tuple[PitchPoint, ...]:
    return points[:-1] or points


def _vibrato(one: Vibrato) -> str:
    values = (one.length, one.period_ms, one.depth_cents, one.fade_in, one.fade_out, one.shift, one.drift, 0)
    return ",".join(map(_number, values))


def _singer(score: Score) -> str:
    name = next((track.singer for track in score.tracks if track.singer), "")
    return f"%VOICE%{_one_line(name)}" if name else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if value else "0"
