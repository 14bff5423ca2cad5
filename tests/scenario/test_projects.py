"""Projects through the front door: import, edit, undo, redo, log, snapshot; what ran, and what it sounds like."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.scenario.songs import BEAT, SONG, SongText, phrase
from tests.scenario.terminal import Said, Terminal

FROM_ACOUSTIC = ["acoustic", "vocoder", "post"]
MIX = ["mix", "master"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cache that knows the song."""
    root = tmp_path_factory.mktemp("projects")
    desk = Terminal(root)
    desk.write(SONG.ustx())
    desk.render()
    return root


@pytest.fixture
def desk(home: Path) -> Terminal:
    """The folder with the project as it is right after the import."""
    terminal = Terminal(home)
    terminal.write(SONG.ustx())
    assert terminal.type("import", "song.ustx", "-o", "p.qxp", "--force").code == 0
    return terminal


def done(desk: Terminal, *arguments: str) -> Said:
    said = desk.type(*arguments)
    assert said.code == 0, said.err
    return said


def ran(desk: Terminal) -> list[str]:
    return [step for _, step in desk.render(song="p.qxp").ran]


def log(desk: Terminal) -> dict[str, Any]:
    return done(desk, "log", "p.qxp", "--json").document


def test_a_project_sounds_like_its_song_and_runs_nothing_again(desk: Terminal) -> None:
    desk.render(output="song.wav")
    assert ran(desk) == []


def test_a_project_stands_alone(desk: Terminal) -> None:
    (desk.home / "song.ustx").unlink()
    assert ran(desk) == []


def test_one_call_is_one_unit_and_undoing_it_runs_nothing(desk: Terminal) -> None:
    first = (desk.render(song="p.qxp"), desk.sound())[1]
    done(desk, "edit", "p.qxp", "lyric 1:4:1 three", "offset 1:2 pitch.f0 30", "volume 1 -3")
    assert sorted(ran(desk)) == sorted(["phonemize", "duration", *FROM_ACOUSTIC, *FROM_ACOUSTIC, *MIX])
    edited = desk.sound()
    assert not np.array_equal(edited, first)
    done(desk, "undo", "p.qxp")
    assert ran(desk) == []
    assert np.array_equal(desk.sound(), first)
    done(desk, "redo", "p.qxp")
    assert ran(desk) == []
    assert np.array_equal(desk.sound(), edited)


def test_undo_and_redo_survive_saving_and_are_told(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "tone 1:2:1 +2")
    done(desk, "edit", "p.qxp", "pan 1 20")
    done(desk, "undo", "p.qxp", "5")
    assert [(one["unit"], one["state"], one["did"]) for one in log(desk)["units"]] == [
        (1, "undone", ["tone 1:2:1 +2"]),
        (2, "undone", ["pan 1 20"]),
    ]
    assert "nothing to undo" in done(desk, "undo", "p.qxp").err
    done(desk, "redo", "p.qxp", "2")
    assert [one["state"] for one in log(desk)["units"]] == ["done", "done"]


def test_an_edit_of_a_graph_follows_its_phrase_when_a_note_changes(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "offset 1:2 pitch.f0 30")
    said = done(desk, "edit", "p.qxp", "tone 1:2:1 +2")
    assert "are those of" in said.err
    assert [one["edits"] for one in log(desk)["phrases"]] == [1, 0, 0]
    assert log(desk)["waiting"] == []


def test_edits_of_a_phrase_that_is_gone_wait_and_come_back_with_its_music(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "offset 1:2 pitch.f0 30")
    done(desk, "edit", "p.qxp", "delete 1:2:1", "delete 1:2:2")
    assert [one["edits"] for one in log(desk)["waiting"]] == [1]
    assert "wait for its music" in desk.render(song="p.qxp").err
    done(desk, "import", "song.ustx", "--update", "p.qxp")
    assert log(desk)["waiting"] == []
    assert [one["edits"] for one in log(desk)["phrases"]] == [1, 0, 0]


def test_a_newer_song_keeps_the_edits_of_graphs_wherever_their_phrases_are_now(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "offset 1:2 pitch.f0 30", "scale 1:6 pitch.f0 1.1")
    newer = SongText((phrase(4, "new"), *(one.moved(8 * BEAT) for one in SONG.phrases)))
    newer = newer.with_phrase(3, newer.phrases[3].with_note(0, lyric="ま"))
    desk.write(newer.ustx(), "newer.ustx")
    done(desk, "import", "newer.ustx", "--update", "p.qxp")
    assert [one["edits"] for one in log(desk)["phrases"]] == [0, 1, 0, 0]
    assert [one["edits"] for one in log(desk)["waiting"]] == [1]  # moved and changed at once: nothing in common
    done(desk, "undo", "p.qxp")
    assert [one["edits"] for one in log(desk)["phrases"]] == [1, 0, 1]


