"""Songs for the tests, as values that can be edited, and their text as OpenUTAU would save it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

BEAT = 480


@dataclass(frozen=True)
class NoteText:
    """One note: position and duration in ticks from the phrase's start."""

    position: int
    duration: int
    tone: int
    lyric: str


@dataclass(frozen=True)
class PhraseText:
    """One phrase of the test song, somewhere on the track."""

    start: int
    notes: tuple[NoteText, ...]

    def moved(self, ticks: int) -> PhraseText:
        """The same phrase elsewhere."""
        return replace(self, start=self.start + ticks)

    def with_note(self, number: int, **changes: object) -> PhraseText:
        """The phrase with one note changed."""
        notes = list(self.notes)
        notes[number] = replace(notes[number], **changes)  # type: ignore[arg-type]
        return replace(self, notes=tuple(notes))


@dataclass(frozen=True)
class SongText:
    """A song with one track. Curves are (tick, value) points by abbreviation."""

    phrases: tuple[PhraseText, ...]
    bpm: float = 120
    volume: float = 0
    singer: str = "demo"
    curves: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def with_phrase(self, number: int, phrase: PhraseText) -> SongText:
        """The song with one phrase changed."""
        phrases = list(self.phrases)
        phrases[number] = phrase
        return replace(self, phrases=tuple(phrases))

    def with_curve(self, name: str, *points: tuple[int, int]) -> SongText:
        """The song with one curve drawn anew."""
        return replace(self, curves={**self.curves, name: points})

    def ustx(self) -> str:
        """The text of the song's file."""
        notes = "".join(_note(phrase.start, note) for phrase in self.phrases for note in phrase.notes)
        curves = "".join(_curve(name, points) for name, points in self.curves.items())
        return (
            "name: Test\nustx_version: 0.9\nresolution: 480\nexpressions: {}\n"
            "time_signatures:\n- {bar_position: 0, beat_per_bar: 4, beat_unit: 4}\n"
            f"tempos:\n- {{position: 0, bpm: {self.bpm}}}\n"
            f"tracks:\n- {{singer: {self.singer}, track_name: Lead, volume: {self.volume}, pan: 0}}\n"
            f"voice_parts:\n- name: Part\n  track_no: 0\n  position: 0\n  duration: 100000\n"
            f"  notes:{notes or ' []'}\n  curves:{curves or ' []'}\nwave_parts: []\n"
        )


def _note(start: int, note: NoteText) -> str:
    return (
        f"\n  - {{position: {start + note.position}, duration: {note.duration}, tone: {note.tone}, "
        f"lyric: {note.lyric}, pitch: {{data: [{{x: -40, y: 0, shape: io}}, {{x: 40, y: 0, shape: io}}], "
        f"snap_first: true}}}}"
    )


def _curve(name: str, points: tuple[tuple[int, int], ...]) -> str:
    xs, ys = [tick for tick, _ in points], [value for _, value in points]
    return f"\n  - {{xs: {xs}, ys: {ys}, abbr: {name}}}"


def phrase(start_beat: int, *words: str, tone: int = 64) -> PhraseText:
    """A phrase of notes of one beat each, a step up from note to note."""
    notes = tuple(NoteText(BEAT * number, BEAT, tone + number, word) for number, word in enumerate(words))
    return PhraseText(start_beat * BEAT, notes)


#: Three phrases, with rests of four beats and more between them.
SONG = SongText((phrase(4, "hello", "+"), phrase(12, "two", "lights", tone=62), phrase(20, "は", "な", tone=67)))
