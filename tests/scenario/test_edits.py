"""What runs after each kind of edit. The oracle is what ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.scenario.desk import Desk, Ran, open_desk, steps_of
from tests.scenario.songs import BEAT, SONG, phrase

from quincunx_orchestrator.core.history import Intervene
from quincunx_orchestrator.song.phrase_graph import PHRASE_STEPS, Take
from quincunx_shared.curve import Curve, CurvePoint
from quincunx_shared.frames import FrameGrid
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import encode

MIX: Ran = [("song", "mix"), ("song", "master")]
FROM_PITCH = ("pitch", "acoustic", "vocoder", "post")
FROM_ACOUSTIC = ("acoustic", "vocoder", "post")
PHRASES = ("phrase 1", "phrase 2", "phrase 3")


@pytest.fixture(scope="module")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows the song."""
    root = tmp_path_factory.mktemp("cache")
    with open_desk(root) as desk:
        desk.render(SONG.ustx())
    return root


@pytest.fixture
def desk(warm_cache: Path) -> Iterator[Desk]:
    with open_desk(warm_cache) as opened:
        yield opened


def test_a_new_song_runs_every_step_of_every_phrase(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        ran = desk.render(SONG.ustx())
    assert sorted(ran) == sorted([step for name in PHRASES for step in steps_of(name, PHRASE_STEPS)] + MIX)


def test_an_unchanged_song_runs_nothing(desk: Desk) -> None:
    assert desk.render(SONG.ustx()) == []


def test_another_lyric_runs_its_phrase_but_not_its_pitch(desk: Desk) -> None:
    edited = SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="nights"))
    steps = ("phonemize", "duration", "acoustic", "vocoder", "post")
    assert sorted(desk.render(edited.ustx())) == sorted(steps_of("phrase 2", steps) + MIX)


def test_a_lyric_with_the_same_phonemes_stops_after_phonemize(desk: Desk) -> None:
    edited = SONG.with_phrase(1, SONG.phrases[1].with_note(0, lyric="too"))
    assert desk.render(edited.ustx()) == [("phrase 2", "phonemize")]


def test_a_note_moved_inside_its_phrase_keeps_the_phonemes(desk: Desk) -> None:
    shorter = SONG.phrases[1].with_note(0, duration=BEAT - 120).with_note(1, position=BEAT - 120, duration=BEAT + 120)
    steps = ("duration", "pitch", "acoustic", "vocoder", "post")
    assert sorted(desk.render(SONG.with_phrase(1, shorter).ustx())) == sorted(steps_of("phrase 2", steps) + MIX)


def test_a_phrase_moved_as_it_stands_runs_only_the_mix(desk: Desk) -> None:
    assert desk.render(SONG.with_phrase(2, SONG.phrases[2].moved(BEAT + 7)).ustx()) == MIX


def test_another_tempo_keeps_only_the_phonemes(desk: Desk) -> None:
    steps = ("duration", "pitch", "acoustic", "vocoder", "post")
    expected = [step for name in PHRASES for step in steps_of(name, steps)] + MIX
    assert sorted(desk.render(replace(SONG, bpm=100).ustx())) == sorted(expected)


def test_a_pitch_deviation_runs_its_phrase_from_the_pitch_on(desk: Desk) -> None:
    start = SONG.phrases[1].start
    edited = SONG.with_curve("pitd", (start, 0), (start + 100, 50), (start + 200, 0))
    assert sorted(desk.render(edited.ustx())) == sorted(steps_of("phrase 2", FROM_PITCH) + MIX)


def test_dynamics_run_from_post_on(desk: Desk) -> None:
    start = SONG.phrases[0].start
    edited = SONG.with_curve("dyn", (start, 0), (start + 200, -60), (start + 400, 0))
    assert desk.render(edited.ustx()) == [("phrase 1", "post"), *MIX]


def test_volume_runs_the_mix(desk: Desk) -> None:
    assert desk.render(replace(SONG, volume=-3).ustx()) == MIX


def test_a_gender_curve_runs_from_the_acoustic_model_on(desk: Desk) -> None:
    start = SONG.phrases[2].start
    edited = SONG.with_curve("genc", (start, 0), (start + 200, 40), (start + 400, 0))
    assert sorted(desk.render(edited.ustx())) == sorted(steps_of("phrase 3", FROM_ACOUSTIC) + MIX)


def test_another_voice_of_the_same_bank_runs_from_the_acoustic_model_on(desk: Desk) -> None:
    expected = [step for name in PHRASES for step in steps_of(name, FROM_ACOUSTIC)] + MIX
    assert sorted(desk.render(replace(SONG, singer="demo-low").ustx())) == sorted(expected)


def test_an_acoustic_seed_that_changes_no_mel_stops_after_the_acoustic_model(desk: Desk) -> None:
    """The demo voice leaves nothing to chance, so its vocoder is not asked again."""
    ran = desk.render(desk.assemble(SONG.ustx(), take=Take(acoustic_seed=5)))
    assert ran == [(name, "acoustic") for name in PHRASES]


