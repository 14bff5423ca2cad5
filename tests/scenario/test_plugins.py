"""What other packages bring along: a real package, really installed, with one plug-in of every kind and broken ones."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.songs import SONG

PACKAGE = Path(__file__).parent.parent / "example_plugin"
DESK = Path(__file__).parent / "plugin_desk.py"

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Render = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example package is installed, as pip does it."""
    target = tmp_path_factory.mktemp("installed")
    pip = ["pip"] if importlib.util.find_spec("pip") else ["uv", "pip"]
    command = [sys.executable, "-m", *pip, "install", "--quiet", "--no-deps", "--no-build-isolation"]
    ran = subprocess.run([*command, "--target", target, PACKAGE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return target


@pytest.fixture
def quincunx(installed: Path, tmp_path: Path) -> Run:
    """The command line in a folder with a song and a cache of its own, beside the example package."""
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(installed)}
        command = [sys.executable, "-m", "quincunx_orchestrator.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def desk(installed: Path, tmp_path: Path) -> Render:
    """The library, in a process that has the example package."""
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")

    def render(case: str, seconds: float | None = None) -> dict[str, Any]:
        command = [sys.executable, str(DESK), case, str(tmp_path), *([str(seconds)] if seconds else [])]
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    return render


USTX = "quincunx-example: ustx"
BROKEN = {
    "quincunx-example: absent": "ModuleNotFoundError",
    "quincunx-example: quitting": "SystemExit: quitting",
    "quincunx-example: not-a-step": "is not a Step but function",
    USTX: "the name '.ustx' is taken by Quincunx",
}


def test_one_plugin_of_every_kind_is_listed_and_the_broken_ones_are_named(quincunx: Run) -> None:
    ran = quincunx("plugins", "--json")
    document = json.loads(ran.stdout)
    assert ran.returncode == 1
    offered = {(row["kind"], row["name"]) for row in document["plugins"]}
    assert offered >= {
        ("step", "gain"),
        ("score format", ".tune"),
        ("phrase cutter", "notes"),
        ("operator", "louder"),
        ("interpolation", "smooth"),
    }
    assert {row["package"] for row in document["plugins"]} == {"quincunx-example"}
    problems = {one["plugin"]: one["problem"] for one in document["left_out"]}
    assert problems.keys() == BROKEN.keys()
    for plugin, reason in BROKEN.items():
        assert reason in problems[plugin]
        assert plugin in ran.stderr


def test_a_song_in_a_foreign_format_is_cut_in_a_foreign_way(quincunx: Run, tmp_path: Path) -> None:
    (tmp_path / "song.tune").write_text("60 480 la\n62 480 lo\n64 960 li\n")
    ran = quincunx("render", "song.tune", "-o", "song.wav", "--cut", "notes", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["steps_run"] == 3 * 6 + 2
    assert "the plug-in quincunx-example: absent is left out" in ran.stderr
    assert (tmp_path / "song.wav").exists()


def test_what_a_foreign_reader_refuses_is_told_with_its_place(quincunx: Run, tmp_path: Path) -> None:
    (tmp_path / "song.tune").write_text("60 480 la\nsixty\n")
    ran = quincunx("render", "song.tune", "-o", "song.wav")
    assert ran.returncode == 2
    assert "song.tune:2: this is no note" in ran.stderr
    assert not (tmp_path / "song.wav").exists()


@pytest.mark.parametrize(
    ("cutter", "told"),
    [
        ("losing", "the phrase cutter must give each of"),
        ("nots", "there is no phrase cutter 'nots'; did you mean 'notes'?"),
    ],
)
def test_a_cutter_that_loses_notes_or_is_unknown_is_refused(quincunx: Run, cutter: str, told: str) -> None:
    ran = quincunx("render", "song.ustx", "-o", "song.wav", "--cut", cutter)
    assert ran.returncode == 2
    assert told in ran.stderr


@pytest.mark.parametrize("case", ["operator", "interpolation"])
def test_a_foreign_operator_and_a_foreign_interpolation_sound(desk: Render, case: str) -> None:
    plain, edited = desk("plain"), desk(case)
    assert edited["state"] == "succeeded", edited
    assert edited["sound"] != plain["sound"]
    assert edited["ran"] == ["acoustic", "master", "mix", "post", "vocoder"]


def test_a_step_apart_sounds_as_it_does_in_the_worker_and_is_recalled_for_it(desk: Render) -> None:
    apart = desk("gain", seconds=60)
    assert apart["state"] == "succeeded", apart
    assert apart["ran"] == ["acoustic", "duration", "gain", "master", "mix", "phonemize", "pitch", "post", "vocoder"]
    assert apart["reports"] == ["half way"]
    assert apart["imported"] == []
    assert set(apart["left_out"]) == {*BROKEN, "quincunx-example: louder", "quincunx-example: smooth"} - {USTX}

    inside = desk("gain")
    assert inside["imported"] != []
    assert (inside["sound"], inside["ran"]) == (apart["sound"], [])


@pytest.mark.parametrize(
    ("case", "seconds", "told"),
    [
        ("hanging", 1.5, "took longer than 1.5 s to run, and was ended"),
        ("crashing", 60, "its process ended with exit code 7, without an answer"),
        ("greedy", 60, "needs more memory than it may have"),
        ("raising", 60, "ZeroDivisionError: as one does"),
    ],
)
def test_a_step_apart_that_goes_wrong_costs_its_phrase_and_nothing_else(
    desk: Render, case: str, seconds: float, told: str
) -> None:
    ended = desk(case, seconds)
    assert ended["state"] == "partial"
    assert list(ended["failed"]) == [case]
    assert told in ended["failed"][case]
    assert "mix" in ended["ran"]
