"""A voicebank in DiffSinger's layout, read once into a value: names, digests, settings; no model is opened.

    <bank>/dsconfig.yaml  phonemes.txt|json  languages.json  acoustic.onnx  <speaker>.emb  character.txt|yaml
           dsdict.yaml  dsdict-<language>.yaml        (here or in dsdur/)
           dsvocoder/{vocoder.yaml, *.onnx}           (wins over `vocoder:`)
           dsvariance/{dsconfig.yaml, *.onnx}         (see `bank_predictor`)

Every file a step may need is known by the digest of its content, so a bank that is changed in place gives other
signatures. Dictionaries are not parsed here: the step that needs one fetches it by digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from quincunx_shared.bank_folder import BankFolder, DigestOf, file_digest, read_mapping, read_text
from quincunx_shared.bank_predictor import Predictor, load_predictor
from quincunx_shared.bank_settings import AcousticSettings, VocoderSettings, check_agreement, settings_from
from quincunx_shared.bank_tables import read_tables
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest

#: The entry of a vocabulary that is never sung.
PADDING = "<PAD>"

_NAME_LINE = re.compile(r"^\s*name\s*[=:]\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Voicebank:
    """What the farm knows of a bank. `files` maps the digest of every file a step may need to its place."""

    name: str
    files: Mapping[Digest, Path]
    acoustic: Digest
    vocoder: Digest
    phoneme_ids: Mapping[str, int]
    language_ids: Mapping[str, int]
    dictionaries: Mapping[str, Digest]
    speakers: Mapping[str, Digest]
    settings: AcousticSettings
    vocoder_settings: VocoderSettings
    #: Predicts energy, breathiness, voicing and tension, where the acoustic model sings from them.
    variance: Predictor | None = None
    #: Voice colour → the speaker that OpenUTAU sings it with.
    colours: Mapping[str, str] = field(default_factory=dict)

    @property
    def sample_rate(self) -> int:
        """Samples a second of everything this bank sings."""
        return self.settings.sample_rate

    @property
    def hop_size(self) -> int:
        """Samples a frame."""
        return self.settings.hop_size

    def phonology(self) -> Json:
        """What phonemize and duration read: the phones there are, and the dictionaries by language and digest.

        A few hundred bytes however large the dictionaries are, and equal for equal content. The language of
        dsdict.yaml is "".
        """
        phones = sorted(name for name in self.phoneme_ids if name != PADDING)
        return {"phones": [*phones], "dictionaries": {**self.dictionaries}}


def load_voicebank(root: Path, *, vocoder_dirs: Sequence[Path] = (), digest_of: DigestOf = file_digest) -> Voicebank:
    """Read a bank. A vocoder it does not hold itself is looked for as `<dir>/<name>/vocoder.yaml`, in order.

    `digest_of` may know the digests of files without reading them.

    Raises `BadVoicebank` with the file and the remedy for whatever is missing, wrong or leads out of the bank.
    """
    folder = BankFolder(root)
    config = root / "dsconfig.yaml"
    if not config.is_file():
        raise BadVoicebank(
            "there is no dsconfig.yaml here", where=str(root), remedy="give the folder that holds a DiffSinger bank"
        )
    settings = settings_from(AcousticSettings, read_mapping(config), where=str(config))
    registry = _Registry(digest_of)
    acoustic = registry.add(folder.file(settings.acoustic, where=f"{config}: acoustic"))
    tables, dictionaries = read_tables(folder, settings, registry.add), _dictionaries(folder, registry)
    variance = load_predictor(folder, "dsvariance", "variance", registry.add)
    # Last, so that a bank that lacks nothing but its vocoder is known to lack nothing else.
    vocoder_path, vocoder_settings = _find_vocoder(folder, settings, vocoder_dirs)
    return Voicebank(
        name=_name(folder),
        acoustic=acoustic,
        vocoder=registry.add(vocoder_path),
        phoneme_ids=tables.phoneme_ids,
        language_ids=tables.language_ids,
        dictionaries=dictionaries,
        speakers=tables.speakers,
        settings=settings,
        vocoder_settings=vocoder_settings,
        files=MappingProxyType(registry.files),
        variance=variance,
        colours=_colours(folder),
    )


class VocoderNotFound(BadVoicebank):
    """A bank names a vocoder that it does not hold, and none of the searched folders does."""

    def __init__(self, name: str, searched: Sequence[Path], *, where: str) -> None:
        folders = ", ".join(map(str, searched)) or "no folder"
        super().__init__(
            f"vocoder {name} not found in {folders}",
            where=where,
            remedy=f"`quincunx voices install {name}.oudep` installs it; or pass --vocoder-dir with the folder that"
            f" holds {name}/vocoder.yaml",
        )
        self.name = name


class _Registry:
    """Collects files by content; two files with the same content are one."""

    def __init__(self, digest_of: DigestOf) -> None:
        self.files: dict[Digest, Path] = {}
        self._digest_of = digest_of

    def add(self, path: Path) -> Digest:
        digest = self._digest_of(path)
        self.files.setdefault(digest, path)
        return digest


def _find_vocoder(
    folder: BankFolder, settings: AcousticSettings, vocoder_dirs: Sequence[Path]
) -> tuple[Path, VocoderSettings]:
    own = folder.optional("dsvocoder/vocoder.yaml")
    holder, below, config = (folder, "dsvocoder", own) if own else _search_vocoder(folder, settings, vocoder_dirs)
    vocoder = settings_from(VocoderSettings, read_mapping(config), where=str(config))
    check_agreement(settings, vocoder, where=str(config))
    return holder.file(vocoder.model, below=below, where=f"{config}: model"), vocoder


def _search_vocoder(
    folder: BankFolder, settings: AcousticSettings, vocoder_dirs: Sequence[Path]
) -> tuple[BankFolder, str, Path]:
    where = str(folder.root / "dsconfig.yaml")
    if not settings.vocoder:
        raise BadVoicebank("no vocoder is named, and there is no dsvocoder folder", where=where)
    if "/" in settings.vocoder or "\\" in settings.vocoder:
        raise BadVoicebank(f"vocoder must be a name, not the path {settings.vocoder!r}", where=where)
    for directory in vocoder_dirs:
        holder = BankFolder(directory / settings.vocoder)
        # Through the outer folder, so that a name such as `..` is refused.
        if config := BankFolder(directory).optional(f"{settings.vocoder}/vocoder.yaml"):
            return holder, "", config
    raise VocoderNotFound(settings.vocoder, vocoder_dirs, where=where)


def _dictionaries(folder: BankFolder, registry: _Registry) -> Mapping[str, Digest]:
    # Those beside the duration model come last and win: they are the ones OpenUTAU phonemizes with.
    paths = [*folder.matching("dsdict*.yaml"), *folder.matching("dsdur/dsdict*.yaml")]
    by_language = {path.stem.removeprefix("dsdict").removeprefix("-"): path for path in paths}
    return MappingProxyType({language: registry.add(by_language[language]) for language in sorted(by_language)})


def _colours(folder: BankFolder) -> Mapping[str, str]:
    """Return the voice colours of character.yaml's subbanks, whose suffix is the name of a speaker."""
    described = folder.optional("character.yaml")
    subbanks = read_mapping(described).get("subbanks") if described else None
    pairs = [one for one in subbanks if isinstance(one, dict)] if isinstance(subbanks, list) else []
    return MappingProxyType({str(one.get("color") or ""): str(one.get("suffix") or "") for one in pairs})


def _name(folder: BankFolder) -> str:
    described = folder.optional("character.yaml")
    description = read_mapping(described) if described else {}
    text_file = folder.optional("character.txt")
    encoding = description.get("text_file_encoding")
    text = read_text(text_file, encoding if isinstance(encoding, str) else "") if text_file else ""
    if named := _NAME_LINE.search(text):
        return named[1].strip()
    name = description.get("name")
    return name if isinstance(name, str) else folder.root.resolve().name
