"""Standard MIDI files as events: bytes → tracks of (tick, what happened), every number checked.

Source of the format: the MIDI Association's RP-001, Standard MIDI Files 1.0. Read here and not with mido, because an
error has to say in which track and at which tick it is, and because a delta time may have any number of bytes there:
300 kB of 0xff keep it busy for half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER

#: Meta events that matter to a song.
TEXT, TRACK_NAME, LYRIC, END, TEMPO, METRE = 0x01, 0x03, 0x05, 0x2F, 0x51, 0x58

#: Kinds of channel messages: the upper half of their status byte.
NOTE_OFF, NOTE_ON, CONTROL, PITCH_BEND = 0x80, 0x90, 0xB0, 0xE0

#: Data bytes of a channel message, by its kind.
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}

#: A dense hour of one voice has half of it; more of them take longer to read than a wrong file may keep anybody.
EVENT_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """A message of a channel, counted from 0; `first` and `second` are its data bytes, 0 … 127."""

    tick: int
    channel: int
    kind: int
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class MetaEvent:
    """What the file tells about the song."""

    tick: int
    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class EventTrack:
    """The events of one track in the order of the file, ticks at 480 a quarter; `end_tick` is the last one's."""

    channel_events: tuple[ChannelEvent, ...]
    meta_events: tuple[MetaEvent, ...]
    end_tick: int


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file of format 0 (one track), 1 (tracks together) or 2 (tracks one by one)."""

    kind: int
    tracks: tuple[EventTrack, ...]


def read_event_file(raw: bytes, name: str) -> EventFile:
    """Return the events of a file. Raises `BadScore` with the track and the tick."""
    chunks = _chunks(raw, name)
    kind, division = _header(next(chunks, (b"", b"")), name)
    room = EVENT_LIMIT
    tracks: list[EventTrack] = []
    for body in (content for label, content in chunks if label == b"MTrk"):
        track, room = _Reader(body, division, f"{name}: track {len(tracks) + 1}").track(room)
        tracks.append(track)
    return EventFile(kind, tuple(tracks))


def rescaled(tick: int, division: int) -> int:
    """Return a tick of a file with `division` ticks a quarter at 480, rounded half up in whole numbers."""
    return (2 * tick * TICKS_PER_QUARTER + division) // (2 * division)


def damaged(what: str, where: str) -> BadScore:
    """Return the error that a file is not what it was."""
    return BadScore(f"the MIDI file is damaged: {what}", where=where, remedy="export it again")


def _chunks(raw: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the label and the content of each chunk; unknown ones are for the caller to skip."""
    if not raw.startswith(b"MThd"):
        raise BadScore("this is no MIDI file: it does not begin with MThd", where=name, remedy="is the suffix right?")
    place = 0
    while len(raw) - place >= 8:
        label, size = raw[place : place + 4], int.from_bytes(raw[place + 4 : place + 8], "big")
        if size > len(raw) - place - 8:
            what = f"a part of {size} bytes begins here, but only {len(raw) - place - 8} follow"
            raise damaged(what, f"{name}: byte {place}")
        yield label, raw[place + 8 : place + 8 + size]
        place += 8 + size
    if place == 0:
        raise damaged("it is too short", name)


def _header(chunk: tuple[bytes, bytes], name: str) -> tuple[int, int]:
    content = chunk[1]
    if len(content) < 6:
        raise damaged("its header is cut off", name)
    kind, division = int.from_bytes(content[0:2], "big"), int.from_bytes(content[4:6], "big")
    if kind > 2:
        raise damaged(f"there is no format {kind}, only 0, 1 and 2", name)
    if division & 0x8000:
        what = "this file counts in frames of film (SMPTE), not in notes"
        raise BadScore(what, where=name, remedy="export it with ticks per quarter note")
    if division == 0:
        raise damaged("it has 0 ticks a quarter note", name)
    return kind, division


class _Reader:
    """Reads one track; `_place` is the byte it stands at, `_tick` the time in the file's own ticks."""

    def __init__(self, body: bytes, division: int, where: str) -> None:
        self._body = body
        self._division = division
        self._where = where
        self._place = 0
        self._tick = 0
        self._status = 0

    def track(self, room: int) -> tuple[EventTrack, int]:
        """Return the track, and how many of `room` events are left."""
        channel_events: list[ChannelEvent] = []
        meta_events: list[MetaEvent] = []
        while self._place < len(self._body):
            self._tick += self._number()
            if (room := room - 1) < 0:
                raise self._bad(f"more than {EVENT_LIMIT:,} events are too many for a song")
            event = self._event()
            if isinstance(event, ChannelEvent):
                channel_events.append(event)
            elif event is not None:
                meta_events.append(event)
                if event.kind == END:
                    break
        return EventTrack(tuple(channel_events), tuple(meta_events), self._now()), room

    def _event(self) -> ChannelEvent | MetaEvent | None:
        status = self._byte()
        if status < 0x80:
            return self._channel_event(self._status, status)
        if status == 0xFF:
            kind = self._byte()
            return MetaEvent(self._now(), kind, self._bytes(self._number()))
        if status in (0xF0, 0xF7):
            self._bytes(self._number())
            self._status = 0
            return None
        if status > 0xF0:
            raise self._bad(f"0x{status:02x} begins no event")
        self._status = status
        return self._channel_event(status, self._byte())

    def _channel_event(self, status: int, first: int) -> ChannelEvent:
        if not status:
            raise self._bad(f"0x{first:02x} goes on with an event, and there was none")
        second = self._byte() if _DATA_BYTES[status & 0xF0] == 2 else 0
        if first > 127 or second > 127:
            raise self._bad(f"0x{max(first, second):02x} stands where a number up to 127 belongs")
        return ChannelEvent(self._now(), status & 0x0F, status & 0xF0, first, second)

    def _number(self) -> int:
        """Read a number of one to four bytes, seven bits each."""
        number = 0
        for _ in range(4):
            byte = self._byte()
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        raise self._bad("a number has more than four bytes")

    def _byte(self) -> int:
        if self._place >= len(self._body):
            raise self._bad("the track ends in the middle of an event")
        self._place += 1
        return self._body[self._place - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self._body) - self._place:
            raise self._bad(f"an event of {count} bytes begins here, but the track ends before")
        self._place += count
        return self._body[self._place - count : self._place]

    def _now(self) -> int:
        return rescaled(self._tick, self._division)

    def _bad(self, what: str) -> BadScore:
        return damaged(what, f"{self._where}, tick {self._now()}")