def test_a_snapshot_is_restored_and_that_can_be_undone(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "tone 1:2:1 70")
    done(desk, "snapshot", "p.qxp", "high")
    done(desk, "undo", "p.qxp")
    done(desk, "edit", "p.qxp", "volume 1 -6")
    before = (desk.render(song="p.qxp"), desk.sound())[1]
    done(desk, "snapshot", "p.qxp", "high", "--restore")
    desk.render(song="p.qxp")
    assert [one["state"] for one in log(desk)["units"]] == ["set aside", "done"]
    done(desk, "undo", "p.qxp")
    desk.render(song="p.qxp")
    assert np.array_equal(desk.sound(), before)


def test_a_batch_is_one_unit(desk: Terminal) -> None:
    edits = [
        {"op": "lyric", "note": "1:2:1", "lyric": "yellow"},
        {"op": "insert", "at": "1:8:1", "ticks": 480, "tone": "C4", "lyric": "la"},
        {"op": "curve", "track": "1", "curve": "pitd", "points": [[3840, 0], [3900, 50], [3960, 0]]},
        {"op": "offset", "phrase": "1:2", "port": "pitch.f0", "value": {"curve": {"points": [[0, 0], [1, 20]]}}},
    ]
    (desk.home / "edits.json").write_text(json.dumps({"operations": edits}))
    done(desk, "edit", "p.qxp", "--batch", "edits.json")
    assert len(log(desk)["units"]) == 1
    desk.render(song="p.qxp")
    done(desk, "undo", "p.qxp")
    assert ran(desk) == []


def test_the_readme_shows_what_can_be_typed(desk: Terminal) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.split("## A project\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("    quincunx ")]
    told = [desk.type(*shlex.split(line, comments=True)[1:]) for line in lines]
    assert [one.code for one in told] == [0] * 6
    assert "0 steps run" in told[-1].err
    batch = section[section.index('    {"operations"') :].split("\n\n")[0]
    (desk.home / "edits.json").write_text(batch, encoding="utf-8")
    np.save(desk.home / "drawn.npy", np.full(40, 5.0, dtype=np.float32))
    done(desk, "edit", "song.qxp", "--batch", "edits.json")
    done(desk, "import", "song.ustx", "--update", "song.qxp")


def test_a_batch_that_is_wrong_is_told_by_its_field(desk: Terminal) -> None:
    (desk.home / "edits.json").write_text(json.dumps({"operations": [{"op": "lyric", "note": "1:2:1"}]}))
    told = desk.type("edit", "p.qxp", "--batch", "edits.json")
    assert (told.code, told.err) == (2, "Error: edits.json: operations[0].lyric: Field required\n")


def test_arrays_masks_bypasses_and_nodes_are_edits(desk: Terminal) -> None:
    np.save(desk.home / "f0.npy", np.full(40, 5.0, dtype=np.float32))
    done(
        desk, "edit", "p.qxp", "mask 1:2 pitch.f0 0.5 220", "bypass 1:4 post audio=audio", "option 1:6 acoustic.steps 4"
    )
    # The demo voice has no steps to take: its acoustic model gives the same, and nothing behind it runs.
    assert sorted(ran(desk)) == sorted([*FROM_ACOUSTIC, "acoustic", *MIX])
    wrong = desk.type("edit", "p.qxp", "offset 1:2 pitch.f0 f1.npy")
    assert wrong.code == 2
    assert "operation 1" in wrong.err
    done(desk, "edit", "p.qxp", "offset 1:2 pitch.f0 f0.npy")
    assert "base64" in (desk.home / "p.qxp").read_text()


def test_an_override_remembers_what_it_was_drawn_on(desk: Terminal) -> None:
    desk.render(song="p.qxp")
    done(desk, "edit", "p.qxp", "override 1:2 pitch.f0 linear:0=220,1=230")
    assert desk.render(song="p.qxp").document["conflicts"] == []
    done(desk, "edit", "p.qxp", "tone 1:2:1 +2")
    said = desk.render(song="p.qxp")
    assert [(one["port"], one["found"] is not None) for one in said.document["conflicts"]] == [("pitch.f0", True)]
    assert "Conflict" in said.err
    assert [one["port"] for one in log(desk)["conflicts"]] == ["pitch.f0"]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("lyrik 1:2:1 la", ["operation 1", "did you mean 'lyric'"]),
        ("lyric 1:2:1", ["lyric is missing", "lyric NOTE LYRIC"]),
        ("lyric 1:1:1 la", ["no note sounds at 1:1:1"]),
        ("lyric 7:2:1 la", ["track"]),
        ("tone 1:2:1 200", ["no tone"]),
        ("move 1:2:1 480", ["would end"]),
        ("resize 1:2:1 0", ["no length"]),
        ("tempo 1:1 0", ["from 5 to 1000"]),
        ("curve 1 pitdd 0=0", ["no curve 'pitdd'; did you mean 'pitd'"]),
        ("curve 1 pitd 0=90000", ["from -12000 to 12000"]),
        ("volume 1 99", ["from -200 to 24"]),
        ("voice 1 demo-lo", ["did you mean 'demo-low'"]),
        ("offset 1:2 pitch.f1 3", ["Lead 2:1", "no output 'f1'"]),
        ("offset t1-nothing pitch.f0 3", ["no phrase 't1-nothing'"]),
        ("offset 1:2 pitch.f0 many", ["is no value"]),
        ("offset 1:2 pitch.f0 3 vocoder.mel", ["does not read pitch.f0"]),
        ("option 1:2 acoustic.step 3", ["did you mean 'steps'"]),
        ("option 1:2 acoustic.steps lots", ["steps"]),
        ("remove-node 1:2 post", ["the mix reads post.audio"]),
        ("remove-node 1:2 vocoder", ["missing input"]),
        ("add-node 1:2 x acoustik", ["no step 'acoustik'; did you mean 'acoustic'"]),
        ("add-edge 1:2 post.audio vocoder.mel", ["producers"]),
        ("bypass 1:2 post sideways", ["no way around"]),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place_and_nothing_is_written(
    desk: Terminal, operation: str, words: list[str]
) -> None:
    before = (desk.home / "p.qxp").read_bytes()
    said = desk.type("edit", "p.qxp", operation)
    assert said.code == 2, said.err
    assert "operation 1" in said.err
    for word in words:
        assert word in said.err
    assert (desk.home / "p.qxp").read_bytes() == before


def changed(desk: Terminal, **members: Any) -> None:
    document = json.loads((desk.home / "p.qxp").read_text())
    (desk.home / "p.qxp").write_text(json.dumps({**document, **members}))


def unit(*wishes: dict[str, Any]) -> dict[str, Any]:
    phrase_name = "t1-908a2a8b"
    made = [{"kind": "change_graph", "phrase": phrase_name, "wish": one} for one in wishes]
    return {"units": [{"number": 1, "at": "", "said": [], "changes": made}], "done": [1]}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"quincunx_project": 9}, "p.qxp: quincunx_project: version 9 is not known"),
        ({"colour": 3}, "p.qxp: colour: Unexpected"),
        ({"done": [4]}, "p.qxp: done: there is no unit 4"),
        ({"score": {"name": "x"}}, "p.qxp: score.tracks"),
        (unit({"does": "add_node", "node": "x", "step": "acoustik"}), "units[0].changes[0]"),
        (
            unit({"does": "lay", "law": "offset", "target": ["pitch", "f1"], "operand": {"form": "value", "value": 1}}),
            "f1",
        ),
        (
            unit(
                {"does": "remove_edge", "source": ["vocoder", "audio"], "target": ["post", "audio"]},
                {"does": "remove_edge", "source": ["pitch", "f0"], "target": ["vocoder", "f0"]},
                {"does": "add_edge", "source": ["post", "audio"], "target": ["vocoder", "f0"]},
                {"does": "add_edge", "source": ["vocoder", "audio"], "target": ["post", "audio"]},
            ),
            "feed themselves",
        ),
    ],
)
def test_project_files_that_contradict_themselves_are_refused_before_anything_runs(
    desk: Terminal, members: dict[str, Any], words: str
) -> None:
    assert log(desk)["phrases"][0]["phrase"] == "t1-908a2a8b"
    changed(desk, **members)
    said = desk.type("render", "p.qxp", "-o", "never.wav")
    assert said.code == 2, said.err
    assert words in said.err
    assert not (desk.home / "never.wav").exists()


