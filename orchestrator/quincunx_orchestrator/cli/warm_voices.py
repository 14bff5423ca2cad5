"""Voices that stay loaded from one render to the next, as long as nothing in their folders is saved anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from quincunx_orchestrator.cli.saves import Stamp, stamp_of
from quincunx_orchestrator.song.voices import Catalogue, Voice

#: A bank's own settings lie at most this deep.
_PATTERNS = ("*", "*/*")


@dataclass(frozen=True)
class WarmCatalogue(Catalogue):
    """A catalogue that reads a bank once: its models are hundreds of megabytes, and naming them means hashing them."""

    loaded: dict[str, tuple[dict[Path, Stamp | None], Voice]] = field(default_factory=dict)

    def load(self, name: str) -> Voice:
        """Return a voice, from memory if no file of its bank has changed."""
        if name in self.loaded:
            stamps, voice = self.loaded[name]
            if stamps == _stamps(self._files(name, voice)):
                return voice
        voice = super().load(name)
        self.loaded[name] = (_stamps(self._files(name, voice)), voice)
        return voice

    def _files(self, name: str, voice: Voice) -> set[Path]:
        root = self.folders[name].root if name in self.folders else Path(name)
        return {*voice.bank.files.values(), *(path for pattern in _PATTERNS for path in root.glob(pattern))}


def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp | None]:
    return {path: stamp_of(path) for path in paths}
