"""The Mandarin phones of the demo voice: initials, and finals whole, under the names of opencpop-extension.

Every figure is set by hand from textbook phonetics. What tells initials apart is breath and place, not voice: b, d,
g, z, zh and j are p, t, k, c, ch and q without their breath; j, q and x are made at the palate, zh, ch, sh and r with
the tongue curled back.
"""

from dataclasses import replace
from typing import Final

from quincunx_workers.demo_voice.articulation import (
    Manner,
    Noise,
    Phone,
    Posture,
    approximant,
    approximant_tract,
    aspirate,
    aspirated_affricate,
    final,
    fricative,
    nasal,
    nasal_tract,
    open_tract,
    short_affricate,
    steady,
    stop,
)
from quincunx_workers.demo_voice.places import (
    ALVEOLAR,
    ALVEOLOPALATAL,
    HISS,
    LABIAL,
    LIP_HISS,
    LOW_HUSH,
    RETROFLEX,
    SOFT_HUSH,
    VELAR,
    quieter,
)

# Medials pull strongly, as a glide that only hints at its vowel is not heard.
_I: Final = replace(open_tract(310, 2_750, 3_300), weight=1.4)
_U: Final = replace(open_tract(350, 750, 2_600), weight=1.4)
_Y: Final = replace(open_tract(310, 2_150, 2_550), weight=1.4)

_TO_I: Final = open_tract(370, 2_500, 3_100)
_TO_U: Final = open_tract(420, 880, 2_650)
_TO_N: Final = nasal_tract(1_750, 2_800, 1_750)
_TO_NG: Final = nasal_tract(2_000, 2_700, 3_000)

#: The vowel of an, ang, ai and ao stands where what follows pulls it.
_FRONT_A: Final = open_tract(830, 1_650, 2_850)
_BACK_A: Final = open_tract(830, 1_230, 2_800)
_EH: Final = open_tract(610, 2_250, 2_950)
_SCHWA: Final = open_tract(560, 1_550, 2_800)
_BACK_SCHWA: Final = open_tract(570, 1_220, 2_750)
_O: Final = open_tract(540, 930, 2_700)
_CURLED: Final = open_tract(500, 1_500, 1_950)


def _nasal_final(name: str, nucleus: Posture, ending: Posture, medial: Posture | None = None) -> Phone:
    return final(name, nucleus, medial=medial, ending=ending, ending_frames=12, duration_ms=180)


_INITIALS: Final = (
    stop("b", LABIAL, aspiration_frames=1, duration_ms=75),
    aspirated_affricate("c", ALVEOLAR, *HISS),
    aspirated_affricate("ch", RETROFLEX, *LOW_HUSH),
    stop("d", ALVEOLAR, aspiration_frames=1, duration_ms=70),
    fricative("f", LABIAL, *LIP_HISS, duration_ms=95),
    stop("g", VELAR, aspiration_frames=1, duration_ms=75),
    # Further forward than English h: the back of the tongue rubs.
    aspirate("h", Posture(520, 1_400, 2_600, breath_db=-17.0, noise=Noise(-19, 1_700, 0.45), weight=0.05)),
    short_affricate("j", ALVEOLOPALATAL, *quieter(SOFT_HUSH, 2)),
    stop("k", VELAR, aspiration_frames=6, duration_ms=110),
    approximant("l", Manner.LIQUID, 360, 1_450, 2_950, duration_ms=75),
    nasal("m", 1_100, 2_450, 1_000, duration_ms=80),
    nasal("n", 1_750, 2_800, 1_750, duration_ms=70),
    stop("p", LABIAL, aspiration_frames=5, duration_ms=105),
    aspirated_affricate("q", ALVEOLOPALATAL, *SOFT_HUSH),
    steady(
        "r",
        Manner.FRICATIVE,
        80,
        replace(approximant_tract(380, 1_550, 1_950, 1.2), noise=LOW_HUSH[0].quieter(9)),
    ),
    fricative("s", ALVEOLAR, *HISS, duration_ms=110),
    fricative("sh", RETROFLEX, *LOW_HUSH, duration_ms=110),
    stop("t", ALVEOLAR, aspiration_frames=6, duration_ms=105),
    approximant("w", Manner.SEMIVOWEL, 340, 720, 2_500, duration_ms=75, weight=1.5),
    fricative("x", ALVEOLOPALATAL, *SOFT_HUSH, duration_ms=110),
    approximant("y", Manner.SEMIVOWEL, 300, 2_700, 3_300, duration_ms=70, weight=1.5),
    short_affricate("z", ALVEOLAR, *quieter(HISS, 2)),
    short_affricate("zh", RETROFLEX, *quieter(LOW_HUSH, 2)),
)

_FINALS: Final = (
    final("E", _EH),
    _nasal_final("En", open_tract(650, 2_100, 2_900), _TO_N),
    final("a", open_tract(850, 1_400, 2_850)),
    final("ai", _FRONT_A, ending=_TO_I),
    _nasal_final("an", _FRONT_A, _TO_N),
    _nasal_final("ang", _BACK_A, _TO_NG),
    final("ao", _BACK_A, ending=_TO_U),
    final("e", open_tract(540, 1_230, 2_780)),
    final("ei", open_tract(530, 2_250, 2_950), ending=_TO_I),
    _nasal_final("en", _SCHWA, _TO_N),
    _nasal_final("eng", _BACK_SCHWA, _TO_NG),
    final("er", open_tract(640, 1_480, 2_300), ending=_CURLED, ending_frames=14),
    final("i", open_tract(310, 2_750, 3_350)),
    final("i0", open_tract(390, 1_550, 2_950)),
    final("ia", open_tract(850, 1_450, 2_850), medial=_I),
    _nasal_final("ian", open_tract(650, 2_150, 2_900), _TO_N, _I),
    _nasal_final("iang", _BACK_A, _TO_NG, _I),
    final("iao", _BACK_A, medial=_I, ending=_TO_U),
    final("ie", _EH, medial=_I),
    _nasal_final("in", open_tract(340, 2_650, 3_200), _TO_N),
    _nasal_final("ing", open_tract(350, 2_550, 3_150), _TO_NG),
    _nasal_final("iong", open_tract(440, 900, 2_600), _TO_NG, _Y),
    final("ir", open_tract(390, 1_700, 2_200)),
    final("iu", _O, medial=_I, ending=_TO_U),
    final("o", open_tract(540, 920, 2_720), medial=_U),
    _nasal_final("ong", open_tract(450, 850, 2_650), _TO_NG),
    final("ou", open_tract(540, 1_000, 2_720), ending=_TO_U),
    final("u", open_tract(360, 720, 2_600)),
    final("ua", open_tract(850, 1_350, 2_800), medial=_U),
    final("uai", _FRONT_A, medial=_U, ending=_TO_I),
    _nasal_final("uan", _FRONT_A, _TO_N, _U),
    _nasal_final("uang", _BACK_A, _TO_NG, _U),
    final("ui", open_tract(500, 2_150, 2_900), medial=_U, ending=_TO_I),
    _nasal_final("un", _SCHWA, _TO_N, _U),
    final("uo", open_tract(540, 950, 2_720), medial=_U),
    final("v", open_tract(310, 2_150, 2_550)),
    _nasal_final("van", open_tract(680, 1_950, 2_850), _TO_N, _Y),
    final("ve", _EH, medial=_Y),
    _nasal_final("vn", open_tract(340, 2_050, 2_600), _TO_N),
)

MANDARIN: Final = (*_INITIALS, *_FINALS)
