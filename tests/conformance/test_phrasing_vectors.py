"""The vectors of phrasing.json: notes are `[start, duration]` for windows and `[start, duration, word]` for songs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature, Track
from quincunx_orchestrator.score.phrasing import phrases_of, window_of_track, windows_by_rests
from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.phrase import Lyric
from quincunx_shared.tempo import TempoEvent

VECTORS = json.loads(Path(__file__).with_name("phrasing.json").read_text(encoding="utf-8"))
CUTTERS = {"rests": windows_by_rests, "track": window_of_track}


def named(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["says"]) for vector in VECTORS[kind]]


def payloads(song: Any) -> list[bytes]:
    """Return everything that the steps of each phrase receive."""
    notes = tuple(Note(start, duration, 60, Lyric(word)) for start, duration, word in song["notes"])
    ticks, values = song.get("curve", [[], []])
    score = Score(
        name="",
        tracks=(Track("Lead"),),
        parts=(Part(0, song.get("position", 0), notes, {"pitd": PartCurve(tuple(ticks), tuple(values), 0.0)}),),
        tempos=tuple(TempoEvent(*event) for event in song["tempos"]),
        time_signatures=(TimeSignature(0, 4, 4),),
    )
    return [
        canonical_bytes(
            [
                phrase.lyrics.to_payload(),
                phrase.timing.to_payload(),
                phrase.melody.to_payload(),
                {name: curve.to_payload() for name, curve in phrase.curves.items()},
            ]
        )
        for phrase in phrases_of(score)
    ]


@pytest.mark.parametrize("vector", named("windows"))
def test_a_part_is_cut_into_these_windows(vector: Any) -> None:
    notes, scopes = ([(start, start + duration) for start, duration in vector[kind]] for kind in ("notes", "scopes"))
    cut = CUTTERS[vector["cutting"]](notes, scopes, vector["beat_ticks"])
    assert [[one.start_tick, one.end_tick, list(one.notes)] for one in cut] == vector["expect"]


@pytest.mark.parametrize("vector", named("same"))
def test_an_edit_leaves_these_phrases_as_they_were(vector: Any) -> None:
    before, after = payloads(vector["before"]), payloads(vector["after"])
    for old, new in vector["same"]:
        assert before[old] == after[new]


@pytest.mark.parametrize("vector", named("differ"))
def test_an_edit_makes_these_phrases_others(vector: Any) -> None:
    before, after = payloads(vector["before"]), payloads(vector["after"])
    for old, new in vector["differ"]:
        assert before[old] != after[new]
