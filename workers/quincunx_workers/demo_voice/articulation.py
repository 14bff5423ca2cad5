"""What a phone is: up to four held postures of the vocal tract, and the builders for each manner of speaking.

Frequencies and bandwidths are in Hz. Levels are in dB relative to the voice of a sung vowel: 0 is that voice,
-20 a tenth of it, ``SILENT`` is nothing at all. Postures stand from right to left: the last ``release_frames``
are the release, the ``burst_frames`` before them the burst, everything earlier is the hold, except that the first
``opening_frames`` are the opening. So bursts stay next to the vowel, a medial glide opens a note and a diphthong
glides at its end, however long it is held.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

SILENT: Final = -math.inf


class Manner(StrEnum):
    """Type of a symbol, in the words of a bank's dsdict."""

    VOWEL = "vowel"
    SEMIVOWEL = "semivowel"
    LIQUID = "liquid"
    NASAL = "nasal"
    STOP = "stop"
    FRICATIVE = "fricative"
    AFFRICATE = "affricate"


@dataclass(frozen=True)
class Noise:
    """One band of frication: level, centre and standard deviation of a Gaussian over octaves."""

    level_db: float
    centre_hz: float
    width_octaves: float

    def quieter(self, by_db: float) -> "Noise":
        return replace(self, level_db=self.level_db - by_db)


NO_NOISE: Final = Noise(SILENT, 5_000.0, 0.5)


@dataclass(frozen=True)
class Posture:
    """One target of the tongue, the lips and the larynx."""

    f1: float
    f2: float
    f3: float
    b1: float = 90.0
    b2: float = 110.0
    b3: float = 170.0
    #: Near the third and the fifth: the cluster that lets a singer be heard.
    f4: float = 3_750.0
    #: 0 keeps the nose closed; 1 adds the resonance of the nose and the zero of the closed mouth.
    nasal: float = 0.0
    mouth_hz: float = 1_500.0
    #: Extra fall of the voice above 300 Hz, in dB per octave: a voice heard through closed lips.
    tilt_db: float = 0.0
    voice_db: float = SILENT
    breath_db: float = SILENT
    noise: Noise = NO_NOISE
    noise_2: Noise = NO_NOISE
    #: How strongly the formants pull on those of the neighbours; next to nothing for /h/ and for silence,
    #: which take the shape of what stands beside them.
    weight: float = 1.0

    @property
    def is_voiced(self) -> bool:
        return self.voice_db > SILENT


#: Nobody sings: a neutral tract that yields to its neighbours.
SILENCE: Final = Posture(500.0, 1_500.0, 2_700.0, weight=0.01)


@dataclass(frozen=True)
class Phone:
    """A sound of one language: its postures, when each is taken, and how long it lasts by nature."""

    name: str
    manner: Manner
    duration_ms: int
    hold: Posture
    burst: Posture
    release: Posture
    burst_frames: int = 0
    release_frames: int = 0
    #: No release takes more of a phone than this.
    release_share: float = 0.5
    #: What stands before the hold: the medial of a Mandarin final. None is the hold itself.
    opening: Posture | None = None
    opening_frames: int = 0

    @property
    def postures(self) -> tuple[Posture, Posture, Posture, Posture]:
        return self.hold, self.burst, self.release, self.opening or self.hold


def steady(name: str, manner: Manner, duration_ms: int, posture: Posture) -> Phone:
    return Phone(name, manner, duration_ms, posture, posture, posture)


# Vowels -----------------------------------------------------------------------------------------------------


def open_tract(f1: float, f2: float, f3: float) -> Posture:
    """A sung vowel; bandwidths widen with frequency, as those of losses at the walls and lips do."""
    return Posture(
        f1,
        f2,
        f3,
        b1=max(70.0, 0.13 * f1),
        b2=max(90.0, 0.065 * f2),
        b3=0.06 * f3,
        voice_db=0.0,
        breath_db=-40.0,
    )


