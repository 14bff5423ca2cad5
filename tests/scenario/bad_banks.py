"""Banks that must not sing, by what is wrong with them: each the demo bank with some files changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.unit import tiny_models
from tests.unit.tiny_bank import DEMO, Files

Alter: TypeAlias = Callable[[Path], object]

CONFIG = (DEMO / "dsconfig.yaml").read_text(encoding="utf-8")
VOCODER = "dsvocoder/vocoder.onnx"


@dataclass(frozen=True)
class WrongBank:
    """What is other in the bank, the file that errors name, what is told, and the exit code.

    Code 1 is for what no look at the files can tell: it shows when the model runs, after other steps have been stored.
    """

    alter: Alter
    place: str
    told: str
    code: int = 2
    arguments: tuple[str, ...] = ()


def files(changes: Files) -> Alter:
    """Write these files over those of the bank; None takes one away."""

    def alter(bank: Path) -> None:
        for name, content in changes.items():
            if content is None:
                (bank / name).unlink()
            else:
                (bank / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return alter


def config(key: str, written: str) -> Alter:
    """Write another value into dsconfig.yaml."""
    kept = [line for line in CONFIG.splitlines() if not line.startswith(f"{key}:")]
    return files({"dsconfig.yaml": "\n".join([*kept, f"{key}: {written}", ""])})


def linked(name: str, target: str) -> Alter:
    """Make a file of the bank a link to one outside it."""

    def alter(bank: Path) -> None:
        (bank / name).unlink()
        (bank / name).symlink_to(target)

    return alter


def sparse(name: str, gibibytes: int) -> Alter:
    """Make a file of the bank as long as this, with nothing in it."""

    def alter(bank: Path) -> None:
        with (bank / name).open("wb") as out:
            out.truncate(gibibytes * 2**30)

    return alter


def pipe(name: str) -> Alter:
    """Make a file of the bank a pipe that nobody writes into."""

    def alter(bank: Path) -> None:
        (bank / name).unlink()
        os.mkfifo(bank / name)

    return alter


def vocoder(model: bytes) -> Alter:
    """Give the bank another vocoder."""
    return files({VOCODER: model})


def nested(levels: int) -> bytes:
    """Bytes that are graphs in attributes of nodes of graphs, so deep: no library would write them."""
    content = b""
    for _ in range(levels):
        content = _field(1, _field(5, _field(6, content)))
    return b"\x08\x08" + _field(7, content)


def _field(number: int, content: bytes) -> bytes:
    length, size = len(content), b""
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


def write_bank(home: Path, wrong: WrongBank) -> Path:
    """Write the bank, under the name `bank`."""
    bank = Path(shutil.copytree(DEMO, home / "bank"))
    wrong.alter(bank)
    return bank


_QUICK = ("--model-seconds", "0.2")

BANKS: Mapping[str, WrongBank] = {
    "no dsconfig.yaml": WrongBank(files({"dsconfig.yaml": None}), "bank", "there is no dsconfig.yaml here"),
    "an empty dsconfig.yaml": WrongBank(files({"dsconfig.yaml": ""}), "dsconfig.yaml", "acoustic"),
    "anchors": WrongBank(files({"dsconfig.yaml": "a: &a [x]\nb: *a\n"}), "dsconfig.yaml:1", "anchors"),
    "a key twice": WrongBank(files({"dsconfig.yaml": CONFIG + CONFIG}), "dsconfig.yaml", "stands here twice"),
    "3,000 levels": WrongBank(files({"dsconfig.yaml": "a: " + "[" * 3000}), "dsconfig.yaml:1", "nested deeper"),
    "a config that is not UTF-8": WrongBank(files({"dsconfig.yaml": b"a: \xff"}), "dsconfig.yaml", "UTF-8"),
    "no number": WrongBank(config("mel_fmin", ".nan"), "dsconfig.yaml", "mel_fmin"),
    "a number beyond all": WrongBank(config("mel_fmax", "1e999"), "dsconfig.yaml", "mel_fmax"),
    "6,000 digits": WrongBank(config("hop_size", "9" * 6000), "dsconfig.yaml", "hop_size"),
    "a hop of zero": WrongBank(config("hop_size", "0"), "dsconfig.yaml", "hop_size"),
    "a path that leads out": WrongBank(config("acoustic", "../../acoustic.onnx"), "dsconfig.yaml", "leads out"),
    "an absolute path": WrongBank(config("acoustic", "/etc/passwd"), "dsconfig.yaml", "not a path inside"),
    "a path with a drive": WrongBank(config("acoustic", "C:\\a.onnx"), "dsconfig.yaml", "not a path inside"),
    "a speaker that leads out": WrongBank(config("speakers", "[../../secret]"), "dsconfig.yaml", "leads out"),
    "a link that leads out": WrongBank(linked("acoustic.onnx", "/etc/passwd"), "dsconfig.yaml", "leads out"),
    "a link to a device": WrongBank(linked("phonemes.txt", "/dev/zero"), "dsconfig.yaml", "leads out"),
    "a link to itself": WrongBank(linked("acoustic.onnx", "acoustic.onnx"), "dsconfig.yaml", "acoustic.onnx"),
    "a pipe for a model": WrongBank(pipe("acoustic.onnx"), "dsconfig.yaml", "acoustic.onnx is missing"),
    "a pipe for a config": WrongBank(pipe("dsvocoder/vocoder.yaml"), "dsconfig.yaml", "vocoder"),
    "a model of ten sparse gigabytes": WrongBank(sparse("acoustic.onnx", 10), "acoustic.onnx", "larger than"),
    "phonemes of ten sparse gigabytes": WrongBank(sparse("phonemes.txt", 10), "phonemes.txt", "larger than"),
    "a vocoder for other sounds": WrongBank(
        files({"dsvocoder/vocoder.yaml": "model: vocoder.onnx\nhop_size: 256\n"}), "vocoder.yaml", "hop_size 256"
    ),
    "a model that is a page of the web": WrongBank(vocoder(b"<html>404</html>"), VOCODER, "is no model"),
    "an empty model": WrongBank(vocoder(b""), VOCODER, "is no model"),
    "a cut model": WrongBank(vocoder((DEMO / VOCODER).read_bytes()[:30_000]), VOCODER, "is no model"),
    "a model nested deep": WrongBank(vocoder(nested(3000)), VOCODER, "is no model"),
    "weights outside": WrongBank(vocoder(tiny_models.with_outside_weights("../w.bin")), VOCODER, "in other files"),
    "operators of nobody": WrongBank(vocoder(tiny_models.foreign()), VOCODER, "studio.secret:Sing"),
    "another kind of model": WrongBank(vocoder(tiny_models.doubling()), "vocoder", "takes mel and f0", 1),
    "a model that asks for terabytes": WrongBank(
        vocoder(tiny_models.vast_vocoder(10**6, 10**6, 3)), VOCODER, "more memory than it may have", 1
    ),
    "a model that asks for more than it may": WrongBank(
        vocoder(tiny_models.vast_vocoder(10**3, 10**6)), VOCODER, "--model-memory", 1, ("--model-memory", "1")
    ),
    "a model that asks for terabytes of noise": WrongBank(
        vocoder(tiny_models.vast_noise(10**6, 10**6)), VOCODER, "more memory than it may have", 1
    ),
    "a model that never ends": WrongBank(vocoder(tiny_models.endless_vocoder()), VOCODER, "took too long", 1, _QUICK),
    "a model that returns less than it says": WrongBank(
        vocoder(tiny_models.short_vocoder()), "vocoder", "samples came out", 1
    ),
    "a model that returns no numbers": WrongBank(vocoder(tiny_models.numberless_vocoder()), "vocoder", "no numbers", 1),
}
