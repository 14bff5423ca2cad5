"""One part of a MusicXML song, measure by measure: notes in ticks, words, tempos and metres.

MusicXML 4.0 counts in divisions of a quarter, which may change from measure to measure. Positions are kept as
fractions of a quarter, so that triplets add up to whole beats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from quincunx_orchestrator.score.one_voice import Struck
from quincunx_orchestrator.score.words import Syllable
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER

if TYPE_CHECKING:
    from quincunx_orchestrator.score.musicxml_file import Element

#: Longer measures and more of them are no music, but would take hours to render.
_QUARTERS_LIMIT = 100_000

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_BEATS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}


@dataclass(frozen=True, slots=True)
class Written:
    """A note as it stands: where it begins and ends in quarters, its tone, its ties, its syllable."""

    start: Fraction
    end: Fraction
    tone: int
    tied_from: bool
    tied_on: bool
    syllable: Syllable | None


@dataclass
class PartReading:
    """What stands in a part: notes by voice, tempos (quarter, bpm), metres (measure, beats, unit), what is left out."""

    voices: dict[str, list[Written]] = field(default_factory=dict)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    metres: list[tuple[int, int, int]] = field(default_factory=list)
    bars: list[Fraction] = field(default_factory=list)
    grace_notes: int = 0
    repeats: bool = False


class PartReader:
    """Walks through the measures of one part. Everything wrong is told with part and measure."""

    def __init__(self, name: str) -> None:
        self.reading = PartReading()
        self._name = name
        self._measure = ""
        self._now = Fraction(0)
        self._previous = Fraction(0)
        self._divisions = 1
        self._transposed = 0
        self._open_words: dict[str, bool] = {}

    def read(self, measures: Iterable[Element]) -> PartReading:
        """Return what stands in the measures."""
        start = Fraction(0)
        for number, measure in enumerate(measures):
            self._measure = measure.get("number", str(number + 1))
            self.reading.bars.append(start)
            self._now, end = start, start
            for element in measure:
                self._hear(element, number)
                end = max(end, self._now)
            start = end
            if start > _QUARTERS_LIMIT:
                raise self._refuse(f"the song is longer than {_QUARTERS_LIMIT:,} quarter notes")
        self.reading.bars.append(start)
        return self.reading

    def _hear(self, element: Element, number: int) -> None:
        if element.tag == "attributes":
            self._attributes(element, number)
        elif element.tag == "note":
            self._note(element)
        elif element.tag == "backup":
            self._now = max(self._now - self._duration(element), self.reading.bars[-1])
        elif element.tag == "forward":
            self._now += self._duration(element)
        elif element.tag in ("direction", "sound"):
            self._tempo(element)
        elif element.tag == "barline":
            self.reading.repeats |= element.find("repeat") is not None

    def _attributes(self, attributes: Element, number: int) -> None:
        if attributes.find("divisions") is not None:
            self._divisions = self._integer(attributes, "divisions", 1, 1_000_000)
        for time in attributes.findall("time"):
            if time.find("beats") is not None:
                beats = sum(self._plain_integers(time.findtext("beats", "")))
                unit = self._integer(time, "beat-type", 1, 64)
                if not 1 <= beats <= 64 or unit & (unit - 1):
                    raise self._refuse(f"a metre of {time.findtext('beats')}/{unit}")
                self.reading.metres.append((number, beats, unit))
        transpose = attributes.find("transpose")
        if transpose is not None:
            octaves = self._integer(transpose, "octave-change", -8, 8, default=0)
            self._transposed = self._integer(transpose, "chromatic", -48, 48, default=0) + 12 * octaves

    def _note(self, note: Element) -> None:
        if note.find("grace") is not None or note.find("cue") is not None:
            self.reading.grace_notes += 1
            return
        length = self._duration(note)
        start = self._previous if note.find("chord") is not None else self._now
        if note.find("chord") is None:
            self._previous = self._now
            self._now += length
        pitch = note.find("pitch")
        if pitch is None or not length:
            return
        voice = f"{note.findtext('staff', '1')}.{note.findtext('voice', '1')}"
        ties = {tie.get("type") for tie in note.findall("tie")}
        written = Written(
            start, start + length, self._tone(pitch), "stop" in ties, "start" in ties, self._syllable(note, voice)
        )
        self.reading.voices.setdefault(voice, []).append(written)

    def _tone(self, pitch: Element) -> int:
        step = pitch.findtext("step", "").strip().upper()
        if step not in _STEPS:
            raise self._refuse(f"{step!r} is no step of a pitch", "A to G")
        alter = self._number(pitch, "alter", 0.0)
        octave = self._integer(pitch, "octave", -1, 10)
        tone = 12 * (octave + 1) + _STEPS[step] + round(alter) + self._transposed
        if not 0 <= tone <= 127:
            raise self._refuse(f"the tone {step}{octave} is out of the range of any voice")
        return tone

    def _syllable(self, note: Element, voice: str) -> Syllable | None:
        lyric = next(
            (one for one in note.findall("lyric") if one.get("number", "1") in ("1", "verse1", "part1verse1")), None
        )
        if lyric is None:
            lyric = note.find("lyric")
        texts = [] if lyric is None else [one.text or "" for one in lyric.findall("text")]
        text = "".join(texts).strip()
        if lyric is None or not text:
            return None
        syllabic = lyric.findtext("syllabic", "single").strip()
        continues = self._open_words.get(voice, False) and syllabic in ("middle", "end")
        self._open_words[voice] = syllabic in ("begin", "middle")
        return Syllable(text, continues)

    def _tempo(self, element: Element) -> None:
        offset = Fraction(0)
        sounds = [element] if element.tag == "sound" else element.findall("sound")
        marked = next((sound.get("tempo") for sound in sounds if sound.get("tempo")), None)
        bpm = self._float(marked, "tempo") if marked else self._metronome(element)
        if bpm is None:
            return
        if not 5.0 <= bpm <= 2000.0:
            raise self._refuse(f"a tempo of {bpm:g} beats a minute; between 5 and 2000 can be sung")
        self.reading.tempos.append((self._now + offset, bpm))

    def _metronome(self, element: Element) -> float | None:
        mark = element.find("direction-type/metronome")
        if mark is None or mark.findtext("per-minute") is None:
            return None
        beat = _BEATS.get(mark.findtext("beat-unit", "quarter").strip(), 1.0)
        dotted = beat * (2 - 0.5 ** len(mark.findall("beat-unit-dot")))
        try:
            return float(mark.findtext("per-minute", "")) * dotted
        except ValueError:
            return None  # “ca. 120” is for people

    def _duration(self, element: Element) -> Fraction:
        if element.find("duration") is None:
            return Fraction(0)
        value = self._number(element, "duration", 0.0)
        if not 0 <= value <= self._divisions * 10_000:
            raise self._refuse(f"a duration of {value:g}")
        return Fraction(value).limit_denominator(1_000_000) / self._divisions

    def _integer(self, element: Element, tag: str, low: int, high: int, default: int | None = None) -> int:
        value = self._number(element, tag, None if default is None else float(default))
        if value != int(value) or not low <= value <= high:
            raise self._refuse(f"{tag} is {value:g}", f"a whole number from {low} to {high}")
        return int(value)

    def _number(self, element: Element, tag: str, default: float | None) -> float:
        text = element.findtext(tag)
        if text is None:
            if default is None:
                raise self._refuse(f"{element.tag} has no {tag}")
            return default
        return self._float(text, tag)

    def _float(self, text: str, tag: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not abs(value) <= 1e9:
            raise self._refuse(f"{tag} is {text[:40]!r}", "a number")
        return value

    def _plain_integers(self, text: str) -> list[int]:
        """A metre may be written `3+2`."""
        return [round(self._float(part, "beats")) for part in text.split("+")]

    def _refuse(self, what: str, allowed: str = "") -> BadScore:
        remedy = f"it must be {allowed}" if allowed else ""
        return BadScore(what, where=f"{self._name}, measure {self._measure}", remedy=remedy)


def struck_of(written: Iterable[Written]) -> list[Struck[Syllable]]:
    """Join tied notes, and give every note its ticks: positions are rounded, not lengths."""
    joined: list[Written] = []
    sounding: dict[int, int] = {}
    for one in sorted(written, key=lambda one: one.start):
        before = sounding.get(one.tone)
        if one.tied_from and before is not None and joined[before].tied_on and joined[before].end == one.start:
            first = joined[before]
            joined[before] = Written(first.start, one.end, one.tone, first.tied_from, one.tied_on, first.syllable)
            continue
        sounding[one.tone] = len(joined)
        joined.append(one)
    return [Struck(ticks(one.start), ticks(one.end), one.tone, one.syllable) for one in joined]


def ticks(quarters: Fraction) -> int:
    """Return a position in ticks, halves up."""
    return int(quarters * TICKS_PER_QUARTER + Fraction(1, 2))
