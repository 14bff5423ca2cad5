"""Takes: what they share, what they differ in, and the one that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.write(SONG.ustx())
    return terminal


def test_takes_share_what_does_not_depend_on_the_seed(terminal: Terminal) -> None:
    said = terminal.render("--takes", "3")
    first, second, third = ([step for _, step, _ in one["ran"]] for one in said.document["renders"])
    assert first.count("phonemize") == first.count("duration") == 3
    assert not {"phonemize", "duration"} & {*second, *third}
    assert second.count("pitch") == third.count("pitch") == 3
    assert [one["output"] for one in said.document["renders"]] == ["song.take1.wav", "song.take2.wav", "song.take3.wav"]
    assert [one["seed"] for one in said.document["renders"]] == [0, 1, 2]
    sounds = {(terminal.home / f"song.take{number}.wav").read_bytes() for number in (1, 2, 3)}
    assert len(sounds) == 3


def test_a_take_is_what_its_seed_renders(terminal: Terminal) -> None:
    terminal.render("--takes", "2", "--seed", "7")
    said = terminal.render("--seed", "8")
    assert said.ran == []
    assert (terminal.home / "song.wav").read_bytes() == (terminal.home / "song.take2.wav").read_bytes()


def test_a_kept_take_is_what_the_song_sounds_like_until_a_seed_is_given(terminal: Terminal) -> None:
    terminal.render("--takes", "3")
    assert terminal.type("take", "keep", "song.ustx", "3").code == 0
    said = terminal.type("render", "song.ustx", "-o", "song.wav")
    assert "take 3, the kept one (seed 2)" in said.err
    assert (terminal.home / "song.wav").read_bytes() == (terminal.home / "song.take3.wav").read_bytes()

    seeded = terminal.render("--seed", "0").document
    assert (seeded["seed"], seeded["take"], seeded["steps_run"]) == (0, None, 0)
    assert (terminal.home / "song.wav").read_bytes() == (terminal.home / "song.take1.wav").read_bytes()

    terminal.write(SONG.ustx().replace("lyric: は", "lyric: ら"))
    edited = terminal.render().document
    assert (edited["seed"], edited["take"]) == (2, 3)
    assert [step for _, step, _ in edited["ran"]].count("pitch") <= 1
    assert terminal.type("why", "song.ustx").out.startswith("0 steps would run")


def test_keep_renders_what_it_keeps(terminal: Terminal) -> None:
    terminal.render("--takes", "2", "--seed", "5")
    assert terminal.render("--keep", "2").ran == []
    assert (terminal.home / "song.wav").read_bytes() == (terminal.home / "song.take2.wav").read_bytes()
    assert terminal.render().document["seed"] == 6
    assert [one["kept"] for one in terminal.type("take", "show", "song.ustx", "--json").document["takes"]] == [0, 1]
    assert terminal.type("take", "drop", "song.ustx").code == 0
    assert terminal.render().document["seed"] == 0


def test_more_takes_leave_the_kept_one_and_takes_of_other_seeds_do_not(terminal: Terminal) -> None:
    terminal.render("--takes", "1")
    terminal.type("take", "keep", "song.ustx", "1")
    said = terminal.render("--takes", "2")
    assert not said.document["renders"][0]["ran"]
    assert terminal.render().document["take"] == 1
    terminal.render("--takes", "1", "--seed", "9")
    assert terminal.render().document["take"] is None


def test_each_take_has_its_own_stems(terminal: Terminal) -> None:
    terminal.render("--takes", "2", "--stems", "stems")
    assert [name for name in terminal.files() if name.startswith("stems")] == [
        "stems/song.take1/01 Lead.wav",
        "stems/song.take2/01 Lead.wav",
    ]


def test_after_takes_an_edit_is_explained_alone(terminal: Terminal) -> None:
    terminal.render("--takes", "2")
    start = SONG.phrases[1].start
    terminal.write(SONG.with_curve("pitd", (start, 0), (start + 100, 50), (start + 200, 0)).ustx())
    reasons = {step: why for _, step, why in terminal.render().document["ran"]}
    assert reasons["pitch"] == "input pitd is new"
    assert "phonemize" not in reasons


def test_another_acoustic_seed_keeps_the_pitch(terminal: Terminal) -> None:
    terminal.render()
    ran = {step for _, step in terminal.render("--acoustic-seed", "4").ran}
    assert "acoustic" in ran
    assert not {"phonemize", "duration", "pitch"} & ran


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("render", "song.ustx", "-o", "a.wav", "--takes", "0"), "1<=x<=999"),
        (("render", "song.ustx", "-o", "a.wav", "--keep", "1"), "no takes of this song are known"),
        (("render", "song.ustx", "-o", "a.wav", "--keep", "1", "--seed", "3"), "leave out --takes, --seed"),
        (("render", "song.ustx", "-o", "a.wav", "--takes", "2", "--seed", "2147483647"), "choose a smaller --seed"),
        (("take", "keep", "song.ustx", "2"), "quincunx render song.ustx --takes 5"),
        (("take", "keep", "no.ustx", "2"), "no.ustx"),
    ],
)
def test_a_take_that_is_not_there_is_not_kept(terminal: Terminal, arguments: tuple[str, ...], told: str) -> None:
    said = terminal.type(*arguments)
    assert said.code == 2
    assert told in said.err
    assert list(terminal.files()) == []


def test_a_take_beyond_the_last_is_refused_with_those_there_are(terminal: Terminal) -> None:
    terminal.render("--takes", "2")
    said = terminal.type("take", "keep", "song.ustx", "3")
    assert said.code == 2
    assert "there is no take 3, only 1 to 2" in said.err
