"""From the phonemes of a transcript to those of a voice.

A voice that has a segment's phonemes itself, by name or by name within the segment's language, sings them as they are.
For any other, the set of names is found that covers most of the segment, and its table says what is sung.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from quincunx_orchestrator.score.transcript import DsSegment, Transcript
from quincunx_orchestrator.song.phone_sets import arpabet, opencpop, romaji, xsampa
from quincunx_shared.errors import BadInput

#: What one phoneme of a transcript is sung as: phones of the voice.
Phones: TypeAlias = tuple[str, ...]

#: Shares of the time of a phoneme that is sung as several: glides and closing nasals are short, the vowel has the rest.
_SHARES: Mapping[str, float] = {"y": 0.2, "w": 0.2, "n": 0.3, "m": 0.3, "ng": 0.3, "l": 0.3, "N": 0.3}

#: How many phonemes a notice names.
_NAMED = 12


@dataclass(frozen=True)
class PhoneSet:
    """A set of phoneme names: what people call it, the languages it writes, and its table."""

    name: str
    languages: frozenset[str]
    rows: Mapping[str, tuple[str, ...]]
    ignores_case: bool = False

    def ways(self, phone: str) -> tuple[str, ...]:
        """Return the ways to sing a phoneme, best first; none if the set has no such phoneme."""
        if self.ignores_case:
            phone = phone.lower().rstrip("012") or phone
        return self.rows.get(phone, ())


#: Where several cover a segment equally, the first of these is taken.
PHONE_SETS = (
    PhoneSet("opencpop-extension (pinyin)", frozenset({"zh"}), opencpop.ROWS),
    PhoneSet("ARPAbet", frozenset({"en"}), arpabet.ROWS, ignores_case=True),
    PhoneSet("romaji", frozenset({"ja"}), romaji.ROWS),
    PhoneSet("X-SAMPA", frozenset(), xsampa.ROWS),
)

#: Pauses as every set writes them.
PAUSES: Mapping[str, tuple[str, ...]] = {
    "SP": ("SP",), "AP": ("AP", "SP"), "pau": ("SP",), "sil": ("SP",), "br": ("AP", "SP"), "exh": ("AP", "SP"),
}  # fmt: skip


@dataclass(frozen=True)
class Mapped:
    """The segments with the voice's own phonemes, and what is to be said about it."""

    segments: tuple[DsSegment, ...]
    notices: tuple[str, ...]


def sung_by(transcript: Transcript, voice: str, phones: Collection[str]) -> Mapped:
    """Return the segments as a voice with these phones sings them.

    Raises `BadInput` at `[3].ph_seq[17]` for a phoneme that neither the voice nor any set knows.
    """
    everything = [phone for segment in transcript.segments for phone in segment.ph_seq]
    segments: list[DsSegment] = []
    told: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    for number, segment in enumerate(transcript.segments):
        known = None if _is_own(segment, phones) else best_set(segment.ph_seq, segment.lang, everything)
        ways = [_sung(phone, segment.lang, phones, known) for phone in segment.ph_seq]
        for place, (phone, way) in enumerate(zip(segment.ph_seq, ways, strict=True)):
            if not way:
                raise _unknown(phone, voice, phones, transcript.place(number, f"ph_seq[{place}]"))
        sung = [way or () for way in ways]
        segments.append(with_phones(segment, sung))
        if known is not None:
            counts[known.name] = counts.get(known.name, 0) + 1
            pairs = zip(segment.ph_seq, sung, strict=True)
            told.setdefault(known.name, {}).update({phone: " ".join(way) for phone, way in pairs})
    return Mapped(tuple(segments), tuple(_notice(name, counts[name], voice, told[name]) for name in counts))


def best_set(symbols: Sequence[str], language: str, everything: Iterable[str]) -> PhoneSet:
    """Return the set that covers most of a segment; then that of its language; then the one of the whole file."""
    whole = list(everything)

    def rank(known: PhoneSet) -> tuple[float, bool, float]:
        return _coverage(symbols, known), language in known.languages, _coverage(whole, known)

    return max(PHONE_SETS, key=rank)  # of equals the first


