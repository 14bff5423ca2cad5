"""Assembly: a score with its cast becomes segments, one a phrase, and the segment that mixes them.

A phrase's segment is named by its content, so inserting a phrase in front names nothing anew. Nothing about where
a phrase stands is in its segment; that is in the placements, which only the mix reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.score.model import Score, Track
from quincunx_orchestrator.score.phrasing import Cutter, Phrase, phrases_of
from quincunx_orchestrator.song.phrase_graph import (
    CURVE_PORTS,
    FILE,
    MIXED,
    PHRASE_STEPS,
    REPORT,
    RESAMPLE,
    SONG_STEPS,
    Delivery,
    Take,
    audio_of,
    grid_of_voice,
    phrase_graph,
    song_graph,
)
from quincunx_orchestrator.song.voices import Casting, Voice
from quincunx_shared.canonical import Json, digest_of
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import SONG, Address, PortKey, SegmentId
from quincunx_shared.payload import Encoded, encode


@dataclass(frozen=True)
class Placed:
    """A phrase as the song has it: its segment, its track and its place, and where a person finds each note."""

    segment: Segment
    track: int
    anchor_tick: int
    start_sample: int
    places: tuple[str, ...] = ()

    @property
    def audio(self) -> Address:
        """What the mix reads of the phrase."""
        return Address(self.segment.id, audio_of(self.segment.graph))


@dataclass(frozen=True)
class Assembly:
    """All segments of a song, and what to ask a render for."""

    placed: tuple[Placed, ...]
    song: Segment
    sample_rate: int
    notices: tuple[str, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments in the order of the song, the mixing one last."""
        return (*(one.segment for one in self.placed), self.song)

    @property
    def targets(self) -> tuple[Address, ...]:
        """The finished file, and what the mastering measured."""
        return (Address(SONG, FILE), Address(SONG, REPORT))

    def with_segment(self, segment: Segment) -> Assembly:
        """Return the assembly with one segment replaced by an edited one of the same id."""
        if segment.id == SONG:
            return Assembly(self.placed, segment, self.sample_rate, self.notices)
        placed = tuple(replace(one, segment=segment) if one.segment.id == segment.id else one for one in self.placed)
        return Assembly(placed, self.song, self.sample_rate, self.notices)


def assemble(
    score: Score,
    casting: Casting,
    manifests: Mapping[str, Manifest],
    *,
    take: Take | None = None,
    delivery: Delivery | None = None,
    cutter: Cutter | None = None,
) -> Assembly:
    """Cut the score into phrases and build their segments. Tracks that are not heard are not rendered."""
    sample_rate = _song_rate(casting.voices.values())
    graphs = _Graphs(take or Take(), manifests, sample_rate)
    colours = {name: manifests[name].device for name in (*PHRASE_STEPS, RESAMPLE, *SONG_STEPS)}
    names: dict[str, int] = {}
    placed = []
    phrases = [phrase for phrase in phrases_of(score, cutter) if phrase.track in casting.voices]
    for phrase in phrases:
        voice = casting.voices[phrase.track]
        graph = graphs.of(voice, language_of(score.tracks[phrase.track]))
        segment = _phrase_segment(phrase, voice, graph, colours, names)
        start = round(phrase.anchor_seconds * sample_rate) - _head_samples(voice, sample_rate)
        placed.append(Placed(segment, phrase.track, phrase.anchor_tick, start, phrase.places))
    song = _song_segment(placed, score.tracks, song_graph(sample_rate, delivery or Delivery(), manifests), colours)
    notices = (*score.notices, *casting.notices, *_cut_at_the_start(phrases))
    return Assembly(tuple(placed), song, sample_rate, notices)


#: What a breath and the consonants before a first note may take.
ONSET_SECONDS = 0.3


