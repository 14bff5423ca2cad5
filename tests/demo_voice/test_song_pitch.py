"""The sung pitch follows the score: measured from the finished file, with nothing from the render but its samples.

Where vowels sound comes from the duration step; what they should sound like comes from the notes as written, and, in
a second check, from the pitch line of a melody with portamento, vibrato and drift.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.demo_voice import ears
from tests.demo_voice.ears import Reals
from tests.demo_voice.singer import named, tokens_by_name
from tests.unit.tiny_song import note, part, read

from quincunx_orchestrator.core.operations import UpdateNode
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.phrase_graph import FILE
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import Studio, open_studio
from quincunx_shared.names import SONG, Address, PortKey
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog

WORDS = {
    "en": ("la", "me", "too", "may", "no", "saw", "high", "bird", "sun", "bed", "good", "fish"),
    "ja": ("ら", "み", "す", "て", "の", "が", "ひ", "ゆ", "れ", "も", "さ", "ん"),
    "zh": ("妈", "米", "书", "黑", "多", "好", "来", "口", "三", "门", "唱", "星"),
}
PHONEMIZERS = {"en": "DiffSinger English", "ja": "DiffSinger Japanese", "zh": "DiffSinger Chinese"}
CONSONANTS_OF_ZH = set(named("zh", "b c ch d f g h j k l m n p q r s sh t w x y z zh"))
VOWELS = {
    *named("en", "aa ae ah ao aw ay eh er ey ih iy ow oy uh uw"),
    *named("ja", "a i u e o N"),
    *(name for name in tokens_by_name() if name.startswith("zh/") and name not in CONSONANTS_OF_ZH),
}
#: C2 to A♭5 in major thirds, 65 Hz to 831 Hz: what a bass and a soprano sing.
TONES = range(36, 84, 4)
BEAT, LEAD_TICKS, NOTE_TICKS, BPM = 480, 960, 720, 120
#: What two sounds share at a boundary: consonants, the estimator's window, the tone before.
EDGE_SECONDS = 0.08


@contextmanager
def studio_in(folder: Path) -> Iterator[Studio]:
    with closing(open_cache(folder)) as cache, open_studio(cache, MemoryEventLog(), find_voices([])) as studio:
        yield studio


def scale(language: str, **changes: object) -> Score:
    """One note after another, from low to high, each held for three quarters of a second."""
    notes = [
        note(LEAD_TICKS + NOTE_TICKS * number, NOTE_TICKS, word, tone=tone, **changes)
        for number, (tone, word) in enumerate(zip(TONES, WORDS[language], strict=True))
    ]
    return read(part(notes), tracks=[{"singer": "", "track_name": "Lead", "phonemizer": PHONEMIZERS[language]}])


def without_drift(song: Assembly) -> Assembly:
    for placed in song.placed:
        pitch = placed.segment.graph.nodes["pitch"]
        still = UpdateNode(replace(pitch, options={**pitch.options, "drift_cents": 0.0}))
        song = song.with_segment(placed.segment.with_operation(still))
    return song


def vowel_frames(symbols: Sequence[str], counts: Sequence[int]) -> list[np.ndarray]:
    """The frames of every vowel that is held, without its edges."""
    ends = np.cumsum(counts)
    edge = round(EDGE_SECONDS * ears.RATE / ears.HOP)
    held = [
        np.arange(end - count + edge, end - edge)
        for symbol, count, end in zip(symbols, counts, ends, strict=True)
        if symbol in VOWELS
    ]
    return [frames for frames in held if len(frames) >= 10]


def sing(studio: Studio, song: Assembly) -> tuple[Reals, list[np.ndarray], Reals]:
    """The pitch measured at every frame of the phrase, the frames of its vowels, and the pitch line it was given."""
    (placed,) = song.placed
    names = (PortKey("duration", "ph_seq"), PortKey("duration", "ph_dur"), PortKey("pitch", "f0"))
    ports = [Address(placed.segment.id, name) for name in names]
    payloads = studio.render(song, [Address(SONG, FILE), *ports]).payloads
    symbols, counts, f0 = (payloads[port] for port in ports)

    audio, rate = soundfile.read(io.BytesIO(payloads[Address(SONG, FILE)]))
    assert rate == ears.RATE
    assert placed.start_sample >= 0
    measured, _ = ears.pitch_of(audio.mean(axis=1)[placed.start_sample :], 4_096)
    vowels = vowel_frames(symbols, counts)
    assert len(vowels) >= len(TONES) - 1
    return measured, vowels, np.asarray(f0, np.float64)


def written_hertz(frames: np.ndarray, first_frame_seconds: float) -> Reals:
    """The pitch of the notes as they stand in the score at the centres of frames."""
    seconds = first_frame_seconds + (frames + 0.5) * ears.HOP / ears.RATE
    ticks = seconds * BPM / 60 * BEAT - LEAD_TICKS
    tones = np.array(TONES)[np.clip(ticks // NOTE_TICKS, 0, len(TONES) - 1).astype(int)]
    return np.asarray(440.0 * 2.0 ** ((tones - 69) / 12))


@pytest.mark.parametrize("voice", ["demo", "demo-low"])
@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("drifting", [False, True], ids=["still", "drifting"])
def test_held_vowels_have_the_pitch_of_their_notes(tmp_path: Path, voice: str, language: str, drifting: bool) -> None:
    with studio_in(tmp_path) as studio:
        song = studio.assemble(scale(language), voice=voice)
        song = song if drifting else without_drift(song)
        measured, vowels, _ = sing(studio, song)

    start = song.placed[0].start_sample / ears.RATE
    errors = [np.abs(ears.cents(measured[frames], written_hertz(frames, start))) for frames in vowels]
    assert np.median(np.concatenate(errors)) <= 5.0
    assert max(float(np.median(error)) for error in errors) <= 5.0, "no note is out of tune"


@pytest.mark.parametrize("voice", ["demo", "demo-low"])
@pytest.mark.parametrize("language", WORDS)
def test_portamento_vibrato_and_drift_are_sung_as_the_pitch_line_has_them(
    tmp_path: Path, voice: str, language: str
) -> None:
    glide = {"data": [{"x": -80, "y": 0, "shape": "io"}, {"x": 120, "y": 0, "shape": "io"}], "snap_first": True}
    vibrato = {"length": 60, "period": 180, "depth": 40, "in": 10, "out": 10, "shift": 0, "drift": 0, "vol_link": 0}
    with studio_in(tmp_path) as studio:
        song = studio.assemble(scale(language, pitch=glide, vibrato=vibrato), voice=voice)
        measured, vowels, f0 = sing(studio, song)

    frames = np.concatenate(vowels)
    error = np.abs(ears.cents(measured[frames], f0[frames]))
    assert np.ptp(ears.cents(f0[vowels[5]], np.full(len(vowels[5]), 440.0))) > 40, "there is vibrato to follow"
    assert np.median(error) <= 5.0
