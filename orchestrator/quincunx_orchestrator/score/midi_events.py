"""What stands in a MIDI file, as values with absolute ticks of 480 a quarter note.

Parsing is mido's; this is what a singer needs of it, and what is wrong with a file said in our words.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER

#: Songs are a tenth of this; larger files are something else, and parsing takes a second and 100 MB for each of theirs.
SIZE_LIMIT = 1_000_000
EVENT_LIMIT = 1_000_000

#: General MIDI's tenth channel holds drums.
DRUMS = 9

#: Half a tone each way, times this many: what a pitch bend reaches if the file does not say (General MIDI).
BEND_SEMITONES = 2


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
    file = _parsed(raw, name)
    if file.type == 2:
        what = "this is a MIDI file of type 2: patterns that belong to no common time"
        raise BadScore(what, where=name, remedy="export the song as type 0 or 1")
    if file.ticks_per_beat <= 0:
        what = "this file counts in frames of film (SMPTE), not in notes"
        raise BadScore(what, where=name, remedy="export it with ticks per quarter note")
    song = MidiSong()
    for track in file.tracks:
        song.tracks.append(_track(_absolute(track, file.ticks_per_beat), song))
    return song


def _parsed(raw: bytes, name: str) -> Any:
    # Imported here: only those who sing MIDI files wait for it.
    import mido

    if not raw.startswith((b"MThd", b"RIFF")):
        raise BadScore("this is no MIDI file", where=name, remedy="is the suffix right?")
    content = raw[raw.find(b"MThd") :] if raw.startswith(b"RIFF") else raw
    try:
        file = mido.MidiFile(file=io.BytesIO(content), charset="latin1", clip=True)
    except Exception as error:  # mido raises whatever its parser stumbles over
        reason = str(error) or type(error).__name__
        raise BadScore(f"the MIDI file is damaged: {reason}", where=name, remedy="export it again") from error
    if sum(map(len, file.tracks)) > EVENT_LIMIT:
        raise BadScore(f"more than {EVENT_LIMIT:,} events are too many for a song", where=name)
    return file


def _absolute(track: Iterable[Any], ticks_per_beat: int) -> Iterator[tuple[int, Any]]:
    """Yield every message with its tick: sums are rounded, not steps, so that nothing drifts."""
    passed = 0
    for message in track:
        passed += int(message.time)
        yield (2 * passed * TICKS_PER_QUARTER + ticks_per_beat) // (2 * ticks_per_beat), message


def _track(messages: Iterable[tuple[int, Any]], song: MidiSong) -> MidiTrack:
    track = MidiTrack()
    players: dict[int, _Player] = {}
    tick = 0
    for tick, message in messages:
        if message.is_meta:
            _hear_meta(tick, message, track, song)
        elif hasattr(message, "channel") and message.channel != DRUMS:
            players.setdefault(message.channel, _Player(Channel())).hear(tick, message)
        elif message.type == "note_on":
            track.channels.setdefault(DRUMS, Channel())
    for number, player in sorted(players.items()):
        player.close(tick)
        if player.channel.struck:
            track.channels[number] = player.channel
    return track


def _hear_meta(tick: int, message: Any, track: MidiTrack, song: MidiSong) -> None:
    kind = message.type
    if kind == "track_name":
        track.name = track.name or message.name.encode("latin1")
    elif kind == "lyrics":
        track.lyrics.append((tick, message.text.encode("latin1")))
    elif kind == "text":
        track.texts.append((tick, message.text.encode("latin1")))
    elif kind == "set_tempo":
        song.tempos.append((tick, message.tempo))
    elif kind == "time_signature":
        song.metres.append((tick, message.numerator, message.denominator))


class _Player:
    """What sounds on a channel while its messages pass."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._sounding: dict[int, int] = {}
        self._parameter = [127, 127]
        self._semitones: float = BEND_SEMITONES

    def hear(self, tick: int, message: Any) -> None:
        """Take one message."""
        if message.type == "note_on" and message.velocity > 0:
            self._end(tick, message.note)
            self._sounding[message.note] = tick
        elif message.type in ("note_on", "note_off"):
            self._end(tick, message.note)
        elif message.type == "pitchwheel":
            self.channel.bends.append((tick, message.pitch / 8192 * self._semitones * 100))
        elif message.type == "control_change":
            self._control(message.control, message.value)

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
