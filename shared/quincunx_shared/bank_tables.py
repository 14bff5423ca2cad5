"""The tables of a bank: phonemes, languages and speakers of a model. Paths count from its config file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quincunx_shared.bank_folder import BankFolder, read_bytes, read_text
from quincunx_shared.bank_settings import VocabularySettings
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest


@dataclass(frozen=True)
class Tables:
    """What the inputs of a model mean: phoneme → token, language → id, speaker → the digest of its embedding."""

    phoneme_ids: Mapping[str, int]
    language_ids: Mapping[str, int]
    speakers: Mapping[str, Digest]


def read_tables(
    folder: BankFolder, settings: VocabularySettings, register: Callable[[Path], Digest], *, below: str = ""
) -> Tables:
    """Read the tables that a config file in the folder `below` names; `register` is told of every file a step reads."""
    config = str(folder.root / below / "dsconfig.yaml")
    return Tables(
        _phoneme_ids(folder.file(settings.phonemes, below=below, where=f"{config}: phonemes")),
        _language_ids(folder, settings, below, f"{config}: languages"),
        _speakers(folder, settings, register, below, f"{config}: speakers"),
    )


def _phoneme_ids(path: Path) -> Mapping[str, int]:
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


def _language_ids(folder: BankFolder, settings: VocabularySettings, below: str, where: str) -> Mapping[str, int]:
    if not settings.languages and not settings.use_lang_id:
        return MappingProxyType({})
    return MappingProxyType(_json_ids(folder.file(settings.languages or "languages.json", below=below, where=where)))


def _speakers(
    folder: BankFolder,
    settings: VocabularySettings,
    register: Callable[[Path], Digest],
    below: str,
    where: str,
) -> Mapping[str, Digest]:
    paths = {name: folder.file(f"{name}.emb", below=below, where=where) for name in settings.speakers}
    for path in paths.values():
        if path.stat().st_size != 4 * settings.hidden_size:
            raise BadVoicebank(f"this embedding does not hold {settings.hidden_size} float32 values", where=str(path))
    return MappingProxyType({name: register(path) for name, path in paths.items()})
