"""The duration model by formula: DiffSinger's two graphs, tokens and words to the frames of every phone.

linguistic   tokens [B, P], word_div [B, W], word_dur [B, W], int64     ->  encoder_out [B, P, 4], x_masks [B, P]
dur          encoder_out, x_masks, ph_midi int64 [B, P]                 ->  ph_dur_pred float32 [B, P], frames

A word begins with its vowel. Consonants last as long as they do by nature, pressed where the word is short; the
vowel, or the silence, takes what they leave. Among neighbours consonants are shorter, before a rest longer.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx

from quincunx_workers.demo_voice.articulation import Manner, Phone
from quincunx_workers.demo_voice.formula_graph import FLOAT, INT, Graph, Tensor, count, joined
from quincunx_workers.demo_voice.mel_layout import HOP_SIZE, SAMPLE_RATE
from quincunx_workers.demo_voice.timing import ends_of

#: Channels of ``encoder_out``: natural frames, whether it yields, frames of the word, frames of its consonants.
CHANNELS: Final = 4
#: Consonants of a cluster share their closures (Klatt 1976 finds 0.7 and less in speech; singers take more care).
IN_A_CLUSTER: Final = 0.8
BEFORE_A_REST: Final = 1.25
#: Consonants together never take more of their word.
MOST_OF_A_WORD: Final = 0.45
#: An octave above middle C, consonants give this part of their time to the vowel.
SHORTER_PER_OCTAVE: Final = 0.08
MIDDLE_C: Final = 60.0


def linguistic_model(phones: Sequence[Phone]) -> onnx.ModelProto:
    """The encoder: what each phone would last, and how much its word has to give."""
    graph = Graph("demo_voice_duration_linguistic")
    tokens = graph.input("tokens", INT, ("batch", "n_tokens"))
    word_div = graph.input("word_div", INT, ("batch", "n_words"))
    word_dur = graph.input("word_dur", INT, ("batch", "n_words"))

    yields = _looked_up(tokens, [float(phone.manner is Manner.VOWEL) for phone in phones])
    silent = _looked_up(tokens, [float(phone.name == "SP") for phone in phones])
    natural = _looked_up(tokens, [phone.duration_ms * SAMPLE_RATE / 1_000 / HOP_SIZE for phone in phones])
    natural = natural * _among_neighbours(yields, silent)

    member = _members(tokens, word_div)
    consonants = _of_word(member, natural * (1.0 - yields))
    yielding = _of_word(member, natural * yields)
    frames = (member @ word_dur.cast(FLOAT).with_axis(2)).without_axis(2)
    # The part of the vowels' time that this phone gets: all of it, unless a word has several that yield.
    share = yields * natural / yielding.at_least(1.0)
    channels = [natural * (1.0 - yields), share, frames, consonants]
    graph.output("encoder_out", joined([each.with_axis(2) for each in channels], 2), ("batch", "n_tokens", CHANNELS))
    graph.output("x_masks", tokens <= 0, ("batch", "n_tokens"))
    return graph.model(__doc__)


def dur_model() -> onnx.ModelProto:
    """The predictor: the frames of every phone; those of a word sum to the word's."""
    graph = Graph("demo_voice_duration")
    encoded = graph.input("encoder_out", FLOAT, ("batch", "n_tokens", CHANNELS))
    masked = graph.input("x_masks", np.dtype(np.bool_), ("batch", "n_tokens"))
    midi = graph.input("ph_midi", INT, ("batch", "n_tokens"))

    natural, share, frames, consonants = (encoded.part(2, i, i + 1).without_axis(2) for i in range(CHANNELS))
    # A rest has the number 0, which is no low note.
    octaves = (midi > 0).where((midi.cast(FLOAT) - MIDDLE_C) * (1 / 12.0), 0.0).at_least(-1.0).at_most(2.0)
    haste = 1.0 - octaves * SHORTER_PER_OCTAVE
    pressed = (frames * MOST_OF_A_WORD / consonants.at_least(1e-3)).at_most(haste)
    predicted = natural * pressed + share * (frames - consonants * pressed).at_least(0.0)
    graph.output("ph_dur_pred", masked.where(predicted * 0.0, predicted), ("batch", "n_tokens"))
    return graph.model(__doc__)


def _looked_up(tokens: Tensor, column: Sequence[float]) -> Tensor:
    return tokens.graph.op("Gather", tokens.graph.constant(np.round(column, 6), FLOAT), tokens, dtype=FLOAT)


def _among_neighbours(yields: Tensor, silent: Tensor) -> Tensor:
    """What its neighbours make of a consonant's length; [B, P]. Beyond the ends there is silence."""
    cluster = 1.0 - _shifted(yields, 0) * _shifted(yields, 2)
    return 1.0 - cluster * (1.0 - IN_A_CLUSTER) + _shifted(silent, 2) * (BEFORE_A_REST - 1.0)


def _shifted(row: Tensor, start: int) -> Tensor:
    """The neighbour on one side: with 0 the one before, with 2 the one after; ones beyond the ends."""
    held = (row - 1.0).padded([0, 1], [0, 1]) + 1.0
    return held.part(1, start, row.axis_length(1) + start)


def _members(tokens: Tensor, word_div: Tensor) -> Tensor:
    """Whether each token is of each word; float32 [B, P, W]."""
    graph = tokens.graph
    ends = ends_of(word_div).with_axis(1)
    place = count(graph, tokens.axis_length(1)).with_axis(0).with_axis(2)
    return ((place < ends) & (place >= ends - word_div.with_axis(1))).cast(FLOAT)


def _of_word(member: Tensor, row: Tensor) -> Tensor:
    """The sum over its word, at every token; [B, P]."""
    sums = member.transposed(0, 2, 1) @ row.with_axis(2)
    return (member @ sums).without_axis(2)
