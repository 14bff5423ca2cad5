"""What a picture needs of a song and of its results: nothing is computed for it that singing did not need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_orchestrator.picture.bars import bars_until
from quincunx_orchestrator.picture.reads import Reads
from quincunx_orchestrator.picture.sheet import Phone, PitchLine, Sheet, SungNote
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.readers import Song
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.assembly import Assembly, Placed
from quincunx_shared.intervention import Grid, Operator
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import Payload
from quincunx_shared.phonemes import Phonemes
from quincunx_shared.phrase import Lyrics, Melody, Timing

#: What the singing step reads, whoever makes it.
PH_SEQ, PH_DUR, F0 = PortKey("acoustic", "ph_seq"), PortKey("acoustic", "ph_dur"), PortKey("acoustic", "f0")
PHONEMES = PortKey("duration", "phonemes")

#: The ways that packages add to lay one value on another, by name.
Operators: TypeAlias = Mapping[str, Operator]
NO_OPERATORS: Operators = MappingProxyType({})


@dataclass(frozen=True)
class Sound:
    """The finished song: float32[channels, N], and what its mastering measured."""

    samples: npt.NDArray[np.float32]
    sample_rate: int
    report: Mapping[str, Any]


def ports_of(
    assembly: Assembly, without: Collection[SegmentId] = (), operators: Operators = NO_OPERATORS
) -> tuple[Address, ...]:
    """Return the outputs a picture reads: phones, their frames and f0 of every phrase but those left out."""
    sung = [_reads(one, operators) for one in assembly.placed if one.segment.id not in without]
    wanted = (reads.address(port) for reads in sung for port in (PH_SEQ, PH_DUR, F0, PHONEMES))
    return tuple(dict.fromkeys(address for address in wanted if address))


def read_sheet(
    title: str,
    song: Song,
    assembly: Assembly,
    results: Mapping[Address, Payload],
    sound: Sound,
    operators: Operators = NO_OPERATORS,
) -> Sheet:
    """Bring together what was written and what was sung. A transcript has neither bars nor tracks."""
    sung = [_SungPhrase(one, assembly.sample_rate, results, operators) for one in assembly.placed]
    seconds = sound.samples.shape[1] / sound.sample_rate
    start = assembly.window.first_sample / assembly.sample_rate
    end = start + seconds
    bars, beats = bars_until(song, end) if isinstance(song, Score) else ((), _whole_seconds(end))
    tracks = [track.name for track in song.tracks] if isinstance(song, Score) else [""]
    notes = (note for phrase in sung for note in phrase.notes()) if isinstance(song, Score) else _written(song)
    return Sheet(
        title=title,
        facts=tuple(_facts(song, seconds, sound.report)),
        tracks=tuple(name or f"Track {number}" for number, name in enumerate(tracks, 1)),
        notes=tuple(notes),
        phones=tuple(phone for phrase in sung for phone in phrase.phones()),
        lines=tuple(line for phrase in sung for line in phrase.lines()),
        bars=bars,
        beats=beats,
        samples=sound.samples,
        sample_rate=sound.sample_rate,
        start=start,
    )


class _SungPhrase:
    """One phrase: its inputs as its edits have left them, and its results, in seconds of the song."""

    def __init__(
        self, placed: Placed, song_rate: int, results: Mapping[Address, Payload], operators: Operators
    ) -> None:
        self._placed, self._results, self._reads = placed, results, _reads(placed, operators)
        grid = self._reads.grid
        self._frame_seconds = grid.step
        self._start = placed.start_sample / song_rate
        self._anchor = self._start + grid.step / 2 - grid.origin

    def notes(self) -> Iterator[SungNote]:
        """The notes as they were written, with the phones each of them got."""
        timing, melody = self._value(PortKey("pitch", "timing")), self._value(PortKey("pitch", "melody"))
        lyrics, phonemes = self._value(PortKey("phonemize", "lyrics")), self._value(PHONEMES)
        if timing is None or melody is None:
            return
        spans = Timing.from_payload(timing).note_seconds()
        tones = [note.tone for note in Melody.from_payload(melody).notes]
        words = [""] * len(spans)
        if lyrics is not None:
            words = ["–" if one.extension else one.text for one in Lyrics.from_payload(lyrics).notes]
        sounds = [""] * len(spans) if phonemes is None else _spelled(Phonemes.from_payload(phonemes))
        for (start, end), tone, word, sound in zip(spans, tones, words, sounds, strict=False):
            yield SungNote(self._anchor + start, self._anchor + end, tone, word.strip(), self._placed.track, sound)

    def phones(self) -> Iterator[Phone]:
        """The phones as they were timed."""
        symbols, edges = self._value(PH_SEQ), self._edges()
        for symbol, (start, end) in zip(symbols or (), pairwise(edges), strict=False):
            yield Phone(start, end, symbol, self._placed.track)

    def lines(self) -> Iterator[PitchLine]:
        """The pitch where something is sung: a line for each stretch between silences and breaths."""
        frames = self._value(PH_DUR)
        count = 0 if frames is None else int(np.sum(frames))
        f0 = self._reads.value(F0, self._results, frames=count)
        if np.shape(f0) != (count,):
            return
        seconds = self._start + (np.arange(len(f0), dtype=np.float64) + 0.5) * self._frame_seconds
        sung = np.zeros(len(f0), dtype=bool)
        for phone in self.phones():
            sung |= (seconds >= phone.start) & (seconds < phone.end) & (not phone.silent)
        tones = np.asarray(69 + 12 * np.log2(np.maximum(f0, 1e-3) / 440), np.float64)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], sung, [False]]).astype(np.int8)))
        for first, behind in edges.reshape(-1, 2):
            yield PitchLine(seconds[first:behind], tones[first:behind], self._placed.track)

    def _edges(self) -> Sequence[float]:
        counts = self._value(PH_DUR)
        if counts is None:
            return ()
        ends = np.concatenate([[0], np.cumsum(np.asarray(counts))])
        return [float(self._start + end * self._frame_seconds) for end in ends]

    def _value(self, port: PortKey) -> Any:
        """Return what a port reads: a result, or what was given to it; None if neither is there."""
        return self._reads.value(port, self._results)


def _reads(placed: Placed, operators: Operators) -> Reads:
    options = placed.segment.effective.graph.nodes["acoustic"].options
    frame_seconds = options["hop_size"] / options["sample_rate"]
    return Reads(
        placed.segment, Grid(origin=(0.5 - options["head_frames"]) * frame_seconds, step=frame_seconds), operators
    )


def _spelled(phonemes: Phonemes) -> list[str]:
    return ["".join(symbol.rsplit("/", 1)[-1] for symbol in note.symbols) for note in phonemes.notes]


def _whole_seconds(seconds: float) -> tuple[float, ...]:
    return tuple(map(float, range(1, int(seconds) + 1)))


def _written(transcript: Transcript) -> Iterator[SungNote]:
    """Yield the notes of a transcript; its words are those of whole segments and stand in none of them."""
    for segment in transcript.segments:
        end = segment.offset
        for note in segment.notes:
            start, end = end, end + note.seconds
            if note.tone is not None:
                yield SungNote(start, end, note.tone, "–" if note.slur else "", 0)


def _facts(song: Song, seconds: float, report: Mapping[str, Any]) -> Iterator[str]:
    yield f"{int(seconds) // 60}:{seconds % 60:04.1f}"
    if isinstance(song, Transcript):
        count = len(song.segments)
        yield f"{count} segment{'' if count == 1 else 's'}"
    else:
        yield from _metre(song)
    loudness, peak = report.get("loudness_lufs"), report.get("true_peak_dbtp")
    if loudness is not None:
        yield f"{loudness:.1f} LUFS".replace("-", "−")
    if peak is not None:
        yield f"{peak:.1f} dBTP".replace("-", "−")


def _metre(score: Score) -> Iterator[str]:
    tempos = list(dict.fromkeys(f"{event.bpm:g}" for event in score.tempos))
    yield f"{' → '.join(tempos) if len(tempos) <= 3 else f'{len(tempos)} tempos'} bpm"
    yield ", ".join(dict.fromkeys(f"{one.beats}/{one.unit}" for one in score.time_signatures[:4]))
