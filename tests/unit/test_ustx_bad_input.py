"""What is wrong with a project is said with its line, its path and what it must be; nothing else ever comes out."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tiny_song import curve, note, part, song_text

from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_shared.errors import BadScore

#: What is no duration. The arabic digits are digits to Python.
NO_DURATIONS = (
    *("0", "-480", "0.5", "1e9", "1e999", "nan", ".nan", "inf", ".inf", "-.inf", "7" * 6000),
    *("1:30", "1_000", "0x10", "٤٨٠", "x" * 10_000, "''", "~", "[1]", "{a: 1}"),
)

#: A project with something in every field.
FULL = song_text(
    part(
        [
            note(
                pitch={"data": [{"x": -40, "y": 0, "shape": "io"}], "snap_first": True},
                vibrato={"length": 50, "period": 175, "depth": 25, "in": 10, "out": 10},
                tuning=0,
                phoneme_expressions=[{"index": 0, "abbr": "vel", "value": 80}],
            ),
            note(480, lyric="+"),
        ],
        curves=[curve("dyn", [0, 5], [0, -10])],
    ),
    resolution=480,
    expressions={"genc": {"custom_default_value": 10}},
    tracks=[{"singer": "demo", "renderer_settings": {"renderer": "DIFFSINGER"}, "volume": 0, "pan": 0}],
)

#: What damage leaves behind, in the text and in its values.
FRAGMENTS = ("nan", "1e999", "-1", "[", "]", "{", "}", "\n", "- ", ": ", "*a", "&a ", "!x ", "0", "null", "~", '"', ",")
VALUES: st.SearchStrategy[object] = st.one_of(
    *(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
    # Made anew each time: the test goes on to change what it has put in.
    *(st.builds(dict), st.builds(list), st.builds(lambda: [{}])),
)


def refusal(text: str) -> BadScore:
    """Return why a project is refused, and see that it did not take long."""
    begun = time.process_time()
    with pytest.raises(BadScore) as refused:
        read_ustx(text.encode("utf-8", "surrogatepass"), "song.ustx")
    assert time.process_time() - begun < 3
    return refused.value


def test_an_error_names_the_line_the_path_and_what_it_must_be() -> None:
    text = "ustx_version: 0.9\ntracks: [{}]\nvoice_parts:\n- track_no: 0\n  notes:\n  - position: 0\n    duration: -5\n"

    assert str(refusal(text)) == (
        "song.ustx:7: voice_parts[0].notes[0].duration: must be a whole number of at least 1, not '-5'"
    )


def test_a_missing_field_is_looked_for_where_it_should_be() -> None:
    text = "ustx_version: 0.9\ntracks: [{}]\nvoice_parts:\n- track_no: 0\n  notes:\n  - position: 0\n"

    assert str(refusal(text)) == "song.ustx:6: voice_parts[0].notes[0].duration: is missing"


@pytest.mark.parametrize("value", NO_DURATIONS)
def test_a_duration_is_a_whole_number_above_zero(value: str) -> None:
    error = refusal(FULL.replace('"duration": 480', f'"duration": {value}', 1))

    assert error.where.endswith("voice_parts[0].notes[0].duration") or "6 hours" in error.what
    assert len(str(error)) < 200


@pytest.mark.parametrize("value", ["nan", ".inf", "-.INF", "1e999", "9" * 6000, "x", "[]", "''"])
@pytest.mark.parametrize("key", ["bpm", "x", "y", "tone", "track_no", "bar_position", "beat_unit"])
def test_a_number_is_finite_and_of_its_range(key: str, value: str) -> None:
    assert "must be a" in refusal(_with(key, value)).what


@pytest.mark.parametrize("value", ["nan", ".inf", "1e999", "9" * 6000, "x"])
@pytest.mark.parametrize("key", ["tuning", "length", "period", "volume", "pan", "custom_default_value", "resolution"])
def test_a_number_that_may_be_missing_is_finite_too(key: str, value: str) -> None:
    assert "must be a" in refusal(_with(key, value)).what


@pytest.mark.parametrize(
    ("key", "value", "must"),
    [
        ("tone", "128", "from 0 to 127"),
        ("tone", "-1", "from 0 to 127"),
        ("bpm", "0", "from 1 to 10000"),
        ("bpm", "-120", "from 1 to 10000"),
        ("beat_per_bar", "0", "from 1 to 1024"),
        ("pan", "101", "from -100 to 100"),
        ("volume", "100", "from -200 to 24"),
        ("tuning", "1e5", "from -1200 to 1200"),
        ("track_no", "-1", "at least 0"),
        ("track_no", "1", "the number of a track, of which there are 1, counted from 0"),
        ("snap_first", "maybe", "true or false"),
        ("snap_first", "[]", "true or false"),
        ("shape", "oi", "io, i, o, l or sp"),
        ("shape", "[]", "must be text"),
        ("lyric", "{}", "must be text, not a mapping"),
        ("singer", "[a]", "must be text, not a list"),
        ("pitch", "7", "must be a mapping, not '7'"),
        ("vibrato", "[]", "must be a mapping, not a list"),
        ("notes", "7", "must be a list, not '7'"),
        ("notes", "[a]", "must be a mapping, not 'a'"),
        ("tracks", "{a: b}", "must be a list, not a mapping"),
        ("xs", "[0]", "has 1 values, and ys has 2"),
        ("xs", "[0, 0]", "must be above 0, the tick before it, not 0"),
        ("xs", "[5, 0]", "must be above 5, the tick before it, not 0"),
        ("xs", "[0, 0.5]", "must be a whole number"),
        ("ys", "[0, 1e999]", "from -240 to 120, not '1e999'"),
        ("ys", "[0, 121]", "from -240 to 120, not '121'"),
        ("ustx_version", "beta", "a version such as 0.9"),
        ("ustx_version", "7777777777777.1", "a version such as 0.9"),
    ],
)
def test_a_value_outside_its_kind_is_refused(key: str, value: str, must: str) -> None:
    error = refusal(_with(key, value))

    assert must in error.what
    assert key in error.where


def test_other_ticks_than_480_a_quarter_are_refused_with_the_reason() -> None:
    error = refusal(_with("resolution", "10080"))

    assert error.what == "must be 480 ticks a quarter note, not '10080'"
    assert "OpenUTAU ignores this number" in error.remedy


@pytest.mark.parametrize("text", ["", "{}", "name: x", "tracks: []"])
def test_a_file_without_a_version_is_no_project(text: str) -> None:
    error = refusal(text)

    assert (error.where, error.what) == ("song.ustx:1", "ustx_version is missing")
    assert error.remedy == "is this an OpenUTAU project?"


@pytest.mark.parametrize("text", ["just text", "- a\n- b", "[]", "MThd"])
def test_a_file_that_is_no_mapping_is_no_project(text: str) -> None:
    assert refusal(text).what == "must be a mapping"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: &x [1]\nc: *x", 2, "anchors and aliases"),
        ("a: 1\nb: *x", 2, "anchors and aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", 2, "tag"),
        ("a: 1\nb: 2\na: 3", 3, "stands here twice"),
        ("a: 1\nb: [", 3, "broken YAML"),
        ("a: 1\n---\nb: 2", 3, "second document"),
        ("a: 1\nb: " + "[" * 3000 + "]" * 3000, 2, "nested deeper"),
    ],
)
def test_yaml_that_could_surprise_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    error = refusal(text)

    assert error.where == f"song.ustx:{line}"
    assert what in error.what


def test_a_billion_laughs_are_refused_at_the_first() -> None:
    levels = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10))

    assert "anchors" in refusal(f"a0: &a0 [lol]\n{levels}").what


def test_ten_million_curve_points_are_refused_at_once() -> None:
    text = FULL.replace('"xs": [', '"xs": [' + "0," * 10_000_000, 1)
    begun = time.process_time()

    assert "2,000,000" in refusal(text).what
    assert time.process_time() - begun < 1


def test_a_song_of_days_is_refused() -> None:
    error = refusal(song_text(part([note(2_000_000_000)])))

    assert error.what == "ends at tick 2000000480, more than 6 hours into the song"
    assert error.where.endswith("voice_parts[0]")


@pytest.mark.parametrize(
    ("position", "must"), [([480], "0 at the first"), ([0, 480, 480], "above 480"), ([0, 960, 480], "above 960")]
)
def test_tempos_begin_at_0_and_ascend(position: list[int], must: str) -> None:
    assert must in refusal(song_text(tempos=[{"position": tick, "bpm": 120} for tick in position])).what


def test_a_part_has_one_curve_of_a_kind() -> None:
    assert "only curve" in refusal(song_text(part(curves=[curve("dyn", [], []), curve("dyn", [], [])]))).what


def test_an_unpaired_surrogate_is_no_text() -> None:
    assert "UTF-8" in refusal("ustx_version: 0.9\nname: \ud800").what


@given(st.data())
@settings(deadline=None)  # the time is asserted where it is measured
def test_a_damaged_project_is_read_or_refused(data: st.DataObject) -> None:
    text = FULL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 30))
        text = text[:start] + data.draw(st.text(max_size=8) | st.sampled_from(FRAGMENTS)) + text[end:]

    _is_read_or_refused(text)


@given(st.data())
@settings(deadline=None)  # the time is asserted where it is measured
def test_a_project_with_other_values_is_read_or_refused(data: st.DataObject) -> None:
    project = json.loads(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        target: Any = project
        while isinstance(target, dict | list) and target:
            keys = list(target) if isinstance(target, dict) else list(range(len(target)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(target[key], dict | list) or data.draw(st.integers(0, 4)) == 0:
                target[key] = data.draw(VALUES)
                break
            target = target[key]

    _is_read_or_refused(json.dumps(project))


def _is_read_or_refused(text: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(BadScore):
        assert isinstance(read_ustx(text.encode("utf-8", "surrogatepass"), "song.ustx"), Score)
    assert time.process_time() - begun < 1


def _with(key: str, value: str) -> str:
    """Return the full project with another value at the first such key, whatever stood there."""
    project = json.loads(FULL)
    mark = "the value to be"
    _place(project, key, mark)
    return json.dumps(project, ensure_ascii=False, indent=1).replace(f'"{mark}"', value)


def _place(node: Any, key: str, mark: str) -> bool:
    if isinstance(node, dict) and key in node:
        node[key] = mark
        return True
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_place(one, key, mark) for one in inner)
