"""Installing and removing banks and vocoders, as a person does it."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.scenario.front_door import FrontDoor, tree_of
from tests.scenario.packing import (
    BANK,
    OUDEP,
    lying_about_sizes,
    packed,
    with_end,
    with_entry,
    with_raw_names,
)
from tests.unit.tiny_models import adding_noise, doubling, foreign, with_outside_weights

from quincunx_orchestrator.cli.main import run


@dataclass(frozen=True)
class Home:
    """A person's folder, in which every command runs in this process."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def voices(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Run `quincunx voices …`; exit code, stdout, stderr."""
        self.capture.readouterr()
        code = run(["voices", *map(str, arguments)])
        told = self.capture.readouterr()
        return code, told.out, told.err


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Home:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("QUINCUNX_VOICES", raising=False)
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path, capsys)


def own(home: Home) -> Path:
    return home / "data/quincunx"


def test_a_vocoder_and_a_bank_are_installed_and_found_by_every_later_command(home: Home) -> None:
    code, _, err = home.voices("install", packed(home / "tiny.zip", BANK))
    assert code == 0
    assert "quincunx voices install tiny_hifigan.oudep" in err
    _, listed, _ = home.voices()
    assert "vocoder tiny_hifigan not found in" in listed
    assert str(own(home) / "vocoders") in listed
    assert "quincunx voices install tiny_hifigan.oudep" in listed

    code, _, err = home.voices("install", packed(home / "whatever.oudep", OUDEP))
    assert (code, err) == (0, "")
    _, listed, _ = home.voices()
    assert "not found" not in listed
    assert (own(home) / "voicebanks/Tiny/dsdict-en.yaml").is_file()
    assert (own(home) / "vocoders/tiny_hifigan/vocoder.onnx").read_bytes() == OUDEP["vocoder.onnx"]


def test_a_bank_without_its_vocoder_is_refused_with_the_command_that_mends_it(home: Home) -> None:
    home.voices("install", packed(home / "tiny.zip", BANK))
    (home / "song.ustx").write_text(
        "ustx_version: 0.9\ntracks: [{singer: Tiny}]\nvoice_parts:\n- {track_no: 0, position: 0, "
        "notes: [{position: 0, duration: 480, tone: 60, lyric: la}]}\n"
    )
    assert run(["render", "song.ustx", "-o", "song.wav", "--cache-dir", str(home / "cache")]) == 2
    told = home.capture.readouterr().err
    assert "quincunx voices install tiny_hifigan.oudep" in told
    assert not (home / "song.wav").exists()


def test_what_is_installed_can_be_removed(home: Home) -> None:
    home.voices("install", packed(home / "tiny.zip", BANK))
    home.voices("install", packed(home / "tiny.oudep", OUDEP))
    assert home.voices("remove", "Tyny")[0] == 2
    assert [home.voices("remove", name)[0] for name in ("Tiny", "tiny_hifigan")] == [0, 0]
    assert tree_of(own(home)) == {"voicebanks": -1, "vocoders": -1}


@pytest.mark.parametrize("name", ["demo", "../data", "/etc", ""])
def test_only_what_is_installed_can_be_removed(home: Home, name: str) -> None:
    before = tree_of(home.root)
    assert home.voices("remove", name)[0] == 2
    assert tree_of(home.root) == before


def test_removing_a_linked_bank_leaves_what_the_link_leads_to(home: Home) -> None:
    home.voices("install", packed(home / "tiny.zip", BANK), "--voices-dir", home / "elsewhere")
    (own(home) / "voicebanks").mkdir(parents=True)
    (own(home) / "voicebanks/Tiny").symlink_to(home / "elsewhere/Tiny")
    assert home.voices("remove", "Tiny")[0] == 0
    assert (home / "elsewhere/Tiny/dsconfig.yaml").is_file()
    assert not (own(home) / "voicebanks/Tiny").is_symlink()


def test_a_folder_is_installed_as_a_copy(home: Home) -> None:
    for name, content in BANK.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, _ = home.voices("install", home / "Tiny", "--as", "Winzig")
    assert (code, out) == (0, f"Winzig  {own(home) / 'voicebanks/Winzig'}\n")
    assert (home / "Tiny/acoustic.onnx").is_file()
    assert (own(home) / "voicebanks/Winzig/acoustic.onnx").read_bytes() == BANK["Tiny/acoustic.onnx"]


