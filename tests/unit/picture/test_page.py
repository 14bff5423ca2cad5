"""What stands where on a page: notes, the sung pitch through them, words that do not collide."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.picture.sheets import sheet_of, sung

from quincunx_orchestrator.picture.page import GUTTER, MARGIN, System, lay_out, systems_of
from quincunx_orchestrator.picture.roll import tone_name
from quincunx_orchestrator.picture.scene import Area, Box, Frame, Label, Raster, Scene, Stroke
from quincunx_orchestrator.picture.sheet import Sheet

SCALE = [sung(0.5 * number, 60 + number, word) for number, word in enumerate(["do", "re", "mi", "fa"])]


def boxes(scene: Scene, role: str) -> list[Box]:
    return [one for one in scene.shapes if isinstance(one, Box) and one.role.startswith(role)]


def labels(scene: Scene, role: str) -> list[Label]:
    return [one for one in scene.shapes if isinstance(one, Label) and one.role.startswith(role)]


def strokes(scene: Scene, role: str) -> list[Stroke]:
    return [one for one in scene.shapes if isinstance(one, Stroke) and one.role.startswith(role)]


def frame_of(shape: object) -> Frame:
    if isinstance(shape, Box | Raster | Label):
        return shape.frame
    assert isinstance(shape, Stroke | Area)
    ys = [shape.ys] if isinstance(shape, Stroke) else [shape.uppers, shape.lowers]
    top, bottom = min(one.min() for one in ys), max(one.max() for one in ys)
    return Frame(shape.xs.min(), top, np.ptp(shape.xs), bottom - top)


def random_sheet(draws: list[tuple[int, int, int, str]], seconds: float) -> Sheet:
    notes = [sung(0.25 * start, tone, text, track) for start, tone, track, text in draws if 0.25 * start < seconds]
    return sheet_of(notes, seconds)


NOTES = st.lists(
    st.tuples(
        st.integers(0, 180), st.integers(24, 100), st.integers(0, 1), st.sampled_from(["la", "lights", "ひ", ""])
    ),
    max_size=40,
)


def test_a_note_stands_at_its_time_and_tone() -> None:
    sheet = sheet_of(SCALE)
    (system,) = systems_of(sheet)
    drawn = boxes(lay_out(sheet), "note")
    for note, box in zip(SCALE, drawn, strict=True):
        assert box.frame.left == pytest.approx(system.strip.left + note.start * system.strip.scale)
        assert box.frame.right == pytest.approx(system.strip.left + note.end * system.strip.scale, abs=1.0)
    rows = [box.frame.top for box in drawn]
    assert np.diff(rows) == pytest.approx(-system.keyboard.semitone), "a semitone higher is a row higher"


def test_the_name_of_a_tone_stands_beside_its_row() -> None:
    scene = lay_out(sheet_of(SCALE))
    named = {label.text: label.y for label in labels(scene, "key")}
    do = boxes(scene, "note")[0].frame
    assert do.top < named["C4"] - 1 < do.bottom
    assert [tone_name(tone) for tone in (21, 60, 69, 70)] == ["A0", "C4", "A4", "B♭4"]


def test_the_sung_pitch_runs_through_the_middle_of_notes_that_are_sung_in_tune() -> None:
    scene = lay_out(sheet_of(SCALE))
    for box, line in zip(boxes(scene, "note"), strokes(scene, "f0"), strict=True):
        assert line.ys == pytest.approx(box.frame.top + box.frame.height / 2)
        assert box.frame.left == pytest.approx(line.xs[0])
        assert line.xs[-1] <= box.frame.right + 1


def test_fifty_cents_sharp_is_half_a_row_higher() -> None:
    sheet = sheet_of([sung(0, 60.0), sung(1, 60.5)])
    (system,) = systems_of(sheet)
    first, second = strokes(lay_out(sheet), "f0")
    assert first.ys[0] - second.ys[0] == pytest.approx(system.keyboard.semitone / 2)


def test_a_lyric_stands_above_its_note_and_below_it_for_the_lowest_track() -> None:
    both = [sung(0.0, 67, "high", 0), sung(0.0, 55, "low", 1)]
    scene = lay_out(sheet_of(both))
    high, low = labels(scene, "lyric")
    upper, lower = (box.frame for box in boxes(scene, "note"))
    assert (high.text, low.text) == ("high", "low")
    assert high.frame.bottom <= upper.top
    assert low.frame.top >= lower.bottom


def test_the_phone_lane_has_every_phone_at_its_time() -> None:
    sheet = sheet_of(SCALE)
    (system,) = systems_of(sheet)
    drawn = boxes(lay_out(sheet), "phone")
    wanted = [(system.strip.x(phone.start), system.strip.x(phone.end)) for phone in sheet.phones]
    assert [(box.frame.left, box.frame.right) for box in drawn] == [pytest.approx(one) for one in wanted]
    assert [label.text for label in labels(lay_out(sheet), "phone ms")] == ["500"] * 4


def test_bars_are_numbered_where_they_begin() -> None:
    sheet = sheet_of(SCALE, seconds=6.0)
    (system,) = systems_of(sheet)
    numbers = {label.text: label.x for label in labels(lay_out(sheet), "bar number")}
    assert {name: pytest.approx(x, abs=3) for name, x in numbers.items()} == {
        "1": system.strip.x(0.0),
        "2": system.strip.x(2.0),
        "3": system.strip.x(4.0),
    }


@settings(max_examples=40)
@given(NOTES, st.floats(0.3, 60.0))
def test_no_word_covers_another_and_nothing_leaves_the_page(
    draws: list[tuple[int, int, int, str]], seconds: float
) -> None:
    scene = lay_out(random_sheet(draws, seconds))
    for role in ("lyric", "phone name", "key"):
        for one, other in combinations(labels(scene, role), 2):
            assert not one.frame.overlaps(other.frame), (one, other)
    page = Frame(-1, -1, scene.width + 2, scene.height + 2)
    for shape in scene.shapes:
        frame = frame_of(shape)
        assert page.left <= frame.left, shape
        assert frame.right <= page.right or isinstance(shape, Label), shape
        assert page.top <= frame.top, shape
        assert frame.bottom <= page.bottom, shape


@settings(max_examples=40)
@given(NOTES, st.floats(0.3, 60.0))
def test_no_lane_covers_another(draws: list[tuple[int, int, int, str]], seconds: float) -> None:
    systems = systems_of(random_sheet(draws, seconds))
    lanes = [lane for system in systems for lane in lanes_of(system)]
    for one, other in combinations(lanes, 2):
        assert not one.overlaps(other)


def lanes_of(system: System) -> list[Frame]:
    return [system.wave, system.spectrum, system.roll, *(system.phones(place) for place in range(len(system.tracks)))]


def test_every_note_of_a_long_song_is_drawn_once_or_runs_on_in_the_next_system() -> None:
    notes = [sung(0.5 * number, 60 + number % 12, f"n{number}") for number in range(120)]
    sheet = sheet_of(notes, seconds=61.0)
    scene = lay_out(sheet)
    assert len(systems_of(sheet)) == 4
    assert [label.text for label in labels(scene, "lyric")] == [note.text for note in notes]
    assert len(boxes(scene, "note")) == len(notes)
    assert len([one for one in scene.shapes if isinstance(one, Raster)]) == 4


def test_all_systems_have_the_same_scale_and_only_their_own_tracks() -> None:
    sheet = sheet_of([sung(1, 60, track=0), sung(25, 50, track=1)], seconds=32.0)
    first, second = systems_of(sheet)
    assert first.strip.scale == second.strip.scale
    assert (first.tracks, second.tracks) == ((0,), (1,))


def test_the_waveform_of_the_loudest_moment_fills_its_lane() -> None:
    sheet = sheet_of(SCALE)
    (system,) = systems_of(sheet)
    (wave,) = [one for one in lay_out(sheet).shapes if isinstance(one, Area) and one.role == "waveform"]
    assert (wave.lowers - wave.uppers).max() == pytest.approx(0.94 * system.wave.height, rel=0.01)


def test_what_cannot_be_written_is_spelled_by_its_sounds() -> None:
    sheet = sheet_of([sung(0, 60, "愛"), sung(1, 60, "love")], tracks=("声", "Harmony"))
    plain = sheet.legible(str.isascii)
    assert [note.text for note in plain.notes] == ["l a", "love"]
    assert plain.tracks == ("Track 1", "Harmony")


def test_a_song_without_notes_has_a_page_too() -> None:
    scene = lay_out(sheet_of([], seconds=0.1))
    assert scene.width > 0
    assert not boxes(scene, "note")


def test_long_names_and_lyrics_are_cut_to_the_room_there_is() -> None:
    long = "endless " * 40
    sheet = sheet_of([sung(0, 60, long), sung(1, 64)], tracks=(long, "Harmony"))
    scene = lay_out(replace(sheet, title=f"{long}\n{long}").legible(lambda _: True))
    for role, room in (("title", scene.width), ("lyric", 91.0), ("track", MARGIN + GUTTER)):
        label = labels(scene, role)[0]
        assert label.text.startswith("endless")
        assert label.text.endswith("…")
        assert "\n" not in label.text
        assert label.frame.width <= room
        assert label.frame.left >= 0


def test_a_note_that_begins_a_hair_before_its_bar_belongs_to_the_system_of_that_bar() -> None:
    sheet = sheet_of([sung(1.0, 60, "one"), sung(16.0 - 1e-5, 62, "two")], seconds=32.0)
    first, second = systems_of(sheet)
    assert second.strip.span.start == 16.0
    words = {label.text: label.frame for label in labels(lay_out(sheet), "lyric")}
    assert words["two"].top > first.bottom
