"""The step that turns the lyrics of a phrase into sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phonemes import BREATH, SILENCE, Phonemes
from quincunx_shared.phrase import Lyric, Lyrics
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.kana import has_kana, to_hiragana
from quincunx_workers.singing.mandarin import is_han, pinyin_of
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.singing.reading import bare_text, read_hint, read_lyric, read_pinyin
from quincunx_workers.singing.spreading import SungNote, spread
from quincunx_workers.singing.syllables import Syllable

#: Lyrics that rest. `rest` and `breath` are words people sing, so only the field's own marks count.
_RESTS = frozenset({"R", SILENCE, "pau", "sil"})
_BREATHS = frozenset({BREATH, "br"})
#: In other editors this holds the vowel; after nothing it is how UTAU writes the silence before a phrase.
_DASH = "-"


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Json:
    """Return the `Phonemes` of a phrase's `Lyrics`. Raises one `BadInput` that names every note it cannot sing."""
    lyrics = Lyrics.from_payload(inputs["lyrics"])
    phonology = Phonology.from_payload(inputs["phonology"], context.file)
    return phonemize(lyrics, phonology, options["language"], options["han"]).to_payload()


def phonemize(lyrics: Lyrics, phonology: Phonology, language: str = "", han: str = "") -> Phonemes:
    """Return the sounds of every note. Places in errors are `notes[i]`, counted in the phrase."""
    read = {} if (language or han or _han_of(lyrics)) != "zh" else _pinyin(lyrics)
    sung: list[SungNote] = []
    problems: list[BadInput] = []
    for place, (lyric, touching) in enumerate(zip(lyrics.notes, lyrics.touching, strict=True)):
        try:
            if place in read:
                sung.append(SungNote("word", read_pinyin(bare_text(lyric.text), read[place], phonology), touching))
                continue
            sung.append(_sung_note(lyric, touching, sung, phonology, language))
        except BadInput as error:
            problems.append(BadInput(error.what, where=f"notes[{place}].lyric", remedy=error.remedy))
            sung.append(SungNote("rest"))
    if problems:
        raise _all_of(problems)
    return Phonemes(tuple(spread(sung)))


def _sung_note(
    lyric: Lyric, touching: bool, before: Sequence[SungNote], phonology: Phonology, language: str
) -> SungNote:
    text = lyric.text.strip()
    if lyric.hint:
        return SungNote("word", read_hint(lyric.hint, phonology, language), touching)
    if lyric.extension or text.startswith("+"):
        vowel = lyric.extension == "vowel" or text in ("+~", "+*")
        return SungNote("vowel" if vowel else "syllable", (), touching)
    if text in _RESTS:
        return SungNote("rest", (), touching)
    if text == _DASH:
        return SungNote("vowel" if touching and before else "rest", (), touching)
    if text and not to_hiragana(text).strip("ー") and before:
        return SungNote("vowel", (), touching)
    if text in _BREATHS:
        return _breath(phonology, touching)
    return SungNote("word", read_lyric(text, phonology, language), touching)


def _han_of(lyrics: Lyrics) -> str:
    """Return the language of the Hanzi of a phrase: Japanese beside kana, else Mandarin."""
    return "ja" if any(has_kana(lyric.text) for lyric in lyrics.notes) else "zh"


def _pinyin(lyrics: Lyrics) -> dict[int, tuple[str | None, ...]]:
    """Return the reading of every note whose lyric is Hanzi alone; notes that hold do not part a word, rests do."""
    texts = [bare_text(lyric.text) for lyric in lyrics.notes]
    read: dict[int, tuple[str | None, ...]] = {}
    run: list[int] = []
    for place, (lyric, text) in enumerate(zip(lyrics.notes, texts, strict=True)):
        if is_han(text) and not lyric.hint:
            run.append(place)
        elif not lyric.extension and not lyric.text.startswith(("+", _DASH)):
            read |= _read_run(run, texts)
            run = []
    return read | _read_run(run, texts)


def _read_run(places: Sequence[int], texts: Sequence[str]) -> dict[int, tuple[str | None, ...]]:
    spelt = pinyin_of([texts[place] for place in places]) if places else []
    return dict(zip(places, spelt, strict=True))


def _breath(phonology: Phonology, touching: bool) -> SungNote:
    if BREATH not in phonology.phones:
        return SungNote("rest", (), touching)
    return SungNote("word", (Syllable((), BREATH),), touching)


def _all_of(problems: Sequence[BadInput]) -> BadInput:
    return problems[0] if len(problems) == 1 else BadInput("; ".join(map(str, problems)))


STEP = Step(
    Manifest(
        name="phonemize",
        version="1",
        summary="Turns lyrics into the phones of a bank, note by note.",
        inputs=(Input(name="lyrics", type="lyrics"), Input(name="phonology", type="phonology")),
        outputs=(Output(name="phonemes", type="phonemes"),),
        options=(
            Option(name="language", type="str", default="", summary="Asked first; empty: by the letters of a lyric."),
            Option(
                name="han",
                type="str",
                default="",
                choices=("", "ja", "zh"),
                summary="Language of Hanzi where none is asked first; empty: Japanese beside kana, else Mandarin.",
            ),
        ),
    ),
    run,
)
