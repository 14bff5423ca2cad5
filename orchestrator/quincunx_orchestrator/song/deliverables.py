"""What a render can deliver beside the song: a stem of every track that is heard, and a file of every phrase.

Each is a segment of its own that reads what the song's mix reads. So asking for them changes no signature of the
song, and whatever was computed before is recalled.

    post ─┬─ mix ─ master ─ file          the song
          │           │ level
          ├───────── stem ─ file          one a track: its phrases, its fader and pan, the song's gain, no limiter
          └───── phrase_file ─ file       one a phrase: as it was sung
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from quincunx_orchestrator.core.graph import Graph, node_of
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.score.model import Track
from quincunx_orchestrator.song.file_names import numbered_name
from quincunx_orchestrator.song.phrase_graph import LEVEL, MIXED, REVERB, Delivery, file_options
from quincunx_shared.canonical import Json
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import SONG, Address, PortKey, SegmentId
from quincunx_shared.payload import encode

if TYPE_CHECKING:
    from quincunx_orchestrator.song.assembly import Placed
    from quincunx_orchestrator.song.wave_segments import PlacedWave

Kind: TypeAlias = Literal["stem", "phrase"]

STEM, ROOM_STEM, PHRASE_FILE = "stem", "room_stem", "phrase_file"

#: Enough for the phrases of an opera; more of them only make the names longer.
PHRASE_DIGITS = 3


@dataclass(frozen=True)
class Deliverable:
    """A file beside the song: its name in the folder of its kind, the segment that makes it, and its node there."""

    kind: Kind
    file_name: str
    segment: Segment
    node: str

    @property
    def file(self) -> Address:
        """The whole file."""
        return Address(self.segment.id, PortKey(self.node, "file"))

    @property
    def report(self) -> Address:
        """What the step tells of it."""
        return Address(self.segment.id, PortKey(self.node, "report"))


def stems_of(
    placed: Sequence[Placed | PlacedWave],
    tracks: Sequence[Track],
    delivery: Delivery,
    manifests: Mapping[str, Manifest],
    *,
    sample_rate: int,
    first_sample: int,
) -> tuple[Deliverable, ...]:
    """Return a stem for every track that has phrases or recordings, in the order of the tracks."""
    options = {**file_options(delivery), "sample_rate": sample_rate, "first_sample": first_sample}
    graph = Graph.of([node_of(manifests[STEM], options=options)])
    stems = []
    for number in sorted({one.track for one in placed}):
        track, mine = tracks[number], [one for one in placed if one.track == number]
        segment = Segment(
            SegmentId(f"stem-{number + 1}"),
            graph,
            inputs={PortKey(STEM, "placements"): encode(placements_of(mine, tracks))},
            links={
                PortKey(STEM, "audio"): tuple(one.audio for one in mine),
                PortKey(STEM, "level"): (Address(SONG, LEVEL),),
            },
            colours={STEM: manifests[STEM].device},
            label=f"stem {track.name}".strip(),
        )
        stems.append(Deliverable("stem", numbered_name(number + 1, track.name, delivery.container), segment, STEM))
    return tuple(stems)


def room_stem_of(
    delivery: Delivery, manifests: Mapping[str, Manifest], *, sample_rate: int, first_sample: int
) -> Deliverable:
    """Return the stem of what the reverb adds to a mix, from one of its samples on; its number is that of no track."""
    options = {**file_options(delivery), "sample_rate": sample_rate, "first_sample": first_sample}
    segment = Segment(
        SegmentId("stem-room"),
        Graph.of([node_of(manifests[ROOM_STEM], options=options)]),
        links={
            PortKey(ROOM_STEM, "dry"): (Address(SONG, MIXED),),
            PortKey(ROOM_STEM, "wet"): (Address(SONG, PortKey(REVERB, "audio")),),
            PortKey(ROOM_STEM, "level"): (Address(SONG, LEVEL),),
        },
        colours={ROOM_STEM: manifests[ROOM_STEM].device},
        label="stem of the room",
    )
    return Deliverable("stem", numbered_name(0, "Reverb", delivery.container), segment, ROOM_STEM)


def phrase_files_of(
    placed: Sequence[Placed], delivery: Delivery, manifests: Mapping[str, Manifest], *, sample_rate: int
) -> tuple[Deliverable, ...]:
    """Return a file for every phrase, numbered as they stand in the song."""
    options = {**file_options(delivery), "sample_rate": sample_rate}
    graph = Graph.of([node_of(manifests[PHRASE_FILE], options=options)])
    return tuple(
        Deliverable(
            "phrase",
            numbered_name(one.number, one.segment.id, delivery.container, digits=PHRASE_DIGITS),
            Segment(
                SegmentId(f"file-{one.segment.id}"),
                graph,
                links={PortKey(PHRASE_FILE, "audio"): (one.audio,)},
                colours={PHRASE_FILE: manifests[PHRASE_FILE].device},
                label=f"file {one.segment.label}",
            ),
            PHRASE_FILE,
        )
        for one in placed
    )


def placements_of(placed: Sequence[Placed | PlacedWave], tracks: Sequence[Track]) -> Json:
    """Return where the mix lays each phrase, and how loud: `[start_sample, volume_db, pan]`."""
    return [[one.start_sample, tracks[one.track].volume_db, tracks[one.track].pan] for one in placed]
