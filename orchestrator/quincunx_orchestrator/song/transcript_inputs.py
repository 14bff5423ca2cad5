"""What the steps of one segment of a transcript read: of the segment itself, and of the voice that sings it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quincunx_orchestrator.score.transcript import DsSegment, Level, SampledCurve
from quincunx_orchestrator.song.prediction import predictor_ids
from quincunx_orchestrator.song.transcript_music import melody_of, timing_of, word_tones
from quincunx_orchestrator.song.variance_graph import VARIANCE, variance_inputs
from quincunx_orchestrator.song.voices import Voice, short_name
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Digest, PortKey
from quincunx_shared.payload import Encoded, encode

#: Curves that steps read; `expr` is for pitch models.
_SUNG_LEVELS = ("gender", "velocity", "energy", "breathiness", "voicing", "tension")


def segment_inputs(segment: DsSegment, voice: Voice, place: Callable[[str], str]) -> dict[PortKey, Encoded]:
    """Return all inputs of a segment's graph; `place` says where a member of it stands in its file."""
    symbols = encode(list(segment.ph_seq))
    inputs = {
        PortKey("acoustic", "ph_seq"): symbols,
        PortKey("acoustic", "phoneme_ids"): voice.phoneme_ids,
        PortKey("acoustic", "language_ids"): voice.language_ids,
        PortKey("frames", "curves"): encode(
            {name: _level(segment.levels[name]) for name in _SUNG_LEVELS if name in segment.levels}
        ),
    }
    if voice.bank.variance is not None:
        inputs |= {PortKey(VARIANCE, "ph_seq"): symbols, **variance_inputs(voice)}
    inputs |= _duration_inputs(segment, voice, symbols) | _pitch_inputs(segment, voice, symbols)
    return inputs | _speaker_inputs(segment, voice, place)


def _duration_inputs(segment: DsSegment, voice: Voice, symbols: Encoded) -> dict[PortKey, Encoded]:
    """Return the durations, or what they are predicted from."""
    if segment.ph_dur is not None:
        return {PortKey("frames", "ph_dur"): encode(list(segment.ph_dur))}
    inputs = {PortKey("words", "ph_seq"): symbols}
    words: dict[str, Json] = {"ph_num": list(segment.ph_num), "word_dur": list(segment.word_seconds)}
    if "duration" in voice.predictors:
        words["word_midi"] = [*word_tones(segment.notes)]
        inputs |= predictor_ids(voice, "duration", "words")
    else:
        inputs[PortKey("words", "phonology")] = voice.phonology
    return {**inputs, PortKey("words", "words"): encode(words)}


def _pitch_inputs(segment: DsSegment, voice: Voice, symbols: Encoded) -> dict[PortKey, Encoded]:
    """Return the pitch, or what it is predicted from."""
    if segment.f0 is not None:
        return {PortKey("frames", "f0_seq"): encode(_level(segment.f0))}
    inputs = {
        PortKey("pitch", "timing"): encode(timing_of(segment.notes).to_payload()),
        PortKey("pitch", "melody"): encode(melody_of(segment.notes).to_payload()),
    }
    if "pitch" in voice.predictors:
        inputs |= predictor_ids(voice, "pitch", "pitch") | {PortKey("pitch", "ph_seq"): symbols}
        if segment.ph_dur is not None:
            inputs[PortKey("pitch", "ph_seconds")] = encode(list(segment.ph_dur))
        if "expr" in segment.levels:
            inputs[PortKey("pitch", "expr")] = encode(_level(segment.levels["expr"]))
    return inputs


def _speaker_inputs(segment: DsSegment, voice: Voice, place: Callable[[str], str]) -> dict[PortKey, Encoded]:
    """Return the mix of speakers; that for phonemes counts where there is none for frames."""
    member = "spk_mix" if segment.spk_mix else "ph_spk_mix"
    mix: Mapping[str, Level | tuple[float, ...]] = segment.spk_mix or segment.ph_spk_mix
    known = speakers_by_step(voice)
    if not mix or not known:
        return {}
    for name in mix:
        for speakers in known.values():
            if short_name(name) not in speakers:
                what = f"the voice {voice.name!r} has no speaker {name!r}{did_you_mean(name, speakers)}"
                raise BadInput(what, where=place(f"{member}.{name}"))
    by = "frame" if segment.spk_mix else "phoneme"
    weights: list[Json] = [list(one) if isinstance(one, tuple) else _level(one) for one in mix.values()]
    digests = {step: encode([speakers[short_name(name)] for name in mix]) for step, speakers in known.items()}
    return {
        PortKey("frames", "speaker_mix"): encode({"by": by, "weights": weights}),
        **{PortKey(step, "speakers"): value for step, value in digests.items()},
    }


def speakers_by_step(voice: Voice) -> dict[str, Mapping[str, Digest]]:
    """Return the embeddings, by what people call a speaker, of the steps whose models know several."""
    variance = voice.bank.variance
    tables = {"acoustic": voice.bank.speakers, VARIANCE: variance.tables.speakers if variance else {}}
    return {step: {short_name(name): one for name, one in table.items()} for step, table in tables.items() if table}


def _level(level: Level) -> Json:
    if isinstance(level, SampledCurve):
        return {"timestep": level.timestep, "values": list(level.values)}
    return level
