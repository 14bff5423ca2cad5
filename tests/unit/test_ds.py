"""Reading and writing .ds files."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.score.ds import read_ds
from quincunx_orchestrator.score.ds_writer import write_ds
from quincunx_orchestrator.score.note_names import name_of, tone_of
from quincunx_orchestrator.score.readers import read_score, read_song
from quincunx_orchestrator.score.transcript import LEVELS, DsSegment, Level, SampledCurve, Transcript, WrittenNote
from quincunx_shared.errors import BadScore

GOOD: dict[str, Any] = {
    "offset": 0.5, "ph_seq": "SP a SP", "ph_dur": "0.1 0.4 0.1", "ph_num": "1 1 1", "note_seq": "rest C4 rest",
    "note_dur": "0.1 0.4 0.1", "note_slur": "0 0 0", "f0_seq": "261.6 262 261", "f0_timestep": "0.005",
}  # fmt: skip


def read(*segments: dict[str, Any]) -> Transcript:
    return read_ds(json.dumps(list(segments)).encode(), "x.ds")


def test_everything_a_segment_can_say_is_read() -> None:
    segment = {
        **GOOD, "text": "啊", "lang": "zh", "note_seq": "rest C#4+12 rest", "note_glide": "none up none", "seed": 42,
        "gender": -0.25, "velocity": "1 1.5", "velocity_timestep": 0.01, "energy": "-20", "tension": "0.5 0.6",
        "tension_timestep": "0.02", "spk_mix": {"a": 0.5, "b": "0 1"}, "spk_mix_timestep": "0.05",
        "ph_spk_mix": {"a": "0 1 0", "b": 2},
    }  # fmt: skip
    (got,) = read(segment).segments
    assert got == DsSegment(
        ph_seq=("SP", "a", "SP"),
        offset=0.5,
        text="啊",
        lang="zh",
        ph_dur=(0.1, 0.4, 0.1),
        ph_num=(1, 1, 1),
        notes=(WrittenNote("rest", 0.1, None), WrittenNote("C#4+12", 0.4, 61.12), WrittenNote("rest", 0.1, None)),
        glides=("none", "up", "none"),
        f0=SampledCurve((261.6, 262.0, 261.0), 0.005),
        levels={
            "gender": -0.25,
            "velocity": SampledCurve((1.0, 1.5), 0.01),
            "energy": -20.0,
            "tension": SampledCurve((0.5, 0.6), 0.02),
        },
        spk_mix={"a": 0.5, "b": SampledCurve((0.0, 1.0), 0.05)},
        ph_spk_mix={"a": (0.0, 1.0, 0.0), "b": 2.0},
        seed=42,
    )


def test_a_single_object_is_a_list_of_one() -> None:
    assert read_ds(json.dumps(GOOD).encode(), "x.ds") == read(GOOD)


def test_a_byte_order_mark_is_no_content() -> None:
    assert read_ds(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "x.ds") == read(GOOD)


def test_words_are_notes_with_the_slurs_behind_them() -> None:
    slurred = {**GOOD, "note_seq": "rest C4 D4 rest", "note_dur": "0.1 0.25 0.25 0.1", "note_slur": "0 0 1 0"}
    assert read(slurred).segments[0].word_seconds == (0.1, 0.5, 0.1)


def test_unknown_members_are_named_once() -> None:
    assert read({**GOOD, "f0_sec": "1"}, {**GOOD, "f0_sec": "2", "colour": 3}).notices == (
        "not read: 'f0_sec', 'colour'",
    )


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"ph_seq": None}, "ph_seq"),
        ({"ph_seq": ""}, "ph_seq"),
        ({"ph_seq": ["SP", "a", "SP"]}, "ph_seq"),
        ({"ph_dur": "0.1 0.4"}, "ph_dur"),
        ({"ph_dur": "0.1 x 0.1"}, "ph_dur[1]"),
        ({"ph_dur": "0.1 -0.4 0.1"}, "ph_dur[1]"),
        ({"ph_dur": "0.1 nan 0.1"}, "ph_dur[1]"),
        ({"ph_dur": "0.1 1e999 0.1"}, "ph_dur[1]"),
        ({"ph_dur": "0.1 1_0 0.1"}, "ph_dur[1]"),
        ({"ph_dur": "0.1 0.1 " + "1" * 6000}, "ph_dur[2]"),
        ({"ph_dur": "0 0 0"}, "ph_dur"),
        ({"ph_dur": [0.1, 0.4, 0.1]}, "ph_dur"),
        ({"ph_dur": None, "ph_num": None}, "ph_dur"),
        ({"ph_dur": None, "note_seq": None}, "ph_dur"),
        ({"ph_num": "1 1"}, "ph_num"),
        ({"ph_num": "1 2"}, "ph_num"),
        ({"ph_num": "1 0.5 1.5"}, "ph_num[1]"),
        ({"ph_num": "2 1"}, "ph_num"),
        ({"note_dur": "0.1 0.4"}, "note_dur"),
        ({"note_slur": "0 0"}, "note_slur"),
        ({"note_slur": "0 2 0"}, "note_slur[1]"),
        ({"note_seq": "rest H4 rest"}, "note_seq[1]"),
        ({"note_glide": "up"}, "note_glide"),
        ({"f0_timestep": None}, "f0_timestep"),
        ({"f0_timestep": "0"}, "f0_timestep"),
        ({"f0_timestep": "-0.005"}, "f0_timestep"),
        ({"f0_seq": "0 0 0"}, "f0_seq"),
        ({"f0_seq": "261 -1 261"}, "f0_seq[1]"),
        ({"f0_seq": None, "note_seq": None}, "f0_seq"),
        ({"f0_seq": None, "note_seq": "rest rest rest"}, "f0_seq"),
        ({"offset": "soon"}, "offset"),
        ({"offset": 1e12}, "offset"),
        ({"offset": True}, "offset"),
        ({"gender": "0 1"}, "gender_timestep"),
        ({"gender": {}}, "gender"),
        ({"gender": 100}, "gender"),
        ({"velocity": 0}, "velocity"),
        ({"spk_mix": "a"}, "spk_mix"),
        ({"spk_mix": {"a": -1}}, "spk_mix.a"),
        ({"ph_spk_mix": {"a": "1 1"}}, "ph_spk_mix.a"),
        ({"seed": 1.5}, "seed"),
        ({"seed": "9" * 6000}, "seed"),
        ({"text": 3}, "text"),
        ({"input_type": "mel"}, "input_type"),
    ],
)
def test_a_wrong_segment_is_refused_with_its_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(BadScore) as caught:
        read(GOOD, {**GOOD, **changes})
    assert caught.value.where == f"x.ds: [1].{place}"
    with pytest.raises(BadScore) as caught:
        read_ds(json.dumps({**GOOD, **changes}).encode(), "x.ds")
    assert caught.value.where == f"x.ds: {place}"


@pytest.mark.parametrize("content", [b"[]", b"[3]", b"3", b"{}", b"", b"\xff", b"[", b'[{"a": NaN}]', b"[" * 3000])
def test_what_is_no_transcript_is_refused(content: bytes) -> None:
    with pytest.raises(BadScore) as caught:
        read_ds(content, "x.ds")
    assert caught.value.where.startswith("x.ds")


def test_a_million_values_are_too_many() -> None:
    with pytest.raises(BadScore, match="more than"):
        read({**GOOD, "f0_seq": "1 " * 1_000_001})


def test_a_transcript_is_a_song_and_no_score() -> None:
    raw = json.dumps(GOOD).encode()
    assert read_song("x.DS", raw) == read(GOOD)
    with pytest.raises(BadScore, match="not notes"):
        read_score("x.ds", raw)


def test_a_file_too_large_for_a_song_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadScore, match="too large"):
        read_song("x.ds", b"\xff" * 50_000_001)


def seconds(low: float = 0.01) -> st.SearchStrategy[float]:
    return st.floats(low, 10)


def curves(low: float, high: float) -> st.SearchStrategy[SampledCurve]:
    values = st.lists(st.floats(low, high), min_size=1, max_size=6).map(tuple)
    return st.builds(SampledCurve, values, st.floats(0.001, 1))


@st.composite
def segments(draw: st.DrawFn) -> DsSegment:
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    phones = draw(st.lists(st.sampled_from(["SP", "AP", "a", "zh/ang", "N"]), min_size=sum(sizes), max_size=sum(sizes)))
    tones = draw(st.lists(st.none() | st.integers(3600, 8400), min_size=len(sizes), max_size=len(sizes)))
    notes = [
        WrittenNote(*(("rest", draw(seconds()), None) if tone is None else _named(tone, draw(seconds()))))
        for tone in tones
    ]
    levels: dict[str, Level] = {
        name: draw(st.floats(0.1, 1) | curves(0.1, 1)) for name in draw(st.sets(st.sampled_from(LEVELS)))
    }
    return DsSegment(
        ph_seq=tuple(phones),
        offset=draw(st.floats(0, 1000)),
        text=draw(st.text(alphabet='啊 かa"\\\n')),
        lang=draw(st.sampled_from(["", "zh"])),
        ph_dur=tuple(draw(st.lists(seconds(), min_size=len(phones), max_size=len(phones)))),
        ph_num=tuple(sizes),
        notes=tuple(notes),
        f0=draw(curves(20, 2000)),
        levels=levels,
        spk_mix=draw(st.dictionaries(st.sampled_from("ab"), st.floats(0, 1))),
        seed=draw(st.none() | st.integers(0, 2**40)),
    )


def _named(hundredths: int, length: float) -> tuple[str, float, float]:
    name = name_of(hundredths / 100)
    return name, length, float(tone_of(name) or 0)


@given(st.lists(segments(), min_size=1, max_size=3))
def test_what_is_written_is_read_back(drawn: list[DsSegment]) -> None:
    transcript = Transcript(tuple(drawn))
    assert read_ds(write_ds(transcript), "x.ds") == transcript


_MEMBERS = st.sampled_from([*GOOD, "gender", "spk_mix", "ph_spk_mix", "seed", "expr"])
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(_MEMBERS, one),
)


@given(_DOCUMENTS)
def test_no_document_does_anything_but_be_read_or_refused(document: Any) -> None:
    members = {**GOOD, **document} if isinstance(document, dict) else document
    with suppress(BadScore):
        read_ds(json.dumps([members]).encode(), "x.ds")


@pytest.mark.parametrize(
    ("name", "tone"), [("A4", 69), ("C4", 60), ("A#3", 58), ("Bb3", 58), ("B♭3", 58), ("c-1", 0), ("C4+12", 60.12),
                       ("C4-50", 59.5), ("H4", None), ("C", None), ("rest", None), ("C4+", None)],
)  # fmt: skip
def test_names_of_notes(name: str, tone: float | None) -> None:
    assert tone_of(name) == (None if tone is None else pytest.approx(tone))


@given(st.integers(0, 12700))
def test_a_tone_has_a_name_that_means_it(hundredths: int) -> None:
    assert tone_of(name_of(hundredths / 100)) == pytest.approx(hundredths / 100)