def vowel(name: str, f1: float, f2: float, f3: float) -> Phone:
    return steady(name, Manner.VOWEL, 120, open_tract(f1, f2, f3))


def diphthong(name: str, start: Posture, end: Posture) -> Phone:
    return Phone(name, Manner.VOWEL, 160, start, end, end, release_frames=10, release_share=0.45)


def final(
    name: str,
    nucleus: Posture,
    *,
    medial: Posture | None = None,
    ending: Posture | None = None,
    ending_frames: int = 10,
    duration_ms: int = 160,
) -> Phone:
    """A Mandarin final: a medial glide, the vowel that is held, and a glide or a nasal at its end."""
    return Phone(
        name,
        Manner.VOWEL,
        duration_ms,
        nucleus,
        nucleus,
        ending or nucleus,
        release_frames=ending_frames if ending else 0,
        release_share=0.4,
        opening=medial,
        opening_frames=8 if medial else 0,
    )


# Sonorants --------------------------------------------------------------------------------------------------


def nasal(name: str, f2: float, f3: float, mouth_hz: float, *, duration_ms: int = 75) -> Phone:
    """The nose sounds; the closed mouth is a side branch that takes sound away at its own resonance."""
    return steady(name, Manner.NASAL, duration_ms, nasal_tract(f2, f3, mouth_hz))


def nasal_tract(f2: float, f3: float, mouth_hz: float, voice_db: float = -6.0) -> Posture:
    return Posture(
        400.0,
        f2,
        f3,
        b1=80.0,
        b2=220.0,
        b3=260.0,
        nasal=1.0,
        mouth_hz=mouth_hz,
        tilt_db=1.5,
        voice_db=voice_db,
        breath_db=-50.0,
        weight=0.8,
    )


def approximant(
    name: str,
    manner: Manner,
    f1: float,
    f2: float,
    f3: float,
    *,
    duration_ms: int = 80,
    weight: float = 1.0,
    voice_db: float = -5.0,
) -> Phone:
    return steady(name, manner, duration_ms, approximant_tract(f1, f2, f3, weight, voice_db))


def approximant_tract(f1: float, f2: float, f3: float, weight: float, voice_db: float = -5.0) -> Posture:
    return Posture(f1, f2, f3, b1=90.0, b2=140.0, b3=220.0, voice_db=voice_db, breath_db=-50.0, weight=weight)


# Obstruents -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where the tract is closed: the formants it points to, and the noise that its opening makes."""

    f1: float
    f2: float
    f3: float
    burst: Noise
    burst_2: Noise = NO_NOISE

    def tract(self, weight: float = 0.6) -> Posture:
        return Posture(self.f1, self.f2, self.f3, weight=weight)


def fricative(name: str, place: Place, noise: Noise, noise_2: Noise = NO_NOISE, *, duration_ms: int) -> Phone:
    posture = replace(place.tract(0.5), noise=noise, noise_2=noise_2)
    return steady(name, Manner.FRICATIVE, duration_ms, posture)


def voiced_fricative(
    name: str, place: Place, noise: Noise, noise_2: Noise = NO_NOISE, *, duration_ms: int = 75
) -> Phone:
    posture = replace(place.tract(0.5), b1=80.0, tilt_db=8.0, voice_db=-9.0, noise=noise, noise_2=noise_2)
    return steady(name, Manner.FRICATIVE, duration_ms, posture)


def aspirate(name: str, posture: Posture, *, duration_ms: int = 80) -> Phone:
    return steady(name, Manner.FRICATIVE, duration_ms, posture)


def stop(name: str, place: Place, *, aspiration_frames: int, duration_ms: int = 95) -> Phone:
    """Silence, one frame of burst, then breath through the tract as it opens into the vowel."""
    closed = place.tract()
    return Phone(
        name,
        Manner.STOP,
        duration_ms,
        hold=closed,
        burst=replace(closed, noise=place.burst, noise_2=place.burst_2),
        release=replace(
            closed, breath_db=-17.0, noise=replace(place.burst.quieter(14.0), width_octaves=0.6), weight=0.1
        ),
        burst_frames=1,
        release_frames=aspiration_frames,
        release_share=0.45,
    )


