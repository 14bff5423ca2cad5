"""What stands in a MIDI file, as values with absolute ticks of 480 a quarter note.

The stream of events is read by `midi_stream`; this is what a singer needs of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from quincunx_orchestrator.score.midi_stream import (
    CONTROL,
    LYRIC,
    METRE,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    TEMPO,
    TEXT,
    TRACK_NAME,
    ChannelEvent,
    EventTrack,
    MetaEvent,
    read_event_file,
)
from quincunx_shared.errors import BadScore

#: Songs are a tenth of this; larger files are something else.
SIZE_LIMIT = 1_000_000

#: General MIDI's tenth channel holds drums.
DRUMS = 9

#: Half a tone each way, times this many: what a pitch bend reaches if the file does not say (General MIDI).
BEND_SEMITONES = 2
BEND_CENTRE = 8192


@dataclass
class Channel:
    """What one channel of one track plays. `struck` is (start, end, tone); `bends` is (tick, cents)."""

    struck: list[tuple[int, int, int]] = field(default_factory=list)
    bends: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class MidiTrack:
    """One track: its name, its texts as they stand in the file, its channels."""

    name: bytes = b""
    lyrics: list[tuple[int, bytes]] = field(default_factory=list)
    texts: list[tuple[int, bytes]] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)


@dataclass
class MidiSong:
    """A file. `tempos` are (tick, microseconds a quarter), `metres` (tick, beats, unit), in the order of the file."""

    tracks: list[MidiTrack] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    metres: list[tuple[int, int, int]] = field(default_factory=list)


def read_events(raw: bytes, name: str) -> MidiSong:
    """Return what stands in a file. Raises `BadScore`."""
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a MIDI song; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadScore(what, where=name)
    file = read_event_file(_unwrapped(raw), name)
    if file.kind == 2:
        what = "this is a MIDI file of type 2: patterns that belong to no common time"
        raise BadScore(what, where=name, remedy="export the song as type 0 or 1")
    song = MidiSong()
    for track in file.tracks:
        song.tracks.append(_track(track, song))
    return song


def _unwrapped(raw: bytes) -> bytes:
    """Return the MIDI file in a RIFF container of Windows, or the file as it is."""
    return raw[raw.find(b"MThd") :] if raw.startswith(b"RIFF") and b"MThd" in raw else raw


def _track(events: EventTrack, song: MidiSong) -> MidiTrack:
    track = MidiTrack()
    for meta in events.meta_events:
        _hear_meta(meta, track, song)
    players: dict[int, _Player] = {}
    for event in events.channel_events:
        if event.channel != DRUMS:
            players.setdefault(event.channel, _Player(Channel())).hear(event)
        elif event.kind == NOTE_ON:
            track.channels.setdefault(DRUMS, Channel())
    for number, player in sorted(players.items()):
        player.close(events.end_tick)
        if player.channel.struck:
            track.channels[number] = player.channel
    return track


def _hear_meta(event: MetaEvent, track: MidiTrack, song: MidiSong) -> None:
    if event.kind == TRACK_NAME:
        track.name = track.name or event.content
    elif event.kind == LYRIC:
        track.lyrics.append((event.tick, event.content))
    elif event.kind == TEXT:
        track.texts.append((event.tick, event.content))
    elif event.kind == TEMPO:
        song.tempos.append((event.tick, int.from_bytes(event.content[:3], "big")))
    elif event.kind == METRE:
        beats, power = event.content[:2] if len(event.content) >= 2 else (0, 0)
        song.metres.append((event.tick, beats, 2**power))


class _Player:
    """What sounds on a channel while its messages pass."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._sounding: dict[int, int] = {}
        self._parameter = [127, 127]
        self._semitones: float = BEND_SEMITONES

    def hear(self, event: ChannelEvent) -> None:
        """Take one event."""
        if event.kind == NOTE_ON and event.second:
            self._end(event.tick, event.first)
            self._sounding[event.first] = event.tick
        elif event.kind in (NOTE_ON, NOTE_OFF):
            self._end(event.tick, event.first)
        elif event.kind == PITCH_BEND:
            bend = (event.second << 7 | event.first) - BEND_CENTRE
            self.channel.bends.append((event.tick, bend / BEND_CENTRE * self._semitones * 100))
        elif event.kind == CONTROL:
            self._control(event.first, event.second)

    def close(self, tick: int) -> None:
        """End what nobody ended."""
        for tone in list(self._sounding):
            self._end(tick, tone)

    def _end(self, tick: int, tone: int) -> None:
        if tone in self._sounding:
            self.channel.struck.append((self._sounding.pop(tone), tick, tone))

    def _control(self, control: int, value: int) -> None:
        """Registered parameter 0 is the reach of the pitch bend: 6 holds its semitones, 38 its cents."""
        if control in (101, 100):
            self._parameter[101 - control] = value
        elif self._parameter == [0, 0] and control == 6:
            self._semitones = value
        elif self._parameter == [0, 0] and control == 38:
            self._semitones = int(self._semitones) + value / 100
