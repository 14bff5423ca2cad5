"""What is fuzzed: every reader of what a stranger wrote, as a function of bytes, with inputs to begin from.

A target returns for what can be used and raises `BadInput` for what cannot. Anything else is a bug.
"""

from __future__ import annotations

import functools
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from quincunx_orchestrator.banks.archive import open_archive
from quincunx_orchestrator.project.document import read_project, write_project
from quincunx_orchestrator.project.grammar import batch_of, request_of
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.phrasing import phrases_of
from quincunx_orchestrator.score.readers import SCORE_FORMATS, TRANSCRIPT_SUFFIX, read_song
from quincunx_shared.bank_settings import AcousticSettings, VocoderSettings, settings_from
from quincunx_shared.payload import encode
from quincunx_shared.strict_yaml import read_yaml
from quincunx_shared.voicebank import load_voicebank
from quincunx_workers.model_check import foreign_operators, refuse_outside_weights
from quincunx_workers.singing.dictionary import parse_dictionary

Read: TypeAlias = Callable[[bytes], object]

FOLDER = Path(__file__).parent
FIXTURES = FOLDER.parent


@dataclass(frozen=True)
class Target:
    """A reader and the inputs to begin from."""

    read: Read
    seeds: Sequence[bytes]


def read_a_song(suffix: str, content: bytes) -> None:
    """A song is read, cut into phrases, and its phrases become payloads: as far as a render goes before it runs."""
    song = read_song(f"song{suffix}", content)
    if isinstance(song, Score):
        for phrase in phrases_of(song):
            encode([phrase.lyrics.to_payload(), phrase.timing.to_payload(), phrase.melody.to_payload()])
            encode([curve.to_payload() for curve in phrase.curves.values()])


#: Files of a bank; the first byte of an input chooses one, the rest is its content.
BANK_FILES = (
    "dsconfig.yaml",
    "phonemes.txt",
    "phonemes.json",
    "languages.json",
    "character.txt",
    "character.yaml",
    "dsvocoder/vocoder.yaml",
)

_BANK: Mapping[str, bytes] = {
    "dsconfig.yaml": b"acoustic: a.onnx\nphonemes: phonemes.txt\nuse_lang_id: true\nspeakers: [s]\nhidden_size: 1\n",
    "phonemes.txt": b"<PAD>\nSP\nen/aa\n",
    "phonemes.json": b'{"SP": 1, "en/aa": 2}',
    "languages.json": b'{"en": 1}',
    "character.txt": "name=重音テト\n".encode("cp932"),
    "character.yaml": b"name: Teto\ntext_file_encoding: shift_jis\n",
    "dsvocoder/vocoder.yaml": b"model: v.onnx\nmel_base: '10'\n",
    "dsvocoder/v.onnx": b"v",
    "a.onnx": b"a",
    "s.emb": b"1234",
}


@functools.cache
def _scratch() -> Path:
    """A folder for the files of this process; in memory where the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    return Path(tempfile.mkdtemp(prefix="quincunx-fuzz-", dir=memory if memory.is_dir() else None))


def read_a_project(content: bytes) -> None:
    """A project is read, and a project that can be read can be written."""
    write_project(read_project(content, "song.qxp"))


def read_edits(content: bytes) -> None:
    """Operations are read as a batch file, or line by line as they are typed."""
    if content.startswith(b"{"):
        batch_of(content, "edits.json")
    else:
        for place, line in enumerate(content.decode("utf-8", "replace").splitlines()[:20], 1):
            request_of(line, place)


def read_a_bank(content: bytes) -> None:
    """A bank with one file replaced is loaded, and what steps get of it becomes payloads."""
    chosen = BANK_FILES[content[0] % len(BANK_FILES)] if content else ""
    files = {**_BANK, chosen: content[1:]} if chosen else dict(_BANK)
    if chosen == "phonemes.json":
        files["dsconfig.yaml"] = files["dsconfig.yaml"].replace(b"phonemes.txt", b"phonemes.json")
    bank_folder = _scratch() / "bank"
    for name, text in files.items():
        path = bank_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    bank = load_voicebank(bank_folder)
    encode(bank.phonology())
    encode(dict(bank.phoneme_ids))
    encode(dict(bank.language_ids))
    json.dumps(bank.name).encode()


def read_settings(content: bytes) -> None:
    """A YAML file is read strictly, and as the settings of a bank and of a vocoder."""
    document = read_yaml(content, where="file.yaml")
    if isinstance(document, dict):
        settings_from(VocoderSettings, document, where="file.yaml")
        settings_from(AcousticSettings, document, where="file.yaml")


def read_a_dictionary(content: bytes) -> None:
    """A dictionary is read, and replaces phones."""
    parse_dictionary(content, where="dsdict.yaml").replaced(("a", "b", "c"))


def read_an_archive(content: bytes) -> None:
    """An archive is judged, and every file of it unpacked."""
    path = _scratch() / "packed.zip"
    path.write_bytes(content)
    target = _scratch() / "unpacked"
    with open_archive(path) as archive:
        for parts in archive.files:
            target.unlink(missing_ok=True)
            archive.unpack(parts, target)


def read_a_model(content: bytes) -> None:
    """A model file is looked through for what it must not hold."""
    refuse_outside_weights(content, where="model.onnx")
    foreign_operators(content)


def _zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(f"Bänk/{name}", text)
    return buffer.getvalue()


def _fixtures(suffix: str) -> list[bytes]:
    """Song files of this format among the tests' own, and those written for fuzzing."""
    paths = [path for path in FIXTURES.rglob(f"*{suffix}") if path.stat().st_size < 50_000]
    return [path.read_bytes() for path in sorted(paths)]


def _song_targets() -> dict[str, Target]:
    """One target for every reader of songs, which begins from files of all suffixes it is for."""
    suffixes: dict[int, list[str]] = {}
    for suffix, form in SCORE_FORMATS.items():
        suffixes.setdefault(id(form), []).append(suffix)
    return {
        own[0].removeprefix("."): Target(
            functools.partial(read_a_song, own[0]), [content for suffix in own for content in _fixtures(suffix)]
        )
        for own in (*suffixes.values(), [TRANSCRIPT_SUFFIX])
    }


def _targets() -> dict[str, Target]:
    songs = _song_targets()
    config = (
        _BANK["dsconfig.yaml"] + b"augmentation_args: {random_pitch_shifting: {range: [-5, 5.0]}}\nmax_depth: 300\n"
    )
    model = (FOLDER / "seeds" / "noise.onnx").read_bytes()
    edits = [
        b"tone 1:2:1 62\ntempo 2:1 90\ncurve 1 pitd 0=10 480=20",
        b'{"operations": [{"op": "volume", "track": "1", "db": -3}]}',
    ]
    return songs | {
        "project": Target(read_a_project, [(FOLDER / "seeds" / "project.qxp").read_bytes()]),
        "edits": Target(read_edits, edits),
        "bank": Target(read_a_bank, [bytes([place]) + _BANK[name] for place, name in enumerate(BANK_FILES)]),
        "settings": Target(read_settings, [config + b"model: v.onnx\nname: v\n"]),
        "dictionary": Target(read_a_dictionary, [(FOLDER / "seeds" / "dsdict.yaml").read_bytes()]),
        "archive": Target(read_an_archive, [_zipped(a="x" * 100, b="y"), _zipped()]),
        "model": Target(read_a_model, [model]),
    }


TARGETS: Mapping[str, Target] = _targets()
