"""A voicebank in DiffSinger's layout, read once into a value: names, digests, settings; no model is opened.

    <bank>/dsconfig.yaml  phonemes.txt|json  languages.json  acoustic.onnx  <speaker>.emb  character.txt|yaml
           dsdict.yaml  dsdict-<language>.yaml        (here or in dsdur/)
           dsvocoder/{vocoder.yaml, *.onnx}           (wins over `vocoder:`)

Every file a step may need is known by the digest of its content, so a bank that is changed in place gives other
signatures. Dictionaries are not parsed here: the step that needs one fetches it by digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quincunx_shared.bank_folder import BankFolder, file_digest, read_bytes, read_mapping, read_text
from quincunx_shared.bank_settings import AcousticSettings, VocoderSettings, check_agreement, settings_from
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


def load_voicebank(root: Path, *, vocoder_dirs: Sequence[Path] = ()) -> Voicebank:
    """Read a bank. A vocoder it does not hold itself is looked for as `<dir>/<name>/vocoder.yaml`, in order.

    Raises `BadVoicebank` with the file and the remedy for whatever is missing, wrong or leads out of the bank.
    """
    folder = BankFolder(root)
    config = root / "dsconfig.yaml"
    if not config.is_file():
        raise BadVoicebank(
            "there is no dsconfig.yaml here", where=str(root), remedy="give the folder that holds a DiffSinger bank"
        )
    settings = settings_from(AcousticSettings, read_mapping(config), where=str(config))
    registry = _Registry()
    acoustic = registry.add(folder.file(settings.acoustic, where=f"{config}: acoustic"))
    phoneme_ids, language_ids = _phoneme_ids(folder, settings), _language_ids(folder, settings)
    dictionaries, speakers = _dictionaries(folder, registry), _speakers(folder, settings, registry)
    # Last, so that a bank that lacks nothing but its vocoder is known to lack nothing else.
    vocoder_path, vocoder_settings = _find_vocoder(folder, settings, vocoder_dirs)
    return Voicebank(
        name=_name(folder),
        acoustic=acoustic,
        vocoder=registry.add(vocoder_path),
        phoneme_ids=phoneme_ids,
        language_ids=language_ids,
        dictionaries=dictionaries,
        speakers=speakers,
        settings=settings,
        vocoder_settings=vocoder_settings,
        files=MappingProxyType(registry.files),
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

    def __init__(self) -> None:
        self.files: dict[Digest, Path] = {}

    def add(self, path: Path) -> Digest:
        digest = file_digest(path)
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


def _phoneme_ids(folder: BankFolder, settings: AcousticSettings) -> Mapping[str, int]:
    where = f"{folder.root / 'dsconfig.yaml'}: phonemes"
    path = folder.file(settings.phonemes, where=where)
    ids = _json_ids(path) if path.suffix.lower() == ".json" else _line_ids(path)
    if "SP" not in ids:
        raise BadVoicebank("there is no phone SP, the silence every phrase begins with", where=str(path))
    return MappingProxyType(ids)


def _line_ids(path: Path) -> dict[str, int]:
    names = [line.strip() for line in read_text(path, "utf-8-sig").rstrip().splitlines()]
    return _unique(((name, number) for number, name in enumerate(names) if name), path)


def _json_ids(path: Path) -> dict[str, int]:
    try:
        pairs = json.loads(read_bytes(path), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise BadVoicebank(f"this is not JSON: {error}", where=str(path)) from error
    if not isinstance(pairs, tuple):
        raise BadVoicebank('this file must hold {"name": number, …}', where=str(path))
    for name, number in pairs:
        if type(number) is not int or number < 0:
            raise BadVoicebank(f"{name!r} must have a whole number", where=str(path))
    return _unique(pairs, path)


def _unique(pairs: Iterable[tuple[str, Any]], path: Path) -> dict[str, int]:
    ids: dict[str, int] = {}
    for name, number in pairs:
        if name in ids:
            raise BadVoicebank(f"{name!r} stands twice", where=str(path), remedy="keep one of them")
        ids[name] = number
    return ids


def _language_ids(folder: BankFolder, settings: AcousticSettings) -> Mapping[str, int]:
    if not settings.languages and not settings.use_lang_id:
        return MappingProxyType({})
    where = f"{folder.root / 'dsconfig.yaml'}: languages"
    return MappingProxyType(_json_ids(folder.file(settings.languages or "languages.json", where=where)))


def _dictionaries(folder: BankFolder, registry: _Registry) -> Mapping[str, Digest]:
    # Those beside the duration model come last and win: they are the ones OpenUTAU phonemizes with.
    paths = [*folder.matching("dsdict*.yaml"), *folder.matching("dsdur/dsdict*.yaml")]
    by_language = {path.stem.removeprefix("dsdict").removeprefix("-"): path for path in paths}
    return MappingProxyType({language: registry.add(by_language[language]) for language in sorted(by_language)})


def _speakers(folder: BankFolder, settings: AcousticSettings, registry: _Registry) -> Mapping[str, Digest]:
    where = f"{folder.root / 'dsconfig.yaml'}: speakers"
    paths = {name: folder.file(f"{name}.emb", where=where) for name in settings.speakers}
    for path in paths.values():
        if path.stat().st_size != 4 * settings.hidden_size:
            raise BadVoicebank(f"this embedding does not hold {settings.hidden_size} float32 values", where=str(path))
    return MappingProxyType({name: registry.add(path) for name, path in paths.items()})


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
