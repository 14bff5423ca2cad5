"""Words over notes: syllables, held vowels, last consonants."""

from __future__ import annotations

import pytest

from quincunx_shared.errors import BadInput
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.singing.spreading import SungNote, spread
from quincunx_workers.singing.syllables import syllabify

KIND = Phonology(frozenset(), {}).kind


def sing(line: str) -> str:
    """Spread a line such as `hh_ah_l_ow + ~ | R`: words, `+`, `~`, rests, `!` before a note that does not touch.

    Returns notes split by bars, nuclei in capitals.
    """
    notes = []
    for token in line.split():
        mark = token.lstrip("!")
        touching = mark == token
        if mark in "+~R":
            kind = {"+": "syllable", "~": "vowel", "R": "rest"}[mark]
            notes.append(SungNote(kind, (), touching))  # type: ignore[arg-type] # one of the literals
        else:
            notes.append(SungNote("word", syllabify(mark.split("_"), KIND), touching))
    spelled = [
        [symbol.upper() if place in note.nuclei else symbol for place, symbol in enumerate(note.symbols)]
        for note in spread(notes)
    ]
    return " | ".join(" ".join(symbols) for symbols in spelled)


@pytest.mark.parametrize(
    ("line", "sung"),
    [
        ("hh_ah_l_ow", "hh AH l OW"),
        ("hh_ah_l_ow +", "hh AH | l OW"),
        ("hh_ah_l_ow + +", "hh AH | l OW | "),
        ("hh_ah_l_ow ~ +", "hh AH |  | l OW"),
        ("hh_ah_l_ow ~", "hh AH l OW | "),
        ("w_ih_n_t_er_z ~ + ~", "w IH | n | t ER | z"),
        ("w_ih_n_d_z ~ ~", "w IH |  | n d z"),
        ("b_y_uw_t_ah_f_ah_l +", "b y UW | t AH f AH l"),
        ("k_aa !~", "k AA | AA"),
        ("k_aa_t !~", "k AA | AA t"),
        ("k_aa !+", "k AA | AA"),
        ("R + k_aa", "SP | SP | k AA"),
        ("k_aa R ~", "k AA | SP | SP"),
        ("hh_m ~", "hh M | "),
    ],
)
def test_words_are_spread_over_their_notes(line: str, sung: str) -> None:
    assert sing(line) == sung


def test_a_note_that_continues_nothing_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput) as refused:
        spread([SungNote("syllable")])

    assert refused.value.where == "notes[0].lyric"
