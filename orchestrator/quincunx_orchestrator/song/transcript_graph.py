"""The graph of one segment of a transcript, and the graph that joins all of them.

ph_num, note_dur ─ words ─┐ (without ph_dur)
ph_dur ───────────────────┤
f0_seq, curves, spk_mix ──┼─ frames ─ (variance) ─ acoustic ─ vocoder ─┐
notes ─ pitch ────────────┘ (without f0_seq)                           ├─ join ─ master ─ file
                                                    other segments ────┘
"""

from __future__ import annotations

from collections.abc import Mapping

from quincunx_orchestrator.core.graph import Edge, Graph, connect, node_of
from quincunx_orchestrator.song.phrase_graph import (
    Delivery,
    Take,
    file_options,
    level_options,
    phrase_options,
    roomed,
)
from quincunx_orchestrator.song.prediction import predictor_options
from quincunx_orchestrator.song.variance_graph import PREDICTED, SEGMENT_EDGES, variance_nodes
from quincunx_orchestrator.song.voices import Voice
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey

SEGMENT_STEPS = ("words", "pitch", "frames", "acoustic", "vocoder")
JOINING_STEPS = ("join", "master")
JOINED = PortKey("join", "audio")

_EDGES = (
    connect("frames.ph_dur", "acoustic.ph_dur"),
    connect("frames.f0", "acoustic.f0"),
    connect("frames.f0", "vocoder.f0"),
    connect("frames.gender", "acoustic.gender_frames"),
    connect("frames.velocity", "acoustic.velocity_frames"),
    connect("frames.spk_mix", "acoustic.spk_mix"),
    connect("acoustic.mel", "vocoder.mel"),
)

#: Where no model predicts the variances, those that are given.
_GIVEN = tuple(connect(f"frames.{name}", f"acoustic.{name}_pred") for name in PREDICTED)


def segment_graph(
    voice: Voice, take: Take, manifests: Mapping[str, Manifest], *, durations_given: bool, pitch_given: bool
) -> Graph:
    """Return the base graph of every segment sung by this voice in this take that leaves out the same."""
    predicting = predicting_steps(voice, durations_given=durations_given, pitch_given=pitch_given)
    options = phrase_options(voice, "", take)
    rates = {"sample_rate": voice.bank.sample_rate, "hop_size": voice.bank.hop_size}
    options |= {"frames": rates, "words": {}}
    # A transcript is sung from its first frame to its last: nothing stands before it or rings on behind it.
    for step in ("pitch", "acoustic"):
        options[step] |= {"head_frames": 0, "tail_frames": 0}
    options |= predictor_options(voice, take, {"duration": {}, "pitch": options["pitch"]})
    if "duration" in voice.predictors:
        options["words"] = options["duration"]
    names = [name for name in SEGMENT_STEPS if name in predicting or name not in ("words", "pitch")]
    more, edges = variance_nodes(voice, manifests, SEGMENT_EDGES, seed=options["acoustic"]["seed"], steps=take.steps)
    nodes = [*(node_of(manifests[step_of(name, voice)], name, options=options[name]) for name in names), *more]
    known = (edge for several in predicting.values() for edge in several)
    return Graph.of(nodes, [*_EDGES, *(edges or _GIVEN), *known])


def predicting_steps(voice: Voice, *, durations_given: bool, pitch_given: bool) -> dict[str, tuple[Edge, ...]]:
    """Return the nodes that predict what a segment leaves out, each with the edges it needs."""
    steps: dict[str, tuple[Edge, ...]] = {}
    if not durations_given:
        steps["words"] = (connect("words.ph_dur", "frames.ph_dur"),)
    if not pitch_given:
        timed = not durations_given and "pitch" in voice.predictors
        known = (connect("words.ph_dur", "pitch.ph_seconds"),) if timed else ()
        steps["pitch"] = (connect("pitch.f0", "frames.f0_pred"), *known)
    return steps


def step_of(node: str, voice: Voice) -> str:
    """Return the step that stands at a node: a rule, or the bank's own model in its place."""
    predicted = {"words": "duration"}.get(node, node)
    return f"predict_{node}" if predicted in voice.predictors else node


def joining_graph(sample_rate: int, delivery: Delivery, manifests: Mapping[str, Manifest]) -> Graph:
    """Return the graph that joins the segments and writes the file.

    Unless a person asked for a level, the file is what DiffSinger's own tool writes: no gain, no limiter, no dither.
    """
    plain = {"loudness_lufs": 0.0, "limiter": False, "dither": False}
    levels = level_options(delivery) if delivery.level_asked else {**level_options(delivery), **plain}
    levels = {name: value for name, value in levels.items() if delivery.level_asked or name != "true_peak_dbtp"}
    nodes = (
        node_of(manifests["join"], options={"sample_rate": sample_rate}),
        node_of(manifests["master"], options={"sample_rate": sample_rate, **file_options(delivery), **levels}),
    )
    more, edges = roomed("join", sample_rate, delivery, manifests)
    return Graph.of([*nodes, *more], edges)
