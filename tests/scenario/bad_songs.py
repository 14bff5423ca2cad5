"""Song files that must not be sung, by what is wrong with them: each a function that writes it and returns its path."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.scenario.transcripts import segment
from tests.unit.tiny_bank import FILES
from tests.unit.tiny_song import curve, note, part, song_text

Build: TypeAlias = Callable[[Path], Path]


@dataclass(frozen=True)
class Wrong:
    """How to write a file that is wrong, and what is told about it; `user` reads it as nobody in particular."""

    build: Build
    told: str
    code: int = 2
    as_nobody: bool = False


def written(name: str, content: str | bytes) -> Build:
    """Write a file of this content."""

    def build(home: Path) -> Path:
        path = home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return path

    return build


def ustx(*changes: tuple[str, str], **fields: object) -> Build:
    """Write a good project with some pieces of its text replaced."""
    text = song_text(part([note(), note(480, lyric="+")], curves=[curve("dyn", [0, 5], [0, -10])]), **fields)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return written("song.ustx", text)


def ds(**changes: object) -> Build:
    """Write two segments, the second of them with some members replaced."""
    good = segment(0.0, "SP en/aa SP", "0.1 0.4 0.1")
    members = {"ph_num": "1 1 1", "note_seq": "rest C4 rest", "note_dur": "0.1 0.4 0.1", **good, "offset": 1.0}
    return written("song.ds", json.dumps([good, {**members, **changes}]))


def value(key: str, wrong: str) -> Build:
    """Write a project in which a number is something else."""
    good = {"duration": "480", "position": "0", "tone": "60", "bpm": "120", "track_no": "0", "beat_per_bar": "4"}
    return ustx((f'"{key}": {good[key]}', f'"{key}": {wrong}'))


def sparse(name: str) -> Build:
    """Write ten gigabytes of nothing."""

    def build(home: Path) -> Path:
        with (home / name).open("wb") as out:
            out.truncate(10 * 2**30)
        return home / name

    return build


def folder(name: str) -> Build:
    """Make a folder of this name."""

    def build(home: Path) -> Path:
        (home / name).mkdir()
        return home / name

    return build


def pipe(home: Path) -> Path:
    """Make a pipe that nobody writes into."""
    os.mkfifo(home / "song.ustx")
    return home / "song.ustx"


def link(target: str) -> Build:
    """Make a link to something else."""

    def build(home: Path) -> Path:
        (home / "song.ustx").symlink_to(target)
        return home / "song.ustx"

    return build


def locked(home: Path) -> Path:
    """Write a song that nobody may read."""
    path = ustx()(home)
    path.chmod(0)
    return path


def bombs(levels: int) -> str:
    """Aliases that unfold ninefold at every level."""
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, levels)]
    return f"a0: &a0 [lol]\n{''.join(lines)}"


#: Whatever the format: what is no file, no song, or none of ours.
NO_SONGS: Mapping[str, Wrong] = {
    "no such file": Wrong(lambda home: home / "song.ustx", "cannot be read"),
    "a name too long to exist": Wrong(lambda home: home / f"{'n' * 300}.ustx", "cannot be read"),
    "a folder": Wrong(folder("song.ustx"), "this is a folder"),
    "a pipe": Wrong(pipe, "a pipe or a device"),
    "a device": Wrong(link("/dev/zero"), "a pipe or a device"),
    "a link to itself": Wrong(link("song.ustx"), "cannot be read"),
    "a link to nowhere": Wrong(link("nowhere"), "cannot be read"),
    "ten sparse gigabytes": Wrong(sparse("song.ustx"), "too large for a song"),
    "no rights": Wrong(locked, "is not readable", as_nobody=True),
    "no suffix": Wrong(written("song", "ustx_version: 0.9"), "does not say which format"),
    "a suffix of nobody": Wrong(written("song.mp3", b"ID3"), "is no song format we read"),
    "a file of a bank": Wrong(written("dsconfig.yaml", str(FILES["dsconfig.yaml"])), "is no song format we read"),
    "a file of a bank under another name": Wrong(written("song.ustx", str(FILES["dsconfig.yaml"])), "ustx_version"),
    "a model under another name": Wrong(written("song.ustx", b"\x08\x07\x12\x07pytorch\xff"), "not text in UTF-8"),
}

USTX: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.ustx", ""), "ustx_version is missing"),
    "not UTF-8": Wrong(written("song.ustx", "name: 歌".encode("cp932")), "not text in UTF-8"),
    "an unpaired surrogate": Wrong(written("song.ustx", "name: \ud800"), "UTF-8"),
    "a NUL": Wrong(written("song.ustx", "name: \0"), "broken YAML"),
    "a billion laughs": Wrong(written("song.ustx", bombs(10)), "song.ustx:1: anchors and aliases"),
    "an anchor that holds itself": Wrong(written("song.ustx", "a: &a [*a]"), "anchors and aliases"),
    "a tag": Wrong(written("song.ustx", "a: !!python/object/apply:os.system [touch evil]"), "tag"),
    "a key twice": Wrong(ustx(('"name": "Tiny"', '"name": "Tiny", "name": "Other"')), "stands here twice"),
    "3,000 levels": Wrong(written("song.ustx", "a: " + "[" * 3000 + "]" * 3000), "nested deeper"),
    "3,000 levels in blocks": Wrong(
        written("song.ustx", "".join(f"{' ' * depth}a:\n" for depth in range(3000))), "nested deeper"
    ),
    "a second document": Wrong(written("song.ustx", "a: 1\n---\nb: 2"), "second document"),
    "a cut file": Wrong(written("song.ustx", song_text(part([note()]))[:-40]), "song.ustx:"),
    "a number that is none": Wrong(value("tone", ".nan"), "notes[0].tone"),
    "an infinite number": Wrong(value("bpm", ".inf"), "tempos[0].bpm"),
    "a number beyond all": Wrong(value("bpm", "1e999"), "tempos[0].bpm"),
    "6,000 digits": Wrong(value("duration", "7" * 6000), "notes[0].duration"),
    "a negative duration": Wrong(value("duration", "-480"), "voice_parts[0].notes[0].duration"),
    "a duration of zero": Wrong(value("duration", "0"), "voice_parts[0].notes[0].duration"),
    "a negative tempo": Wrong(value("bpm", "-120"), "tempos[0].bpm"),
    "a bar of no beats": Wrong(value("beat_per_bar", "0"), "beat_per_bar"),
    "a track that is not there": Wrong(value("track_no", "7"), "voice_parts[0].track_no"),
    "a song of days": Wrong(value("duration", "2000000000"), "6 hours"),
    "10,000,000 curve points": Wrong(ustx(('"xs": [', '"xs": [' + "0," * 10_000_000)), "2,000,000"),
    "200,000 empty notes in one line": Wrong(
        written("song.ustx", "ustx_version: 0.9\ntracks: [{}]\nvoice_parts: [{notes: [" + "{}," * 200_000 + "]}]"),
        "voice_parts[0].track_no: is missing",
    ),
    "curves of two lengths": Wrong(ustx(('"ys": [', '"ys": [0, ')), "has 2 values, and ys has 3"),
    "a curve that runs backwards": Wrong(ustx(('"xs": [\n', '"xs": [9,\n')), "xs"),
    "nothing to sing": Wrong(written("song.ustx", song_text()), "nothing to sing"),
}


DS: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.ds", ""), "broken JSON"),
    "not UTF-8": Wrong(written("song.ds", '{"text": "歌"}'.encode("cp932")), "not text in UTF-8"),
    "half a character": Wrong(written("song.ds", '[{"text": "\\ud800"}]'), "half a character"),
    "no segments": Wrong(written("song.ds", "[]"), "no segments"),
    "a number": Wrong(written("song.ds", "3"), "must be a mapping"),
    "a key twice": Wrong(written("song.ds", '[{"text": "a", "text": "b"}]'), "[0].text: stands twice"),
    "NaN": Wrong(written("song.ds", '[{"offset": NaN}]'), "[0].offset: NaN"),
    "1e999": Wrong(written("song.ds", '[{"offset": 1e999}]'), "[0].offset: 1e999"),
    "1e999 in a text": Wrong(ds(ph_dur="0.1 1e999 0.1"), "[1].ph_dur[1]"),
    "6,000 digits": Wrong(written("song.ds", '{"seed": ' + "9" * 6000 + "}"), "seed: a number of 6000 digits"),
    "6,000 digits in a text": Wrong(ds(ph_dur="0.1 0.4 " + "9" * 6000), "[1].ph_dur[2]"),
    "3,000 levels": Wrong(written("song.ds", "[" * 3000 + "]" * 3000), "nest more than"),
    "50 MB of brackets": Wrong(written("song.ds", "[" * 49_000_000), "nest more than"),
    "50 MB of quotes": Wrong(written("song.ds", '["' + '\\"' * 24_000_000), "broken JSON"),
    "10^7 curve points": Wrong(ds(f0_seq="1 " * 10**7), "[1].f0_seq: has more than"),
    "too few durations": Wrong(ds(ph_dur="0.1 0.4"), "[1].ph_dur: has 2 values for 3 phonemes"),
    "a negative duration": Wrong(ds(ph_dur="0.1 -0.4 0.1"), "[1].ph_dur[1]: must be a number from 0"),
    "no duration": Wrong(ds(ph_dur="0 0 0"), "[1].ph_dur: lasts 0 s"),
    "words of other phonemes": Wrong(ds(ph_num="1 1"), "[1].ph_num: counts 2 phonemes"),
    "words of other notes": Wrong(ds(ph_num="2 1"), "[1].ph_num: has 2 words"),
    "no note": Wrong(ds(note_seq="rest H4 rest"), "[1].note_seq[1]"),
    "no time step": Wrong(ds(f0_timestep=None), "[1].f0_timestep: is missing"),
    "no pitch": Wrong(ds(f0_seq="0 0"), "[1].f0_seq: has no pitch"),
    "nothing to predict from": Wrong(ds(ph_dur=None, note_seq=None), "[1].ph_dur: is missing"),
    "a million seconds": Wrong(ds(offset=1e6), "[1].offset: must be a number from"),
    "an unknown phoneme": Wrong(ds(ph_seq="SP en/aaa SP"), "[1].ph_seq[1]: the voice 'demo' has no phoneme"),
    "one segment inside another": Wrong(ds(offset=0.05, ph_dur="0.1 0.1 0.1"), "[1].offset: the segment ends"),
    "a segment of half an hour": Wrong(ds(ph_dur="600 600 600", note_dur="600 600 600"), "[1].note_dur: lasts 1800 s"),
}
