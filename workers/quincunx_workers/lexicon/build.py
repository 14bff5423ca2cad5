"""Make the dictionary file of this package: `python -m quincunx_workers.lexicon.build SRC OUT`.

SRC is `cmudict.dict` as its authors publish it. The first pronunciation of a word is kept, stress is dropped.
The same SRC gives the same OUT, byte for byte within one zlib version.
"""

from __future__ import annotations

import string
import sys
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path


def parse(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return word → phones, lower case, of the lines of a CMU dictionary. `a(2)` is another pronunciation of `a`."""
    words: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *phones = line.partition("#")[0].split() or [""]
        if word and "(" not in word:
            words[word.lower()] = tuple(phone.rstrip("012").lower() for phone in phones)
    return words


def pack(words: Mapping[str, tuple[str, ...]]) -> bytes:
    """Return the file `Lexicon.from_bytes` reads."""
    phones = sorted({phone for sounds in words.values() for phone in sounds})
    letter_of = dict(zip(phones, string.ascii_letters, strict=False))
    alphabet = " ".join(letter + phone for phone, letter in letter_of.items())
    # By bytes, as the look-up compares them.
    lines = sorted(
        f"{word}\t{''.join(letter_of[phone] for phone in sounds)}\n".encode() for word, sounds in words.items()
    )
    return zlib.compress(alphabet.encode() + b"\n" + b"".join(lines), level=9)


def main(source: Path, target: Path) -> None:
    """Read one file, write the other."""
    with source.open(encoding="utf-8") as lines:
        words = parse(lines)
    target.write_bytes(pack(words))
    sys.stderr.write(f"{len(words)} words, {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