def _cut_at_the_start(phrases: Sequence[Phrase]) -> list[str]:
    """Say which phrases begin so early that what sounds before their first note is lost."""
    early = [phrase.label for phrase in phrases if phrase.anchor_seconds < ONSET_SECONDS]
    advice = "what sounds before its first note is cut; move the song by a beat to hear it"
    return [f"{label} begins at the very start: {advice}" for label in early]


def language_of(track: Track) -> str:
    """The language a track's phonemizer names, or nothing, which lets each lyric's script decide."""
    phonemizer = track.phonemizer.lower()
    languages = {"japanese": "ja", "english": "en", "arpasing": "en", "chinese": "zh", "mandarin": "zh"}
    return next((code for word, code in languages.items() if word in phonemizer), "")


class _Graphs:
    """One graph object for each voice and language, so that a topology is compiled and hashed once."""

    def __init__(self, take: Take, manifests: Mapping[str, Manifest], song_rate: int) -> None:
        self._take = take
        self._manifests = manifests
        self._song_rate = song_rate
        self._made: dict[tuple[str, str], Graph] = {}

    def of(self, voice: Voice, language: str) -> Graph:
        """Return the base graph of this voice's phrases."""
        key = (voice.name, language)
        if key not in self._made:
            self._made[key] = phrase_graph(voice, language, self._take, self._manifests, song_rate=self._song_rate)
        return self._made[key]


def _phrase_segment(
    phrase: Phrase, voice: Voice, graph: Graph, colours: Mapping[str, str], names: dict[str, int]
) -> Segment:
    inputs = _phrase_inputs(phrase, voice)
    content: list[Json] = [[str(key), value.ref.digest] for key, value in sorted(inputs.items())]
    name = f"t{phrase.track + 1}-{digest_of([graph.digest, content])[:8]}"
    names[name] = names.get(name, 0) + 1
    again = f".{names[name]}" if names[name] > 1 else ""
    return Segment(SegmentId(name + again), graph, inputs, colours=colours, label=phrase.label)


def _phrase_inputs(phrase: Phrase, voice: Voice) -> dict[PortKey, Encoded]:
    timing = encode(phrase.timing.to_payload())
    inputs = {
        PortKey("phonemize", "lyrics"): encode(phrase.lyrics.to_payload()),
        PortKey("phonemize", "phonology"): voice.phonology,
        PortKey("duration", "phonology"): voice.phonology,
        PortKey("duration", "timing"): timing,
        PortKey("pitch", "timing"): timing,
        PortKey("pitch", "melody"): encode(phrase.melody.to_payload()),
        PortKey("acoustic", "timing"): timing,
        PortKey("acoustic", "phoneme_ids"): voice.phoneme_ids,
        PortKey("acoustic", "language_ids"): voice.language_ids,
        PortKey("post", "timing"): timing,
    }
    for name, curve in phrase.curves.items():
        if name in CURVE_PORTS:
            inputs[CURVE_PORTS[name]] = encode(curve.to_payload())
    return inputs


def _song_segment(
    placed: Sequence[Placed], tracks: Sequence[Track], graph: Graph, colours: Mapping[str, str]
) -> Segment:
    placements: list[Json] = [[one.start_sample, tracks[one.track].volume_db, tracks[one.track].pan] for one in placed]
    return Segment(
        SONG,
        graph,
        inputs={PortKey("mix", "placements"): encode(placements)},
        links={PortKey(MIXED.node, "audio"): tuple(one.audio for one in placed)},
        colours=colours,
        label="song",
    )


def _song_rate(voices: Iterable[Voice]) -> int:
    """Return the rate a song is mixed at: the highest of its voices, so that none of them loses anything."""
    return max((voice.bank.sample_rate for voice in voices), default=44100)


def _head_samples(voice: Voice, song_rate: int) -> int:
    """Return how many samples of the song lie between the start of a phrase's audio and its anchor."""
    grid = grid_of_voice(voice)
    return round(grid.head_samples * song_rate / grid.sample_rate)
