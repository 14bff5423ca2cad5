"""File names from what people call things."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.song.file_names import (
    NAME_BYTES,
    batch_paths,
    numbered_name,
    refuse_collisions,
    safe_name,
    take_path,
)
from quincunx_shared.errors import BadOption

ANY = st.text(st.characters(exclude_categories=()), max_size=400)


@given(ANY, st.integers(1, 2000))
def test_a_name_is_never_a_path_and_always_a_name(name: str, number: int) -> None:
    made = numbered_name(number, name, "wav")
    assert PurePosixPath(made).name == made == PureWindowsPath(made).name
    assert PureWindowsPath(made).drive == ""
    assert len(made.encode("utf-8")) <= NAME_BYTES + 10
    assert made.split(" ")[0].split(".")[0] == f"{number:02d}"
    assert made.isprintable()
    assert made == made.strip(". ")


@given(ANY)
def test_a_safe_name_is_safe_already(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Lead", "02 Lead.wav"),
        ("  two\twords ", "02 two words.wav"),
        ("../../up", "02 _.._up.wav"),
        ("é", "02 é.wav"),
        ("", "02.wav"),
        ("主唱 🎤", "02 主唱 🎤.wav"),
        ("a\u202eb\u200d", "02 ab.wav"),
    ],
)
def test_names_that_people_give(name: str, made: str) -> None:
    assert numbered_name(2, name, "wav") == made


def test_a_take_stands_beside_its_song() -> None:
    assert take_path(Path("out/my.song.wav"), 3) == Path("out/my.song.take3.wav")


def test_songs_of_one_name_collide_whatever_their_case_and_folder() -> None:
    assert batch_paths([Path("a/x.ustx"), Path("y.mid")], Path("out"), "flac") == {
        Path("a/x.ustx"): Path("out/x.flac"),
        Path("y.mid"): Path("out/y.flac"),
    }
    with pytest.raises(BadOption, match=r"a/Song\.ustx and b/song\.mid"):
        batch_paths([Path("a/Song.ustx"), Path("b/song.mid")], Path("out"), "wav")
    with pytest.raises(BadOption):
        batch_paths([Path("a.ustx"), Path("a.ustx")], Path("out"), "wav")


def test_outputs_that_fall_on_each_other_are_refused() -> None:
    refuse_collisions([Path("a/b.wav"), Path("b.wav")])
    with pytest.raises(BadOption, match="2 files"):
        refuse_collisions([Path("a/b.wav"), Path("A/B.wav")])
