"""The .ds files of DiffSinger: one segment or a list of them, in JSON."""

from __future__ import annotations

from typing import Any

from quincunx_orchestrator.score.ds_fields import MOST_SECONDS, SegmentFields, shown
from quincunx_orchestrator.score.formats import decode_text
from quincunx_orchestrator.score.note_names import REST, tone_of
from quincunx_orchestrator.score.transcript import LEVELS, DsSegment, Level, SampledCurve, Transcript, WrittenNote
from quincunx_shared.errors import BadInput, BadScore
from quincunx_shared.strict_json import read_json

#: A segment is sung in one piece, and its spectrogram must fit into memory.
MOST_PHONEMES, MOST_SEGMENT_SECONDS = 20_000, 900.0
_MOST, _CUT = f"at most {MOST_SEGMENT_SECONDS:g}", "cut the segment at a silence"
_PHONEME_SECONDS = (0.0, 600.0)
_HERTZ = (0.0, 20_000.0)

#: What values a curve may have; wider than what voices were trained with, narrower than what breaks them.
_RANGES = {
    "gender": (-5.0, 5.0), "velocity": (0.01, 100.0), "energy": (-200.0, 100.0), "breathiness": (-200.0, 100.0),
    "voicing": (-200.0, 100.0), "tension": (-100.0, 100.0), "expr": (0.0, 1.0),
}  # fmt: skip

#: Read, or known to change nothing that is sung. `is_slur_seq` and `note_dur_seq` are older spellings of OpenUTAU,
#: which writes them beside the newer ones.
_KNOWN = frozenset(
    {"offset", "text", "lang", "seed", "ph_seq", "ph_dur", "ph_num", "note_seq", "note_dur", "note_slur", "note_glide"}
    | {"f0_seq", "f0_timestep", "spk_mix", "spk_mix_timestep", "ph_spk_mix", "input_type", "is_slur_seq"}
    | {"note_dur_seq", *LEVELS, *(f"{name}_timestep" for name in LEVELS)}
)


def read_ds(raw: bytes, name: str) -> Transcript:
    """Return the segments of a .ds file. Raises `BadScore` at `file: [3].ph_dur[17]`, or `file:line`."""
    try:
        document = read_json(decode_text(raw, name), where=name)
    except BadScore:
        raise
    except BadInput as error:
        raise BadScore(error.what, where=error.where, remedy=error.remedy) from error
    listed = isinstance(document, list)
    rows: list[Any] = document if isinstance(document, list) else [document]
    if not rows:
        raise BadScore("there are no segments in this file", where=name)
    segments: list[DsSegment] = []
    unread: dict[str, None] = {}
    for number, members in enumerate(rows):
        place = f"[{number}]" if listed else ""
        if not isinstance(members, dict):
            raise BadScore(f"a segment must be a mapping, not {shown(members)}", where=f"{name}: {place}".rstrip(": "))
        segments.append(_segment(SegmentFields(name, place, members)))
        unread.update({key: None for key, value in members.items() if key not in _KNOWN and value is not None})
    return Transcript(tuple(segments), _unread(list(unread)), name)


def _unread(keys: list[str]) -> tuple[str, ...]:
    if not keys:
        return ()
    named = ", ".join(repr(key[:40]) for key in keys[:6]) + (", …" if len(keys) > 6 else "")
    return (f"not read: {named}",)


def _segment(fields: SegmentFields) -> DsSegment:
    if fields.has("input_type") and fields.text("input_type") != "phoneme":
        remedy = "save the segment with its phonemes"
        raise fields.refuse("input_type", f"must be 'phoneme', not {fields.text('input_type')!r}", remedy)
    phonemes = fields.words("ph_seq")
    if not 0 < len(phonemes) <= MOST_PHONEMES:
        remedy = "" if fields.has("ph_seq") else "write the phonemes of the segment, with spaces between"
        raise fields.refuse("ph_seq", f"must have 1 to {MOST_PHONEMES} phonemes, not {len(phonemes)}", remedy)
    notes = _notes(fields)
    segment = DsSegment(
        ph_seq=phonemes,
        offset=fields.number("offset", -60.0, MOST_SECONDS, default=0.0),
        text=fields.text("text"),
        lang=fields.text("lang"),
        ph_dur=_durations(fields, len(phonemes)),
        ph_num=_word_sizes(fields, len(phonemes), notes),
        notes=notes,
        glides=_glides(fields, len(notes)),
        f0=_pitch(fields),
        levels=_levels(fields),
        spk_mix=_speakers(fields),
        ph_spk_mix=_phoneme_speakers(fields, len(phonemes)),
        seed=fields.integer("seed"),
    )
    _check_complete(fields, segment)
    return segment


