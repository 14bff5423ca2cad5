"""Putting a bank or a vocoder among the installed ones: whole or not at all.

FILE.oudep | FILE.zip | FOLDER ─► checked names and sizes ─► hidden folder beside the target ─► read as a bank
                                                                                         └─► renamed into place
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from quincunx_orchestrator.banks.archive import open_archive
from quincunx_orchestrator.banks.entry_names import Parts, parts_of
from quincunx_orchestrator.banks.folder import open_folder
from quincunx_shared.bank_folder import BankFolder, read_mapping
from quincunx_shared.bank_settings import VocoderSettings, settings_from
from quincunx_shared.errors import BadInput, BadVoicebank, QuincunxError
from quincunx_shared.voicebank import VocoderNotFound, load_voicebank

Kind: TypeAlias = Literal["bank", "vocoder"]

#: The file that says of a folder what it is.
MARKS: dict[Kind, str] = {"bank": "dsconfig.yaml", "vocoder": "vocoder.yaml"}

#: Begins the names of folders that are not whole yet; no catalogue looks into them.
UNFINISHED = ".installing-"


class Package(Protocol):
    """Checked files that can be unpacked one by one."""

    @property
    def files(self) -> Mapping[Parts, object]:
        """The files by path."""

    @property
    def where(self) -> str:
        """What errors call the package."""

    def unpack(self, parts: Parts, target: Path) -> None:
        """Write one file."""


@dataclass(frozen=True)
class Roots:
    """Where banks and vocoders are installed, and the folders in which vocoders are looked for."""

    banks: Path
    vocoders: Path
    search: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Installed:
    """What is there now. `missing_vocoder` names the vocoder that the bank wants and nobody has."""

    kind: Kind
    name: str
    place: Path
    missing_vocoder: str = ""


def install(
    source: Path,
    roots: Roots,
    *,
    name: str = "",
    encoding: str = "",
    replace: bool = False,
    reserved: Collection[str] = (),
    check_models: Callable[[Iterable[Path]], None] = lambda _: None,
) -> Installed:
    """Install a package under its own name, or under another. Raises `BadInput`; then nothing was written.

    `check_models` refuses files of models that cannot be loaded, by `BadVoicebank`.
    """
    with _opened(source, encoding) as package:
        kind, below = _what_it_is(package)
        parts = parts_of(name or _own_name(kind, below, source), where="--as" if name else package.where)
        if len(parts) != 1:
            raise BadInput(f"{name!r} is no name but a path", where="--as")
        root = roots.banks if kind == "bank" else roots.vocoders
        if kind == "bank" and parts[0] in reserved:
            raise BadInput(f"{parts[0]!r} is a voice of Quincunx itself", where=package.where, remedy="use --as NAME")
        if name or kind == "bank":
            _refuse_taken(root / parts[0], replace)
        with _unfinished(root) as folder:
            _unpack(package, below, folder)
            own = parts[0] if name or kind == "bank" else _vocoder_name(folder, parts[0], package.where)
            with _told_of(folder, package.where):
                missing = _read_back(kind, folder, roots)
                check_models(sorted(folder.rglob("*.onnx")))
            _place(folder, root / own, replace)
            return Installed(kind, own, root / own, missing)


@contextmanager
def _opened(source: Path, encoding: str) -> Iterator[Package]:
    if source.is_dir():
        yield open_folder(source)
    elif source.is_file():
        with open_archive(source, encoding) as archive:
            yield archive
    else:
        what = "is no file and no folder" if source.exists() else "is not there"
        raise BadInput(what, where=str(source), remedy="give an .oudep, a .zip, or a folder")


def _what_it_is(package: Package) -> tuple[Kind, Parts]:
    """Return what the package holds and below which folder in it: the mark that lies highest tells."""
    for kind, mark in MARKS.items():
        found = sorted((len(parts), parts[:-1]) for parts in package.files if parts[-1] == mark)
        highest = [folder for depth, folder in found if depth == found[0][0]]
        if len(highest) > 1:
            told = ", ".join("/".join(folder) for folder in highest[:5])
            raise BadVoicebank(f"holds several: {told}", where=package.where, remedy="install them one by one")
        if highest and (kind == "bank" or len(highest[0]) <= 1):
            return kind, highest[0]
    inner = next(("/".join(parts) for parts in package.files if parts[-1].lower().endswith((".zip", ".oudep"))), "")
    raise BadVoicebank(
        "holds no dsconfig.yaml of a bank and no vocoder.yaml of a vocoder" + (f", but {inner}" if inner else ""),
        where=package.where,
        remedy=f"unpack it, and install {inner}" if inner else "is this a DiffSinger bank or an .oudep?",
    )


def _own_name(kind: Kind, below: Parts, source: Path) -> str:
    """A bank is called by its folder, as the singer in a song file is; without one, by its file."""
    return below[-1] if below else (source.resolve().name if source.is_dir() else source.stem) or kind


def _unpack(package: Package, below: Parts, folder: Path) -> None:
    for parts in package.files:
        if parts[: len(below)] == below:
            target = folder.joinpath(*parts[len(below) :])
            target.parent.mkdir(parents=True, exist_ok=True)
            package.unpack(parts, target)


def _vocoder_name(folder: Path, otherwise: str, where: str) -> str:
    """Return the name by which banks ask for a vocoder: that of the dependency, else the vocoder's own."""
    for config in ("oudep.yaml", "vocoder.yaml"):
        path = BankFolder(folder).optional(config)
        told = read_mapping(path).get("name") if path else None
        if isinstance(told, str) and told:
            parts = parts_of(told, where=f"{where}: {config}: name")
            if len(parts) != 1:
                raise BadVoicebank(f"{told!r} is no name but a path", where=f"{where}: {config}: name")
            return parts[0]
    return otherwise


