"""`--voice-for TRACK=VOICE` through the front door: who sings, and what is rendered again for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.tiny_song import note, part, song_text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a rendered song of two tracks and a muted third."""
    folder = tmp_path_factory.mktemp("voice-for")
    tracks = [{"singer": "demo", "track_name": name} for name in ("Lead", "Harmony")]
    muted = {"singer": "demo", "track_name": "Muted", "mute": True}
    parts = [part([note(960)], track_no=number) for number in range(3)]
    (folder / "song.ustx").write_text(song_text(*parts, tracks=[*tracks, muted]), encoding="utf-8")
    assert quincunx(folder, "render", "song.ustx", "-o", "song.wav").returncode == 0
    return folder


def quincunx(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def would_run(home: Path, *arguments: str) -> set[tuple[str, str]]:
    """(track, step) of all that would run, with `song` for the mix."""
    ran = quincunx(home, "why", "song.ustx", "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    return {(segment.split("-")[0], step) for segment, step, _ in json.loads(ran.stdout)["would_run"]}


def test_one_track_gets_another_voice_and_the_others_stay_what_they_are(home: Path) -> None:
    sung_again = {("t2", "acoustic"), ("t2", "vocoder"), ("t2", "post"), ("song", "mix"), ("song", "master")}
    assert would_run(home, "--voice-for", "2=demo-low") == sung_again
    assert would_run(home, "--voice", "demo-low", "--voice-for", "Lead=demo") == sung_again


def test_a_voice_for_a_track_that_nobody_hears_is_told(home: Path) -> None:
    ran = quincunx(home, "render", "song.ustx", "-o", "other.wav", "--voice-for", "Muted=demo-low")
    assert ran.returncode == 0
    assert "0 steps run" in ran.stderr
    assert "track 3 (Muted) is empty or muted" in ran.stderr


@pytest.mark.parametrize("command", [("render", "song.ustx", "-o", "no.wav"), ("why", "song.ustx")])
@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("Bass=demo", "the tracks are 1: Lead; 2: Harmony; 3: Muted"),
        ("2=nobody", "no voice 'nobody' is installed; known: demo, demo-low, demo-ring"),
        ("3=demo-lo", "did you mean 'demo-low'?"),
        ("Harmony", "TRACK=VOICE"),
    ],
)
def test_unknown_tracks_and_voices_are_refused(home: Path, command: tuple[str, ...], choice: str, told: str) -> None:
    ran = quincunx(home, *command, "--voice-for", choice)
    assert ran.returncode == 2
    assert told in ran.stderr
    assert not (home / "no.wav").exists()


def test_the_bundled_song_takes_it_too(home: Path) -> None:
    ran = quincunx(home, "demo", "--dry-run", "--voice-for", "Choir=demo")
    assert ran.returncode == 2
    assert "there is no track 'Choir'" in ran.stderr
