"""The sounds of a phrase, note by note: what phonemize gives and duration reads.

Nothing but sounds stands here, no spelling and no reason, so that another word with the same sounds gives the same
bytes and nothing behind it is rendered again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quincunx_shared.canonical import Json

#: The names every bank gives to silence and to a breath.
SILENCE = "SP"
BREATH = "AP"


@dataclass(frozen=True, slots=True)
class NotePhonemes:
    """The phones of one note, in order.

    `nuclei` are the places in `symbols` that carry the tone: the first starts where the note starts, what stands
    before it sounds before the note, further ones share the note evenly. Without a nucleus the note holds the one
    before, and its symbols close the syllable. A rest is the single nucleus `SP`.
    """

    symbols: tuple[str, ...] = ()
    nuclei: tuple[int, ...] = ()

    @property
    def onset(self) -> tuple[str, ...]:
        """What sounds before the note starts."""
        return self.symbols[: self.nuclei[0]] if self.nuclei else ()


@dataclass(frozen=True, slots=True)
class Phonemes:
    """The phones of all notes of a phrase, in order."""

    notes: tuple[NotePhonemes, ...]

    def to_payload(self) -> Json:
        return {
            "notes": [list(note.symbols) for note in self.notes],
            "nuclei": [list(note.nuclei) for note in self.notes],
        }

    @classmethod
    def from_payload(cls, payload: Any) -> Phonemes:
        both = zip(payload["notes"], payload["nuclei"], strict=True)
        return cls(tuple(NotePhonemes(tuple(symbols), tuple(nuclei)) for symbols, nuclei in both))
