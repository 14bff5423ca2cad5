"""Hanzi to Pinyin: each character as its neighbours in the phrase have it read (银行 yin hang, 行走 xing zou)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from quincunx_workers.singing.pinyin import plain_spelling

#: Characters of Chinese and of Japanese, with the marks that repeat or stand for them.
HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿々〇]")


def is_han(text: str) -> bool:
    """Whether a lyric is written in Hanzi alone."""
    return bool(text) and all(HAN.match(letter) for letter in text)


def pinyin_of(lyrics: Sequence[str]) -> list[tuple[str | None, ...]]:
    """Return the reading of each lyric, a syllable a character, read as one text; None where there is none.

    The lyrics are Hanzi alone.
    """
    # 0.15 s and 40 MB, which no song without Hanzi should pay.
    from pypinyin import lazy_pinyin

    text = "".join(lyrics)
    read = iter(lazy_pinyin(text, v_to_u=False, errors=_unread))
    return [tuple(plain_spelling(next(read)) for _ in lyric) for lyric in lyrics]


def _unread(unknown: str) -> Any:
    """What pypinyin puts for characters it cannot read: one empty reading each, where its types allow but one."""
    return [""] * len(unknown)
