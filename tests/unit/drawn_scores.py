"""Scores drawn by hypothesis: anything that the promises of the model allow and a .ustx file can hold."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature, Track, WavePart
from quincunx_orchestrator.score.ustx_curves import CURVE_KINDS
from quincunx_orchestrator.score.ustx_notes import read_lyric
from quincunx_shared.phrase import PitchPoint, PointShape, Vibrato
from quincunx_shared.tempo import TempoEvent

#: What YAML, or another reader of lyrics, might take for something else.
TRICKY = ("no", "off", "~", "null", "1:30", "#", "# a", "- a", "a: b", "🎤", '"', "'", "\\", "\\n", "{a", "*x", "&x")
MORE = (
    "+",
    "+~",
    "+2",
    "hello[hh ax l ow]",
    "[a b]c",
    "a\nb",
    "\t",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x00",
    " la ",
    "",
    "é",
)

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.one_of(st.sampled_from((*TRICKY, *MORE)), ANY_TEXT)
SHAPES: tuple[PointShape, ...] = ("io", "i", "o", "l", "sp")


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


POINTS = st.lists(
    st.builds(PitchPoint, numbers(-1e4, 1e4), numbers(-240, 240).map(lambda y: 10.0 * y), st.sampled_from(SHAPES)),
    max_size=4,
).map(lambda points: tuple(sorted(points, key=lambda point: point.ms)))


@st.composite
def vibratos(draw: st.DrawFn) -> Vibrato:
    fade_out = draw(numbers(0, 100))
    return Vibrato(
        draw(numbers(0.5, 100)),
        draw(numbers(5, 500)),
        draw(numbers(5, 200)),
        draw(numbers(0, 100 - fade_out)),
        fade_out,
        draw(numbers(0, 100)),
        draw(numbers(-100, 100)),
    )


@st.composite
def lines(draw: st.DrawFn, lyrics: st.SearchStrategy[str] = TEXTS) -> tuple[Note, ...]:
    """Draw notes that ascend without overlap; extensions stand where they touch."""
    notes: list[Note] = []
    now = 0
    for gap in draw(st.lists(st.sampled_from((0, 0, 1, 240)), max_size=5)):
        touching = bool(notes) and gap == 0
        note = Note(
            now + gap,
            draw(st.integers(1, 2000)),
            draw(st.integers(0, 127)),
            read_lyric(draw(lyrics), touching=touching),
            draw(numbers(-1200, 1200)),
            draw(POINTS),
            draw(st.booleans()),
            draw(st.none() | vibratos()),
        )
        notes.append(note)
        now = note.end_tick
    return tuple(notes)


@st.composite
def curves(draw: st.DrawFn, defaults: dict[str, float]) -> dict[str, PartCurve]:
    """Draw curves; those whose default is not the editor's stand in every part of a track, drawn or not."""
    found: dict[str, PartCurve] = {}
    for name, kind in CURVE_KINDS.items():
        ticks = tuple(sorted(draw(st.sets(st.integers(-100, 4000), max_size=3))))
        values = tuple(draw(numbers(kind.low, kind.high)) for _ in ticks)
        if ticks or name in defaults:
            found[name] = PartCurve(ticks, values, defaults.get(name, kind.neutral))
    return found


@st.composite
def scores(draw: st.DrawFn) -> Score:
    count = draw(st.integers(1, 3))
    names = TEXTS.filter(bool)
    tracks = [
        Track(
            draw(names),
            draw(TEXTS),
            draw(TEXTS),
            draw(numbers(-24, 12)),
            draw(numbers(-100, 100)),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for _ in range(count)
    ]
    own: Sequence[dict[str, float]] = [{"genc": draw(numbers(1, 100))} if draw(st.booleans()) else {} for _ in tracks]
    parts = [
        Part(track, draw(st.integers(0, 5000)), draw(lines()), draw(curves(own[track])), draw(TEXTS))
        for track in draw(st.lists(st.integers(0, count - 1), max_size=3))
    ]
    tempos = {0: 120.0} | draw(st.dictionaries(st.integers(0, 9999), numbers(20, 400), max_size=3))
    metre = st.tuples(st.integers(1, 1024), st.integers(1, 1024))
    metres = {0: (4, 4)} | draw(st.dictionaries(st.integers(0, 99), metre, max_size=3))
    ticks = st.one_of(st.just(0.0), numbers(0, 9999))
    waves = st.builds(
        WavePart, st.integers(0, count - 1), st.integers(0, 9999), TEXTS, TEXTS, ticks, ticks, ticks, ticks
    )
    return Score(
        draw(names),
        tuple(tracks),
        tuple(parts),
        tuple(TempoEvent(tick, tempos[tick]) for tick in sorted(tempos)),
        tuple(TimeSignature(bar, *metres[bar]) for bar in sorted(metres)),
        wave_parts=tuple(draw(st.lists(waves, max_size=2))),
    )
