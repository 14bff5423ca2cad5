"""The phone table of the demo voice by place and manner: English and Japanese; Mandarin is in ``mandarin``.

The ten English vowels are the averages of the women in Peterson and Barney (1952), table II; every other
figure is set by hand from textbook phonetics. Names are those of cross-lingual banks: a language, a slash and a
phone. Token 0 is ``<PAD>`` and silent, as in every DiffSinger vocabulary.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from quincunx_workers.demo_voice.articulation import (
    SILENCE,
    Manner,
    Noise,
    Phone,
    Posture,
    affricate,
    approximant,
    approximant_tract,
    aspirate,
    diphthong,
    fricative,
    nasal,
    nasal_tract,
    open_tract,
    palatalised,
    silence,
    steady,
    stop,
    voiced_affricate,
    voiced_fricative,
    voiced_stop,
    vowel,
)
from quincunx_workers.demo_voice.mandarin import MANDARIN
from quincunx_workers.demo_voice.places import (
    ALVEOLAR,
    ALVEOLOPALATAL,
    BLOWN,
    DENTAL,
    HISS,
    HUSH,
    LABIAL,
    LIP_HISS,
    PALATAL,
    POSTALVEOLAR,
    SOFT_HUSH,
    TOOTH_HISS,
    VELAR,
    quieter,
)

_I_GLIDE: Final = open_tract(370, 2_550, 3_100)
_U_GLIDE: Final = open_tract(400, 950, 2_650)
_J_GLIDE: Final = approximant_tract(310, 2_650, 3_300, weight=1.2)

PAUSES: Final = (
    silence("<PAD>", Manner.STOP, 0),
    aspirate("AP", replace(SILENCE, f1=600.0, f2=1_600.0, breath_db=-22.0, weight=0.05), duration_ms=250),
    silence("SP", Manner.VOWEL, 100),
)


ENGLISH: Final = (
    vowel("aa", 850, 1_220, 2_810),
    vowel("ae", 860, 2_050, 2_850),
    vowel("ah", 760, 1_400, 2_780),
    vowel("ao", 590, 920, 2_710),
    diphthong("aw", open_tract(840, 1_350, 2_800), _U_GLIDE),
    diphthong("ay", open_tract(840, 1_350, 2_800), _I_GLIDE),
    voiced_stop("b", LABIAL),
    affricate("ch", POSTALVEOLAR, *HUSH),
    voiced_stop("d", ALVEOLAR, duration_ms=70),
    voiced_fricative("dh", DENTAL, *quieter(TOOTH_HISS, 2)),
    vowel("eh", 610, 2_330, 2_990),
    vowel("er", 500, 1_640, 1_960),
    diphthong("ey", open_tract(530, 2_350, 2_980), open_tract(340, 2_700, 3_250)),
    fricative("f", LABIAL, *LIP_HISS, duration_ms=95),
    voiced_stop("g", VELAR),
    aspirate("hh", Posture(560, 1_500, 2_700, breath_db=-15.0, weight=0.02)),
    vowel("ih", 430, 2_480, 3_070),
    vowel("iy", 310, 2_790, 3_310),
    voiced_affricate("jh", POSTALVEOLAR, *quieter(HUSH, 5)),
    stop("k", VELAR, aspiration_frames=4),
    approximant("l", Manner.LIQUID, 380, 1_250, 3_050, duration_ms=75),
    nasal("m", 1_100, 2_450, 1_000, duration_ms=85),
    nasal("n", 1_750, 2_800, 1_750),
    nasal("ng", 2_250, 2_850, 3_000, duration_ms=80),
    diphthong("ow", open_tract(540, 960, 2_720), open_tract(390, 900, 2_650)),
    diphthong("oy", open_tract(560, 900, 2_700), _I_GLIDE),
    stop("p", LABIAL, aspiration_frames=3),
    approximant("r", Manner.LIQUID, 400, 1_300, 1_750, duration_ms=85, voice_db=-4.0),
    fricative("s", ALVEOLAR, *HISS, duration_ms=115),
    fricative("sh", POSTALVEOLAR, *HUSH, duration_ms=115),
    stop("t", ALVEOLAR, aspiration_frames=4),
    fricative("th", DENTAL, *TOOTH_HISS, duration_ms=95),
    vowel("uh", 470, 1_160, 2_680),
    vowel("uw", 370, 950, 2_670),
    voiced_fricative("v", LABIAL, *quieter(LIP_HISS, 2)),
    approximant("w", Manner.SEMIVOWEL, 330, 720, 2_500, duration_ms=85, weight=1.5),
    approximant("y", Manner.SEMIVOWEL, 300, 2_750, 3_350, weight=1.5),
    voiced_fricative("z", ALVEOLAR, *quieter(HISS, 4)),
    voiced_fricative("zh", POSTALVEOLAR, *quieter(HUSH, 4)),
)

_JA_B: Final = voiced_stop("b", LABIAL)
_JA_D: Final = voiced_stop("d", ALVEOLAR, duration_ms=70)
_JA_M: Final = nasal("m", 1_100, 2_450, 1_000)
_JA_N: Final = nasal("n", 1_750, 2_800, 1_750, duration_ms=65)
_JA_P: Final = stop("p", LABIAL, aspiration_frames=2, duration_ms=85)
#: A tap: the tongue strikes the ridge once and is gone.
_JA_R: Final = approximant("r", Manner.LIQUID, 340, 1_750, 2_800, duration_ms=40, voice_db=-11.0)
_JA_T: Final = stop("t", ALVEOLAR, aspiration_frames=2, duration_ms=85)

JAPANESE: Final = (
    # The moraic nasal fills a note of its own, so it counts as a vowel.
    steady("N", Manner.VOWEL, 120, nasal_tract(1_500, 2_700, 2_300, voice_db=-4.0)),
    vowel("a", 820, 1_380, 2_850),
    _JA_B,
    palatalised(_JA_B, _J_GLIDE),
    affricate("ch", ALVEOLOPALATAL, *SOFT_HUSH, duration_ms=105),
    silence("cl", Manner.STOP, 80),
    _JA_D,
    palatalised(_JA_D, _J_GLIDE),
    vowel("e", 540, 2_250, 2_950),
    fricative("f", LABIAL, *BLOWN, duration_ms=85),
    voiced_stop("g", VELAR),
    palatalised(voiced_stop("g", PALATAL), _J_GLIDE),
    aspirate("h", Posture(560, 1_500, 2_700, breath_db=-15.0, weight=0.02)),
    aspirate(
        "hy",
        Posture(330, 2_600, 3_300, breath_db=-19.0, noise=Noise(-17, 3_600, 0.4), weight=0.6),
        duration_ms=90,
    ),
    vowel("i", 330, 2_700, 3_300),
    voiced_affricate("j", ALVEOLOPALATAL, *quieter(SOFT_HUSH, 5), duration_ms=80),
    stop("k", VELAR, aspiration_frames=2, duration_ms=85),
    palatalised(stop("k", PALATAL, aspiration_frames=2, duration_ms=85), _J_GLIDE),
    _JA_M,
    palatalised(_JA_M, _J_GLIDE),
    _JA_N,
    palatalised(_JA_N, _J_GLIDE),
    vowel("o", 520, 930, 2_750),
    _JA_P,
    palatalised(_JA_P, _J_GLIDE),
    _JA_R,
    palatalised(_JA_R, _J_GLIDE),
    fricative("s", ALVEOLAR, *HISS, duration_ms=105),
    fricative("sh", ALVEOLOPALATAL, *SOFT_HUSH, duration_ms=105),
    _JA_T,
    affricate("ts", ALVEOLAR, *HISS, duration_ms=105),
    palatalised(_JA_T, _J_GLIDE),
    vowel("u", 390, 1_300, 2_650),
    voiced_fricative("v", LABIAL, *quieter(LIP_HISS, 2)),
    # Lips hardly rounded: nearer to the unrounded /u/ than English /w/.
    approximant("w", Manner.SEMIVOWEL, 350, 800, 2_500, duration_ms=70, weight=1.5),
    approximant("y", Manner.SEMIVOWEL, 300, 2_700, 3_350, duration_ms=70, weight=1.5),
    voiced_fricative("z", ALVEOLAR, *quieter(HISS, 4), duration_ms=70),
)

LANGUAGES: Final = {"en": ENGLISH, "ja": JAPANESE, "zh": MANDARIN}


def vocabulary() -> tuple[Phone, ...]:
    """Every phone under its full name; the place of a phone is its token."""
    spoken = (_named(language, phones) for language, phones in LANGUAGES.items())
    return (*PAUSES, *(phone for phones in spoken for phone in phones))


def _named(language: str, phones: Iterable[Phone]) -> tuple[Phone, ...]:
    return tuple(replace(phone, name=f"{language}/{phone.name}") for phone in phones)
