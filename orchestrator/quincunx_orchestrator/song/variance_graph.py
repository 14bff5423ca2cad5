"""The variance step in a graph, where the bank has a variance model: before the acoustic model, which reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quincunx_orchestrator.core.graph import Edge, Node, connect, node_of
from quincunx_orchestrator.song.prediction import speaker_of
from quincunx_orchestrator.song.voices import Voice
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Encoded

VARIANCE = "variance"

#: What it predicts, by the names of its outputs.
PREDICTED = ("energy", "breathiness", "voicing", "tension")

_TO_ACOUSTIC = tuple(connect(f"variance.{name}", f"acoustic.{name}_pred") for name in PREDICTED)

#: In the graph of a phrase.
PHRASE_EDGES = (
    connect("duration.ph_seq", "variance.ph_seq"),
    connect("duration.ph_dur", "variance.ph_dur"),
    connect("pitch.f0", "variance.f0"),
    *_TO_ACOUSTIC,
)

#: In the graph of a segment of a transcript, whose phonemes are given.
SEGMENT_EDGES = (
    connect("frames.ph_dur", "variance.ph_dur"),
    connect("frames.f0", "variance.f0"),
    connect("frames.spk_mix", "variance.spk_mix"),
    *(connect(f"frames.{name}", f"variance.{name}") for name in PREDICTED),
    *_TO_ACOUSTIC,
)


def variance_nodes(
    voice: Voice, manifests: Mapping[str, Manifest], edges: tuple[Edge, ...], *, seed: int, steps: int
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Return the node and its edges, or nothing for a bank that predicts no variances."""
    model = voice.bank.variance
    if model is None:
        return (), ()
    options: dict[str, Any] = {
        "linguistic": model.linguistic,
        "variance": model.model,
        "seed": seed,
        "steps": steps,
        "speaker": speaker_of(model, voice.speaker),
    }
    own_frame, frame = model.frame_seconds, voice.bank.hop_size / voice.bank.sample_rate
    if own_frame != frame:
        options["frames_per_frame"] = frame / own_frame
    return (node_of(manifests[VARIANCE], options=options),), edges


def variance_inputs(voice: Voice) -> dict[PortKey, Encoded]:
    """Return what the step reads of the bank, the same for all phrases of a voice."""
    return {PortKey(VARIANCE, name): value for name, value in voice.variance_tables.items()}
