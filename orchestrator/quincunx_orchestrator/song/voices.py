"""Which voices there are, and which one sings a track.

A voice is a bank with a preset. Installed banks lie as folders in the user's data directory; the demo voices are
part of the package.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from quincunx_orchestrator.score.model import Score, Track
from quincunx_orchestrator.song.voice_choice import voices_by_track
from quincunx_shared.bank_folder import BankFolder, DigestOf, file_digest
from quincunx_shared.bank_predictor import PREDICTION_FOLDERS, Prediction, Predictor, load_predictor
from quincunx_shared.errors import BadInput, BadVoicebank
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Digest
from quincunx_shared.payload import Encoded, encode
from quincunx_shared.voicebank import Voicebank, load_voicebank

#: The voice that sings when the wanted one is not installed.
FALLBACK = "demo"

#: Presets of the demo bank: name → its speaker, and what a person reads of it.
DEMO_PRESETS: Mapping[str, tuple[str, str]] = {
    "demo": ("clear", "female"),
    "demo-low": ("low", "male"),
    "demo-ring": ("ring", "female, with a singer's formant"),
}


def short_name(speaker: str) -> str:
    """Return what a person calls a speaker: banks name the file, with its folders."""
    return speaker.replace("\\", "/").rsplit("/", 1)[-1]


def chosen_speaker(bank: Voicebank, wanted: str, *, voice: str) -> str:
    """Return the speaker of a bank that is meant by a name or by a voice colour; the first where none is wanted.

    Raises `BadInput` for one that the bank does not have.
    """
    if not wanted:
        return next(iter(bank.speakers), "")
    by_name = {short_name(one): one for one in bank.speakers} | {one: one for one in bank.speakers}
    by_name |= {colour: by_name[one] for colour, one in bank.colours.items() if one in by_name and colour}
    if wanted in by_name:
        return by_name[wanted]
    if not bank.speakers:
        raise BadInput(f"the voice {voice!r} has one speaker, not {wanted!r}", remedy=f"choose {voice}")
    there = ", ".join(f"{voice}:{short_name(one)}" for one in bank.speakers)
    raise BadInput(
        f"the voice {voice!r} has no speaker {wanted!r}{did_you_mean(wanted, by_name)}", remedy=f"there are {there}"
    )


@dataclass(frozen=True)
class Voice:
    """A bank with a preset, and the payloads that all phrases sung by it share."""

    name: str
    bank: Voicebank
    #: Who of the bank sings; nobody where it has but one.
    speaker: str = ""
    root: Path = Path()
    #: The bank's own models that take the place of rules, where somebody asked for them.
    predictors: Mapping[Prediction, Predictor] = field(default_factory=dict)
    #: Every file a step may need of this voice beside those of the bank.
    more_files: Mapping[Digest, Path] = field(default_factory=dict)
    digest_of: DigestOf = field(default=file_digest, compare=False)

    @property
    def files(self) -> Mapping[Digest, Path]:
        """Every file a step may need of this voice."""
        return {**self.bank.files, **self.more_files}

    def predicting(self, wanted: Collection[Prediction], *, strict: bool = True) -> Voice:
        """Return the voice with its bank's models for these.

        Raises `BadVoicebank` where the bank has none; unless `strict`, rules stay in the place of what it lacks.
        """
        files: dict[Digest, Path] = {}

        def register(path: Path) -> Digest:
            digest = self.digest_of(path)
            files[digest] = path
            return digest

        folder = BankFolder(self.root)
        found = {one: load_predictor(folder, *PREDICTION_FOLDERS[one], register) for one in wanted}
        missing = next((one for one, predictor in found.items() if predictor is None), None)
        if strict and missing is not None:
            raise BadVoicebank(
                f"the voice {self.name!r} has no model that predicts {missing}",
                where=str(self.root),
                remedy=f"render without --predict {missing}, or choose a voice that has one",
            )
        pitch, frame = found.get("pitch"), self.bank.hop_size / self.bank.sample_rate
        if pitch is not None and abs(pitch.frame_seconds / frame - 1) > 1e-9:
            raise BadVoicebank(
                f"the pitch model counts in frames of {pitch.frame_seconds * 1000:.3f} ms, the bank of"
                f" {frame * 1000:.3f} ms",
                where=str(self.root / "dspitch"),
                remedy="render without --predict pitch",
            )
        known = {one: predictor for one, predictor in found.items() if predictor is not None}
        return replace(self, predictors=known, more_files=files)

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
    speaker: str = ""
    #: What a person reads of it in a list.
    about: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The voices that are installed, by name, and where else vocoders are looked for."""

    folders: Mapping[str, VoiceFolder]
    vocoder_dirs: tuple[Path, ...] = ()
    #: Banks whose names were taken already.
    hidden: tuple[VoiceFolder, ...] = ()
    #: Names the files of banks; may know them from last time.
    digest_of: DigestOf = file_digest

    def load(self, name: str) -> Voice:
        """Load a voice by name, or a bank by the path of its folder; `name:speaker` is one of its speakers.

        A bank of several speakers is sung by its first where none is named.
        """
        folder, chosen = self._folder(name), ""
        if folder is None and ":" in name:
            before, _, chosen = name.rpartition(":")
            folder = self._folder(before)
        if folder is None:
            hint = did_you_mean(name, self.folders)
            raise BadInput(f"no voice {name!r} is installed{hint}", remedy="`quincunx voices` lists them")
        bank = load_voicebank(folder.root, vocoder_dirs=self.vocoder_dirs, digest_of=self.digest_of)
        speaker = chosen_speaker(bank, chosen or folder.speaker, voice=folder.name)
        called = f"{folder.name}:{chosen}" if chosen else folder.name
        return Voice(called, bank, speaker, folder.root, digest_of=self.digest_of)

    def has(self, name: str) -> bool:
        """Whether there is a voice of this name, or a speaker's name behind one."""
        return name in self.folders or name.rpartition(":")[0] in self.folders

    def _folder(self, name: str) -> VoiceFolder | None:
        if name in self.folders:
            return self.folders[name]
        return VoiceFolder(Path(name).name, Path(name)) if Path(name).is_dir() else None