def with_phones(segment: DsSegment, sung: Sequence[Phones]) -> DsSegment:
    """Return a segment with each phoneme replaced by one or several, which share its time and belong to its word."""
    if all(len(way) == 1 for way in sung):
        return replace(segment, ph_seq=tuple(phone for way in sung for phone in way))
    sizes, sizes_left = [], list(segment.ph_num)
    start = 0
    for size in sizes_left:
        sizes.append(sum(len(way) for way in sung[start : start + size]))
        start += size
    durations = None
    if segment.ph_dur is not None:
        spread = zip(segment.ph_dur, sung, strict=True)
        durations = tuple(seconds * share for seconds, way in spread for share in _shares(way))
    mix = {name: _repeated(weights, sung) for name, weights in segment.ph_spk_mix.items()}
    phones = tuple(phone for way in sung for phone in way)
    return replace(segment, ph_seq=phones, ph_dur=durations, ph_num=tuple(sizes), ph_spk_mix=mix)


def _repeated(weights: float | tuple[float, ...], sung: Sequence[Phones]) -> float | tuple[float, ...]:
    if not isinstance(weights, tuple):
        return weights
    return tuple(weight for weight, way in zip(weights, sung, strict=True) for _ in way)


def _shares(way: Phones) -> list[float]:
    if len(way) == 1:
        return [1.0]
    short = [_SHARES.get(phone.rpartition("/")[2], 0.0) for phone in way]
    long = short.count(0.0)
    if not long:
        return [1 / len(way)] * len(way)
    return [share or (1 - sum(short)) / long for share in short]


def _is_own(segment: DsSegment, phones: Collection[str]) -> bool:
    return all(phone in phones or f"{segment.lang}/{phone}" in phones or phone in PAUSES for phone in segment.ph_seq)


def _sung(phone: str, language: str, phones: Collection[str], known: PhoneSet | None) -> Phones | None:
    ways = PAUSES.get(phone, ()) if known is None else (*PAUSES.get(phone, ()), *known.ways(phone))
    for way in (phone, f"{language}/{phone}", *ways):
        sung = tuple(way.split())
        if all(one in phones for one in sung):
            return sung
    return None


def _coverage(symbols: Sequence[str], known: PhoneSet) -> float:
    sounding = [symbol for symbol in symbols if symbol not in PAUSES]
    return sum(bool(known.ways(symbol)) for symbol in sounding) / max(len(sounding), 1)


def _unknown(phone: str, voice: str, phones: Collection[str], where: str) -> BadInput:
    bare: dict[str, list[str]] = {}
    for name in sorted(phones):
        bare.setdefault(name.rpartition("/")[2], []).append(name)
    wanted = phone.rpartition("/")[2]
    near = [name for one in difflib.get_close_matches(wanted, bare, n=3, cutoff=0.3) for name in bare[one]][:4]
    nearest = f"; the nearest are {', '.join(near)}" if near else ""
    remedy = "write one of the voice's phonemes, or choose a voice that has it with --voice"
    return BadInput(f"the voice {voice!r} has no phoneme {phone[:40]!r}{nearest}", where=where, remedy=remedy)


def _same_name(phone: str, way: str) -> bool:
    return way.rpartition("/")[2] in (phone, phone.lower().rstrip("012"))


def _notice(set_name: str, count: int, voice: str, sung: Mapping[str, str]) -> str:
    others = {phone: way for phone, way in sung.items() if not _same_name(phone, way)}
    pairs = [f"{phone} as {way.replace(' ', '+')}" for phone, way in list(others.items())[:_NAMED]]
    more = ", …" if len(others) > _NAMED else ""
    segments = "1 segment is" if count == 1 else f"{count} segments are"
    sings = f"; the voice {voice!r} sings {', '.join(pairs)}{more}" if pairs else ""
    return f"{segments} written in {set_name}{sings}"
