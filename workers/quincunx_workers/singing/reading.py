"""A lyric to syllables of a bank's phones: which language it is in, and who knows how it sounds.

Asked in this order, language by language: the bank's own dictionary, then kana or romaji for Japanese, Pinyin for
Mandarin, and the English dictionary and spelling rules for English. The first reading whose every phone the bank has
is taken. How Hanzi are read depends on their neighbours, so whoever sees the whole phrase says it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_workers.singing.english import pronounce, words_of
from quincunx_workers.singing.kana import has_kana, kana_moras, roman_moras, to_hiragana
from quincunx_workers.singing.mandarin import HAN
from quincunx_workers.singing.phonology import Phones, Phonology, bare_name
from quincunx_workers.singing.pinyin import has_tone, plain_spelling
from quincunx_workers.singing.pinyin import syllables as pinyin_syllables
from quincunx_workers.singing.syllables import Syllable, syllabify

#: Punctuation that is part of a word.
_KEPT = "'’‘ʼ`´-~〜"


def read_lyric(text: str, phonology: Phonology, language: str = "") -> tuple[Syllable, ...]:
    """Return the syllables of a lyric. `language` is asked first; then whatever the letters and the bank suggest.

    Raises `BadInput` where nothing can be sung; the caller knows the place.
    """
    spoken = bare_text(text)
    if not spoken:
        raise BadInput(f"there is nothing to sing in {text!r}", remedy="write a word, R for a rest, + to go on")
    missing: list[str] = []
    for candidate in _languages(spoken, phonology, language):
        for reading in _readings(spoken, candidate, phonology):
            syllables, unknown = _in_bank(reading, candidate, phonology)
            if syllables and not unknown:
                return syllables
            missing = missing or unknown
    raise _unreadable(text, missing, phonology)


def read_pinyin(text: str, spelt: Sequence[str | None], phonology: Phonology) -> tuple[Syllable, ...]:
    """Return the syllables of Hanzi, of which Pinyin is given, one spelling a character.

    Raises `BadInput` for a character that has none, and where the bank does not sing Mandarin.
    """
    for letter, spelling in zip(text, spelt, strict=True):
        if spelling is None:
            where = "" if letter == text else f" in {text!r}"
            raise BadInput(
                f"{letter!r}{where} has no reading in Mandarin",
                remedy=f"write its Pinyin (ni3) or kana instead, or give its phones: {text}[n i]",
            )
    reading = [_pinyin_phones(spelling, phonology) for spelling in spelt if spelling]
    syllables, missing = _in_bank(reading, "zh", phonology)
    if missing:
        raise _unreadable(text, missing, phonology)
    return syllables


def read_hint(names: Sequence[str], phonology: Phonology, language: str = "") -> tuple[Syllable, ...]:
    """Return the syllables of phones a person wrote: bare or prefixed names, all from one language where one fits.

    Raises `BadInput` that names the first phone the bank does not have, and the nearest it has.
    """
    languages = _languages("", phonology, language)
    for candidate in languages:
        phones, unknown = phonology.resolve_all(names, candidate)
        if not unknown:
            return syllabify(phones, phonology.kind)
    found = [next((known for one in languages if (known := phonology.resolve(name, one))), None) for name in names]
    for name, known in zip(names, found, strict=True):
        if known is None:
            raise BadInput(f"this bank has no phone {name!r}{_nearest(name, phonology)}")
    return syllabify([phone for known in found for phone in known or ()], phonology.kind)


def bare_text(text: str) -> str:
    """Return a lyric as it is spoken: without punctuation, wide letters made narrow."""
    folded = unicodedata.normalize("NFKC", text)
    silent = ("P", "Cf", "Cc")
    kept = "".join(
        letter if letter in _KEPT or not unicodedata.category(letter).startswith(silent) else " " for letter in folded
    )
    return " ".join(kept.split()).strip("- ")


def _languages(text: str, phonology: Phonology, preferred: str) -> list[str]:
    """Return the languages worth asking, likeliest first: English for Latin letters unless another is preferred."""
    by_script = "ja" if has_kana(text) else "zh" if HAN.search(text) or has_tone(text) else "en"
    likeliest = [preferred] if preferred else []
    return list(dict.fromkeys([*likeliest, by_script, "", *phonology.languages]))


def _readings(text: str, language: str, phonology: Phonology) -> Iterator[list[Phones]]:
    """Yield what a language makes of a lyric, best first: a list of morae or words."""
    for spelling in dict.fromkeys((text, text.casefold(), to_hiragana(text))):
        if entry := phonology.entry(spelling, language):
            yield [entry]
    if language in ("ja", ""):
        for moras in (kana_moras(text.replace(" ", "")), roman_moras(text.replace(" ", ""))):
            if moras:
                yield [phonology.replaced(mora, language) for mora in moras]
    if language == "zh" and (spelt := plain_spelling(text)):
        yield [_pinyin_phones(spelt, phonology)]
    if language in ("en", ""):
        words = [phones for word in words_of(text) or () if (phones := pronounce(word))]
        if words:
            yield [phonology.replaced(phones, language) for phones in words]


def _pinyin_phones(spelling: str, phonology: Phonology) -> Phones:
    """Return the phones of one syllable: as the bank's dictionary has them, else initial and final."""
    return phonology.entry(spelling, "zh") or phonology.replaced(pinyin_syllables()[spelling], "zh")


def _in_bank(reading: Sequence[Phones], language: str, phonology: Phonology) -> tuple[tuple[Syllable, ...], list[str]]:
    """Return the syllables of a reading in the bank's phones, and the phones the bank lacks.

    A part without phones is a long mark and holds.
    """
    syllables: list[Syllable] = []
    missing: list[str] = []
    for part in reading:
        phones, unknown = phonology.resolve_all(part, language)
        missing += unknown
        syllables += syllabify(phones, phonology.kind) if part else (Syllable((), ""),)
    return tuple(syllables), missing


def _nearest(name: str, phonology: Phonology) -> str:
    by_bare_name = {bare_name(phone): phone for phone in phonology.phones}
    return did_you_mean(name, phonology.phones if "/" in name else by_bare_name)


def _unreadable(text: str, missing: Sequence[str], phonology: Phonology) -> BadInput:
    if not missing and (han := HAN.search(text)):
        return BadInput(
            f"{han[0]!r} in {text!r} has more than one reading in Japanese",
            remedy=f"write it in kana, or give its phones: {text}[k a]",
        )
    if missing:
        sung = ", ".join(filter(None, phonology.languages)) or "one language without a name"
        return BadInput(
            f"{text!r} needs the phone {missing[0]!r}, which this bank does not have; it sings {sung}",
            remedy=f"give phones it has: {text}[…]",
        )
    return BadInput(f"{text!r} cannot be read", remedy="write it in Latin letters, kana or Hanzi, numbers as words")
