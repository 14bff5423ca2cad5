"""Assembly: a score with its cast becomes segments, one a phrase, and the segment that mixes them.

A phrase's segment is named by its content, so inserting a phrase in front names nothing anew. Nothing about where
a phrase stands is in its segment; that is in the placements, which only the mix reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.score.model import Score, Track
from quincunx_orchestrator.score.phrasing import Cutter, Phrase, phrases_of
from quincunx_orchestrator.song.deliverables import Deliverable, phrase_files_of, placements_of, room_stem_of, stems_of
from quincunx_orchestrator.song.phrase_graph import (
    CURVE_PORTS,
    FILE,
    MIXED,
    PHRASE_STEPS,
    REPORT,
    RESAMPLE,
    REVERB,
    SONG_STEPS,
    Delivery,
    Take,
    audio_of,
    grid_of_voice,
    mixing_window,
    phrase_graph,
    song_graph,
)
from quincunx_orchestrator.song.phrase_names import names_of
from quincunx_orchestrator.song.prediction import predictor_inputs
from quincunx_orchestrator.song.range import Window, window_of
from quincunx_orchestrator.song.track_language import han_of, language_of
from quincunx_orchestrator.song.variance_graph import VARIANCE, variance_inputs
from quincunx_orchestrator.song.voices import Casting, Voice
from quincunx_orchestrator.song.wave_files import Waves, unread
from quincunx_orchestrator.song.wave_segments import PlacedWave, placed_waves
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import SONG, Address, PortKey, SegmentId
from quincunx_shared.payload import Encoded, encode


@dataclass(frozen=True)
class Placed:
    """A phrase as the song has it: its segment, its track and its place."""

    segment: Segment
    track: int
    anchor_tick: int
    start_sample: int
    #: Counted from 1 over the whole song, also where only a range of it is rendered.
    number: int = 0
    #: Who sings it.
    voice: str = ""

    @property
    def audio(self) -> Address:
        """What the mix reads of the phrase."""
        return Address(self.segment.id, audio_of(self.segment.graph))


@dataclass(frozen=True)
class Assembly:
    """All segments of a song, and what to ask a render for.

    Of a range of a song, `placed` are the phrases that sound in it, and `window` says which samples they are.
    """

    placed: tuple[Placed, ...]
    song: Segment
    sample_rate: int
    notices: tuple[str, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)
    window: Window = field(default_factory=Window)
    deliverables: tuple[Deliverable, ...] = ()
    waves: tuple[PlacedWave, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The phrases in the order of the song, its recordings, the mix, then the files beside the song."""
        phrases, waves = (one.segment for one in self.placed), (one.segment for one in self.waves)
        return (*phrases, *waves, self.song, *(one.segment for one in self.deliverables))

    @property
    def targets(self) -> tuple[Address, ...]:
        """The finished file, and what the mastering measured."""
        return (Address(SONG, FILE), Address(SONG, REPORT))

    @property
    def beside(self) -> tuple[Address, ...]:
        """The files beside the song, and what their steps tell of them."""
        return tuple(address for one in self.deliverables for address in (one.file, one.report))

    def with_segment(self, segment: Segment) -> Assembly:
        """Return the assembly with one segment replaced by an edited one of the same id."""
        if segment.id == SONG:
            return replace(self, song=segment)
        placed = tuple(replace(one, segment=segment) if one.segment.id == segment.id else one for one in self.placed)
        return replace(self, placed=placed)


def assemble(
    score: Score,
    casting: Casting,
    manifests: Mapping[str, Manifest],
    *,
    take: Take | None = None,
    delivery: Delivery | None = None,
    cutter: Cutter | None = None,
    waves: Waves | None = None,
) -> Assembly:
    """Cut the score into phrases and build their segments. Tracks that are not heard are not rendered."""
    wanted = delivery or Delivery()
    sample_rate = _song_rate(casting.voices.values())
    graphs = _Graphs(take or Take(), manifests, sample_rate)
    colours = {name: manifests[name].device for name in (*PHRASE_STEPS, VARIANCE, RESAMPLE, REVERB, *SONG_STEPS)}
    for predicted in (take or Take()).predict or ():
        colours[predicted] = manifests[f"predict_{predicted}"].device
    placed = []
    phrases = [phrase for phrase in phrases_of(score, cutter) if phrase.track in casting.voices]
    for number, (name, phrase) in enumerate(zip(names_of(phrases), phrases, strict=True), 1):
        voice = casting.voices[phrase.track]
        graph = graphs.of(voice, language_of(score.tracks[phrase.track]), han_of(score, phrase.track))
        segment = _phrase_segment(name, phrase, voice, graph, colours)
        start = round(phrase.anchor_seconds * sample_rate) - _head_samples(voice, sample_rate)
        placed.append(Placed(segment, phrase.track, phrase.anchor_tick, start, number, voice=voice.name))
    recordings = unread(score) if waves is None else waves
    laid = placed_waves(score, recordings, sample_rate, manifests)
    window, heard = Window(), placed
    if wanted.stretch is not None:
        lengths = [_sample_count(one, casting.voices[one.track], sample_rate) for one in phrases]
        ends = [one.start_sample + length for one, length in zip(placed, lengths, strict=True)]
        last = max([0, *ends, *(one.end_sample for one in laid)])
        window = window_of(wanted.stretch, score, sample_rate, last)
        mixed = mixing_window(window, sample_rate, wanted, manifests)
        heard = [one for one, end in zip(placed, ends, strict=True) if mixed.sounds(one.start_sample, end)]
        laid = tuple(one for one in laid if mixed.sounds(one.start_sample, one.end_sample))
    song = _song_segment((*heard, *laid), score.tracks, song_graph(sample_rate, wanted, manifests, window), colours)
    dry = ("phrase files are written without the reverb",) if wanted.reverb > 0 and wanted.phrases else ()
    notices = (*score.notices, *casting.notices, *recordings.notices, *_cut_at_the_start(phrases), *dry)
    assembly = Assembly(tuple(heard), song, sample_rate, notices, wanted, window, waves=laid)
    return replace(assembly, deliverables=_deliverables(assembly, score.tracks, manifests))


