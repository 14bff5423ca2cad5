"""`--picture FILE.png`: what a person sees is what was sung, and nothing is rendered for it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from tests.scenario.desk import open_desk
from tests.scenario.songs import SONG, SongText, phrase

from quincunx_orchestrator.core.operations import Intervene
from quincunx_orchestrator.picture.fonts import Fonts
from quincunx_orchestrator.picture.page import lay_out, systems_of
from quincunx_orchestrator.picture.painter import png_of
from quincunx_orchestrator.picture.palette import colours_of
from quincunx_orchestrator.picture.reading import Sound, ports_of, read_sheet
from quincunx_orchestrator.picture.reads import Reads
from quincunx_orchestrator.picture.scene import Area, Box, Label, Stroke
from quincunx_orchestrator.picture.sheet import Sheet
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.song.phrase_graph import FILE, REPORT, Delivery
from quincunx_orchestrator.song.range import parse_range
from quincunx_shared.intervention import Grid, Intervention, Operator
from quincunx_shared.names import SONG as THE_SONG
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import encode

MAIN = "import sys; from quincunx_orchestrator.cli.main import run; sys.exit(run(sys.argv[1:]))"


def quincunx(home: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QUINCUNX_CACHE_DIR": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    command = [sys.executable, "-c", before + MAIN, *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")
    return tmp_path


def sheet_of(folder: Path, song: SongText) -> Sheet:
    """Render a song and read it as a page would; reading it runs nothing."""
    with open_desk(folder) as desk:
        assembly = desk.assemble(song.ustx())
        payloads = desk.studio.render(assembly).payloads
        sung = desk.studio.render(assembly, ports_of(assembly))
        assert not sung.ran
    samples, rate = soundfile.read(io.BytesIO(payloads[Address(THE_SONG, FILE)]), dtype="float32")
    sound = Sound(samples.T, rate, payloads[Address(THE_SONG, REPORT)])
    return read_sheet("Test", read_ustx(song.ustx().encode(), "test.ustx"), assembly, sung.payloads, sound)


def test_a_picture_is_drawn_beside_the_song_and_costs_no_step(home: Path) -> None:
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--picture", "song.png", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["steps_run"] == 3 * 6 + 2
    assert told["picture"] == "song.png"
    with Image.open(home / "song.png") as image:
        assert image.format == "PNG"
        assert 1_500 < image.width < 2_600
        assert 700 < image.height < 2_600

    again = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--picture", "again.png")
    assert again.stdout == "song.wav\nagain.png\n"
    assert "0 steps run" in again.stderr
    assert "Warning" not in again.stderr


def test_a_phrase_that_failed_leaves_its_notes_without_a_line(home: Path) -> None:
    broken = SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="愛"))
    (home / "song.ustx").write_text(broken.ustx(), encoding="utf-8")
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--picture", "song.png")
    assert ran.returncode == 3
    assert (home / "song.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("picture", "told"), [("song.jpg", "must end in .png"), ("nowhere/song.png", "the folder does not exist")]
)
def test_a_picture_that_cannot_be_written_is_refused_before_anything_runs(home: Path, picture: str, told: str) -> None:
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--picture", picture)
    assert ran.returncode == 2
    assert told in ran.stderr
    assert not (home / "song.wav").exists()


def test_without_the_drawing_library_the_remedy_is_told_at_once(home: Path) -> None:
    without = "import sys; sys.modules['matplotlib'] = None; "
    ran = quincunx(home, "render", "song.ustx", "-o", "song.wav", "--picture", "song.png", before=without)
    assert ran.returncode == 1
    assert "pip install 'quincunx[picture]'" in ran.stderr
    assert not (home / "song.wav").exists()
    assert quincunx(home, "render", "song.ustx", "-o", "song.wav", before=without).returncode == 0


def test_the_notes_of_the_page_are_those_of_the_score_in_seconds(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, SONG)
    written = [
        ((one.start + note.position) / 960, (one.start + note.position + note.duration) / 960, note.tone)
        for one in SONG.phrases
        for note in one.notes
    ]
    assert [(note.start, note.end, note.tone) for note in sheet.notes] == [
        pytest.approx(one, abs=1e-4) for one in written
    ]
    assert [note.text for note in sheet.notes] == ["hello", "–", "two", "lights", "は", "な"]
    assert [note.sounds for note in sheet.notes][-2:] == ["ha", "na"]
    assert [bar.seconds for bar in sheet.bars] == pytest.approx(list(np.arange(0, sheet.seconds, 2.0)))


def test_the_line_of_the_page_is_the_pitch_that_was_sung(tmp_path: Path) -> None:
    song = SongText((phrase(4, "la", tone=60), phrase(12, "la", tone=72)))
    song = song.with_curve("pitd", (4 * 480, 0), (4 * 480 + 200, 100), (4 * 480 + 300, 100), (4 * 480 + 480, 0))
    sheet = sheet_of(tmp_path, song)
    first, second = sheet.lines
    bent = float(np.interp(2.0 + 250 / 960, first.seconds, first.tones))
    assert bent == pytest.approx(61.0, abs=0.06), "a semitone up, where it was drawn; drift takes a few cents"
    assert np.median(second.tones) == pytest.approx(72.0, abs=0.05)

    (system,) = systems_of(sheet)
    drawn = [one for one in lay_out(sheet).shapes if isinstance(one, Stroke) and one.role.startswith("f0")]
    for stroke, line in zip(drawn, sheet.lines, strict=True):
        back = (system.roll.bottom - stroke.ys) / system.keyboard.semitone - 0.5 + system.keyboard.low
        assert back == pytest.approx(line.tones)
        assert (stroke.xs - system.strip.left) / system.strip.scale == pytest.approx(line.seconds)


def test_the_phones_of_the_page_touch_and_vowels_begin_on_their_notes(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, SongText((phrase(4, "は", "な", tone=60),)))
    assert [phone.name for phone in sheet.phones] == ["SP", "AP", "h", "a", "n", "a", "SP"]
    edges = [(phone.start, phone.end) for phone in sheet.phones]
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    vowels = [phone.start for phone in sheet.phones if phone.name == "a"]
    assert vowels == pytest.approx([note.start for note in sheet.notes], abs=0.012)


def test_the_image_has_the_line_where_the_page_says(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, SongText((phrase(4, "la", tone=60),)))
    scene = lay_out(sheet)
    (line,) = [one for one in scene.shapes if isinstance(one, Stroke) and one.role.startswith("f0")]
    with Image.open(io.BytesIO(png_of(scene, Fonts()))) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=int)
    assert pixels.shape[:2] == pytest.approx((2 * scene.height, 2 * scene.width), abs=1)
    middle = len(line.xs) * 3 // 4
    row, column = round(2 * line.ys[middle]), round(2 * line.xs[middle])
    wanted = [int(colours_of(0).line[place : place + 2], 16) for place in (1, 3, 5)]
    near = pixels[row - 2 : row + 3, column]
    assert np.abs(near - wanted).sum(axis=1).min() <= 40
    assert (pixels[:20, :20] == 255).all(), "the paper is white"


def test_ports_that_a_phrase_does_not_have_are_not_asked_for(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        assembly = desk.assemble(SONG.ustx())
    ports = {address.key for address in ports_of(assembly)}
    names = (("duration", "ph_seq"), ("duration", "ph_dur"), ("pitch", "f0"), ("phonemize", "phonemes"))
    assert ports == {PortKey(*name) for name in names}
    left_out = assembly.placed[0].segment.id
    assert left_out not in {address.segment for address in ports_of(assembly, {left_out})}


def edited_sheet(folder: Path, *edits: Intervene) -> tuple[Sheet, Sheet]:
    """The sheets of a song of one phrase as written, and after edits of its phrase; reading them runs nothing."""
    song = SongText((phrase(4, "la", tone=60),))
    sheets = []
    with open_desk(folder) as desk:
        assembly = desk.assemble(song.ustx())
        segment = assembly.placed[0].segment
        for edit in edits:
            segment = segment.with_operation(edit)
        for one in (assembly, assembly.with_segment(segment)):
            desk.render(one)
            samples, rate = soundfile.read(io.BytesIO(desk.sound), dtype="float32")
            sung = desk.studio.render(one, ports_of(one))
            assert not sung.ran
            score = read_ustx(song.ustx().encode(), "test.ustx")
            sheets.append(read_sheet("Test", score, one, sung.payloads, Sound(samples.T, rate, {})))
    return sheets[0], sheets[1]


def test_an_edit_laid_on_the_pitch_is_drawn_as_it_is_sung(tmp_path: Path) -> None:
    double, curve = encode(2.0), encode({"curve": {"points": [[0.0, 0.0], [0.5, 50.0]]}})
    plain, edited = edited_sheet(
        tmp_path,
        Intervene(Intervention(PortKey("pitch", "f0"), "scale", double.ref), (double,)),
        Intervene(Intervention(PortKey("pitch", "f0"), "offset", curve.ref), (curve,)),
    )
    before, after = (440 * 2 ** ((one.lines[0].tones - 69) / 12) for one in (plain, edited))
    since_the_note = np.clip(plain.lines[0].seconds - 2.0, 0, 0.5)
    assert after == pytest.approx(2 * (before + 100 * since_the_note), rel=1e-4)


def test_a_pitch_that_was_drawn_anew_is_shown_and_the_replaced_one_is_not_made_for_it(tmp_path: Path) -> None:
    count = 48 + int(np.ceil(0.5 * 44_100 / 512)) + 16
    drawn = encode(np.full(count, 330.0, dtype=np.float32))
    everywhere = Intervention(PortKey("pitch", "f0"), "override", drawn.ref)
    for_another = Intervention(PortKey("pitch", "f0"), "override", drawn.ref, scope=PortKey("vocoder", "f0"))
    _, edited = edited_sheet(tmp_path / "all", Intervene(everywhere, (drawn,)))
    assert edited.lines[0].tones == pytest.approx(69 + 12 * np.log2(330 / 440), abs=1e-4)
    plain, edited = edited_sheet(tmp_path / "one", Intervene(for_another, (drawn,)))
    assert edited.lines[0].tones == pytest.approx(plain.lines[0].tones), "only the vocoder hears this one"


def test_a_curve_that_stands_in_for_the_pitch_is_a_line_as_long_as_its_phrase(tmp_path: Path) -> None:
    curve = encode({"curve": {"points": [[0.0, 220.0], [0.5, 440.0]]}})
    everywhere = Intervention(PortKey("pitch", "f0"), "override", curve.ref)
    plain, edited = edited_sheet(tmp_path, Intervene(everywhere, (curve,)))
    assert edited.lines[0].seconds == pytest.approx(plain.lines[0].seconds)
    hertz = 440 * 2 ** ((edited.lines[0].tones - 69) / 12)
    assert hertz == pytest.approx(np.interp(edited.lines[0].seconds - 2.0, [0.0, 0.5], [220.0, 440.0]), rel=1e-4)


def test_a_range_is_drawn_at_its_place_in_the_song(tmp_path: Path) -> None:
    whole = sheet_of(tmp_path, SONG)
    with open_desk(tmp_path) as desk:
        score = read_ustx(SONG.ustx().encode(), "test.ustx")
        stretch = desk.studio.assemble(score, delivery=Delivery(stretch=parse_range("4:7")))
        desk.render(stretch)
        samples, rate = soundfile.read(io.BytesIO(desk.sound), dtype="float32")
        sung = desk.studio.render(stretch, ports_of(stretch)).payloads
    part = read_sheet("Test", score, stretch, sung, Sound(samples.T, rate, {}))
    assert (part.start, part.end) == pytest.approx((6.0, 12.0))
    assert [note.text for note in part.notes] == ["two", "lights", "は", "な"]
    assert [note.start for note in part.notes] == pytest.approx([note.start for note in whole.notes[2:]])
    (system,) = systems_of(part)
    scene = lay_out(part)
    numbers = {one.text: one.x for one in scene.shapes if isinstance(one, Label) and one.role == "bar number"}
    assert list(numbers) == ["4", "5", "6"]
    assert numbers["4"] == pytest.approx(system.strip.left, abs=3)
    first = next(one for one in scene.shapes if isinstance(one, Box) and one.role == "note 0")
    assert first.frame.left == pytest.approx(system.strip.left), "bar 4 begins with a note"
    (wave,) = [one for one in scene.shapes if isinstance(one, Area) and one.role == "waveform"]
    heights = wave.lowers - wave.uppers
    assert heights[: len(heights) // 8].max() > 5 * heights[len(heights) // 4 : len(heights) // 3].max()


def test_what_an_operator_of_a_package_makes_of_the_pitch_is_drawn(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        segment = desk.assemble(SONG.ustx()).placed[0].segment
    laid = Intervention(PortKey("pitch", "f0"), "custom", encode(2.0).ref, operator="times")
    segment = segment.with_operation(Intervene(laid))
    port, sung = PortKey("acoustic", "f0"), {Address(segment.id, PortKey("pitch", "f0")): np.full(3, 100.0)}

    def read(operator: Operator | None) -> Any:
        return Reads(segment, Grid(), {"times": operator} if operator else {}).value(port, sung, frames=3)

    def fails(_: object, __: object) -> Any:
        raise OSError("no such thing")

    times = Operator(lambda inner, own: inner * own)
    instead = Operator(lambda _, own: np.full(3, own), short_circuits=True)
    assert [[*read(one)] for one in (times, instead, Operator(fails))] == [[200.0] * 3, [2.0] * 3, [100.0] * 3]
    assert [*read(None)] == [100.0] * 3
    assert Reads(segment, Grid(), {"times": instead}).address(port) is None
