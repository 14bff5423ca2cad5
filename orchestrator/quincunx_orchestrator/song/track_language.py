"""In which language a track is sung, as far as its phonemizer and its letters tell."""

from __future__ import annotations

import re

from quincunx_orchestrator.score.model import Score, Track

#: A word in the name of a phonemizer → its language.
_LANGUAGES = {"japanese": "ja", "english": "en", "arpasing": "en", "chinese": "zh", "mandarin": "zh"}
_KANA = re.compile(r"[ぁ-ゖァ-ヺｦ-ﾝ]")
_HAN = re.compile(r"[㐀-䶿一-鿿々]")


def language_of(track: Track) -> str:
    """The language a track's phonemizer names, or nothing, which lets each lyric's script decide."""
    phonemizer = track.phonemizer.lower()
    return next((code for word, code in _LANGUAGES.items() if word in phonemizer), "")


def han_of(score: Score, track: int) -> str:
    """The language of a track's Hanzi: Japanese where the track has kana too, else left to each phrase.

    Nothing for a track without Hanzi, whose phrases then keep their signatures whatever is written beside them.
    """
    texts = [note.lyric.text for part in score.parts if part.track == track for note in part.notes]
    if not any(map(_HAN.search, texts)):
        return ""
    return "ja" if any(map(_KANA.search, texts)) else ""
