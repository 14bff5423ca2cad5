"""What can be wrong on this machine alone: packages, disk, files of secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from quincunx_orchestrator.farm.doctor.findings import Finding, fault, fine, skipped, warning
from quincunx_shared.farm.secret_file import BadSecret, read_secret, rights_problem
from quincunx_shared.farm.settings import FarmSettings

#: Below this a render of an ordinary song may fail for want of room.
SCARCE_BYTES = 1_000_000_000

RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


def check_runtimes(path: Sequence[str] | None = None) -> Finding:
    """One ONNX Runtime is installed: both overwrite each other's files, and with none no model runs.

    `path` is where packages are looked for, if not where Python itself does.
    """
    found = {name: number for name in RUNTIMES if (number := _version(name, path))}
    check = "ONNX Runtime"
    if len(found) > 1:
        remedy = f"pip uninstall -y {' '.join(RUNTIMES)}, then pip install 'quincunx[cpu]' or 'quincunx[gpu]'"
        told = " and ".join(f"{name} {number}" for name, number in found.items())
        return fault(check, f"both are installed, over each other: {told}", remedy)
    if not found:
        return warning(check, "none is installed: a worker here runs no model", "pip install 'quincunx[cpu]'")
    ((name, number),) = found.items()
    return fine(check, f"{name} {number}")


def check_disk(folder: Path, wanted: int) -> Finding:
    """The cache of blobs has room to grow to its size."""
    at = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(at).free
    told = f"{_gigabytes(free)} free at {folder}"
    remedy = "free some room, or set cache_dir or cache_size"
    if free < SCARCE_BYTES:
        return fault("disk", told, remedy)
    if free + held_bytes(_files_in(folder)) < wanted:
        return warning("disk", f"{told}, and the cache may take {_gigabytes(wanted)}", remedy)
    return fine("disk", told)


def held_bytes(files: Iterable[Path]) -> int:
    """How many bytes files hold; what somebody evicts meanwhile holds none."""
    held = 0
    for path in files:
        with suppress(OSError):
            held += path.lstat().st_size
    return held


def _files_in(folder: Path) -> Iterator[Path]:
    # Unlike `rglob` this takes a folder that goes meanwhile for an empty one.
    return (Path(within) / name for within, _, names in os.walk(folder) for name in names)


#: The settings that name a secret; other files may be read by anybody.
SECRET_FILES = ("redis_password_file", "store_access_key_file", "store_secret_key_file", "envelope_key_file")


def check_secrets(settings: FarmSettings) -> Iterator[Finding]:
    """Files of secrets can be read by this user and by nobody else."""
    named = {name: path for name in SECRET_FILES if (path := _secret(settings, name))}
    if not named:
        yield skipped("secrets", "no file of secrets is named")
    if settings.named and settings.envelope_key_file is None:
        told = "no key is named: messages cannot be sealed, and workers take no others"
        yield fault("secret envelope_key", told, "set envelope_key_file to one that all share: openssl rand -hex 32")
    if settings.named and settings.redis_password_file is None and not settings.redis_url.startswith("unix:"):
        told = "no password is named: whoever reaches Redis may read and change everything"
        yield warning("secret redis_password", told, "set redis_password_file, and users in Redis as deploy/ does")
    for name, path in named.items():
        yield _check_secret(name, path)


def _check_secret(name: str, path: Path) -> Finding:
    check = f"secret {name.removesuffix('_file')}"
    try:
        if problem := rights_problem(path):
            return fault(check, f"{path}: {problem}", f"chmod 600 {path}")
        read_secret(path)
    except BadSecret as error:
        return fault(check, f"{path}: {error.what}", f"write the secret into {path}, and nothing else")
    except OSError as error:
        return fault(check, f"{path}: {error.strerror}", f"put the secret there, or correct {name}")
    return fine(check, f"{path} is for its owner alone")


def _secret(settings: FarmSettings, name: str) -> Path | None:
    value = getattr(settings, name)
    return value if isinstance(value, Path) else None


def _version(name: str, path: Sequence[str] | None) -> str:
    if path is None:
        try:
            return version(name)
        except PackageNotFoundError:
            return ""
    from importlib.metadata import distributions

    return next((one.version for one in distributions(name=name, path=list(path))), "")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
