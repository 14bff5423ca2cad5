"""What several models of a bank are fed alike: tokens, languages, speakers, and f0 without gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, BadVoicebank
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Digest
from quincunx_shared.step import Model, StepContext

Floats = npt.NDArray[np.float64]


def token_ids(symbols: Sequence[str], ids: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Return the id of every phoneme: int64[P]."""
    for place, symbol in enumerate(symbols):
        if symbol not in ids:
            raise BadInput(f"this voice has no phoneme {symbol!r}{did_you_mean(symbol, ids)}", where=f"ph_seq[{place}]")
    return np.array([ids[symbol] for symbol in symbols], dtype=np.int64)


def language_ids(symbols: Sequence[str], ids: Mapping[str, int] | None) -> npt.NDArray[np.int64]:
    """Return the language of every phoneme by its prefix (`zh/a`), 0 where it has none: int64[P]."""
    known = ids or {}
    return np.array([known.get(_language(symbol), 0) for symbol in symbols], dtype=np.int64)


def without_gaps(f0: npt.ArrayLike) -> Floats:
    """Return f0 in Hz, gaps filled from both sides, because models take its logarithm: float64[T]."""
    hertz = np.asarray(f0, dtype=np.float64)
    voiced = np.flatnonzero(hertz > 0)
    if len(voiced) == len(hertz):
        return hertz
    if not len(voiced):
        raise BadInput("the phrase has no pitch at all", where="f0")
    return np.asarray(np.interp(np.arange(len(hertz)), voiced, hertz[voiced]))


def speaker_on_frames(
    model: Model, speaker: Digest, inputs: Mapping[str, Any], count: int, context: StepContext
) -> npt.NDArray[np.float32]:
    """Return the speaker's embedding, or the mix of several, on every frame: float32[1, T, hidden].

    A mix is `inputs["spk_mix"]`, float32[T, S], of the embeddings `inputs["speakers"]`.
    """
    mix = inputs["spk_mix"]
    if mix is not None:
        embeddings = np.stack([_embedding(model, digest, context) for digest in inputs["speakers"]])
        return (np.asarray(mix, dtype=np.float32) @ embeddings)[np.newaxis]
    if not speaker:
        raise BadVoicebank("this model wants a speaker and none is chosen", where="speaker")
    embedding = _embedding(model, speaker, context)
    return np.broadcast_to(embedding, (1, count, len(embedding))).astype(np.float32)


def _embedding(model: Model, digest: Digest, context: StepContext) -> npt.NDArray[np.float32]:
    """Return the embedding of one speaker: float32[hidden]."""
    content = context.file(digest)
    hidden = model.inputs["spk_embed"][1][-1] or len(content) // 4
    if len(content) != 4 * hidden:
        raise BadVoicebank(f"the embedding has {len(content)} bytes, the model wants {4 * hidden}", where="speaker")
    return np.frombuffer(content, dtype="<f4").astype(np.float32)


def _language(symbol: str) -> str:
    prefix, slash, _ = symbol.partition("/")
    return prefix if slash else ""
