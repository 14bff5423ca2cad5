"""Stems and phrase files: what they hold, what they are called, and that asking for them runs only what is new."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.scenario.songs import SONG, phrase
from tests.scenario.terminal import Audio, Terminal
from tests.scenario.transcripts import segment, written


def two_tracks(first: str = "Lead", second: str = "Harmony") -> str:
    """The song twice: on a track as it is, and on a quieter one to the right, with another last phrase."""
    other = replace(SONG, phrases=(*SONG.phrases[:2], phrase(20, "lights", tone=60))).ustx()
    track = f"- {{singer: demo, track_name: {json.dumps(first, ensure_ascii=False)}, volume: 0, pan: 0}}\n"
    more = f"- {{singer: demo, track_name: {json.dumps(second, ensure_ascii=False)}, volume: -5, pan: 40}}\n"
    part = other[other.index("- name: Part") : other.index("wave_parts")].replace("track_no: 0", "track_no: 1")
    text = SONG.ustx().replace("- {singer: demo, track_name: Lead, volume: 0, pan: 0}\n", track + more)
    return text.replace("wave_parts", part + "wave_parts")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.write(two_tracks())
    return terminal


def summed(terminal: Terminal, folder: str = "stems") -> Audio:
    names = [name for name in terminal.files() if name.startswith(f"{folder}/")]
    return np.asarray(sum(terminal.sound(name).astype(np.float64) for name in names), dtype=np.float32)


@pytest.mark.parametrize("rate", ["44100", "48000"])
def test_stems_sum_to_the_song_as_it_was_before_the_limiter(terminal: Terminal, rate: str) -> None:
    wanted = ("--bits", "float", "--loudness", "-9", "--rate", rate)
    terminal.render(*wanted, "--stems", "stems")
    limited = terminal.sound()
    terminal.render(*wanted, "--true-peak", "off")
    assert np.abs(limited - terminal.sound()).max() > 0.01, "the limiter had to act"
    assert sorted(terminal.files()) == ["song.wav", "stems/01 Lead.wav", "stems/02 Harmony.wav"]
    np.testing.assert_allclose(summed(terminal), terminal.sound(), atol=2e-6)


@pytest.mark.parametrize("part", [(), ("--range", "4:6")])
def test_in_a_room_the_reverb_is_a_stem_and_all_of_them_sum_to_the_song(
    terminal: Terminal, part: tuple[str, ...]
) -> None:
    terminal.render("--bits", "float", "--true-peak", "off", "--reverb", "0.4", "--stems", "stems", *part)
    names = [name for name in terminal.files() if name.startswith("stems/")]
    assert names == ["stems/00 Reverb.wav", "stems/01 Lead.wav", "stems/02 Harmony.wav"]
    np.testing.assert_allclose(summed(terminal), terminal.sound(), atol=3e-6)
    assert terminal.sound(names[0]).any()


def test_stems_of_16_bits_sum_up_to_their_rounding_and_dither(terminal: Terminal) -> None:
    terminal.render("--loudness", "-20", "--stems", "stems")
    assert np.abs(summed(terminal) - terminal.sound()).max() <= (1.5 * 2 + 1.5) * 2.0**-15


def test_asking_for_stems_and_phrases_after_a_render_runs_only_them(terminal: Terminal) -> None:
    terminal.render()
    said = terminal.render("--stems", "stems", "--phrases", "phrases")
    assert sorted(step for _, step in said.ran) == ["phrase_file"] * 4 + ["stem"] * 2, "two phrases are sung twice"
    assert terminal.render("--stems", "stems", "--phrases", "phrases").ran == []
    assert terminal.render().ran == []


def test_after_an_edit_the_files_of_other_phrases_are_recalled(terminal: Terminal) -> None:
    wanted = ("--stems", "stems", "--phrases", "phrases", "--loudness", "off")
    terminal.render(*wanted)
    terminal.write(two_tracks().replace("lyric: は", "lyric: ら"))
    ran = [step for _, step in terminal.render(*wanted).ran]
    assert ran.count("phrase_file") == 1
    assert ran.count("stem") == 1, "with the level as it is mixed, the other track's stem is what it was"


def test_a_stem_that_runs_again_says_why_also_after_a_render_without_stems(terminal: Terminal) -> None:
    terminal.render("--stems", "stems")
    terminal.render()
    terminal.write(two_tracks().replace("volume: -5", "volume: -4"))
    reasons = {(segment, step): why for segment, step, why in terminal.render("--stems", "stems").document["ran"]}
    assert reasons["stem-2", "stem"] == "input placements changed; master → level changed"
    assert reasons["stem-1", "stem"] == "master → level changed"


def test_a_phrase_file_holds_what_the_mix_lays_at_its_place(terminal: Terminal) -> None:
    terminal.write(SONG.ustx())
    terminal.render("--bits", "float", "--loudness", "off", "--phrases", "phrases")
    told = json.loads((terminal.home / "phrases" / "phrases.json").read_text(encoding="utf-8"))
    assert [one["sings"] for one in told["phrases"]] == ["hello", "two lights", "は な"]
    song = terminal.sound()
    laid = np.zeros(song.shape[1])
    for row in told["phrases"]:
        audio = terminal.sound(f"phrases/{row['file']}")
        assert audio.shape == (1, row["samples"])
        assert row["start_sample"] / told["sample_rate"] == pytest.approx(row["start_seconds"], abs=1e-6)
        laid[row["start_sample"] : row["start_sample"] + row["samples"]] += audio[0]
    np.testing.assert_allclose(song[0], laid * 0.5**0.5, atol=1e-6)


def test_every_file_is_named_by_the_summary(terminal: Terminal) -> None:
    wanted = ("render", "song.ustx", "-o", "song.flac", "--stems", "a", "--phrases", "b")
    said = terminal.type(*wanted)
    assert sorted(said.out.split("\n")[:-1]) == sorted(terminal.files())
    document = terminal.type(*wanted, "--json").document
    assert sorted(one["path"] for one in document["outputs"]) == sorted(terminal.files())
    kinds = [one["kind"] for one in document["outputs"]]
    assert [kinds.count(kind) for kind in ("song", "stem", "phrase", "phrase list")] == [1, 2, 6, 1]
    assert all(name.endswith((".flac", "b/phrases.json")) for name in terminal.files())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "CON", "ليل", "🎤🎶", "a" * 300, "x\\y:z*?", "", ". .", "a\u202egnp.exe", "line\nend"]
)
def test_no_track_name_leads_anywhere_else(terminal: Terminal, name: str) -> None:
    terminal.write(two_tracks(first=name))
    said = terminal.type("render", "song.ustx", "-o", "song.wav", "--stems", "stems", "--json")
    assert said.code == 0, said.err
    made = sorted(path.name for path in (terminal.home / "stems").iterdir())
    assert len(made) == 2
    assert made[0].startswith("01")
    assert sorted(terminal.files()) == sorted(["song.wav", *(f"stems/{one}" for one in made)])


def test_a_stem_too_loud_for_its_format_is_named(terminal: Terminal) -> None:
    said = terminal.render("--loudness", "-5", "--stems", "stems")
    assert "01 Lead.wav" in said.err
    assert "samples CLIPPED; use --bits float" in said.err
    assert "CLIPPED" not in terminal.render("--loudness", "-5", "--stems", "stems", "--bits", "float").err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-o", "song.wav", "--stems", "song.ustx"), "this is a file, not a folder"),
        (("-o", "song.wav", "--phrases", "song.ustx/deep"), "this is a file, not a folder"),
        (("-o", "01 Lead.wav", "--stems", "."), "2 files would be written here"),
        (
            (
                "-o",
                "linked.wav",
            ),
            "this is the song itself",
        ),
    ],
)
def test_what_would_overwrite_is_refused_before_anything_runs(
    terminal: Terminal, arguments: tuple[str, ...], told: str
) -> None:
    (terminal.home / "linked.wav").symlink_to("song.ustx")
    before = sorted(terminal.files())
    said = terminal.type("render", "song.ustx", *arguments)
    assert said.code == 2
    assert told in said.err
    assert sorted(terminal.files()) == before
    assert not list((terminal.home / "cache" / "blobs").rglob("*.*"))


def test_a_phrase_that_fails_is_missing_from_the_files_and_the_list_and_silent_in_its_stem(terminal: Terminal) -> None:
    terminal.write(two_tracks().replace("lyric: は", "lyric: 愛"))
    said = terminal.type("render", "song.ustx", "-o", "song.wav", "--stems", "s", "--phrases", "p", "--json")
    assert said.code == 3
    assert len(json.loads((terminal.home / "p" / "phrases.json").read_text())["phrases"]) == 5
    assert len([name for name in terminal.files() if name.startswith("p/") and name.endswith(".wav")]) == 5
    assert "WITHOUT 1 phrase:" in said.err
    lengths = {soundfile.info(terminal.home / name).frames for name in terminal.files() if "p/" not in name}
    assert len(lengths) == 1


def test_the_segments_of_a_transcript_are_its_phrases_and_it_has_no_tracks(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", [segment(0.5, "SP en/hh en/eh SP", "0.1 0.08 0.3 0.1")])
    terminal.render("--phrases", "p", song="song.ds")
    (row,) = json.loads((terminal.home / "p" / "phrases.json").read_text())["phrases"]
    assert (row["number"], row["sings"], row["start_seconds"]) == (1, "SP en/hh en/eh SP", 0.5)
    assert terminal.sound(f"p/{row['file']}").shape == (1, row["samples"])
    for asked in (("--stems", "s"), ("--range", "1s:2s")):
        said = terminal.type("render", "song.ds", "-o", "song.wav", *asked)
        assert said.code == 2
        assert "--phrases writes each of its segments" in said.err
