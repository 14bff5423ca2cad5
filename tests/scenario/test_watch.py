"""`--watch`: whenever the song is saved, what the save changed is rendered again, in one warm process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest
from tests.scenario.songs import SONG, SongText

from quincunx_orchestrator.cli.main import run
from quincunx_orchestrator.cli.saves import Stamp, stamp_of
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.cli.tasks import Asked, tasks_of
from quincunx_orchestrator.cli.warm_voices import WarmCatalogue
from quincunx_orchestrator.cli.watch import watch
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.song.voices import VoiceFolder, find_voices
from quincunx_shared.errors import BadInput

EDITED = SONG.with_phrase(1, SONG.phrases[1].with_note(1, tone=70))
#: The environment's own folders stay out of the tests.
COMMAND = (sys.executable, "-m", "quincunx_orchestrator.cli")


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = tmp_path / "song.ustx"
    path.write_text(SONG.ustx(), encoding="utf-8")
    return path


class Watching(NamedTuple):
    """A process that watches a song, and what it says."""

    process: subprocess.Popen[str]
    out: IO[str]
    err: IO[str]


def watched(song: Path, *saves: str | Callable[[], object], **choices: Any) -> int:
    """Watch a song that is saved with each of the texts, one after the other.

    What can be called is called instead, and says whether it has saved the song.
    """

    def saved() -> Iterator[Stamp]:
        for save in saves:
            if isinstance(save, str):
                song.write_text(save, encoding="utf-8")
            if isinstance(save, str) or save():
                stamp = stamp_of(song)
                assert stamp is not None
                yield stamp

    (task,) = tasks_of(Asked((song,), song.parent / "song.wav"), Choices(**choices))
    return watch(task, Choices(**choices), Workspace(song.parent / "cache"), saved())


def documents(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_save_renders_its_phrase_and_says_when_it_was_ready(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(song, EDITED.ustx(), as_json=True) == 0
    first, second = documents(capsys)
    assert first["steps_run"] == 3 * 6 + 2
    assert "changed" not in first
    assert [step for _, step, _ in second["ran"]] == ["pitch", "acoustic", "vocoder", "post", "mix", "master"]
    (changed,) = second["changed"]
    assert changed["label"] == "Lead 4:1 two lights"
    assert 0 < changed["ready_seconds"] == second["first_phrase_seconds"] <= second["saved_to_written_seconds"]


def test_what_is_heard_after_a_save_is_what_a_render_of_it_gives(song: Path, tmp_path: Path) -> None:
    watched(song, EDITED.ustx(), quiet=True)
    after_the_save = song.with_suffix(".wav").read_bytes()
    shutil.rmtree(tmp_path / "cache")
    watched(song, quiet=True)
    assert song.with_suffix(".wav").read_bytes() == after_the_save


def test_a_save_is_told_by_the_names_of_its_phrases(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = EDITED.with_phrase(2, EDITED.phrases[2].with_note(0, tone=60))
    watched(song, EDITED.ustx(), both.ustx(), SONG.ustx())
    told = capsys.readouterr()
    ready = [line.split(": ", 1)[1] for line in told.err.splitlines() if line.startswith("Ready after ")]
    assert ready == ["Lead 4:1 two lights", "Lead 6:1 は な", "Lead 4:1 two lights", "Lead 6:1 は な"]
    assert "0 steps run" in told.err, "an undo is recalled"
    assert told.out.count("song.wav\n") == 4


def test_an_edit_of_a_project_is_told_by_its_phrase(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = song.with_suffix(".qxp")
    assert run(["import", str(song), "-o", str(project)]) == 0
    watched(
        project,
        lambda: run(["edit", str(project), "offset 1:4 pitch.f0 20"]) == 0,
        lambda: run(["undo", str(project)]) == 0,
        as_json=False,
    )
    ready = [line.split(": ", 1)[1] for line in capsys.readouterr().err.splitlines() if line.startswith("Ready after ")]
    assert ready == ["Lead 4:1 two lights"] * 2


def test_a_save_that_changes_no_phrase_runs_the_mix_alone(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = SONG.with_phrase(2, SONG.phrases[2].moved(480))
    watched(song, moved.ustx(), moved.ustx(), as_json=True)
    _, after_the_move, after_nothing = documents(capsys)
    assert [step for _, step, _ in after_the_move["ran"]] == ["mix", "master"]
    assert after_the_move["changed"] == []
    assert after_the_move["first_phrase_seconds"] is None
    assert after_nothing["steps_run"] == 0


def test_a_save_that_cannot_be_read_is_told_and_the_last_output_stays(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[bytes] = []

    def listen() -> None:
        heard.append(song.with_suffix(".wav").read_bytes())

    half = SONG.ustx()[: len(SONG.ustx()) // 2]
    nobody = SONG.ustx().replace("duration: 480", "duration: -1", 1)
    code = watched(song, listen, half, listen, nobody, listen, EDITED.ustx(), listen, as_json=True)
    told = capsys.readouterr()
    states = [json.loads(line)["state"] for line in told.out.splitlines()]
    assert states == ["succeeded", "failed", "failed", "succeeded"]
    assert "voice_parts[0].notes[0].duration" in told.err
    assert heard[0] == heard[1] == heard[2] != heard[3]
    assert code == 0


def test_a_phrase_that_cannot_be_sung_is_told_and_never_called_ready(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="愛"))
    assert watched(song, broken.ustx()) == 3
    told = capsys.readouterr().err
    assert "WITHOUT 1 phrase" in told
    assert "Ready after" not in told


def test_a_song_that_is_wrong_from_the_start_is_refused(song: Path) -> None:
    song.write_text("no song", encoding="utf-8")
    with pytest.raises(BadInput):
        watched(song, EDITED.ustx())
    assert not song.with_suffix(".wav").exists()


@pytest.mark.parametrize("more", [["--takes", "2"], ["--dry-run"], ["other.ustx"]])
def test_watching_is_for_one_song(song: Path, more: list[str]) -> None:
    ran = subprocess.run(
        [*COMMAND, "render", "song.ustx", *more, "--watch", "-o", "song.wav"],
        cwd=song.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "--watch renders one song" in ran.stderr


@pytest.fixture
def watching(song: Path) -> Callable[[Any], AbstractContextManager[Watching]]:
    """Start a real process that watches the song, with Ctrl-C as somebody has it.

    What a process does of SIGINT it hands to its children: a suite that a script runs in the background ignores it.
    """
    environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(song.parent / "cache")}

    @contextmanager
    def start(interrupt: Any) -> Iterator[Watching]:
        before = signal.signal(signal.SIGINT, interrupt)
        try:
            process = subprocess.Popen(
                [*COMMAND, "render", "song.ustx", "--watch", "-o", "song.wav"],
                cwd=song.parent,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        try:
            with process:
                assert process.stdout is not None
                assert process.stderr is not None
                yield Watching(process, process.stdout, process.stderr)
        finally:
            deadline.cancel()

    return start


def test_a_real_editor_saves_and_a_real_process_follows_until_it_is_interrupted(song: Path, watching: Any) -> None:
    with watching(signal.default_int_handler) as (process, out, err):
        assert any("Watching song.ustx; Ctrl-C ends." in line for line in err)
        before = song.with_suffix(".wav").read_bytes()
        saved = song.with_suffix(".new")
        saved.write_text(EDITED.ustx(), encoding="utf-8")
        saved.replace(song)
        assert any("two lights" in line for line in err)
        assert any("6 steps run" in line for line in err)
        song.write_text(SONG.ustx(), encoding="utf-8")
        assert any("0 steps run" in line for line in err)
        assert [out.readline() for _ in range(3)] == ["song.wav\n"] * 3
        assert song.with_suffix(".wav").read_bytes() == before
        process.send_signal(signal.SIGINT)
        assert err.read() == "Stopped watching.\n"
        assert process.wait() == 130


def test_a_process_in_the_background_ignores_ctrl_c_and_is_ended_by_kill(song: Path, watching: Any) -> None:
    with watching(signal.SIG_IGN) as (process, _, err):
        assert any(f"`kill {process.pid}` ends" in line for line in err)
        process.send_signal(signal.SIGINT)
        song.write_text(EDITED.ustx(), encoding="utf-8")
        assert any("6 steps run" in line for line in err)
        process.terminate()
        assert err.read() == "Stopped watching.\n"
        assert process.wait() == 130


def test_a_voice_stays_loaded_until_its_bank_is_saved_anew(tmp_path: Path) -> None:
    plain = find_voices([])
    root = tmp_path / "mine"
    shutil.copytree(plain.folders["demo"].root, root)
    warm = WarmCatalogue({"mine": VoiceFolder("mine", root)})
    loaded = warm.load("mine")
    assert warm.load("mine") is loaded
    config = root / "dsconfig.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert warm.load("mine") is not loaded
    character = root / "character.txt"
    character.write_text("name=Somebody else", encoding="utf-8")
    assert warm.load("mine").bank.name == "Somebody else"


def test_an_unchanged_song_saved_again_is_no_reason_to_sing(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watched(song, SongText(SONG.phrases, singer="Nobody").ustx(), SongText(SONG.phrases, singer="Nobody").ustx())
    assert capsys.readouterr().err.count("singer 'Nobody' is sung by the voice 'demo'") == 1, "a notice is told once"
