"""The command line as a person uses it: real processes, real files, their output and exit codes."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tests.scenario.songs import SONG


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder to work in, with a cache of its own."""
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")
    return tmp_path


def quincunx(home: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    if path:
        environment["PYTHONPATH"] = path
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def render(home: Path, *arguments: str) -> dict[str, Any]:
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def test_render_writes_the_song_and_says_what_it_did(home: Path) -> None:
    told = render(home)
    audio, rate = soundfile.read(io.BytesIO((home / "song.wav").read_bytes()))
    assert rate == 44100
    assert audio.shape[1] == 2
    assert len(audio) / rate == pytest.approx(told["audio_seconds"], abs=1e-3)
    assert told["schema"] == 1
    assert told["output"] == "song.wav"
    assert told["steps_run"] == len(told["ran"]) == 3 * 6 + 2
    assert told["steps_recalled"] == 0
    assert told["wall_seconds"] > 0
    assert {step for _, step, _ in told["ran"]} >= {"phonemize", "mix", "master"}


def test_the_second_render_runs_nothing_and_writes_the_same_file(home: Path) -> None:
    render(home)
    first = (home / "song.wav").read_bytes()
    (home / "song.wav").unlink()
    told = render(home)
    assert told["steps_run"] == 0
    assert told["ran"] == []
    assert told["steps_recalled"] == 3 * 6 + 2
    assert (home / "song.wav").read_bytes() == first


def test_an_edit_is_explained_by_what_it_changed(home: Path) -> None:
    render(home)
    start = SONG.phrases[1].start
    edited = SONG.with_curve("pitd", (start, 0), (start + 100, 50), (start + 200, 0))
    (home / "song.ustx").write_text(edited.ustx(), encoding="utf-8")
    why = quincunx(home, "why", "song.ustx")
    assert why.returncode == 0
    assert "pitch: input pitd is new" in why.stdout
    assert "acoustic: pitch → f0 changed" in why.stdout
    assert "mix: input audio: 1 of 3 new or changed" in why.stdout
    reasons = {step: reason for _, step, reason in render(home)["ran"]}
    assert reasons["pitch"] == "input pitd is new"
    assert sorted(reasons) == ["acoustic", "master", "mix", "pitch", "post", "vocoder"]


def test_a_dry_run_writes_nothing(home: Path) -> None:
    ran = quincunx(home, "render", "song.ustx", "--dry-run")
    assert ran.returncode == 0
    assert "20 steps would run" in ran.stdout
    assert not (home / "song.wav").exists()


def test_data_goes_to_stdout_and_all_else_to_stderr(home: Path) -> None:
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert ran.stdout == "song.wav\n"
    assert "20 steps run, 0 recalled" in ran.stderr


def test_a_singer_that_is_not_installed_is_replaced_aloud(home: Path) -> None:
    (home / "song.ustx").write_text(replace(SONG, singer="Somebody").ustx(), encoding="utf-8")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert ran.returncode == 0
    assert "singer 'Somebody' is sung by the voice 'demo'" in ran.stderr


def test_a_strict_voice_refuses_a_singer_that_is_not_installed(home: Path) -> None:
    (home / "song.ustx").write_text(replace(SONG, singer="Somebody").ustx(), encoding="utf-8")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--strict-voice")
    assert ran.returncode == 2
    assert "tracks[0].singer" in ran.stderr
    assert not (home / "song.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("render", "no.ustx", "-o", "a.wav"), 2, "no.ustx"),
        (("render", "song.ustx", "-o", "a.mp3"), 2, ".wav or .flac"),
        (("render", "song.ustx", "-o", "nowhere/a.wav"), 2, "the folder does not exist"),
        (("render", "song.ustx"), 2, "-o song.wav"),
        (("rendr",), 2, "Did you mean 'render'?"),
        (("render", "song.ustx", "-o", "a.wav", "--voice", "dem"), 2, "did you mean 'demo'?"),
        (("steps", "vocodr"), 2, "did you mean 'vocoder'?"),
    ],
)
def test_wrong_usage_gets_one_clear_message(home: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    ran = quincunx(home, *arguments)
    assert ran.returncode == code
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_a_broken_song_names_the_place_and_queues_nothing(home: Path) -> None:
    (home / "song.ustx").write_text(SONG.ustx().replace("duration: 480", "duration: -1", 1), encoding="utf-8")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert ran.returncode == 2
    assert "voice_parts[0].notes[0].duration" in ran.stderr
    assert not (home / "song.wav").exists()


def test_flac_holds_the_same_sound_as_wav(home: Path) -> None:
    render(home)
    assert quincunx(home, "render", "song.ustx", "-o", "song.flac", "-q").returncode == 0
    wav, _ = soundfile.read(io.BytesIO((home / "song.wav").read_bytes()))
    flac, _ = soundfile.read(io.BytesIO((home / "song.flac").read_bytes()))
    assert (wav == flac).all()


def test_steps_print_their_manifests_as_json(home: Path) -> None:
    ran = quincunx(home, "steps", "--json")
    document = json.loads(ran.stdout)
    assert {one["name"] for one in document["steps"]} >= {"phonemize", "acoustic", "master"}
    assert all(one["version"] and one["outputs"] for one in document["steps"])


def test_cache_stats_count_what_is_kept(home: Path) -> None:
    render(home)
    document = json.loads(quincunx(home, "cache", "stats", "--json").stdout)
    assert document["folder"] == str(home / "cache")
    assert document["results"] > 0
    assert document["blob_bytes"] > 0


def test_two_onnx_runtimes_at_once_are_refused_with_the_remedy(home: Path) -> None:
    """They install one module over each other; which of the two is left, nobody knows."""
    planted = home / "planted" / "onnxruntime_gpu-9.9.dist-info"
    planted.mkdir(parents=True)
    (planted / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 9.9\n")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", path=str(planted.parent))
    assert ran.returncode == 1
    assert "both installed" in ran.stderr
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in ran.stderr
    assert not (home / "song.wav").exists()


def test_a_render_that_was_killed_leaves_a_cache_that_serves(home: Path) -> None:
    for seconds in (0.5, 0.8, 1.1):
        environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache")}
        command = [sys.executable, "-m", "quincunx_orchestrator.cli", "render", "song.ustx", "-o", "song.wav"]
        with subprocess.Popen(
            command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as one:
            try:
                one.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                one.kill()
    told = render(home)
    assert told["state"] == "succeeded"
    survivor = (home / "song.wav").read_bytes()
    assert not [path for path in home.iterdir() if path.name.startswith(".song")], "no half-written output is left"
    shutil.rmtree(home / "cache")
    render(home)
    assert (home / "song.wav").read_bytes() == survivor


def test_two_renders_at_once_share_one_cache(home: Path) -> None:
    environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache")}
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", "render", "song.ustx", "--json", "-o"]
    both = [
        subprocess.Popen([*command, name], cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one.wav", "two.wav")
    ]
    told = [json.loads(one.communicate()[0]) for one in both]
    assert [one["state"] for one in told] == ["succeeded", "succeeded"]
    assert (home / "one.wav").read_bytes() == (home / "two.wav").read_bytes()
    assert render(home)["steps_run"] == 0


def test_after_an_undo_the_next_edit_is_explained_alone(home: Path) -> None:
    render(home)
    edited = SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="nights"))
    (home / "song.ustx").write_text(edited.ustx(), encoding="utf-8")
    render(home)
    (home / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")
    assert render(home)["steps_run"] == 0
    (home / "song.ustx").write_text(replace(SONG, volume=-2).ustx(), encoding="utf-8")
    reasons = {step: reason for _, step, reason in render(home)["ran"]}
    assert reasons == {"mix": "input placements changed", "master": "mix → audio changed"}


def test_a_phrase_that_cannot_be_sung_is_named_and_the_rest_is_written(home: Path) -> None:
    broken = SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="☃"))
    (home / "song.ustx").write_text(broken.ustx(), encoding="utf-8")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav")
    assert ran.returncode == 3
    assert "song.wav was written WITHOUT 1 phrase" in ran.stderr
    assert "Lead 4:2 「☃」" in ran.stderr
    why = quincunx(home, "why", "song.ustx").stdout
    assert "phonemize: failed last time" in why
    assert "mix: made without the phrases that failed last time" in why
    assert "never rendered" not in why


