"""Which voices there are, and which one sings a track.

A voice is a bank with a preset. Installed banks lie as folders in the user's data directory; the demo voices are
part of the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from quincunx_orchestrator.score.model import Score, Track
from quincunx_orchestrator.song.voice_choice import voices_by_track
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.payload import Encoded, encode
from quincunx_shared.voicebank import Voicebank, load_voicebank

#: The voice that sings when the wanted one is not installed.
FALLBACK = "demo"

#: Presets of the demo bank: name → gender shift (formants down for negative values).
DEMO_PRESETS: Mapping[str, float] = {"demo": 0.0, "demo-low": -0.6}


@dataclass(frozen=True)
class Voice:
    """A bank with a preset, and the payloads that all phrases sung by it share."""

    name: str
    bank: Voicebank
    gender_shift: float = 0.0

    @cached_property
    def phonology(self) -> Encoded:
        """Phones and dictionaries, for phonemize and duration."""
        return encode(self.bank.phonology())

    @cached_property
    def phoneme_ids(self) -> Encoded:
        """Phoneme → token, for the acoustic step."""
        return encode(dict(self.bank.phoneme_ids))

    @cached_property
    def variance_tables(self) -> Mapping[str, Encoded]:
        """What the variance step reads of the bank, by input; nothing where the bank predicts no variances."""
        if self.bank.variance is None:
            return {}
        tables = self.bank.variance.tables
        return {
            "phoneme_ids": encode(dict(tables.phoneme_ids)),
            "language_ids": encode(dict(tables.language_ids)),
            "phonology": self.phonology,
        }

    @cached_property
    def language_ids(self) -> Encoded:
        """Language → id, for the acoustic step."""
        return encode(dict(self.bank.language_ids))


@dataclass(frozen=True)
class VoiceFolder:
    """A voice that could be loaded: its name and where its bank lies."""

    name: str
    root: Path
    gender_shift: float = 0.0


@dataclass(frozen=True)
class Catalogue:
    """The voices that are installed, by name, and where else vocoders are looked for."""

    folders: Mapping[str, VoiceFolder]
    vocoder_dirs: tuple[Path, ...] = ()
    #: Banks whose names were taken already.
    hidden: tuple[VoiceFolder, ...] = ()

    def load(self, name: str) -> Voice:
        """Load a voice by name, or a bank by the path of its folder."""
        folder = self.folders.get(name)
        if folder is None and Path(name).is_dir():
            folder = VoiceFolder(Path(name).name, Path(name))
        if folder is None:
            hint = did_you_mean(name, self.folders)
            raise BadInput(f"no voice {name!r} is installed{hint}", remedy="`quincunx voices` lists them")
        return Voice(folder.name, load_voicebank(folder.root, vocoder_dirs=self.vocoder_dirs), folder.gender_shift)


def find_voices(roots: Iterable[Path], *, vocoder_dirs: Sequence[Path] = ()) -> Catalogue:
    """Look for banks: folders with a dsconfig.yaml, directly below each root. Earlier roots win over later ones."""
    demo = Path(str(files("quincunx_shared"))) / "voicebanks" / "demo"
    folders = {name: VoiceFolder(name, demo, shift) for name, shift in DEMO_PRESETS.items()}
    hidden: list[VoiceFolder] = []
    for root in roots:
        for config in sorted(root.glob("*/dsconfig.yaml")):
            found = VoiceFolder(config.parent.name, config.parent)
            if folders.setdefault(found.name, found).root != found.root:
                hidden.append(found)
    return Catalogue(folders, tuple(vocoder_dirs), tuple(hidden))


@dataclass(frozen=True)
class Casting:
    """Who sings each track that is heard, and what was decided for the person without asking."""

    voices: Mapping[int, Voice]
    notices: tuple[str, ...] = ()


def cast(
    score: Score, catalogue: Catalogue, *, voice: str = "", voice_for: Sequence[str] = (), strict: bool = False
) -> Casting:
    """Choose a voice for every track that is heard: the one asked for, else its singer, else the demo voice, aloud.

    `voice_for` holds choices for single tracks (`2=demo-low`), which win over `voice`. With `strict`, a singer that
    is not installed is an error instead.
    """
    chosen = voices_by_track(score.tracks, voice_for)
    loaded: dict[str, Voice] = {}
    notices: list[str] = []
    voices: dict[int, Voice] = {}
    for number in sorted(score.heard_tracks()):
        wanted = chosen.get(number) or voice
        name = wanted or _installed_name(score.tracks[number], number, catalogue, strict, notices)
        if name not in loaded:
            loaded[name] = catalogue.load(name)
        voices[number] = loaded[name]
    for number in sorted(chosen.keys() - voices.keys()):
        catalogue.load(chosen[number])
        notices.append(f"track {number + 1} ({score.tracks[number].name}) is empty or muted: nobody sings it")
    return Casting(voices, tuple(dict.fromkeys(notices)))


def _installed_name(track: Track, number: int, catalogue: Catalogue, strict: bool, notices: list[str]) -> str:
    singer = track.singer.strip()
    # OpenUTAU writes the singer's folder, with either kind of slash.
    for name in (singer, singer.replace("\\", "/").rsplit("/", 1)[-1]):
        if name in catalogue.folders:
            return name
    wanted = f"singer {singer!r}" if singer else "a track without a singer"
    if strict and singer:
        raise BadInput(
            f"{wanted} is not installed{did_you_mean(singer, catalogue.folders)}",
            where=f"tracks[{number}].singer",
            remedy="install it, choose one with --voice, or leave out --strict-voice",
        )
    notices.append(f"{wanted} is sung by the voice {FALLBACK!r}" + (": it is not installed" if singer else ""))
    return FALLBACK
