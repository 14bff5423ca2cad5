"""A bank's dsdict: what it says, and what it may not say."""

from __future__ import annotations

import pytest

from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest
from quincunx_workers.singing.dictionary import parse_dictionary
from quincunx_workers.singing.phonology import Phonology


def test_symbols_entries_and_replacements_are_read() -> None:
    text = """
symbols: [{symbol: en/aa, type: vowel, duration_ms: 140}, {symbol: en/k, type: stop}]
entries:
- {grapheme: no, phonemes: [en/n, en/ow]}
- {grapheme: no, phonemes: [en/k]}
replacements: [{from: hh, to: en/h}, {from: [t, s], to: en/ts}, {from: er, to: [en/ah, en/r]}]
"""
    dictionary = parse_dictionary(text.encode(), where="d")

    assert dictionary.kinds == {"en/aa": "vowel", "en/k": "stop"}
    assert dictionary.natural_ms == {"en/aa": 140}
    assert dictionary.entries == {"no": ("en/n", "en/ow")}
    assert dictionary.replaced(["hh", "er", "t", "s", "t"]) == ("en/h", "en/ah", "en/r", "en/ts", "t")


def test_an_empty_dictionary_says_nothing() -> None:
    assert parse_dictionary(b"", where="d").entries == {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[]", "d"),
        ("entries: {a: b}", "d"),
        ("entries: [a]", "d: entries[0]"),
        ("entries: [{grapheme: a}]", "d: entries[0]"),
        ("entries: [{grapheme: a, phonemes: [[x]]}]", "d: entries[0]"),
        ("entries: [{grapheme: [a], phonemes: [x]}]", "d: entries[0]"),
        ("symbols: [{symbol: a}]", "d: symbols[0]"),
        ("symbols: [{symbol: a, type: vowel, duration_ms: nan}]", "d: symbols[0]"),
        ("symbols: [{symbol: a, type: vowel, duration_ms: -1}]", "d: symbols[0]"),
        ("symbols: &x []", "d:1"),
    ],
)
def test_a_wrong_dictionary_is_told_with_its_place(text: str, place: str) -> None:
    with pytest.raises(BadVoicebank) as refused:
        parse_dictionary(text.encode(), where="d")

    assert refused.value.where == place


def test_a_dictionary_is_fetched_once_a_process() -> None:
    fetched: list[Digest] = []

    def read(digest: Digest) -> bytes:
        fetched.append(digest)
        return b"symbols: []"

    for _ in range(3):
        Phonology.from_payload({"phones": ["SP"], "dictionaries": {"xx": "once"}}, read)

    assert fetched == ["once"]


PHONES = frozenset(["SP", "AP", "en/aa", "en/hh", "en/v", "ja/a", "ja/k", "ja/N", "n", "plain"])


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("aa", "en", ("en/aa",)),
        ("AA1", "en", ("en/aa",)),
        ("en/aa", "ja", ("en/aa",)),
        ("plain", "en", ("plain",)),
        ("en/plain", "en", ("plain",)),
        ("N", "ja", ("ja/N",)),
        ("SP", "en", ("SP",)),
        ("ky", "ja", None),
        ("zh/a", "ja", None),
        ("qq", "en", None),
    ],
)
def test_phones_are_found_plain_or_with_their_language(name: str, language: str, found: tuple[str, ...] | None) -> None:
    assert Phonology(PHONES, {}).resolve(name, language) == found


def test_a_phone_the_bank_lacks_is_sung_by_its_neighbours() -> None:
    phonology = Phonology(frozenset({"ja/k", "ja/y", "ja/h", "en/ah", "en/l"}), {})

    assert phonology.resolve("ky", "ja") == ("ja/k", "ja/y")
    assert phonology.resolve("f", "ja") == ("ja/h",)
    assert phonology.resolve("el", "en") == ("en/ah", "en/l")


def test_natural_durations_come_from_the_bank_then_from_the_kind() -> None:
    dictionary = parse_dictionary(
        b"symbols: [{symbol: x/q, type: stop}, {symbol: x/s, type: fricative, duration_ms: 300}]", where="d"
    )
    phonology = Phonology(frozenset({"x/q", "x/s"}), {"x": dictionary})

    assert phonology.natural_seconds("x/s") == 0.3
    assert phonology.natural_seconds("x/q") == 0.085
    assert phonology.natural_seconds("en/s") == 0.105
