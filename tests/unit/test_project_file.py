"""Project files: what is written is read again without loss, whatever scores, units and payloads it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quincunx_orchestrator.project import changes
from quincunx_orchestrator.project.document import read_project, write_project
from quincunx_orchestrator.project.following import heirs
from quincunx_orchestrator.project.operands import Drawn, Numbers, Plain, numbers_of
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature, Track
from quincunx_shared.errors import BadInput
from quincunx_shared.phrase import Lyric, PitchPoint, Vibrato
from quincunx_shared.tempo import TempoEvent

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.floats(-100, 24, allow_nan=False)
lyrics = st.builds(Lyric, texts, st.lists(texts, max_size=2).map(tuple), st.sampled_from(("", "syllable", "vowel")))
points = st.lists(
    st.builds(PitchPoint, numbers, numbers, st.sampled_from(("io", "i", "o", "l", "sp"))), max_size=3
).map(lambda found: tuple(sorted(found, key=lambda one: one.ms)))
vibratos = st.none() | st.builds(Vibrato, *[numbers] * 7)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    notes, tick = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 2000)), max_size=4)):
        note = Note(
            tick + gap,
            length,
            draw(st.integers(0, 127)),
            draw(lyrics),
            draw(numbers),
            draw(points),
            draw(st.booleans()),
            draw(vibratos),
        )
        notes.append(note)
        tick = note.end_tick
    ticks = sorted(draw(st.sets(st.integers(-500, 9000), max_size=4)))
    curve = PartCurve(tuple(ticks), tuple(draw(numbers) for _ in ticks), draw(numbers))
    return Part(0, draw(st.integers(0, 5000)), tuple(notes), {draw(texts): curve}, draw(texts))


tracks = st.builds(Track, texts, texts, texts, numbers, numbers, st.booleans(), st.booleans())
scores = st.builds(
    Score,
    texts,
    tracks.map(lambda one: (one,)),
    st.lists(parts(), max_size=2).map(tuple),
    st.floats(5, 1000).map(lambda bpm: (TempoEvent(0, bpm),)),
    st.just((TimeSignature(0, 4, 4),)),
    st.lists(texts, max_size=2).map(tuple),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
arrays = st.tuples(
    st.sampled_from(("|b1", "<i2", "<i8", "|u1", "<f4", "<f8")),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(0, 9),
).map(lambda drawn: numbers_of(np.full(drawn[1], drawn[2]).astype(drawn[0])))
operands = arrays | st.builds(Plain, json_values) | st.just(Drawn({"points": [[0.0, 1.5], [2, 3]], "tension": 0.5}))
ports = st.tuples(texts, texts)
wishes = st.one_of(
    st.builds(changes.SetOption, texts, texts, json_values),
    st.builds(changes.PutNode, texts, texts, st.dictionaries(texts, json_values, max_size=2)),
    st.builds(changes.TakeNode, texts),
    st.builds(changes.Connect, ports, ports),
    st.builds(changes.Disconnect, ports, ports),
    st.builds(changes.SetBypass, texts, st.booleans(), st.booleans(), st.dictionaries(texts, texts, max_size=2)),
    st.builds(
        changes.Lay,
        st.sampled_from(("override", "offset", "scale", "mask", "custom")),
        ports,
        operands,
        st.none() | operands,
        texts,
        st.none() | ports,
        st.none() | texts,
    ),
    st.builds(changes.Clear, ports),
    st.builds(changes.GiveInput, ports, st.none() | operands),
)
#: Changes that fit every score; those of notes are tried through the front door.
made = st.one_of(
    st.builds(changes.ChangeGraph, texts, wishes),
    st.builds(
        changes.ChangeTrack, st.just(0), st.none() | numbers, st.none() | numbers, st.none() | st.booleans(), texts
    ),
    st.builds(changes.SetTempo, st.integers(0, 9000), st.floats(5, 1000)),
    st.builds(changes.Follow, st.dictionaries(texts, texts, max_size=2)),
    st.builds(changes.ReplaceScore, scores, st.builds(changes.Source, texts, texts)),
)
units = st.tuples(st.lists(texts, max_size=2), st.lists(made, max_size=3))
actions = st.lists(units | st.sampled_from(["undo", "redo", "snapshot", "restore"]), max_size=8)


def after(project: Project, script: list[Any]) -> Project:
    for action in script:
        if action == "undo":
            project = project.undo()[0]
        elif action == "redo":
            project = project.redo()[0]
        elif action == "snapshot":
            project = project if "s" in project.snapshots else project.snapshot("s")
        elif action == "restore":
            project = project.restore("s", "then") if "s" in project.snapshots else project
        else:
            project = project.push("now", *action)
    return project


@settings(max_examples=60, deadline=None)
@given(scores, actions, st.dictionaries(texts, texts, max_size=2))
def test_what_is_written_is_read_again_without_loss(score: Score, script: list[Any], voices: dict[str, str]) -> None:
    project = after(Project(changes.Source("s", "d"), score, voices), script)
    written = write_project(project)
    read = read_project(written, "p.qxp")
    assert read == project
    # The text tells -0.0 from 0.0, and 1 from 1.0.
    assert write_project(read) == written


@given(actions)
def test_what_is_undone_comes_back_by_redo(script: list[Any]) -> None:
    score = Score("", (Track("a"),), (), (TempoEvent(0, 120.0),), (TimeSignature(0, 4, 4),))
    project = after(Project(changes.Source("s", "d"), score), script)
    back = project
    while back.done:
        back, _ = back.undo()
    assert back.in_effect() == ()
    for _ in project.done:
        back, _ = back.redo()
    assert back == project


@pytest.mark.parametrize(
    ("operand", "words"),
    [
        (Numbers("<f4", (3,), "AAAA"), "no array of shape"),
        (Numbers("<f4", (1,), "AADAfw=="), "not finite"),
        (Numbers("<f4", (1,), "!!"), "base64"),
        (Numbers("<f4", (2**31, 2**31), ""), "too large"),
        (Drawn({"points": [[1, 0], [0, 0]]}), "comes after"),
    ],
)
def test_payloads_that_are_none_are_refused(operand: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        operand.encoded()


def members(**names: str) -> dict[str, frozenset[object]]:
    return {name.replace("_", "."): frozenset(notes) for name, notes in names.items()}


def test_the_phrase_that_keeps_most_of_the_notes_inherits() -> None:
    assert heirs(members(a="123"), members(b="12", c="3")) == {"a": "b"}
    assert heirs(members(a="123", b="45"), members(c="12345")) == {"a": "c"}
    assert heirs(members(a="1", b="2"), members(b="2")) == {}


def test_a_repetition_that_becomes_the_first_does_not_get_the_edits_of_the_one_that_was() -> None:
    assert heirs(members(a="1", a_2="2"), members(a="2")) == {"a.2": "a", "a": "a.3"}