def test_the_bundled_song_is_not_written_over_an_edited_one(home: Path) -> None:
    assert quincunx(home, "demo", "--score", "mine.ustx").returncode == 0
    (home / "mine.ustx").write_text("my edits")
    again = quincunx(home, "demo", "--score", "mine.ustx")
    assert again.returncode == 2
    assert "mine.ustx: this file is there already" in again.stderr
    assert (home / "mine.ustx").read_text() == "my edits"


def plant(home: Path, name: str, offered: str) -> str:
    """Put a package on the path that offers a step under a name, as if it were installed."""
    module = name.replace("-", "_")
    root = home / "planted"
    info = root / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[quincunx.steps]\naaa = {module}:STEP\n")
    (root / f"{module}.py").write_text(
        "from quincunx_shared import Input, Manifest, Option, Output, Step\n"
        f"STEP = Step(Manifest(name={offered!r}, version='1', inputs=(Input(name='audio', type='audio'),),"
        " outputs=(Output(name='audio', type='audio'),)), lambda inputs, options, context: inputs['audio'])\n"
    )
    return str(root)


def test_an_installed_package_offers_a_step_of_its_own(home: Path) -> None:
    path = plant(home, "loud-things", "shout")
    document = json.loads(quincunx(home, "steps", "shout", "--json", path=path).stdout)
    assert [(one["name"], one["origin"]) for one in document["steps"]] == [("shout", "loud-things")]


def test_no_package_takes_the_place_of_a_built_in_step(home: Path) -> None:
    path = plant(home, "loud-things", "vocoder")
    ran = quincunx(home, "steps", "vocoder", "--json", path=path)
    (vocoder,) = json.loads(ran.stdout)["steps"]
    assert vocoder["origin"] == ""
    assert "mel" in [port["name"] for port in vocoder["inputs"]]
    assert "aaa" in ran.stderr
    assert "is there already" in ran.stderr
