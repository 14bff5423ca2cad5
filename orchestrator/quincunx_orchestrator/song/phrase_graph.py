"""The graph of one phrase, and the graph that mixes all of them.

lyrics ─ phonemize ─ duration ─┐
timing ────────────────┤       ├─ acoustic ─┬─ vocoder ─ post ─┐
melody, PITD ──────── pitch ───┴────────────┘                  ├─ mix ─ master ─ file
                                             other phrases ────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quincunx_orchestrator.core.graph import Edge, Graph, Node, connect, node_of
from quincunx_orchestrator.song.prediction import predictor_options
from quincunx_orchestrator.song.range import Range, Window
from quincunx_orchestrator.song.variance_graph import PHRASE_EDGES, variance_nodes
from quincunx_orchestrator.song.voices import Voice
from quincunx_shared.bank_predictor import Prediction
from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey

#: Which step reads which curve of the score, by OpenUTAU's abbreviation.
CURVE_PORTS: Mapping[str, PortKey] = {
    "pitd": PortKey("pitch", "pitd"),
    "dyn": PortKey("post", "dyn"),
    "genc": PortKey("acoustic", "gender"),
    "velc": PortKey("acoustic", "velocity"),
    "brec": PortKey("acoustic", "breathiness"),
    "tenc": PortKey("acoustic", "tension"),
    "ene": PortKey("acoustic", "energy"),
    "voic": PortKey("acoustic", "voicing"),
}

#: Follows on the last step of a voice that sings at another rate than the song.
RESAMPLE = "resample"

PHRASE_STEPS = ("phonemize", "duration", "pitch", "acoustic", "vocoder", "post")
SONG_STEPS = ("mix", "master")
#: Stands between the two where somebody asks for it.
REVERB = "reverb"

#: More than the room waits before it answers.
ROOM_DELAY_SECONDS = 0.1
AUDIO = PortKey("post", "audio")
MIXED = PortKey("mix", "audio")
FILE = PortKey("master", "file")
REPORT = PortKey("master", "report")
LEVEL = PortKey("master", "level")

_EDGES = (
    connect("phonemize.phonemes", "duration.phonemes"),
    connect("duration.ph_seq", "acoustic.ph_seq"),
    connect("duration.ph_dur", "acoustic.ph_dur"),
    connect("pitch.f0", "acoustic.f0"),
    connect("pitch.f0", "vocoder.f0"),
    connect("acoustic.mel", "vocoder.mel"),
    connect("vocoder.audio", "post.audio"),
)

#: What a model of pitch knows and the rule does not need.
_PITCH_EDGES = (connect("duration.ph_seq", "pitch.ph_seq"), connect("duration.ph_dur", "pitch.ph_dur"))

#: What `natural` adds.
NATURAL_VIBRATO_CENTS, NATURAL_SWELL_DB = 35.0, 2.0


@dataclass(frozen=True)
class Take:
    """How a song is to be sung: the seed of everything that is left to chance, and the effort of the model.

    `acoustic_seed` tries another take of the models alone, with the same pitch.
    """

    seed: int = 0
    acoustic_seed: int | None = None
    steps: int = 20
    depth: float = 1.0
    #: What the bank's own models decide in place of rules. None leaves it to the song: a score is sung as it is
    #: drawn, and what a transcript leaves out is predicted as far as the bank can.
    predict: tuple[Prediction, ...] | None = None
    #: Whether notes and phrases get what singers add unasked, where nobody drew it.
    natural: bool = False


@dataclass(frozen=True)
class Delivery:
    """What is to come of a song: container, sample format, sample rate, loudness and true peak of its files.

    No rate is the rate the song is mixed at. No loudness leaves the level as it was mixed; no true peak leaves the
    peaks as they are. `stems` and `phrases` ask for files beside the song's, and `stretch` for a part of it only.
    """

    container: str = "wav"
    subtype: str = "PCM_16"
    rate: int | None = None
    loudness_lufs: float | None = -16.0
    true_peak_dbtp: float | None = -1.0
    #: Whether a person asked for a level: a transcript is otherwise delivered as it is sung.
    level_asked: bool = False
    stems: bool = False
    phrases: bool = False
    stretch: Range | None = None
    #: How much of a room, 0 to 1, is put behind the mix; among stems it is one of its own.
    reverb: float = 0.0


def phrase_graph(
    voice: Voice,
    language: str,
    take: Take,
    manifests: Mapping[str, Manifest],
    *,
    song_rate: int | None = None,
    han: str = "",
) -> Graph:
    """Return the base graph of every phrase sung by this voice in this language, in a song of some sample rate.

    `han` is the language of Hanzi where the song tells it.
    """
    options = phrase_options(voice, language, take)
    if han:
        options["phonemize"]["han"] = han
    steps = {name: name for name in PHRASE_STEPS} | {name: f"predict_{name}" for name in voice.predictors}
    options |= predictor_options(voice, take, {name: options[name] for name in ("duration", "pitch")})
    more, edges = variance_nodes(voice, manifests, PHRASE_EDGES, seed=options["acoustic"]["seed"], steps=take.steps)
    nodes = [*(node_of(manifests[step], name, options=options[name]) for name, step in steps.items()), *more]
    edges = (*_EDGES, *(_PITCH_EDGES if "pitch" in voice.predictors else ()), *edges)
    rate = voice.bank.sample_rate
    if song_rate is None or song_rate == rate:
        return Graph.of(nodes, edges)
    nodes.append(node_of(manifests[RESAMPLE], options={"from_rate": rate, "to_rate": song_rate}))
    return Graph.of(nodes, [*edges, connect("post.audio", "resample.audio")])


def audio_of(graph: Graph) -> PortKey:
    """Return the port on which a phrase sounds at the song's sample rate."""
    if RESAMPLE in graph.nodes:
        return PortKey(RESAMPLE, "audio")
    return AUDIO if AUDIO.node in graph.nodes else PortKey("vocoder", "audio")


