"""Where consonants are made, and the noises that narrow openings make there: shared by all languages."""

from typing import Final

from quincunx_workers.demo_voice.articulation import NO_NOISE, Noise, Place

LABIAL: Final = Place(320, 1_050, 2_450, Noise(-18, 900, 1.0), Noise(-26, 3_000, 1.2))
DENTAL: Final = Place(320, 1_400, 2_700, NO_NOISE)
ALVEOLAR: Final = Place(320, 1_800, 2_850, Noise(-11, 5_200, 0.6), Noise(-18, 3_200, 0.6))
POSTALVEOLAR: Final = Place(310, 2_150, 2_800, NO_NOISE)
RETROFLEX: Final = Place(330, 1_750, 2_200, NO_NOISE)
ALVEOLOPALATAL: Final = Place(310, 2_500, 3_200, NO_NOISE)
VELAR: Final = Place(320, 1_700, 2_300, Noise(-12, 1_900, 0.35), Noise(-20, 4_200, 0.6))
PALATAL: Final = Place(310, 2_500, 3_200, Noise(-12, 3_100, 0.4), Noise(-20, 5_000, 0.6))

HISS: Final = (Noise(-12, 7_800, 0.36), Noise(-21, 5_200, 0.35))
HUSH: Final = (Noise(-12, 3_500, 0.3), Noise(-15, 5_600, 0.45))
#: The tongue curled back leaves a larger cavity in front: lower than an English hush.
LOW_HUSH: Final = (Noise(-12, 2_900, 0.3), Noise(-16, 4_800, 0.45))
SOFT_HUSH: Final = (Noise(-12, 4_400, 0.33), Noise(-16, 7_000, 0.4))
LIP_HISS: Final = (Noise(-21, 7_500, 1.1), Noise(-27, 1_600, 0.9))
TOOTH_HISS: Final = (Noise(-22, 7_000, 0.8), Noise(-30, 2_000, 0.8))
BLOWN: Final = (Noise(-20, 1_800, 0.8), Noise(-24, 7_000, 0.9))


def quieter(noises: tuple[Noise, Noise], by_db: float) -> tuple[Noise, Noise]:
    """Both bands of a noise, softer."""
    return noises[0].quieter(by_db), noises[1].quieter(by_db)
