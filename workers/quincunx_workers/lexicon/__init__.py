"""English words and their sounds: 126,000 words of the CMU Pronouncing Dictionary, without stress.

The file is text, deflated: an alphabet of phones, then one `word<TAB>code` a line, sorted by bytes, where each letter
of the code stands for a phone. Unpacking takes some 10 ms and happens once a process; a look-up bisects the bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

FILE_NAME = "english.bin"


@dataclass(frozen=True)
class Lexicon:
    """A sorted text and the phone behind each letter of its codes."""

    text: bytes
    phones: dict[int, str]

    @classmethod
    def from_bytes(cls, content: bytes) -> Lexicon:
        """Unpack a file made by `lexicon.build`."""
        header, text = zlib.decompress(content).split(b"\n", 1)
        phones = {pair[0]: pair[1:].decode() for pair in header.split()}
        return cls(text, phones)

    def find(self, word: str) -> tuple[str, ...] | None:
        """Return the phones of a lower-case word, or None for one that is not in the dictionary."""
        wanted = word.encode(errors="surrogatepass")
        low, high = 0, len(self.text)
        while low < high:
            start = self.text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self.text.index(b"\n", start)
            found, _, code = self.text[start:end].partition(b"\t")
            if found == wanted:
                return tuple(self.phones[letter] for letter in code)
            low, high = (end + 1, high) if found < wanted else (low, start)
        return None


@cache
def english() -> Lexicon:
    """Return the dictionary of this package; read once a process."""
    return Lexicon.from_bytes(resources.files(__package__).joinpath(FILE_NAME).read_bytes())