def _read_back(kind: Kind, folder: Path, roots: Roots) -> str:
    """Read what was unpacked as every later render will. Returns the name of the vocoder a bank still lacks."""
    try:
        if kind == "bank":
            load_voicebank(folder, vocoder_dirs=roots.search)
        else:
            config = folder / MARKS["vocoder"]
            settings = settings_from(VocoderSettings, read_mapping(config), where=str(config))
            BankFolder(folder).file(settings.model, where=f"{config}: model")
    except VocoderNotFound as error:
        return error.name
    return ""


@contextmanager
def _told_of(folder: Path, where: str) -> Iterator[None]:
    """Let errors in a folder be told as errors in the package that was unpacked there."""
    try:
        yield
    except BadVoicebank as error:
        # The folder it was tried in is gone by the time anybody reads this.
        inside = error.where.replace(str(folder), "").lstrip("/\\")
        raise BadVoicebank(
            error.what, where=f"{where}: {inside}".rstrip(": "), remedy="nothing was installed"
        ) from error


@contextmanager
def _unfinished(root: Path) -> Iterator[Path]:
    """Yield an empty folder beside the target, and take away whatever is left of it, made folders included."""
    made = [folder for folder in (root, *root.parents) if not folder.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=UNFINISHED, ignore_cleanup_errors=True) as hidden:
            folder = Path(hidden) / "whole"
            folder.mkdir()
            yield folder
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise QuincunxError(what, where=str(root), remedy="free some room, or choose another --voices-dir") from error
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _place(folder: Path, target: Path, replace: bool) -> None:
    """Rename the finished folder into place; what stood there goes with the hidden folder."""
    _refuse_taken(target, replace)
    if target.exists():
        old = folder.parent / "old"
        target.rename(old)
        try:
            folder.rename(target)
        except OSError:
            old.rename(target)
            raise
    else:
        folder.rename(target)


def _refuse_taken(target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise BadInput("is installed already", where=str(target), remedy="--replace takes its place, --as gives a name")


def installed_in(roots: Iterable[Path]) -> dict[str, Path]:
    """Return banks and vocoders by name: folders with a mark, directly below each root. Earlier roots win."""
    places: dict[str, Path] = {}
    for root in roots:
        for mark in MARKS.values():
            for config in sorted(root.glob(f"*/{mark}")):
                places.setdefault(config.parent.name, config.parent)
    return places


def remove(place: Path) -> Path:
    """Take away an installed bank or vocoder; a link goes, and what it leads to stays."""
    try:
        if place.is_symlink():
            place.unlink()
            return place
        hidden = Path(tempfile.mkdtemp(dir=place.parent, prefix=UNFINISHED))
        place.rename(hidden / place.name)
        shutil.rmtree(hidden)
    except OSError as error:
        raise QuincunxError(f"cannot be removed: {error.strerror}", where=str(place)) from error
    return place