def song_graph(
    sample_rate: int, delivery: Delivery, manifests: Mapping[str, Manifest], window: Window | None = None
) -> Graph:
    """Return the graph that mixes the phrases and masters the mix, or a window of it."""
    wanted = window or Window()
    mixed = mixing_window(wanted, sample_rate, delivery, manifests)
    levels = {**file_options(delivery), **level_options(delivery)}
    if mixed != wanted or (delivery.reverb > 0 and wanted.sample_count is not None):
        lead = Window(wanted.first_sample - mixed.first_sample, wanted.sample_count)
        levels |= _window_options(lead)
    options: dict[str, dict[str, Any]] = {
        "mix": {"sample_rate": sample_rate, **_window_options(mixed)},
        "master": {"sample_rate": sample_rate, **levels},
    }
    nodes = [node_of(manifests[name], options=options[name]) for name in SONG_STEPS]
    more, edges = roomed("mix", sample_rate, delivery, manifests)
    return Graph.of([*nodes, *more], edges)


def mixing_window(window: Window, sample_rate: int, delivery: Delivery, manifests: Mapping[str, Manifest]) -> Window:
    """Return what must be mixed to hear a window: in a room, what sounded shortly before it is in the air still."""
    if delivery.reverb <= 0:
        return window
    seconds = next(one.default for one in manifests[REVERB].options if one.name == "seconds")
    return window.begun_earlier(round((seconds + ROOM_DELAY_SECONDS) * sample_rate))


def roomed(
    source: str, sample_rate: int, delivery: Delivery, manifests: Mapping[str, Manifest]
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Return what stands between a step that gives the whole song and the master: nothing, or a room."""
    if delivery.reverb <= 0:
        return (), (connect(f"{source}.audio", "master.audio"),)
    room = node_of(manifests[REVERB], options={"sample_rate": sample_rate, "amount": delivery.reverb})
    return (room,), (connect(f"{source}.audio", "reverb.audio"), connect("reverb.audio", "master.audio"))


def file_options(delivery: Delivery) -> dict[str, Any]:
    """The options of every step that writes a file; what is not asked for is left to its default."""
    options: dict[str, Any] = {"container": delivery.container, "subtype": delivery.subtype}
    return options if delivery.rate is None else {**options, "rate": delivery.rate}


def level_options(delivery: Delivery) -> dict[str, Any]:
    loudness = 0.0 if delivery.loudness_lufs is None else delivery.loudness_lufs
    peak = {"limiter": False} if delivery.true_peak_dbtp is None else {"true_peak_dbtp": delivery.true_peak_dbtp}
    return {"loudness_lufs": loudness, **peak}


def _window_options(window: Window) -> dict[str, Any]:
    count = {} if window.sample_count is None else {"sample_count": window.sample_count}
    return {"first_sample": window.first_sample, **count}


def grid_of_voice(voice: Voice) -> FrameGrid:
    """The frame grid on which a voice sings."""
    return FrameGrid(sample_rate=voice.bank.sample_rate, hop_size=voice.bank.hop_size)


def phrase_options(voice: Voice, language: str, take: Take) -> dict[str, dict[str, Any]]:
    """The options of the steps of a phrase, by step."""
    bank, grid = voice.bank, grid_of_voice(voice)
    rates = {"sample_rate": grid.sample_rate, "hop_size": grid.hop_size, "head_frames": grid.head_frames}
    frames = {**rates, "tail_frames": grid.tail_frames}
    model_seed = take.seed if take.acoustic_seed is None else take.acoustic_seed
    down, up = bank.settings.augmentation_args.random_pitch_shifting.range
    return {
        "phonemize": {"language": language},
        "duration": frames,
        "pitch": {**frames, "seed": take.seed, **({"vibrato_cents": NATURAL_VIBRATO_CENTS} if take.natural else {})},
        "acoustic": {
            **frames,
            "acoustic": bank.acoustic,
            "seed": model_seed,
            "steps": take.steps,
            "depth": min(take.depth, bank.settings.depth_limit),
            "gender_range_down": down,
            "gender_range_up": up,
            "speaker": bank.speakers.get(voice.speaker) or next(iter(bank.speakers.values()), ""),
        },
        "vocoder": {
            **rates,
            "vocoder": bank.vocoder,
            "mel_base": bank.settings.mel_base,
            "vocoder_mel_base": bank.vocoder_settings.mel_base,
            "seed": take.seed,
        },
        "post": {**rates, **({"swell_db": NATURAL_SWELL_DB} if take.natural else {})},
    }
