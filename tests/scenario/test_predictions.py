"""The bank's own models of durations and pitch: asked for, they take the place of the rules, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.demo_voice.ears import cents
from tests.unit.tiny_bank import write_bank
from tests.unit.tiny_song import curve, note, part, read

from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.song.phrase_graph import Take
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import Studio, open_studio
from quincunx_shared.bank_predictor import Prediction
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.frames import FrameGrid
from quincunx_shared.names import Address, PortKey
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog

BOTH: tuple[Prediction, ...] = ("duration", "pitch")
VOWELS = ("ow", "aa", "iy")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with (
        closing(open_cache(tmp_path / "cache")) as cache,
        open_studio(cache, MemoryEventLog(), find_voices([])) as opened,
    ):
        yield opened


def song(*, tones: tuple[int, int, int] = (60, 67, 64), **changes: Any) -> Score:
    """no, a step up, stars, a long note; then a rest of one beat before me."""
    words = zip((960, 1440, 2880), (480, 960, 960), tones, ("no", "stars", "me"), strict=True)
    return read(part([note(start, length, word, tone=tone) for start, length, tone, word in words], **changes))


def sung(studio: Studio, score: Score, predict: tuple[Prediction, ...] | None) -> tuple[list[str], Any, Any]:
    """The phones, their frames and f0 of the song's only phrase."""
    (placed,) = studio.assemble(score, take=Take(predict=predict), cutter=None).placed[:1]
    assembly = studio.assemble(score, take=Take(predict=predict))
    ports = [PortKey("duration", "ph_seq"), PortKey("duration", "ph_dur"), PortKey("pitch", "f0")]
    addresses = [Address(placed.segment.id, port) for port in ports]
    payloads = studio.render(assembly, addresses).payloads
    symbols, counts, f0 = (payloads[address] for address in addresses)
    return symbols, np.asarray(counts), np.asarray(f0, np.float64)


def vowel_starts(symbols: list[str], counts: Any) -> list[int]:
    starts = np.cumsum(counts) - counts
    return [int(start) for symbol, start in zip(symbols, starts, strict=True) if symbol.endswith(VOWELS)]


def test_a_score_is_sung_by_rule_unless_somebody_asks(studio: Studio) -> None:
    drawn, asked = sung(studio, song(), None), sung(studio, song(), BOTH)

    assert [len(one) for one in drawn[1:]] != [len(one) for one in asked[1:]] or not np.array_equal(drawn[2], asked[2])
    assert np.array_equal(drawn[2], sung(studio, song(), ())[2])


def test_predicted_vowels_begin_on_their_notes_and_the_phrase_keeps_its_length(studio: Studio) -> None:
    ruled, predicted = sung(studio, song(), None), sung(studio, song(), BOTH)

    assert vowel_starts(*predicted[:2])[:2] == vowel_starts(*ruled[:2])[:2]
    assert predicted[1].sum() == ruled[1].sum() == len(predicted[2])
    assert predicted[1].min() >= 1
    sounds = [symbol for symbol in predicted[0] if symbol not in ("SP", "AP")]
    assert sounds == [symbol for symbol in ruled[0] if symbol not in ("SP", "AP")]


def test_a_predicted_pitch_is_that_of_the_notes_with_a_swing_on_long_ones(studio: Studio) -> None:
    symbols, counts, f0 = sung(studio, song(), BOTH)
    first, second = vowel_starts(symbols, counts)[:2]
    short, long = f0[first + 12 : first + 30], f0[second + 45 : second + 70]

    assert np.abs(np.median(cents(short, np.full_like(short, 261.63)))) < 15
    assert np.abs(np.median(cents(long, np.full_like(long, 392.0)))) < 25
    assert np.ptp(cents(long, np.full_like(long, 392.0))) > 50, "it swings"
    assert np.ptp(cents(short, np.full_like(short, 261.63))) < 40, "a short note does not"


def test_a_drawn_pitch_is_added_to_the_predicted_one(studio: Studio) -> None:
    raised = song(curves=[curve("pitd", [0, 4800], [100, 100])])
    assert np.allclose(sung(studio, raised, ("pitch",))[2], sung(studio, song(), ("pitch",))[2] * 2 ** (1 / 12))


def test_a_higher_note_changes_the_predicted_pitch_and_its_phrase_alone(studio: Studio) -> None:
    low, high = sung(studio, song(), ("pitch",)), sung(studio, song(tones=(60, 72, 64)), ("pitch",))
    start = vowel_starts(*low[:2])[1]
    assert np.array_equal(low[1], high[1])
    assert np.abs(cents(high[2][start + 30], low[2][start + 30]) - 500) < 60


def test_a_predicting_step_stands_where_the_rule_stood(studio: Studio) -> None:
    graph = studio.assemble(song(), take=Take(predict=BOTH)).placed[0].segment.graph
    assert graph.nodes["duration"].step == "predict_duration"
    assert graph.nodes["pitch"].step == "predict_pitch"
    assert FrameGrid().frame_seconds == graph.nodes["duration"].options["frame_seconds"]


def test_a_bank_without_the_model_is_refused_before_anything_runs(studio: Studio, tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "tiny")
    with pytest.raises(BadVoicebank, match="no model that predicts pitch") as refused:
        studio.assemble(song(), voice=str(bank), take=Take(predict=("pitch",)))
    assert "without --predict pitch" in str(refused.value)
