"""`quincunx export`: what comes out of any port, in every format, and that only what leads to it runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    terminal = Terminal(tmp_path_factory.mktemp("export"))
    terminal.write(SONG.ustx())
    return terminal


def exported(desk: Terminal, output: str, *arguments: str, song: str = "song.ustx") -> Path:
    said = desk.type("export", song, "-o", output, *arguments)
    assert said.code == 0, said.err
    return desk.home / output


def test_only_what_leads_to_a_port_runs(tmp_path: Path) -> None:
    desk = Terminal(tmp_path)
    desk.write(SONG.ustx())
    exported(desk, "f0.npz", "--port", "pitch.f0")
    would = desk.type("render", "song.ustx", "-o", "x.wav", "--dry-run", "--json").document["would_run"]
    assert "pitch" not in {step for _, step, _ in would}
    assert {"phonemize", "acoustic", "mix"} <= {step for _, step, _ in would}


def test_arrays_come_with_the_seconds_of_their_frames(desk: Terminal) -> None:
    path = exported(
        desk, "a.npz", "--port", "pitch.f0", "--port", "acoustic.mel", "--port", "phones", "--phrase", "1:4"
    )
    with np.load(path, allow_pickle=False) as found:
        (name,) = {key.partition("/")[0] for key in found.files}
        f0, seconds = found[f"{name}/pitch.f0"], found[f"{name}/pitch.f0.seconds"]
        assert found[f"{name}/acoustic.mel"].shape[0] == len(f0) == len(seconds)
        assert "en/t" in found[f"{name}/phones"]
        sung = f0[(seconds > 6.1) & (seconds < 6.4)]
    # The first note of the phrase is D4, from beat 12 on: second 6 to 6.5.
    assert np.median(sung) == pytest.approx(440 * 2 ** ((62 - 69) / 12), rel=0.01)


def test_phones_follow_each_other_without_gap(desk: Terminal) -> None:
    with exported(desk, "p.csv", "--port", "phones", "--phrase", "1:4").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["phone"] for row in rows if row["phone"] not in ("SP", "AP")][:2] == ["en/t", "en/uw"]
    assert [row["end"] for row in rows[:-1]] == [row["start"] for row in rows[1:]]


def test_a_table_can_be_laid_on_its_port_again_and_changes_nothing_that_is_heard(desk: Terminal) -> None:
    first = (desk.render(), desk.sound())[1]
    exported(desk, "f0.csv", "--port", "pitch.f0", "--phrase", "1:2")
    assert desk.type("import", "song.ustx", "-o", "p.qxp").code == 0
    assert desk.type("edit", "p.qxp", "override 1:2 pitch.f0 f0.csv").code == 0
    said = desk.render(song="p.qxp")
    assert said.document["conflicts"] == []
    assert np.array_equal(desk.sound(), first)


def test_a_textgrid_has_three_tiers_that_cover_the_song(desk: Terminal) -> None:
    desk.write(SONG.with_phrase(0, SONG.phrases[0].with_note(0, lyric="'\"hello\"'")).ustx(), "quoted.ustx")
    text = exported(desk, "s.TextGrid", song="quoted.ustx").read_text(encoding="utf-8")
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0')
    assert [line.strip() for line in text.splitlines() if "name =" in line] == [
        f'name = "{tier}"' for tier in ("phrases", "notes", "phones")
    ]
    assert 'text = "E4 ""hello"""' in text
    assert 'text = "G4 は"' in text
    for tier in text.split("item [")[2:]:
        edges = [line.split("=") for line in tier.splitlines() if line.startswith(" " * 12) and "xm" in line]
        starts, ends = ([float(value) for key, value in edges if name in key] for name in ("xmin", "xmax"))
        assert starts[0] == 0
        assert starts[1:] == ends[:-1]


def test_a_ds_file_holds_the_chosen_phrases(desk: Terminal) -> None:
    segments = json.loads(exported(desk, "s.ds", "--phrase", "1:4").read_text())
    assert [one["text"] for one in segments] == ["two lights"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x.npz", "--port", "pitch.f1"), "did you mean 'pitch.f0'"),
        (("x.npz", "--port", "pitch.f0", "--phrase", "9:9"), "9"),
        (("x.csv", "--port", "pitch.f0", "--port", "acoustic.mel"), "one port"),
        (("x.csv", "--port", "phonemize.phonemes"), "no row of numbers"),
        (("x.npz",), "--port"),
        (("x.txt", "--port", "pitch.f0"), ".TextGrid"),
        (("x.ds", "--port", "pitch.f0"), "--port"),
    ],
)
def test_what_cannot_be_exported_is_refused(desk: Terminal, arguments: tuple[str, ...], words: str) -> None:
    said = desk.type("export", "song.ustx", "-o", *arguments)
    assert said.code == 2
    assert words in said.err
    assert not (desk.home / arguments[0]).exists()