def test_quincunx_voices_says_where_banks_and_vocoders_go(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUINCUNX_VOICES", os.pathsep.join([str(home / "first"), str(home / "second")]))
    home.voices("install", packed(home / "tiny.zip", BANK))
    home.voices("install", packed(home / "tiny.oudep", OUDEP))
    assert sorted(path.name for path in (home / "first").iterdir()) == ["Tiny", "tiny_hifigan"]
    assert "not found" not in home.voices()[1]


def test_what_is_installed_is_replaced_only_on_demand(home: Home) -> None:
    home.voices("install", packed(home / "tiny.zip", BANK))
    other = packed(home / "other.zip", {**BANK, "Tiny/acoustic.onnx": adding_noise()})
    before = tree_of(own(home))
    code, _, err = home.voices("install", other)
    assert code == 2
    assert "is installed already" in err
    assert tree_of(own(home)) == before
    assert home.voices("install", other, "--replace")[0] == 0
    assert (own(home) / "voicebanks/Tiny/acoustic.onnx").read_bytes() == adding_noise()
    assert [path.name for path in (own(home) / "voicebanks").iterdir()] == ["Tiny"]


@pytest.mark.parametrize("name", ["acoustic.onnx", "dsdur/dur.onnx"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "is no model that can be run"),
        (foreign(), "needs operators that are not part of ONNX"),
        (with_outside_weights("weights.bin"), "keeps weights in other files"),
    ],
)
def test_a_bank_with_a_model_that_does_not_load_is_not_installed(
    home: Home, name: str, content: bytes, why: str
) -> None:
    before = tree_of(home.root)
    bank = packed(home / "tiny.zip", {**BANK, f"Tiny/{name}": content})
    code, _, err = home.voices("install", bank)
    assert (code, f"tiny.zip: {name}: {why}" in err, "nothing was installed" in err) == (2, True, True), err
    assert tree_of(home.root).keys() - before.keys() == {"tiny.zip"}


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_names_in_old_archives_are_read_as_they_were_written(home: Home, encoding: str) -> None:
    files = {name.replace("Tiny", "重音テト"): content for name, content in BANK.items()}
    assert home.voices("install", with_raw_names(home / "old.zip", files, encoding))[0] == 0
    assert (own(home) / "voicebanks/重音テト/dsconfig.yaml").is_file()


def test_the_encoding_of_names_can_be_told(home: Home) -> None:
    files = {name.replace("Tiny", "歌手"): content for name, content in BANK.items()}
    assert home.voices("install", with_raw_names(home / "old.zip", files, "gbk"), "--encoding", "gbk")[0] == 0
    assert (own(home) / "voicebanks/歌手/dsconfig.yaml").is_file()


@pytest.mark.parametrize("name", ["Café", "שיר", "🎤🎶", "ａ b", "é" * 100])
def test_names_of_every_script_are_installed_in_composed_form(home: Home, name: str) -> None:
    files = {one.replace("Tiny", unicodedata.normalize("NFD", name)): content for one, content in BANK.items()}
    code, _, err = home.voices("install", packed(home / "bank.zip", files))
    assert code == 0, err
    assert (own(home) / "voicebanks" / unicodedata.normalize("NFC", name) / "dsconfig.yaml").is_file()


def test_a_package_in_a_package_is_named_and_stays_closed(home: Home) -> None:
    inner = packed(home / "inner.zip", BANK).read_bytes()
    code, _, err = home.voices("install", packed(home / "outer.zip", {"inner.zip": inner}))
    assert code == 2
    assert "but inner.zip" in err


Wrong = Callable[[Path], Path]


def entry(name: str, mode: int = 0, content: bytes = b"x") -> Wrong:
    return lambda home: with_entry(home / "wrong.oudep", OUDEP, name, content, mode)


def files(changes: dict[str, str | bytes], without: str = "") -> Wrong:
    return lambda home: packed(home / "wrong.oudep", {k: v for k, v in {**OUDEP, **changes}.items() if k != without})


def cut(part: float) -> Wrong:
    def build(home: Path) -> Path:
        whole = packed(home / "whole.zip", {**BANK, "Tiny/noise": os.urandom(200_000)}).read_bytes()
        (home / "wrong.zip").write_bytes(whole[: int(len(whole) * part)])
        (home / "whole.zip").unlink()
        return home / "wrong.zip"

    return build


def flipped(home: Path) -> Path:
    content = bytearray(packed(home / "wrong.oudep", OUDEP, compression=zipfile.ZIP_STORED).read_bytes())
    content[content.index(doubling())] ^= 1
    (home / "wrong.oudep").write_bytes(content)
    return home / "wrong.oudep"


def encrypted(home: Path) -> Path:
    content = bytearray(packed(home / "wrong.oudep", OUDEP).read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rfind(mark) + place] |= 1
    (home / "wrong.oudep").write_bytes(content)
    return home / "wrong.oudep"


