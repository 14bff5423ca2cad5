"""A private farm, as a person uses it: started with one command, found by the others, ended with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.farm.farm_shell import Shell, shell_of
from tests.farm.waiting import until
from tests.scenario.songs import SongText, phrase

import quincunx_shared

QUINCUNX = (sys.executable, "-m", "quincunx_orchestrator.cli")


@dataclass(frozen=True)
class DevFarm:
    """A farm that runs: its process, where it is, and the environment in which it is found."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    environment: dict[str, str]


def environment_in(root: Path) -> dict[str, str]:
    named = {"QUINCUNX_DEV_DIR": "dev", "QUINCUNX_CONFIG_DIR": "none", "QUINCUNX_CACHE_DIR": "cache"}
    return {**os.environ, **{name: str(root / folder) for name, folder in named.items()}}


def started(root: Path) -> DevFarm:
    environment = environment_in(root)
    process = subprocess.Popen(
        [*QUINCUNX, "dev", "--workers", "2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=root,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return DevFarm(process, json.loads(line), environment)


def end(farm: DevFarm) -> None:
    """End a farm that a test which failed has left running."""
    if farm.process.poll() is None:
        farm.process.terminate()
    farm.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevFarm]:
    one = started(tmp_path_factory.mktemp("farm"))
    yield one
    told = subprocess.run([*QUINCUNX, "dev", "stop"], env=one.environment, capture_output=True, text=True, check=True)
    assert told.stderr == "The private farm has ended.\n"
    one.process.communicate(timeout=20)
    assert one.process.returncode == 0


@pytest.fixture
def shell(farm: DevFarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    for name in ("QUINCUNX_DEV_DIR", "QUINCUNX_CONFIG_DIR", "QUINCUNX_CACHE_DIR"):
        monkeypatch.setenv(name, farm.environment[name])
    monkeypatch.chdir(tmp_path)
    return shell_of(capsys)


def two_phrases(tone: int = 60) -> SongText:
    return SongText((phrase(4, "hello", "+", tone=tone), phrase(12, "two", "lights", tone=tone + 2)))


def written(folder: Path, song: SongText, name: str = "song.ustx") -> Path:
    path = folder / name
    path.write_text(song.ustx())
    return path


def test_the_farm_is_found_and_well(farm: DevFarm, shell: Shell) -> None:
    assert shell("dev", "status", "--json").document["redis_url"] == farm.ready["redis_url"]
    settings = shell("config", "show", "--origin", "--json").document["settings"]
    assert settings["redis_url"]["value"] == farm.ready["redis_url"]
    assert settings["redis_url"]["origin"].endswith("farm.toml: farm.redis_url")
    answer = shell("doctor", "--json")
    assert [one for one in answer.document["findings"] if one["verdict"] == "fault"] == []
    states = {one["role"]: one["state"] for one in shell("nodes", "--json").document["nodes"]}
    assert states == {"coordinator": "up", "worker": "up"}
    again = shell("dev")
    assert (again.code, "a private farm runs already" in again.err) == (1, True)


def test_a_song_sounds_as_it_does_here_and_an_edit_runs_only_its_own(shell: Shell, tmp_path: Path) -> None:
    song = two_phrases()
    path = written(tmp_path, song)
    assert shell("render", path, "-o", "here.wav", "--cache-dir", "elsewhere").code == 0
    first = shell("submit", path, "--watch", "--json", "-o", "farm.wav")
    assert first.code == 0, first.err
    lines = [json.loads(line) for line in first.out.splitlines()]
    assert [one["sequence"] for one in lines[:-1]] == list(range(len(lines) - 1))
    assert (lines[-1]["state"], lines[-1]["output"]) == ("succeeded", "farm.wav")
    assert Path("farm.wav").read_bytes() == Path("here.wav").read_bytes()

    same = shell("submit", path, "--json").document
    assert (same["done"], same["steps_to_run"]) == (True, 0)

    edited = written(tmp_path, song.with_phrase(0, song.phrases[0].with_note(0, tone=64)))
    told = shell("submit", edited, "--wait", "-o", "edited.flac")
    assert told.code == 0, told.err
    render = told.out.split()[0]
    ran = {(one[0], one[1]) for one in shell("explain", render, "--json").document["steps"]}
    assert {node for segment, node in ran if segment == "song"} == {"mix", "master"}
    assert len({segment for segment, _ in ran}) == 2
    assert Path("edited.flac").read_bytes().startswith(b"fLaC")
    assert shell("watch", render, "-o", "edited.wav").code == 2

    difference = shell("diff", lines[-1]["render"], render, "--json").document
    assert (len(difference["only_first"]), len(difference["only_second"])) == (1, 1)
    assert "mix" in difference["changed"]["song"]
    assert shell("diff", render, render).err == "Both compute the same.\n"
    steps = [one["node"] for one in shell("logs", render, "--json").document["events"] if one["event"] == "StepRan"]
    assert sorted(steps) == sorted(node for _, node in ran)
    moment, where = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", r"on worker-cpu\S*: "
    line = shell("logs", render, "--step", "vocoder").out
    assert re.match(rf"{moment} t1-\w+ Lead 2:1 hello vocoder ran in [\d.]+ s {where}", line)
    assert shell("logs", render, "--failed").out == ""


def test_a_phrase_that_cannot_be_sung_is_named_and_the_rest_is_written(shell: Shell, tmp_path: Path) -> None:
    song = two_phrases(tone=58)
    path = written(tmp_path, song.with_phrase(1, song.phrases[1].with_note(1, lyric="☃")), "broken.ustx")
    told = shell("submit", path, "--watch", "-o", "broken.wav")
    assert told.code == 3
    assert "Lead 4:1 two ☃ (phonemize)" in told.err
    render, name = told.out.split()
    assert Path(name).read_bytes().startswith(b"RIFF")
    assert "Lead 4:2 「☃」" in told.err
    assert "notes[" not in told.err
    (line, *skipped) = shell("logs", render, "--failed").out.splitlines()
    assert re.search(r"Lead 4:1 two ☃ phonemize FAILED on worker-cpu\S*: Lead 4:2 「☃」", line)
    assert all(re.search("Lead 4:1 two ☃ [a-z]+ skipped: phonemize failed$", one) for one in skipped)
    assert shell("logs", render, "--failed", "--phrase", "Lead 1").out == ""
    assert shell("logs", render, "--failed", "--phrase", "Lead 4").out.splitlines() == [line, *skipped]
    assert "failed       t1-" in shell("show", render).out
    for command in ("show", "watch"):
        document = json.loads(shell(command, render, "--json").out.splitlines()[-1])
        ((segment, node, error),) = document["failed"]
        assert (document["labels"], node) == ({segment: "Lead 4:1 two ☃"}, "phonemize")
        assert "Lead 4:2 「☃」" in error
    explained = shell("explain", render)
    assert "phonemize: FAILED: Lead 4:2 「☃」" in explained.out
    assert "duration: skipped: phonemize failed" in explained.out
    assert "1 failed, " in explained.err
    assert [one["render"] for one in shell("history", "--state", "partial", "--json").document["jobs"]] == [render]
    (row,) = shell("retry", "--failed", "--json").document["retried"]
    again = shell("watch", row["render"], "--json")
    assert again.code == 3
    assert json.loads(again.out.splitlines()[-1])["steps"]["run"] <= 2


def test_a_model_that_cannot_be_run_is_named_as_it_lies_here(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "voices" / "broken"
    shutil.copytree(Path(quincunx_shared.__file__).parent / "voicebanks" / "demo", broken)
    model = broken / "acoustic.onnx"
    model.write_bytes(model.read_bytes()[:-1000])
    monkeypatch.setenv("QUINCUNX_VOICES", str(broken.parent))
    told = shell("submit", written(tmp_path, two_phrases()), "--voice", "broken:clear", "--wait", "-o", "broken.wav")
    assert told.code in (1, 3)
    render = told.out.split()[0]
    for answer in (told.err, shell("show", render).out, shell("logs", render, "--failed").out):
        assert f"{model}: is no model" in answer
        assert "/banks/" not in answer


def test_a_newer_render_takes_the_place_of_an_older_and_a_full_queue_refuses(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = two_phrases(tone=59)
    shell("node", "drain", "*", "-r", "a test")
    try:
        until(lambda: {one["state"] for one in shell("nodes", "--json").document["nodes"]} == {"drained"}, 30.0)
        older = shell("submit", written(tmp_path, song), "-q").out.strip()
        edited = written(tmp_path, song.with_phrase(0, song.phrases[0].with_note(0, tone=65)))
        newer = shell("submit", edited, "--json").document
        assert newer["superseded"] == [older]
        assert shell("watch", older).code == 7
        monkeypatch.setenv("QUINCUNX_FARM_MAX_JOBS", "1")
        full = shell("submit", written(tmp_path, two_phrases(tone=66), "full.ustx"))
        assert (full.code, full.out) == (1, "")
        assert "the farm takes no more than 1" in full.err
        assert shell("cancel", newer["render"]).code == 0
    finally:
        shell("node", "undrain", "*")


def test_render_and_demo_take_a_farm_as_they_take_this_machine(shell: Shell, tmp_path: Path) -> None:
    path = written(tmp_path, two_phrases(), "other.ustx")
    answer = shell("render", path, "-o", "other.wav", "--farm", "--stems", "stems", "--json")
    assert answer.code == 0, answer.err
    assert {one["kind"] for one in answer.document["outputs"]} == {"song", "stem"}
    assert shell("render", path, "-o", "other.wav", "--farm", "--json").document["steps_run"] == 0
    assert "--farm" in shell("demo", "--help").out


def test_a_song_is_watched_and_rendered_on_the_farm_at_every_save(farm: DevFarm, tmp_path: Path) -> None:
    song = two_phrases(tone=57)
    path = written(tmp_path, song, "watched.ustx")
    command = [*QUINCUNX, "render", str(path), "-o", "watched.wav", "--farm", "--watch"]
    environment = {**farm.environment, "PYTHONUNBUFFERED": "1"}
    watching = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert watching.stderr is not None
    try:
        told = iter(watching.stderr.readline, "")
        assert any(line.startswith("Watching") for line in told)
        path.write_text(song.with_phrase(0, song.phrases[0].with_note(0, tone=59)).ustx())
        assert any(line.startswith("Ready after") for line in told)
        assert any("run, " in line for line in told)
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=20)
    assert watching.returncode == 130


def test_a_server_that_dies_starts_again_with_all_that_it_knew(farm: DevFarm, shell: Shell, tmp_path: Path) -> None:
    path = written(tmp_path, two_phrases(tone=55))
    assert shell("submit", str(path), "--wait").code == 0
    file = Path(farm.environment["QUINCUNX_DEV_DIR"]) / "redis" / "redis.pid"
    before = int(file.read_text())
    os.kill(before, signal.SIGKILL)
    until(lambda: file.read_text().strip() not in {"", str(before)}, 30.0)
    again = shell("submit", str(path), "--wait", "--json")
    assert (again.code, again.document["steps"]["run"]) == (0, 0)
    assert shell("submit", str(written(tmp_path, two_phrases(tone=56))), "--wait").code == 0


@pytest.mark.parametrize("role", [("worker", "--device", "gpu", "--concurrency", "1"), ("coordinator",)])
def test_more_workers_and_coordinators_join_and_leave(
    farm: DevFarm, shell: Shell, role: tuple[str, ...], tmp_path: Path
) -> None:
    alive = tmp_path / "alive"

    def count() -> int:
        nodes = shell("nodes", "--json").document["nodes"]
        return len([one for one in nodes if one["role"] == role[0] and one["state"] == "up"])

    command = [*QUINCUNX, *role, "--alive-file", str(alive)]
    process = subprocess.Popen(command, env=farm.environment, stderr=subprocess.DEVNULL)
    try:
        until(lambda: count() == 2, 30.0)
        until(alive.exists, 30.0)
    finally:
        process.terminate()
        assert process.wait(30) == 0
    # One that is ended while it still starts takes no leave; then it falls silent.
    until(lambda: count() == 1, 30.0)


def _render_that_is_cancelled(farm: DevFarm, shell: Shell, song: Path) -> int:
    """The exit code of a `render --farm` that says what it waits for, until somebody else cancels its job."""
    command = [*QUINCUNX, "render", str(song), "--farm", "-o", str(song.with_suffix(".wav"))]
    rendering = subprocess.Popen(command, env=farm.environment, cwd=song.parent, stderr=subprocess.PIPE, text=True)
    assert rendering.stderr is not None
    told = next(line for line in rendering.stderr if line.startswith("Job "))
    assert rendering.stderr.readline().startswith("It waits for a worker: 1 run, and all are drained (a test)")
    assert shell("cancel", told.split()[1].rstrip(":")).code == 0
    rendering.communicate(timeout=20)
    return rendering.returncode


def test_a_job_that_waits_says_for_what_and_can_be_cancelled(farm: DevFarm, shell: Shell, tmp_path: Path) -> None:
    path = written(tmp_path, two_phrases(tone=50), "waits.ustx")
    assert shell("node", "drain", "worker-cpu", "-r", "a test").code == 0
    _until_drained(shell)
    render = shell("submit", path, "-q").out.strip()
    try:
        assert shell("submit", path, "--json").document["existing"] is True
        answer = shell("watch", render, "--timeout", "0.2")
        assert (answer.code, "Not over after 0.2 s" in answer.err) == (8, True)
        until(lambda: shell("show", render, "--json").document["waits_for"] is not None, 30.0)
        assert "drained (a test)" in shell("show", render).out
        assert shell("cancel", render, "-r", "no use").err.endswith("cancelled\n")
        assert shell("watch", render).code == 7
        assert _render_that_is_cancelled(farm, shell, path) == 7
    finally:
        shell("node", "undrain", "worker-cpu")
    again = shell("retry", render).out.strip()
    assert shell("watch", again).code == 0


def _until_drained(shell: Shell) -> None:
    """Wait for the worker to hear that it is to take no more."""
    until(lambda: "drained" in {one["state"] for one in shell("nodes", "--json").document["nodes"]}, 30.0)


def test_ctrl_c_leaves_a_watched_job_running(farm: DevFarm, shell: Shell, tmp_path: Path) -> None:
    shell("node", "drain", "worker-cpu", "-r", "a test")
    _until_drained(shell)
    path = written(tmp_path, two_phrases(tone=52), "long.ustx")
    render = shell("submit", path, "-q").out.strip()
    command = [*QUINCUNX, "watch", render]
    watching = subprocess.Popen(command, env=farm.environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith("Planned: ")
    watching.send_signal(signal.SIGINT)
    _, told = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert told.splitlines()[-1].startswith(
        f"Detached: the job goes on. `quincunx watch {render[:8]}` follows it again"
    )
    shell("node", "undrain", "worker-cpu")
    assert shell("watch", render).code == 0


def test_a_killed_farm_leaves_nothing_in_the_way_and_ctrl_c_ends_all_that_was_started(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    killed = started(tmp_path)
    request.addfinalizer(lambda: end(killed))
    path = written(tmp_path, two_phrases())
    submit = [*QUINCUNX, "submit", str(path), "--wait", "--json"]
    first = subprocess.run(submit, env=killed.environment, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(first.stdout)["steps"]["run"] > 0
    drain = [*QUINCUNX, "node", "drain", "worker-cpu", "-r", "a test"]
    subprocess.run(drain, env=killed.environment, capture_output=True, check=True)
    left = _family(killed.process.pid)
    assert len(left) >= 4
    killed.process.kill()
    killed.process.communicate()

    again = started(tmp_path)
    request.addfinalizer(lambda: end(again))
    until(lambda: not any(map(_lives, left)), 30.0)
    second = subprocess.run(submit, env=again.environment, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(second.stdout)["steps"]["run"] == 0
    pids = _family(again.process.pid)
    again.process.send_signal(signal.SIGINT)
    _, told = again.process.communicate(timeout=60)
    assert again.process.returncode == 0, told
    assert told.startswith("worker-cpu takes no work: a test; `quincunx node undrain worker-cpu`\n")
    assert not any(map(_lives, pids))
    assert not (tmp_path / "dev" / "farm.toml").exists()


def test_renders_on_a_farm_start_one_when_none_runs_and_share_it(tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    path = written(tmp_path, two_phrases())
    renders = [
        subprocess.Popen(
            [*QUINCUNX, "render", str(path), "-o", name, "--farm"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
        )
        for name in ("one.wav", "other.wav")
    ]
    try:
        for name, render in zip(("one.wav", "other.wav"), renders, strict=True):
            _, told = render.communicate(timeout=120)
            assert told.startswith("Note: No farm is configured: a private one is started on this machine."), told
            assert (tmp_path / name).read_bytes().startswith(b"RIFF")
    finally:
        for render in renders:
            render.kill()
            render.communicate()
        stop = [*QUINCUNX, "dev", "stop"]
        assert subprocess.run(stop, env=environment, capture_output=True, check=True).returncode == 0


def _family(pid: int) -> list[int]:
    """A process with its children, their children and so on."""
    found = [pid]
    for one in found:
        path = Path(f"/proc/{one}/task/{one}/children")
        found += map(int, path.read_text().split()) if path.exists() else ()
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
