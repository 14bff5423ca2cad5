"""Voicebanks of a few bytes, written where a test says, and what a worker would lend to a step that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import quincunx_shared
from quincunx_shared.names import Digest
from quincunx_shared.step import Model
from quincunx_shared.voicebank import Voicebank, load_voicebank

DEMO = Path(quincunx_shared.__file__).parent / "voicebanks" / "demo"

#: File name → content; None leaves the file out.
Files: TypeAlias = Mapping[str, str | bytes | None]

FILES: Files = {
    "dsconfig.yaml": "acoustic: acoustic.onnx\nphonemes: phonemes.txt\nmel_base: e\n",
    "acoustic.onnx": b"an acoustic model",
    "phonemes.txt": "<PAD>\nAP\nSP\nen/aa\nen/k\n",
    "character.txt": "name=Tiny\n",
    "dsvocoder/vocoder.yaml": "name: tiny\nmodel: vocoder.onnx\n",
    "dsvocoder/vocoder.onnx": b"a vocoder",
    "dsdict-en.yaml": "symbols:\n- {symbol: en/aa, type: vowel}\n- {symbol: en/k, type: stop}\nentries: []\n",
}


def write_bank(root: Path, changes: Files | None = None) -> Path:
    """Write a bank with some files other than usual."""
    for name, content in {**FILES, **(changes or {})}.items():
        if content is None:
            continue
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def bank_of_phones(root: Path, phones: str, **dictionaries: str) -> Voicebank:
    """Load a bank that has just these phones; keywords are languages, `plain` the dictionary without one."""
    names = ["<PAD>", *dict.fromkeys(["SP", *phones.split()])]
    files: dict[str, str | bytes | None] = {"phonemes.txt": "\n".join(names), "dsdict-en.yaml": None}
    for language, text in dictionaries.items():
        files["dsdict.yaml" if language == "plain" else f"dsdict-{language}.yaml"] = text
    return load_voicebank(write_bank(root, files))


class BankContext:
    """A step's context over the files of one bank; counts what is fetched."""

    def __init__(self, bank: Voicebank) -> None:
        self._bank = bank
        self.fetched: list[Digest] = []

    def report(self, percent: float, text: str = "") -> None:
        """Nobody listens."""

    def model(self, digest: Digest) -> Model:
        raise KeyError(digest)

    def file(self, digest: Digest) -> bytes:
        self.fetched.append(digest)
        return self._bank.files[digest].read_bytes()


def yaml_entries(entries: Mapping[str, Any]) -> str:
    """Return dsdict text with entries only."""
    lines = [f"- {{grapheme: {word}, phonemes: [{', '.join(phones)}]}}" for word, phones in entries.items()]
    return "\n".join(["entries:", *lines, ""])
