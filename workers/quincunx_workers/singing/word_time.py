"""The time of words shared among their phonemes. A word of the field begins with its vowel: `SP h | e l | ou | SP`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]

#: Consonants together never take more of their word.
MOST_OF_A_WORD = 0.45

#: What gives way to consonants.
_YIELDING = frozenset({"vowel", "silence"})


def wished_seconds(
    symbols: Sequence[str],
    counts: Sequence[int],
    word_seconds: Sequence[float],
    kind: Callable[[str], str],
    natural_seconds: Callable[[str], float],
) -> Seconds:
    """Return how long each phoneme would be, float64[P]: consonants by nature, vowels and silences what is left."""
    wished: list[float] = []
    for count, seconds in zip(counts, word_seconds, strict=True):
        phones = symbols[len(wished) : len(wished) + count]
        yielding = [kind(phone) in _YIELDING for phone in phones]
        lengths = [0.0 if gives else natural_seconds(phone) for phone, gives in zip(phones, yielding, strict=True)]
        scale = min(1.0, MOST_OF_A_WORD * seconds / sum(lengths)) if sum(lengths) and any(yielding) else 1.0
        left = seconds - scale * sum(lengths)
        share = left / sum(yielding) if any(yielding) else 0.0
        wished += [share if gives else scale * length for length, gives in zip(lengths, yielding, strict=True)]
    return np.array(wished, dtype=np.float64)


def scaled_to_words(wished: Sequence[float] | Seconds, counts: Sequence[int], word_seconds: Sequence[float]) -> Seconds:
    """Return durations scaled so that those of each word sum to its own, float64[P].

    Whoever predicts, the music decides how long a word is. A word predicted to last no time is shared evenly.
    """
    predicted = np.maximum(np.asarray(wished, dtype=np.float64), 0.0)
    parts = np.split(predicted, np.cumsum(counts)[:-1]) if len(counts) else []
    scaled = [
        part * (seconds / part.sum()) if part.sum() > 0 else np.full(len(part), seconds / max(len(part), 1))
        for part, seconds in zip(parts, word_seconds, strict=True)
    ]
    return np.concatenate(scaled) if scaled else predicted
