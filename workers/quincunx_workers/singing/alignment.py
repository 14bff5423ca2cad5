"""When each phone of a phrase sounds: vowels on the notes, consonants in the time before them. Pure arithmetic.

    head             note 1            note 2        rest        tail
    SP AP h |ah......................|ow.......... d |SP  ...    SP
            ^ nucleus on its note    l before it  ^ closes its own note

Times are seconds from the phrase's anchor; negative ones lie in the head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quincunx_shared.phonemes import BREATH, SILENCE, NotePhonemes, Phonemes

#: Consonants never take more of the note they are taken from.
MOST_OF_A_NOTE = 0.45
#: A closing consonant that is pressed keeps this much where the note allows, or it is not heard at all.
LEAST_CODA_SECONDS = 0.05
#: … but leaves this part of the consonants' time to those that open the next syllable.
MOST_FOR_CODAS = 0.6
#: Shorter rests are sung through; a silence of that length would sound like a fault.
LEAST_REST_SECONDS = 0.05
#: The last sound of a phrase rings on a little, so that it does not end as if cut.
RELEASE_SECONDS = 0.035
BREATH_SECONDS = 0.25
#: A shorter breath is a click, not a breath.
LEAST_BREATH_SECONDS = 0.12


@dataclass(frozen=True, slots=True)
class Span:
    """A phone and when it begins; it lasts until the next one begins."""

    symbol: str
    start: float


@dataclass(frozen=True, slots=True)
class _Carrier:
    """A nucleus at its time, the consonants that open and close its syllable, and where its sound ends."""

    onset: tuple[str, ...]
    symbol: str
    coda: tuple[str, ...]
    start: float
    #: The start of the last note it is held over: consonants are taken from that note only.
    last_start: float
    end: float


def align(
    phonemes: Phonemes,
    notes: Sequence[tuple[float, float]],
    natural_seconds: Callable[[str], float],
    *,
    head_seconds: float,
    breath: bool,
) -> list[Span]:
    """Return the phones of a phrase in order of time; the first begins at `-head_seconds`, the last is silence.

    `notes` are start and end of every note. `head_seconds` is what consonants and breath before the first note may
    use. A phrase without any sound is one silence.
    """
    carriers = _carriers(phonemes, notes)
    if not carriers:
        return [Span(SILENCE, -head_seconds)]
    spans = _opening(carriers[0], natural_seconds, head_seconds=head_seconds, breath=breath)
    for one, following in zip(carriers, [*carriers[1:], None], strict=True):
        spans.append(Span(one.symbol, one.start))
        spans += _between(one, following, natural_seconds)
    return _merged(spans)


def _carriers(phonemes: Phonemes, notes: Sequence[tuple[float, float]]) -> list[_Carrier]:
    """Return the sung nuclei in order; rests only leave room, held notes lengthen the nucleus before them."""
    carriers: list[_Carrier] = []
    closed = True
    for note, (start, end) in zip(phonemes.notes, notes, strict=True):
        if note.nuclei and note.symbols[note.nuclei[0]] == SILENCE:
            closed = True
        elif note.nuclei:
            carriers += _nuclei_of(note, start, end)
            closed = False
        elif carriers and not closed:
            carriers[-1] = _held(carriers[-1], note, start, end)
    return carriers


def _nuclei_of(note: NotePhonemes, start: float, end: float) -> list[_Carrier]:
    """Return the nuclei of one note, which share it evenly; consonants between two of them open the later one."""
    count = len(note.nuclei)
    bounds = [start + (end - start) * number / count for number in range(count + 1)]
    carriers = []
    for number, place in enumerate(note.nuclei):
        opens = note.symbols[note.nuclei[number - 1] + 1 : place] if number else note.onset
        closes = note.symbols[place + 1 :] if number == count - 1 else ()
        carriers.append(
            _Carrier(opens, note.symbols[place], closes, bounds[number], bounds[number], bounds[number + 1])
        )
    return carriers


def _held(carrier: _Carrier, note: NotePhonemes, start: float, end: float) -> _Carrier:
    coda = (*carrier.coda, *note.symbols)
    return _Carrier(carrier.onset, carrier.symbol, coda, carrier.start, start, end)


def _opening(
    first: _Carrier, natural_seconds: Callable[[str], float], *, head_seconds: float, breath: bool
) -> list[Span]:
    """Return silence, a breath where there is room for one, and the consonants before the first note."""
    wanted = [natural_seconds(symbol) for symbol in first.onset]
    lengths = _pressed(wanted, first.start + head_seconds)
    begin = first.start - sum(lengths)
    spans = [Span(SILENCE, -head_seconds)]
    breath_seconds = min(BREATH_SECONDS, begin + head_seconds)
    if breath and first.symbol != BREATH and breath_seconds >= LEAST_BREATH_SECONDS:
        spans.append(Span(BREATH, begin - breath_seconds))
    return spans + _row(first.onset, lengths, begin)


def _between(one: _Carrier, following: _Carrier | None, natural_seconds: Callable[[str], float]) -> list[Span]:
    """Return what sounds between a nucleus and the next: its coda, a rest if there is one, the next onset."""
    codas = [natural_seconds(symbol) for symbol in one.coda]
    if following is None:
        end = one.end + RELEASE_SECONDS
        lengths = _pressed(codas, MOST_OF_A_NOTE * (one.end - one.last_start) + RELEASE_SECONDS)
        return [*_row(one.coda, lengths, end - sum(lengths)), Span(SILENCE, end)]
    onsets = [natural_seconds(symbol) for symbol in following.onset]
    rest = following.start - one.end
    if rest < LEAST_REST_SECONDS:
        coda_lengths, onset_lengths = _shared(codas, onsets, MOST_OF_A_NOTE * (following.start - one.last_start))
        begin = following.start - sum(coda_lengths) - sum(onset_lengths)
        return _row((*one.coda, *following.onset), (*coda_lengths, *onset_lengths), begin)
    lengths = _pressed(codas, MOST_OF_A_NOTE * (one.end - one.last_start))
    closing = _row(one.coda, lengths, one.end - sum(lengths))
    return closing + _rest(following, onsets, one.end)


def _rest(following: _Carrier, onsets: Sequence[float], begin: float) -> list[Span]:
    """Return a rest and the consonants that end it; a rest that is nearly all consonant is all consonant."""
    room = following.start - begin
    lengths = _pressed(onsets, room)
    silent = room - sum(lengths)
    if lengths and silent < LEAST_REST_SECONDS:
        lengths = [length * room / sum(lengths) for length in lengths]
        return _row(following.onset, lengths, begin)
    return [Span(SILENCE, begin), *_row(following.onset, lengths, begin + silent)]


def _pressed(lengths: Sequence[float], room: float) -> list[float]:
    """Return the lengths, evenly pressed where they need more than the room there is."""
    total = sum(lengths)
    room = max(room, 0.0)
    return list(lengths) if total <= room else [length * room / total for length in lengths]


def _shared(codas: Sequence[float], onsets: Sequence[float], room: float) -> tuple[list[float], list[float]]:
    """Share a room among closing and opening consonants so that neither side vanishes."""
    total = sum(codas) + sum(onsets)
    if total <= room:
        return list(codas), list(onsets)
    scale = max(room, 0.0) / total
    kept = [max(coda * scale, min(coda, LEAST_CODA_SECONDS)) for coda in codas]
    closing = _pressed(kept, room * MOST_FOR_CODAS if onsets else room)
    return closing, _pressed(onsets, room - sum(closing))


def _row(symbols: Sequence[str], lengths: Sequence[float], begin: float) -> list[Span]:
    spans = []
    for symbol, length in zip(symbols, lengths, strict=True):
        spans.append(Span(symbol, begin))
        begin += length
    return spans


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with neighbouring silences made one."""
    kept = list(spans[:1])
    kept += [one for before, one in pairwise(spans) if {one.symbol, before.symbol} != {SILENCE}]
    return kept