def voiced_stop(name: str, place: Place, *, duration_ms: int = 75) -> Phone:
    """A voice bar behind the closure, a softer burst, and the voice again at once."""
    closed = place.tract()
    return Phone(
        name,
        Manner.STOP,
        duration_ms,
        hold=_voice_bar(closed),
        burst=replace(
            closed,
            tilt_db=6.0,
            voice_db=-12.0,
            noise=place.burst.quieter(4.0),
            noise_2=place.burst_2.quieter(4.0),
        ),
        release=replace(closed, voice_db=-5.0, breath_db=-40.0, weight=0.1),
        burst_frames=1,
        release_frames=1,
    )


def affricate(name: str, place: Place, noise: Noise, noise_2: Noise, *, duration_ms: int = 120) -> Phone:
    """A stop whose release is the fricative of its place."""
    closed = place.tract()
    burst = replace(closed, noise=noise, noise_2=noise_2)
    release = replace(closed, noise=noise.quieter(2.0), noise_2=noise_2.quieter(2.0))
    return Phone(
        name,
        Manner.AFFRICATE,
        duration_ms,
        closed,
        burst,
        release,
        burst_frames=1,
        release_frames=6,
        release_share=0.6,
    )


def short_affricate(name: str, place: Place, noise: Noise, noise_2: Noise, *, duration_ms: int = 80) -> Phone:
    """An affricate without breath: the voice sets in as soon as the narrow opening is wide."""
    phone = affricate(name, place, noise, noise_2, duration_ms=duration_ms)
    return replace(phone, release_frames=2, release_share=0.4)


def aspirated_affricate(name: str, place: Place, noise: Noise, noise_2: Noise, *, duration_ms: int = 150) -> Phone:
    """An affricate whose frication turns into breath before the voice sets in."""
    phone = affricate(name, place, noise, noise_2, duration_ms=duration_ms)
    breath = replace(phone.release, breath_db=-17.0, noise=noise.quieter(8.0), noise_2=noise_2.quieter(8.0), weight=0.2)
    return replace(phone, release=breath, burst_frames=5, release_frames=4, release_share=0.35)


def voiced_affricate(name: str, place: Place, noise: Noise, noise_2: Noise, *, duration_ms: int = 90) -> Phone:
    closed = replace(place.tract(), tilt_db=7.0, voice_db=-11.0)
    burst = replace(closed, noise=noise, noise_2=noise_2)
    release = replace(closed, noise=noise.quieter(2.0), noise_2=noise_2.quieter(2.0))
    return Phone(
        name,
        Manner.AFFRICATE,
        duration_ms,
        _voice_bar(closed),
        burst,
        release,
        burst_frames=1,
        release_frames=4,
    )


def palatalised(phone: Phone, glide: Posture, *, frames: int = 4) -> Phone:
    """The same consonant with the tongue already raised for /j/, released through that glide."""
    raised = [replace(posture, f2=glide.f2, f3=glide.f3) for posture in (phone.hold, phone.burst)]
    release = replace(
        glide,
        voice_db=phone.release.voice_db if phone.hold.is_voiced else SILENT,
        breath_db=phone.release.breath_db,
        noise=phone.release.noise,
    )
    return replace(
        phone,
        name=f"{phone.name}y",
        duration_ms=phone.duration_ms + 15,
        hold=raised[0],
        burst=raised[1],
        release=release,
        release_frames=max(frames, phone.release_frames),
    )


def silence(name: str, manner: Manner, duration_ms: int) -> Phone:
    return steady(name, manner, duration_ms, SILENCE)


def _voice_bar(closed: Posture) -> Posture:
    """The voice heard through the walls of a closed mouth: hardly more than its first harmonic."""
    return replace(closed, b1=120.0, tilt_db=16.0, voice_db=-14.0)