def find_voices(roots: Iterable[Path], *, vocoder_dirs: Sequence[Path] = ()) -> Catalogue:
    """Look for banks: folders with a dsconfig.yaml, directly below each root. Earlier roots win over later ones."""
    demo = Path(str(files("quincunx_shared"))) / "voicebanks" / "demo"
    folders = {name: VoiceFolder(name, demo, speaker, about) for name, (speaker, about) in DEMO_PRESETS.items()}
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

    def predicting(self, wanted: Collection[Prediction]) -> Casting:
        """Return the cast with the banks' own models for these."""
        made = {voice.name: voice.predicting(wanted) for voice in self.voices.values()}
        return replace(self, voices={number: made[voice.name] for number, voice in self.voices.items()})


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
            notices += first_of_several(loaded[name])
        voices[number] = loaded[name]
    for number in sorted(chosen.keys() - voices.keys()):
        catalogue.load(chosen[number])
        notices.append(f"track {number + 1} ({score.tracks[number].name}) is empty or muted: nobody sings it")
    return Casting(voices, tuple(dict.fromkeys(notices)))


def first_of_several(voice: Voice) -> list[str]:
    """Say who sings where a bank has several speakers and nobody chose one."""
    speakers = list(voice.bank.speakers)
    if len(speakers) < 2 or ":" in voice.name or voice.name in DEMO_PRESETS:
        return []
    others = ", ".join(f"{voice.name}:{short_name(one)}" for one in speakers)
    return [f"the voice {voice.name!r} has several speakers, {short_name(speakers[0])!r} sings; choose with {others}"]


def _installed_name(track: Track, number: int, catalogue: Catalogue, strict: bool, notices: list[str]) -> str:
    singer = track.singer.strip()
    # OpenUTAU writes the singer's folder, with either kind of slash.
    for name in (singer, singer.replace("\\", "/").rsplit("/", 1)[-1]):
        if name and catalogue.has(name):
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
