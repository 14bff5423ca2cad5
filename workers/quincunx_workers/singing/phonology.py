"""What a bank can say: its phones, what kind each is, how long it lasts by nature, and its dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quincunx_shared.names import Digest
from quincunx_shared.phonemes import BREATH, SILENCE
from quincunx_workers.singing.dictionary import Dictionary, parse_dictionary

Phones = tuple[str, ...]

#: Kinds where the bank's dictionary gives none. What starts with a vowel letter is a vowel.
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(["m", "n", "ng", "my", "ny"], "nasal"), **dict.fromkeys(["l", "r", "ry"], "liquid"),
    **dict.fromkeys(["w", "y"], "semivowel"), **dict.fromkeys(["ch", "jh", "ts", "j"], "affricate"),
    **dict.fromkeys(["s", "z", "sh", "zh", "f", "v", "th", "dh", "hh", "h", "hy"], "fricative"), "N": "vowel",
}  # fmt: skip
_VOWEL_LETTERS = tuple("aeiouAEIOU")

#: Natural durations where the bank's dictionary gives none, in milliseconds.
_NATURAL_MS: Mapping[str, float] = {
    **dict.fromkeys(("p", "t", "k"), 90), **dict.fromkeys(("b", "d", "g"), 72),
    **dict.fromkeys(("s", "sh", "f", "th"), 105), **dict.fromkeys(("z", "zh", "v", "dh"), 75),
    **dict.fromkeys(("ch", "ts"), 115), **dict.fromkeys(("jh", "j"), 85), "r": 70, "hh": 80, "h": 80, "cl": 80,
    SILENCE: 100, BREATH: 250,
}  # fmt: skip
_NATURAL_MS_OF_KIND: Mapping[str, float] = {
    "vowel": 120, "semivowel": 80, "liquid": 70, "nasal": 75, "stop": 85, "fricative": 90, "affricate": 105,
}  # fmt: skip
#: For a type the bank made up.
_ANY_KIND_MS = 80.0

#: What a bank that lacks a phone sings instead.
_SUBSTITUTES: Mapping[str, Phones] = {
    "ax": ("ah",), "axr": ("er",), "ix": ("ih",), "ux": ("uw",), "dx": ("d",), "nx": ("n",), "hh": ("h",),
    "el": ("ah", "l"), "em": ("ah", "m"), "en": ("ah", "n"), "N": ("n",), "f": ("h",), "v": ("b",), "cl": ("q",),
    **{f"{consonant}y": (consonant, "y") for consonant in "kgtdnhbpmrfv"},
}  # fmt: skip

_PARSED: dict[Digest, Dictionary] = {}
_PARSED_LIMIT = 32


def bare_name(phone: str) -> str:
    """Return a phone without its language: `en/aa` → `aa`."""
    return phone.rpartition("/")[2]


@dataclass(frozen=True)
class Phonology:
    """The phones and dictionaries of one bank. The dictionary of language "" belongs to no language."""

    phones: frozenset[str]
    dictionaries: Mapping[str, Dictionary]

    @classmethod
    def from_payload(cls, payload: Any, read: Callable[[Digest], bytes]) -> Phonology:
        """Build from what `Voicebank.phonology` gives; `read` fetches a file by digest, once a process."""
        dictionaries = payload["dictionaries"].items()
        return cls(
            frozenset(payload["phones"]),
            {language: _dictionary(Digest(digest), language, read) for language, digest in dictionaries},
        )

    @property
    def languages(self) -> list[str]:
        """The languages the bank sings, by its phones' prefixes and its dictionaries; "" comes last."""
        prefixes = {phone.partition("/")[0] for phone in self.phones if "/" in phone}
        return sorted(prefixes | set(self.dictionaries), key=lambda language: (not language, language))

    def entry(self, text: str, language: str) -> Phones | None:
        """Return what the bank's dictionary of a language says of a lyric."""
        dictionary = self.dictionaries.get(language)
        return None if dictionary is None else dictionary.entries.get(text)

    def replaced(self, phones: Sequence[str], language: str) -> Phones:
        """Return general phone names as the bank's dictionary renames them."""
        dictionary = self.dictionaries.get(language)
        return tuple(phones) if dictionary is None else dictionary.replaced(phones)

    def resolve(self, name: str, language: str) -> Phones | None:
        """Return the bank's phones for a general name in a language, or None where it has none.

        In any case, with or without stress; failing that, a neighbour of the sound. A name with a language means
        that language alone, or a bank whose phones have none.
        """
        if "/" in name:
            found = next((known for known in (name, bare_name(name)) if known in self.phones), None)
            return None if found is None else (found,)
        for candidate in (name, name.lower(), name.rstrip("0123456789").lower()):
            for known in (f"{language}/{candidate}", candidate):
                if known in self.phones:
                    return (known,)
        return self._substitute(name, language)

    def resolve_all(self, names: Sequence[str], language: str) -> tuple[Phones, list[str]]:
        """Return the bank's phones for all names, and the names it has no phone for."""
        resolved = [(name, self.resolve(name, language)) for name in names]
        phones = tuple(phone for _, found in resolved for phone in found or ())
        return phones, [name for name, found in resolved if found is None]

    def kind(self, phone: str) -> str:
        """Return `silence`, or the type of a phone in the words of a dsdict."""
        if phone in (SILENCE, BREATH):
            return "silence"
        for dictionary in self.dictionaries.values():
            if phone in dictionary.kinds:
                return dictionary.kinds[phone]
        plain = bare_name(phone)
        return "vowel" if plain.startswith(_VOWEL_LETTERS) else _KINDS.get(plain, "stop")

    def natural_seconds(self, phone: str) -> float:
        """Return how long a phone lasts when nothing presses it."""
        for dictionary in self.dictionaries.values():
            if phone in dictionary.natural_ms:
                return dictionary.natural_ms[phone] / 1000
        by_kind = _NATURAL_MS_OF_KIND.get(self.kind(phone), _ANY_KIND_MS)
        return _NATURAL_MS.get(bare_name(phone), by_kind) / 1000

    def _substitute(self, name: str, language: str) -> Phones | None:
        others = [(f"{language}/{other}", other) for other in _SUBSTITUTES.get(name, ())]
        found = [next((known for known in pair if known in self.phones), None) for pair in others]
        phones = tuple(known for known in found if known is not None)
        return phones if phones and len(phones) == len(found) else None


def _dictionary(digest: Digest, language: str, read: Callable[[Digest], bytes]) -> Dictionary:
    """Parse once a process: a dictionary of 100,000 words takes a second, and every phrase asks for it."""
    if digest not in _PARSED:
        if len(_PARSED) >= _PARSED_LIMIT:
            _PARSED.clear()
        _PARSED[digest] = parse_dictionary(read(digest), where=f"dsdict-{language}.yaml" if language else "dsdict.yaml")
    return _PARSED[digest]
