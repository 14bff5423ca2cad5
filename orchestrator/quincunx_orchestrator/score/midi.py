"""Reads MIDI songs: every channel of every track that plays is a track that sings.

What a singer cannot do is decided as a vocal editor would, and said: of a chord the highest note is sung, a note ends
where the next begins, drums are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from quincunx_orchestrator.score.midi_events import DRUMS, Channel, MidiSong, MidiTrack, read_events
from quincunx_orchestrator.score.midi_words import Letters, syllable_at, words_of
from quincunx_orchestrator.score.model import Part, PartCurve, Score, TimeSignature, Track
from quincunx_orchestrator.score.one_voice import Struck, one_voice
from quincunx_orchestrator.score.words import NO_WORD, Syllable, notes_of
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoEvent, TempoMap

#: What a .ustx song may last as well: one wrong number must not fill the memory of the mix.
_LONGEST_SECONDS = 6 * 3600

#: What a project may hold: a curve beyond it could be sung but not saved.
_BEND_CENTS = 12000.0

#: Outside of this no tempo can be sung, and the formula of the time axis loses its digits.
_SLOWEST_BPM, _FASTEST_BPM = 5.0, 2000.0


def read_midi(raw: bytes, name: str) -> Score:
    """Return the song of a MIDI file; `name` is the file's, for errors. Raises `BadScore`."""
    song = read_events(raw, name)
    letters = Letters.of(song)
    notices: list[str] = []
    if letters.encoding != "utf-8":
        notices.append(f"the words are read as {letters.encoding}, because they are not UTF-8")
    tempos, metres = _tempos(song, name), _metres(song, name, notices)
    tracks: list[Track] = []
    parts: list[Part] = []
    all_words = words_of(song, letters)
    for number, (track, words) in enumerate(zip(song.tracks, all_words, strict=True), 1):
        title = letters.read(track.name).strip() or f"Track {number}"
        # Of a song with words, the tracks without any are the accompaniment.
        _sing(track, words, title, tracks, parts, notices, plays=not words and any(all_words))
    _check_length(parts, tempos, name)
    title = name.rsplit(".", 1)[0]
    return Score(title, tuple(tracks), tuple(parts), tempos, metres, tuple(notices))


def _sing(
    track: MidiTrack,
    words: dict[int, Syllable],
    title: str,
    tracks: list[Track],
    parts: list[Part],
    notices: list[str],
    *,
    plays: bool,
) -> None:
    if DRUMS in track.channels:
        notices.append(f"the drums of {title} are left out")
    singing = [(number, channel) for number, channel in track.channels.items() if number != DRUMS]
    for number, channel in singing:
        name = title if len(singing) == 1 else f"{title}, channel {number + 1}"
        if not words:
            notices.append(
                f"{name} has no words{', as others have, and is muted' if plays else f' and sings “{NO_WORD}”'}"
            )
        tracks.append(Track(name, mute=plays))
        parts.append(_part(channel, words, len(tracks) - 1, name, notices))


def _part(channel: Channel, words: dict[int, Syllable], track: int, name: str, notices: list[str]) -> Part:
    voice = one_voice(_with_words(channel, words))
    if voice.chord_notes:
        notices.append(f"{name}: {voice.chord_notes} notes of chords are left out; the highest is sung")
    if voice.shortened:
        notices.append(f"{name}: {voice.shortened} notes are ended where the next begins")
    curves = {"pitd": curve} if (curve := _bend_curve(channel.bends)) else {}
    return Part(track, 0, notes_of(voice.notes), curves, name)


def _with_words(channel: Channel, words: dict[int, Syllable]) -> Iterable[Struck[Syllable]]:
    """Lay the words on the notes; each is sung once, by the first note near it."""
    ticks, given = list(words), set[int]()
    for start, end, tone in sorted(channel.struck):
        found = syllable_at(start, words, ticks)
        if found is None and not words:
            yield Struck(start, end, tone, Syllable(NO_WORD))
        elif found is None or found[0] in given:
            yield Struck(start, end, tone)
        else:
            given.add(found[0])
            yield Struck(start, end, tone, found[1])


def _bend_curve(bends: Sequence[tuple[int, float]]) -> PartCurve | None:
    """A pitch bend stays until the next: a step is drawn one tick wide, since curves go in lines."""
    if all(cents == 0 for _, cents in bends):
        return None
    points = {0: 0.0}
    before = 0.0
    for tick, cents in bends:
        points.setdefault(max(tick - 1, 0), before)
        before = min(max(cents, -_BEND_CENTS), _BEND_CENTS)
        points[tick] = before
    ticks = tuple(sorted(points))
    # What is bent last stays bent; outside its points a curve has its default.
    return PartCurve((*ticks, ticks[-1] + 1), (*(points[tick] for tick in ticks), before), before)


def _tempos(song: MidiSong, name: str) -> tuple[TempoEvent, ...]:
    found = {0: 120.0}
    for tick, microseconds in song.tempos:
        bpm = 60e6 / microseconds if microseconds else 0.0
        if not _SLOWEST_BPM <= bpm <= _FASTEST_BPM:
            what = f"a tempo of {bpm:.0f} beats a minute; between {_SLOWEST_BPM:g} and {_FASTEST_BPM:g} can be sung"
            raise BadScore(what, where=f"{name}: tick {tick}")
        found[tick] = bpm
    events = [TempoEvent(tick, bpm) for tick, bpm in sorted(found.items())]
    return (events[0], *(after for before, after in pairwise(events) if after.bpm != before.bpm))


def _metres(song: MidiSong, name: str, notices: list[str]) -> tuple[TimeSignature, ...]:
    """Metres by bar. One that begins inside of a bar begins with the next, aloud: our bars are whole."""
    found = [TimeSignature(0, 4, 4)]
    start = 0
    for tick, beats, unit in sorted(song.metres):
        if not (1 <= beats <= 64 and unit in (1, 2, 4, 8, 16, 32, 64)):
            raise BadScore(f"a metre of {beats}/{unit}", where=f"{name}: tick {tick}", remedy="such as 4/4 or 6/8")
        length = found[-1].beats * 4 * TICKS_PER_QUARTER // found[-1].unit
        bars, rest = divmod(tick - start, length)
        if rest:
            notices.append(f"the metre {beats}/{unit} begins inside of bar {found[-1].bar + bars + 1}, and is moved")
            bars += 1
        start += bars * length
        bar = found[-1].bar + bars
        found = [one for one in found if one.bar < bar] + [TimeSignature(bar, beats, unit)]
    return tuple(found)


def _check_length(parts: Sequence[Part], tempos: tuple[TempoEvent, ...], name: str) -> None:
    end = max((part.notes[-1].end_tick for part in parts if part.notes), default=0)
    if TempoMap(tempos).seconds_at(end) > _LONGEST_SECONDS:
        what = f"the song ends at tick {end}, after more than {_LONGEST_SECONDS // 3600} hours"
        raise BadScore(what, where=name, remedy="is one of its delays wrong?")
