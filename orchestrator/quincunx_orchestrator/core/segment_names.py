"""What people call the segments of a song, and where they find what a step complains of: its notes, its models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quincunx_shared.names import SONG, SegmentId

if TYPE_CHECKING:
    # Whoever only reads such names waits for no graphs.
    from quincunx_orchestrator.core.segment import Segment

#: How a step names a note: it counts those of its phrase, and knows no song.
_NOTE = re.compile(r"notes\[(\d+)\](?:\.lyric)?")

#: How a worker of a farm names the file of a voice: it has the content, under its digest, and knows no voice.
_VOICE_FILE = re.compile(r"\S*[/\\]([0-9a-f]{64})\b")


@dataclass(frozen=True)
class SegmentNames:
    """`labels` are for people; `places` say of every note of a phrase where a person finds it, `files` of what voices
    are made of, by digest.
    """

    labels: Mapping[SegmentId, str] = field(default_factory=dict)
    places: Mapping[SegmentId, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def called(self, segment: SegmentId) -> str:
        """The name of a segment with its label behind it."""
        return f"{segment} {self.labels[segment]}" if segment != SONG and segment in self.labels else segment

    def in_song(self, segment: SegmentId, error: str) -> str:
        """Say where an error is: a step counts the notes of its phrase, a person looks for a bar, and for a file."""
        places = self.places.get(segment, ())

        def place(found: re.Match[str]) -> str:
            number = int(found[1])
            return places[number] if number < len(places) else found[0]

        return _NOTE.sub(place, _VOICE_FILE.sub(lambda found: self.files.get(found[1], found[0]), error))


#: Of a song of which nobody knows what people call it.
NAMELESS = SegmentNames()


def names_of(segments: Iterable[Segment], files: Mapping[str, str]) -> SegmentNames:
    """What people call these segments; `files` are those of their voices, by digest."""
    found = list(segments)
    labels = {one.id: one.label for one in found if one.label}
    return SegmentNames(labels, {one.id: one.places for one in found if one.places}, files)