def _deliverables(
    assembly: Assembly, tracks: Sequence[Track], manifests: Mapping[str, Manifest]
) -> tuple[Deliverable, ...]:
    """Return the files beside the song that its delivery asks for."""
    placed, wanted, rate = assembly.placed, assembly.delivery, assembly.sample_rate
    first = assembly.window.first_sample
    found: list[Deliverable] = []
    if wanted.stems:
        every: tuple[Placed | PlacedWave, ...] = (*placed, *assembly.waves)
        found += stems_of(every, tracks, wanted, manifests, sample_rate=rate, first_sample=first)
    if wanted.stems and wanted.reverb > 0:
        lead = first - mixing_window(assembly.window, rate, wanted, manifests).first_sample
        found.append(room_stem_of(wanted, manifests, sample_rate=rate, first_sample=lead))
    if wanted.phrases:
        found += phrase_files_of(placed, wanted, manifests, sample_rate=rate)
    return tuple(found)


#: What a breath and the consonants before a first note may take.
ONSET_SECONDS = 0.3


def _cut_at_the_start(phrases: Sequence[Phrase]) -> list[str]:
    """Say which phrases begin so early that what sounds before their first note is lost."""
    early = [phrase.label for phrase in phrases if phrase.anchor_seconds < ONSET_SECONDS]
    advice = "what sounds before its first note is cut; move the song by a beat to hear it"
    return [f"{label} begins at the very start: {advice}" for label in early]


class _Graphs:
    """One graph object for each voice and language, so that a topology is compiled and hashed once."""

    def __init__(self, take: Take, manifests: Mapping[str, Manifest], song_rate: int) -> None:
        self._take = take
        self._manifests = manifests
        self._song_rate = song_rate
        self._made: dict[tuple[str, str, str], Graph] = {}

    def of(self, voice: Voice, language: str, han: str) -> Graph:
        """Return the base graph of this voice's phrases."""
        key = (voice.name, language, han)
        if key not in self._made:
            made = phrase_graph(voice, language, self._take, self._manifests, song_rate=self._song_rate, han=han)
            self._made[key] = made
        return self._made[key]


def _phrase_segment(name: SegmentId, phrase: Phrase, voice: Voice, graph: Graph, colours: Mapping[str, str]) -> Segment:
    inputs = _phrase_inputs(phrase, voice)
    return Segment(name, graph, inputs, colours=colours, label=phrase.label, places=phrase.places)


def _phrase_inputs(phrase: Phrase, voice: Voice) -> dict[PortKey, Encoded]:
    timing, melody = encode(phrase.timing.to_payload()), encode(phrase.melody.to_payload())
    inputs = {
        PortKey("phonemize", "lyrics"): encode(phrase.lyrics.to_payload()),
        PortKey("phonemize", "phonology"): voice.phonology,
        PortKey("duration", "timing"): timing,
        PortKey("pitch", "timing"): timing,
        PortKey("pitch", "melody"): melody,
        PortKey("acoustic", "timing"): timing,
        PortKey("acoustic", "phoneme_ids"): voice.phoneme_ids,
        PortKey("acoustic", "language_ids"): voice.language_ids,
        PortKey("post", "timing"): timing,
    }
    inputs |= variance_inputs(voice)
    if "duration" not in voice.predictors:
        inputs[PortKey("duration", "phonology")] = voice.phonology
    inputs |= predictor_inputs(voice, melody)
    for name, curve in phrase.curves.items():
        if name in CURVE_PORTS:
            inputs[CURVE_PORTS[name]] = encode(curve.to_payload())
    return inputs


def _song_segment(
    placed: Sequence[Placed | PlacedWave], tracks: Sequence[Track], graph: Graph, colours: Mapping[str, str]
) -> Segment:
    return Segment(
        SONG,
        graph,
        inputs={PortKey("mix", "placements"): encode(placements_of(placed, tracks))},
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


def _sample_count(phrase: Phrase, voice: Voice, song_rate: int) -> int:
    """Return how many samples of the song a phrase's audio takes, at most."""
    grid = grid_of_voice(voice)
    return math.ceil(grid.frame_count(phrase.timing) * grid.hop_size * song_rate / grid.sample_rate)
