"""Assembly of a transcript: each of its segments becomes one of ours, and one more joins them.

As with phrases, a segment is named by its content and knows nothing of its place: moving it runs the join alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.score.transcript import DsSegment, Transcript
from quincunx_orchestrator.song.assembly import Assembly, Placed
from quincunx_orchestrator.song.deliverables import phrase_files_of
from quincunx_orchestrator.song.phone_mapping import sung_by
from quincunx_orchestrator.song.phrase_graph import REVERB, Delivery, Take
from quincunx_orchestrator.song.transcript_graph import (
    JOINED,
    JOINING_STEPS,
    SEGMENT_STEPS,
    joining_graph,
    segment_graph,
    step_of,
)
from quincunx_orchestrator.song.transcript_inputs import segment_inputs, speakers_by_step
from quincunx_orchestrator.song.transcript_music import TICKS_PER_SECOND
from quincunx_orchestrator.song.transcript_names import label_of, segment_names
from quincunx_orchestrator.song.variance_graph import VARIANCE
from quincunx_orchestrator.song.voices import FALLBACK, Catalogue, Voice, first_of_several
from quincunx_shared.bank_predictor import Prediction
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput, BadOption
from quincunx_shared.frames import frames_of_seconds
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import SONG, PortKey
from quincunx_shared.payload import encode
from quincunx_shared.voicebank import PADDING


def voice_of(transcript: Transcript, catalogue: Catalogue, name: str) -> tuple[Voice, Transcript]:
    """Return the voice asked for, else the demo voice, and the transcript with what was decided."""
    voice = catalogue.load(name or FALLBACK)
    said = () if name else (f"a .ds file names no singer; it is sung by the voice {voice.name!r}",)
    return voice, replace(transcript, notices=(*transcript.notices, *said))


def left_out(transcript: Transcript) -> tuple[Prediction, ...]:
    """Return what some segment does not say, and a model of the bank would."""
    durations = any(segment.ph_dur is None for segment in transcript.segments)
    pitch = any(segment.f0 is None for segment in transcript.segments)
    return (*(("duration",) if durations else ()), *(("pitch",) if pitch else ()))


def assemble_transcript(
    transcript: Transcript,
    voice: Voice,
    manifests: Mapping[str, Manifest],
    *,
    take: Take | None = None,
    delivery: Delivery | None = None,
) -> Assembly:
    """Build the segments of a transcript and the one that joins them. All that is wrong with it is said here."""
    rate, wanted = voice.bank.sample_rate, delivery or Delivery()
    _refuse_parts(wanted)
    _check_order(transcript, rate, voice.bank.hop_size)
    mapped = sung_by(transcript, voice.name, voice.bank.phoneme_ids.keys() - {PADDING})
    graphs = _Graphs(voice, take or Take(), manifests)
    colours = {name: manifests[name].device for name in (*SEGMENT_STEPS, VARIANCE, REVERB, *JOINING_STEPS)}
    colours |= {name: manifests[step_of(name, voice)].device for name in SEGMENT_STEPS}
    placed = []
    # Named as they are written: another voice may map phonemes in another way.
    for number, (name, segment) in enumerate(zip(segment_names(transcript), mapped.segments, strict=True)):
        graph, inputs = graphs.of(segment), segment_inputs(segment, voice, partial(transcript.place, number))
        one = Segment(name, graph, inputs, colours=colours, label=label_of(segment))
        tick, start = round(segment.offset * TICKS_PER_SECOND), round(segment.offset * rate)
        placed.append(Placed(one, 0, tick, start, number=number + 1, voice=voice.name))
    offsets: list[Json] = [segment.offset for segment in mapped.segments]
    song = Segment(
        SONG,
        joining_graph(rate, wanted, manifests),
        inputs={PortKey(JOINED.node, "offsets"): encode(offsets)},
        links={PortKey(JOINED.node, "audio"): tuple(one.audio for one in placed)},
        colours=colours,
        label="song",
    )
    notices = (*transcript.notices, *mapped.notices, *_said(transcript, voice))
    files = phrase_files_of(placed, wanted, manifests, sample_rate=rate) if wanted.phrases else ()
    return Assembly(tuple(placed), song, rate, notices, wanted, deliverables=files)


def _refuse_parts(wanted: Delivery) -> None:
    """Refuse what a transcript does not have: it is one voice, and nobody wrote bars into it."""
    if wanted.stems:
        raise BadOption("a .ds file has no tracks", where="--stems", remedy="--phrases writes each of its segments")
    if wanted.stretch is not None:
        raise BadOption("a .ds file is rendered whole", where="--range", remedy="--phrases writes each of its segments")


class _Graphs:
    """One graph object for all segments that leave out the same and have the same seed."""

    def __init__(self, voice: Voice, take: Take, manifests: Mapping[str, Manifest]) -> None:
        self._voice = voice
        self._take = take
        self._manifests = manifests
        self._made: dict[tuple[bool, bool, int | None], Graph] = {}

    def of(self, segment: DsSegment) -> Graph:
        """Return the base graph of a segment. A segment's own seed is its take, as it is in DiffSinger's tool."""
        key = (segment.ph_dur is not None, segment.f0 is not None, segment.seed)
        if key not in self._made:
            take = self._take
            if segment.seed is not None:
                take = replace(take, seed=segment.seed & 0xFFFFFFFF, acoustic_seed=None)
            self._made[key] = segment_graph(
                self._voice, take, self._manifests, durations_given=key[0], pitch_given=key[1]
            )
        return self._made[key]


def _check_order(transcript: Transcript, sample_rate: int, hop_size: int) -> None:
    """Refuse a segment that ends before those before it do: what two voices sing at once is no cross-fade.

    To the sample where the durations are given; where they are predicted, the join would tell.
    """
    end = 0
    for number, segment in enumerate(transcript.segments):
        seconds = segment.word_seconds if segment.ph_dur is None else segment.ph_dur
        frames = int(frames_of_seconds(seconds, hop_size / sample_rate).sum())
        own = round(segment.offset * sample_rate) + frames * hop_size
        if own < end:
            what = f"the segment ends at {own / sample_rate:.3f} s, those before it at {end / sample_rate:.3f} s"
            remedy = "order the segments by offset, and write what sounds together into files of its own"
            raise BadInput(what, where=transcript.place(number, "offset"), remedy=remedy)
        end = own


def _said(transcript: Transcript, voice: Voice) -> list[str]:
    said = []
    if any(segment.offset < 0 for segment in transcript.segments):
        said.append("what sounds before second 0 is cut")
    if not speakers_by_step(voice) and any(segment.spk_mix or segment.ph_spk_mix for segment in transcript.segments):
        said.append(f"the voice {voice.name!r} has one speaker; mixes of speakers change nothing")
    if not all(segment.spk_mix or segment.ph_spk_mix for segment in transcript.segments):
        said += first_of_several(voice)
    if any(segment.ph_dur is None for segment in transcript.segments):
        said.append(f"segments without ph_dur: durations are predicted {_by_whom(voice, 'duration')}")
    if any(segment.f0 is None for segment in transcript.segments):
        said.append(f"segments without f0_seq: pitch is predicted from the notes {_by_whom(voice, 'pitch')}")
    return said


def _by_whom(voice: Voice, prediction: Prediction) -> str:
    return "by the bank's model" if prediction in voice.predictors else "by rule"