def test_a_seed_for_everything_makes_another_take(desk: Desk) -> None:
    desk.render(SONG.ustx())
    first = desk.sound
    ran = desk.render(desk.assemble(SONG.ustx(), take=Take(seed=5)))
    assert {step for _, step in ran} >= {"pitch", "acoustic", "vocoder", "post", "mix", "master"}
    assert desk.sound != first


def test_a_phrase_inserted_in_front_runs_alone(desk: Desk) -> None:
    later = tuple(one.moved(16 * BEAT) for one in SONG.phrases)
    edited = replace(SONG, phrases=(phrase(4, "one", "more", tone=69), *later))
    assert sorted(desk.render(edited.ustx())) == sorted(steps_of("phrase 1", PHRASE_STEPS) + MIX)


def test_a_deleted_phrase_runs_only_the_mix(desk: Desk) -> None:
    assert desk.render(replace(SONG, phrases=SONG.phrases[1:]).ustx()) == MIX


def test_a_repeated_phrase_is_computed_once(tmp_path: Path) -> None:
    song = replace(SONG, phrases=(phrase(4, "again"), phrase(12, "again")))
    with open_desk(tmp_path) as desk:
        ran = desk.render(song.ustx())
    assert sorted(step for _, step in ran) == sorted((*PHRASE_STEPS, "mix", "master"))


def test_an_overridden_mel_spares_all_that_only_it_needed(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        song = desk.assemble(replace(SONG, phrases=SONG.phrases[:1]).ustx())
        segment = song.placed[0].segment
        desk.render(song)
        mel = desk.studio.render(song, [Address(segment.id, PortKey("acoustic", "mel"))]).payloads
        drawn = encode(next(iter(mel.values())) + np.float32(0.1))
    with open_desk(tmp_path / "empty") as desk:
        song = desk.assemble(replace(SONG, phrases=SONG.phrases[:1]).ustx())
        edit = Intervene(Intervention(PortKey("acoustic", "mel"), "override", drawn.ref), (drawn,))
        ran = desk.render(song.with_segment(song.placed[0].segment.with_operation(edit)))
    assert ran == [("phrase 1", "pitch"), ("phrase 1", "vocoder"), ("phrase 1", "post"), *MIX]


def test_an_offset_on_one_edge_reaches_one_consumer(desk: Desk) -> None:
    song = desk.assemble(SONG.ustx())
    up = encode(30.0)
    scope = PortKey("vocoder", "f0")
    edit = Intervene(Intervention(PortKey("pitch", "f0"), "offset", up.ref, scope=scope), (up,))
    ran = desk.render(song.with_segment(song.placed[0].segment.with_operation(edit)))
    assert ran == [("phrase 1", "vocoder"), ("phrase 1", "post"), *MIX]


def test_undo_and_redo_run_nothing(desk: Desk) -> None:
    song = desk.assemble(SONG.ustx())
    segment = song.placed[1].segment
    before = (desk.render(song), desk.sound)[1]
    up = encode(20.0)
    edited = segment.with_operation(Intervene(Intervention(PortKey("pitch", "f0"), "offset", up.ref), (up,)))
    assert desk.render(song.with_segment(edited)) == steps_of("phrase 2", ("acoustic", "vocoder", "post")) + MIX
    after = desk.sound
    assert desk.render(song.with_segment(edited.undone())) == []
    assert desk.sound == before
    assert desk.render(song.with_segment(edited.undone().redone())) == []
    assert desk.sound == after


def test_a_curve_laid_on_the_pitch_reaches_every_consumer_alike(tmp_path: Path) -> None:
    """The acoustic model and the vocoder must sing one pitch, whatever else each of them is told."""
    with open_desk(tmp_path) as desk:
        song = desk.assemble(replace(SONG, phrases=SONG.phrases[:1]).ustx())
        segment = song.placed[0].segment
        place = Address(segment.id, PortKey("pitch", "f0"))
        f0 = desk.studio.render(song, [place]).payloads[place]
        grid = FrameGrid()
        bent = f0 + np.interp(grid.centre_seconds(len(f0)), [0.0, 0.5, 1.0], [0.0, 100.0, 0.0]).astype(np.float32)
        curve = encode(Curve((CurvePoint(0.0, 0.0), CurvePoint(0.5, 100.0), CurvePoint(1.0, 0.0))).to_payload())
        drawn = encode({"curve": json.loads(bytes(curve.content))})
        by_curve = Intervene(Intervention(PortKey("pitch", "f0"), "offset", drawn.ref), (drawn,))
        desk.render(song.with_segment(segment.with_operation(by_curve)))
        sound = desk.sound
        value = encode(bent.astype(np.float32))
        by_value = Intervene(Intervention(PortKey("pitch", "f0"), "override", value.ref), (value,))
        assert desk.render(song.with_segment(segment.with_operation(by_value))) == []
        assert desk.sound == sound
