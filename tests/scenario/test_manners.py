"""How the command line talks: help that can be read, trees, quiet interrupts, nothing hidden in silence."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.scenario.songs import SONG

from quincunx_orchestrator.cli.help_sections import SECTIONS
from quincunx_orchestrator.cli.manifest_text import manifest_lines
from quincunx_orchestrator.embedded import installed_steps, manifests_of
from quincunx_orchestrator.song.voices import find_voices


def quincunx(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {
        **os.environ,
        "QUINCUNX_CACHE_DIR": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        **environment,
    }
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", *arguments]
    return subprocess.run(command, cwd=home, env=whole, capture_output=True, text=True, check=False)


def flags_of(name: str) -> dict[str, click.Option]:
    command: click.Command = importlib.import_module(f"quincunx_orchestrator.cli.{name}").command
    return {one.name or "": one for one in command.params if isinstance(one, click.Option)}


@pytest.mark.parametrize("name", ["render", "demo", "why"])
def test_help_tells_every_flag_once_and_in_sections(tmp_path: Path, name: str) -> None:
    told = quincunx(tmp_path, name, "--help").stdout
    rows = [line.split()[0].rstrip(",") for line in told.splitlines() if line.startswith("  -")]
    wanted = sorted(flag.opts[0] for flag in flags_of(name).values())
    assert sorted(rows) == sorted([*wanted, "-h"])
    assert "Who sings:" in told


def test_the_sections_name_flags_that_there_are() -> None:
    there = {*flags_of("render"), *flags_of("demo"), *flags_of("why"), *flags_of("farm.submit")}
    placed = [name for names in SECTIONS.values() for name in names]
    assert set(placed) <= there
    assert len(placed) == len(set(placed))


def test_why_has_no_flag_that_would_change_nothing(tmp_path: Path) -> None:
    assert not flags_of("why").keys() & {"dry_run", "explain", "quiet", "threads", "picture", "watch", "output"}
    assert quincunx(tmp_path, "why", "song.ustx", "--dry-run").returncode == 2


def test_causes_are_drawn_as_a_tree(tmp_path: Path) -> None:
    song = tmp_path / "song.ustx"
    song.write_text(SONG.ustx(), encoding="utf-8")
    assert quincunx(tmp_path, "render", "song.ustx", "-o", "song.wav").returncode == 0
    first = SONG.phrases[0]
    edited = SONG.with_phrase(0, first.with_note(0, lyric="yellow", tone=70))
    song.write_text(edited.ustx(), encoding="utf-8")
    lines = quincunx(tmp_path, "why", "song.ustx").stdout.splitlines()
    shape = [line.split(":")[0] for line in lines if line.lstrip(" │").startswith(("├", "└"))]
    assert shape == [
        "├ phonemize",
        "│ └ duration",
        "│   └ acoustic",
        "│     └ vocoder",
        "│       └ post",
        "└ pitch",
        "└ mix",
        "  └ master",
    ]


def test_an_interrupt_while_the_command_line_is_loading_is_quiet() -> None:
    interrupted = (
        "import sys\n"
        "class Hand:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Hand())\n"
        "from quincunx_orchestrator.cli.start import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_a_bank_that_has_the_name_of_a_bundled_voice_is_not_hidden_in_silence(tmp_path: Path) -> None:
    own = tmp_path / "banks" / "demo"
    shutil.copytree(find_voices([]).folders["demo"].root, own)
    banks = {"QUINCUNX_VOICES": str(own.parent)}
    ran = quincunx(tmp_path, "voices", "--json", **banks)
    assert json.loads(ran.stdout)["hidden"] == [{"name": "demo", "folder": str(own)}]
    assert f"{own} is hidden" in ran.stderr
    assert "is hidden" not in quincunx(tmp_path, "voices").stderr


def test_a_step_is_described_in_words(tmp_path: Path) -> None:
    lines = quincunx(tmp_path, "steps", "pitch").stdout.splitlines()
    assert lines[0].startswith("pitch, version ")
    told = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line.startswith("    ")}
    assert told["pitd"] == "curve (optional) PITD, cents."
    assert told["f0"] == "f0 float32[T], Hz."
    assert told["drift_cents"] == "float (default 4, 0 to 50) How far it drifts at most."


def test_every_step_can_be_described() -> None:
    for manifest in manifests_of(installed_steps().found).values():
        lines = list(manifest_lines(manifest))
        named = {line.split()[0] for line in lines if line.startswith("    ")}
        ports = {one.name for one in manifest.inputs} | {one.name for one in manifest.outputs}
        assert named == ports | {one.name for one in manifest.options}
        assert not re.search(r"default (None|nan)|inf\b|\(\)", "\n".join(lines))