def linked_folder(home: Path) -> Path:
    (home / "secret").mkdir()
    (home / "wrong").mkdir()
    for name, content in OUDEP.items():
        (home / "wrong" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (home / "wrong/inside").symlink_to(home / "secret")
    return home / "wrong"


def fifo(home: Path) -> Path:
    os.mkfifo(home / "wrong.oudep")
    return home / "wrong.oudep"


def sparse(home: Path) -> Path:
    with (home / "wrong.zip").open("wb") as out:
        out.truncate(10 * 2**30)
        out.seek(10 * 2**30 - 22)
        out.write(b"PK\x05\x06" + b"\0\0\0\0" + b"\1\0\1\0" + b"\xff\xff\xff\xf0" + b"\0\0\0\0" + b"\0\0")
    return home / "wrong.zip"


#: What is wrong with a package → the package, and what is told about it.
WRONG: dict[str, tuple[Wrong, str]] = {
    "a name that leads out": (entry("../evil.txt"), "leads out"),
    "a name that leads out further down": (entry("a/../../evil.txt"), "leads out"),
    "backslashes that lead out": (entry("a\\..\\..\\evil.txt"), "leads out"),
    "an absolute name": (entry("/tmp/evil.txt"), "absolute"),  # noqa: S108 - never written
    "a name with a drive": (entry("C:\\evil.txt"), "absolute"),
    "a name on a share": (entry("\\\\host\\evil.txt"), "absolute"),
    "a name with a stream": (entry("vocoder.onnx:evil"), "no file name may hold"),
    "a name that turns text round": (entry("a\u202egnp.exe"), "no file name may hold"),
    "a name with a newline": (entry("a\nb"), "no file name may hold"),
    "a device of Windows": (entry("sub/NUL.txt"), "Windows"),
    "a name of 300 characters": (entry("n" * 300), "longer than 255"),
    "a name of 300 emoji": (entry("🎤" * 300), "longer than 900"),
    "a link": (entry("link", stat.S_IFLNK | 0o777, b"/etc/passwd"), "link or a device"),
    "a device": (entry("pipe", stat.S_IFIFO | 0o644), "link or a device"),
    "the same name twice": (entry("vocoder.onnx"), "stands there twice"),
    "a name that differs in case": (entry("VOCODER.onnx"), "only in case"),
    "a name that differs in Unicode form": (
        lambda home: with_entry(home / "wrong.oudep", {**OUDEP, "\u00e9": b""}, "e\u0301"),
        "stands there twice",
    ),
    "a folder that differs in case": (
        lambda home: with_entry(home / "wrong.oudep", {**OUDEP, "sub/a": b""}, "Sub/b"),
        "only in case",
    ),
    "a file where a folder is": (entry("vocoder.onnx/inner"), "lies below a file"),
    "a bomb": (files({"zeros.bin": bytes(100_000_000)}), "a bomb does"),
    "too much": (lambda home: lying_about_sizes(home / "wrong.oudep", 0xFFFF0000), "4295 MB"),
    "more than it says": (lambda home: lying_about_sizes(home / "wrong.oudep", 5), "cannot be unpacked"),
    "less than it says": (lambda home: lying_about_sizes(home / "wrong.oudep", 200_000), "shorter than"),
    "too many files": (lambda home: with_end(home / "wrong.oudep", count=60_000, table_bytes=150), "20000 files"),
    "a table that is not there": (lambda home: with_end(home / "wrong.oudep", count=3, table_bytes=9000), "no whole"),
    "ten sparse gigabytes": (sparse, "20000 files"),
    "nothing": (files({}, "vocoder.yaml"), "no vocoder.yaml"),
    "no model": (files({}, "vocoder.onnx"), "vocoder.onnx is missing"),
    "a model outside": (files({"vocoder.yaml": "model: ../../vocoder.onnx\n"}), "leads out"),
    "a path for a name": (files({"oudep.yaml": "name: ../../evil\n"}), "leads out"),
    "a folder for a name": (files({"oudep.yaml": "name: a/b\n"}), "is no name but a path"),
    "anchors": (files({"vocoder.yaml": "a: &a [x]\nb: *a\n"}), "anchors"),
    "a key twice": (files({"vocoder.yaml": "model: a\nmodel: b\n"}), "stands here twice"),
    "a cut archive": (cut(0.5), "no whole zip archive"),
    "an archive without its last byte": (cut(0.99999), "no whole zip archive"),
    "an empty file": (cut(0), "no whole zip archive"),
    "a flipped bit": (flipped, "cannot be unpacked"),
    "encryption": (encrypted, "is encrypted"),
    "a link in a folder": (linked_folder, "link or a device"),
    "a pipe": (fifo, "no file and no folder"),
    "something that is not there": (lambda home: home / "wrong.zip", "is not there"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_package_is_refused_and_leaves_nothing(home: Home, what: str) -> None:
    build, expected = WRONG[what]
    package = build(home.root)
    before = tree_of(home.root)
    code, out, err = home.voices("install", package)
    assert (code, out) == (2, "")
    assert expected in err
    assert package.name in err
    assert len(err) < 1000
    assert tree_of(home.root) == before


@pytest.mark.parametrize("what", ["a bomb", "ten sparse gigabytes", "too much", "too many files"])
def test_a_refusal_is_quick_and_small(tmp_path: Path, front_door: FrontDoor, what: str) -> None:
    (tmp_path / "home").mkdir()
    told = front_door.quincunx(tmp_path / "home", "voices", "install", WRONG[what][0](tmp_path / "home"))
    assert told.code == 2
    assert "Traceback" not in told.err
    assert told.seconds < 2
    assert told.peak_bytes < 500 * 10**6