def _durations(fields: SegmentFields, count: int) -> tuple[float, ...] | None:
    if not fields.has("ph_dur"):
        return None
    seconds = fields.numbers("ph_dur", *_PHONEME_SECONDS)
    _check_length(fields, "ph_dur", len(seconds), count, "phonemes in ph_seq")
    if not 0 < sum(seconds) <= MOST_SEGMENT_SECONDS:
        raise fields.refuse("ph_dur", f"lasts {sum(seconds):g} s, which must be above 0 and {_MOST}", _CUT)
    return seconds


def _notes(fields: SegmentFields) -> tuple[WrittenNote, ...]:
    names = fields.words("note_seq")
    if not names:
        return ()
    seconds = fields.numbers("note_dur", *_PHONEME_SECONDS)
    slurs = fields.counts("note_slur", 1) if fields.has("note_slur") else (0,) * len(names)
    _check_length(fields, "note_dur", len(seconds), len(names), "notes in note_seq")
    _check_length(fields, "note_slur", len(slurs), len(names), "notes in note_seq")
    notes = []
    if sum(seconds) > MOST_SEGMENT_SECONDS:
        raise fields.refuse("note_dur", f"lasts {sum(seconds):g} s, which must be {_MOST}", _CUT)
    for place, (name, length, slur) in enumerate(zip(names, seconds, slurs, strict=True)):
        tone = None if name == REST else tone_of(name)
        if name != REST and tone is None:
            remedy = "notes are written as C4, A#3, Bb3 or C4+12, and rests as rest"
            raise fields.refuse(f"note_seq[{place}]", f"{shown(name)} is no note", remedy)
        notes.append(WrittenNote(name, length, tone, bool(slur)))
    return tuple(notes)


def _glides(fields: SegmentFields, count: int) -> tuple[str, ...]:
    glides = fields.words("note_glide")
    if glides:
        _check_length(fields, "note_glide", len(glides), count, "notes in note_seq")
    return glides


def _word_sizes(fields: SegmentFields, count: int, notes: tuple[WrittenNote, ...]) -> tuple[int, ...]:
    sizes = fields.counts("ph_num", MOST_PHONEMES)
    if sizes and sum(sizes) != count:
        raise fields.refuse("ph_num", f"counts {sum(sizes)} phonemes, ph_seq has {count}")
    words = sum(not note.slur or place == 0 for place, note in enumerate(notes))
    if sizes and notes and words != len(sizes):
        remedy = "a word is a note and the slurs behind it"
        raise fields.refuse("ph_num", f"has {len(sizes)} words, note_seq and note_slur {words}", remedy)
    return sizes


def _pitch(fields: SegmentFields) -> SampledCurve | None:
    if not fields.has("f0_seq"):
        return None
    curve = fields.curve("f0_seq", "f0_timestep", *_HERTZ)
    if not any(curve.values):
        raise fields.refuse("f0_seq", "has no pitch at all: every value is 0")
    return curve


def _levels(fields: SegmentFields) -> dict[str, Level]:
    given = [name for name in LEVELS if fields.has(name)]
    return {name: fields.level(name, f"{name}_timestep", *_RANGES[name]) for name in given}


def _speakers(fields: SegmentFields) -> dict[str, Level]:
    mix = fields.inner("spk_mix")
    shared = {"spk_mix_timestep": fields.members.get("spk_mix_timestep")}
    weights = SegmentFields(mix.file, mix.place, {**mix.members, **shared})
    return {name: weights.level(name, "spk_mix_timestep", 0.0, 1e6) for name in mix.members if mix.has(name)}


def _phoneme_speakers(fields: SegmentFields, count: int) -> dict[str, float | tuple[float, ...]]:
    mix = fields.inner("ph_spk_mix")
    found: dict[str, float | tuple[float, ...]] = {}
    for name, value in mix.members.items():
        if isinstance(value, str):
            weights = mix.numbers(name, 0.0, 1e6)
            _check_length(mix, name, len(weights), count, "phonemes in ph_seq")
            found[name] = weights
        elif value is not None:
            found[name] = mix.number(name, 0.0, 1e6)
    return found


def _check_length(fields: SegmentFields, key: str, found: int, wanted: int, of: str) -> None:
    if found != wanted:
        raise fields.refuse(key, f"has {found} values for {wanted} {of}")


def _check_complete(fields: SegmentFields, segment: DsSegment) -> None:
    """Refuse a segment from which neither is known how it sounds nor can be predicted."""
    if segment.ph_dur is None and not (segment.ph_num and segment.notes):
        remedy = "write ph_dur, or ph_num, note_seq and note_dur, from which it is predicted"
        raise fields.refuse("ph_dur", "is missing", remedy)
    if segment.f0 is None and not any(note.tone is not None for note in segment.notes):
        remedy = "write f0_seq and f0_timestep, or note_seq and note_dur, from which they are predicted"
        raise fields.refuse("f0_seq", "is missing", remedy)