@pytest.mark.parametrize(
    "text",
    [
        '{"quincunx_project": 1, "quincunx_project": 1}',
        '{"quincunx_project": NaN}',
        "[" * 3000 + "]" * 3000,
        '{"quincunx_project": ' + "1" * 6000 + "}",
        "{",
        "\0",
        "[]",
        "song",
    ],
)
def test_files_that_are_no_projects_are_refused(desk: Terminal, text: str) -> None:
    desk.write(text, "bad.qxp")
    for command in (["log"], ["undo"], ["edit"], ["why"]):
        arguments = [*command, "bad.qxp", *(["pan 1 0"] if command == ["edit"] else [])]
        said = desk.type(*arguments)
        assert said.code == 2
        assert "bad.qxp" in said.err


def test_a_song_is_no_project_and_a_project_is_not_overwritten(desk: Terminal) -> None:
    assert desk.type("edit", "song.ustx", "pan 1 0").code == 2
    assert desk.type("import", "song.ustx", "-o", "p.qxp").code == 2
    assert desk.type("import", "song.ustx", "-o", "p.json").code == 2
    desk.write(replace(SONG, bpm=100).ustx(), "slow.ustx")
    assert desk.type("import", "slow.ustx", "-o", "q.qxp").code == 0


def test_the_schemas_are_printed(desk: Terminal) -> None:
    assert done(desk, "project", "schema").document["properties"]["score"]
    assert "operations" in done(desk, "project", "schema", "--edits").document["properties"]
