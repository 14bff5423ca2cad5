"""What the steps that run a voice's own models of durations and pitch are given: options and inputs.

Such a step stands under the name of the rule it replaces (`duration`, `pitch`), so that what reads its outputs, and
what a person drew on them, stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quincunx_orchestrator.song.voices import Voice, short_name
from quincunx_shared.bank_predictor import Prediction, Predictor
from quincunx_shared.names import Digest, PortKey
from quincunx_shared.payload import Encoded, encode

if TYPE_CHECKING:
    from quincunx_orchestrator.song.phrase_graph import Take


def predictor_options(voice: Voice, take: Take, frames: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the options of each predicting step of a voice, by the name of its node; `frames` are the rules'."""
    grid = ("sample_rate", "hop_size", "head_frames", "tail_frames")
    options: dict[str, dict[str, Any]] = {}
    for name, one in voice.predictors.items():
        own = {"dur": one.model, "frame_seconds": one.frame_seconds} if name == "duration" else {"pitch": one.model}
        shared = {"linguistic": one.linguistic, "seed": take.seed, "speaker": speaker_of(one, voice.speaker)}
        options[name] = {**{key: frames[name][key] for key in grid if key in frames[name]}, **own, **shared}
    return options


def predictor_inputs(voice: Voice, melody: Encoded) -> dict[PortKey, Encoded]:
    """Return what the predicting steps of a phrase read beside what the rules do."""
    inputs: dict[PortKey, Encoded] = {}
    for name in voice.predictors:
        inputs |= {**predictor_ids(voice, name, name), PortKey(name, "melody"): melody}
    return inputs


def predictor_ids(voice: Voice, prediction: Prediction, node: str) -> dict[PortKey, Encoded]:
    """Return the numbers by which a predicting model knows phones and languages, for the node that runs it."""
    one = voice.predictors[prediction]
    return {
        PortKey(node, "phoneme_ids"): encode(dict(one.tables.phoneme_ids)),
        PortKey(node, "language_ids"): encode(dict(one.tables.language_ids)),
    }


def speaker_of(predictor: Predictor, speaker: str) -> Digest | str:
    """Return the embedding of the singing speaker in a predictor, whose files have other folders; else its first."""
    by_name = {short_name(name): digest for name, digest in predictor.tables.speakers.items()}
    return by_name.get(short_name(speaker)) or next(iter(by_name.values()), "")
