"""From flags, environment and files to one `FarmSettings`, with the origin of every value.

    flag  >  QUINCUNX_FARM_…  >  quincunx.toml of the project  >  of the user  >  of the system  >  default

Files hold a table `[farm]`. The project's is the nearest one in the working directory or above it. Relative paths are
relative to the file that names them, else to the working directory.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quincunx_shared.errors import BadInput
from quincunx_shared.farm.settings import BELONGS_TO, FarmSettings
from quincunx_shared.hints import did_you_mean

PREFIX = "QUINCUNX_FARM_"
FILE = "quincunx.toml"
TABLE = "farm"

#: Secrets one might think of putting into the environment, where every child process and crash report sees them.
_SECRETS = ("redis_password", "store_access_key", "store_secret_key", "envelope_key")

DEFAULT = "default"


@dataclass(frozen=True)
class Layer:
    """Values from one place: `place` names it, `base` is where its relative paths begin."""

    place: str
    values: Mapping[str, Any]
    base: Path

    def origin(self, name: str) -> str:
        """Where a person finds a value of this layer."""
        if self.place == "environment":
            return f"environment {PREFIX}{name.upper()}"
        if self.place == "flag":
            return f"flag --{name.replace('_', '-')}"
        return f"{self.place}: {TABLE}.{name}"


@dataclass(frozen=True)
class Loaded:
    """Settings, and where each of them comes from."""

    settings: FarmSettings
    origins: Mapping[str, str]


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    directory: Path | None = None,
    fallback: Path | None = None,
) -> Loaded:
    """Read every layer, the strongest first. Flags that are None were not given.

    `fallback` is a file that is read if nothing else names a farm: that of a farm which runs on this machine alone.
    Raises `BadInput` for a value that is wrong, with the place it came from.
    """
    environment = os.environ if environ is None else environ
    here = (directory or Path.cwd()).absolute()
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    layers = [Layer("flag", given, here), _environment(environment, here), *_files(environment, here)]
    unnamed = not any("redis_url" in one.values or "store" in one.values for one in layers)
    if unnamed and fallback is not None and fallback.is_file():
        layers.append(_file(fallback))
    return _merged(layers)


def _merged(layers: list[Layer]) -> Loaded:
    values: dict[str, Any] = {}
    origins = dict.fromkeys(FarmSettings.model_fields, DEFAULT)
    barred: set[str] = set()
    for layer in layers:
        # A layer that names a server which a stronger one has named already speaks of another server: its secrets, and
        # those below it, are not for the stronger one's.
        overruled = [names for server, names in BELONGS_TO.items() if server in values and server in layer.values]
        barred.update(name for names in overruled for name in names)
        for name, value in layer.values.items():
            if name not in values and name not in barred:
                values[name] = _checked(layer, name, value)
                origins[name] = layer.origin(name)
    return Loaded(FarmSettings(**values), origins)


def _checked(layer: Layer, name: str, value: Any) -> Any:
    from pydantic import ValidationError

    if name not in FarmSettings.model_fields:
        raise BadInput(_unknown(name), where=layer.origin(name))
    try:
        read = getattr(FarmSettings(**{name: value}), name)
    except ValidationError as error:
        # Without the value: someone may have written a secret into the wrong place.
        raise BadInput(error.errors()[0]["msg"].removeprefix("Value error, "), where=layer.origin(name)) from None
    return layer.base / read.expanduser() if isinstance(read, Path) else read


def _unknown(name: str) -> str:
    if name in _SECRETS:
        return f"secrets are given as files that only you can read: {name}_file"
    return f"there is no such setting{did_you_mean(name, FarmSettings.model_fields)}"


def _environment(environ: Mapping[str, str], here: Path) -> Layer:
    named = {key.removeprefix(PREFIX).lower(): value for key, value in environ.items() if key.startswith(PREFIX)}
    # An empty variable is how compose files and units leave one out.
    return Layer("environment", {name: value for name, value in named.items() if value}, here)


def _files(environ: Mapping[str, str], here: Path) -> Iterator[Layer]:
    project = next((path for folder in (here, *here.parents) if (path := folder / FILE).is_file()), None)
    known = (project, *config_files(environ))
    yield from map(_file, dict.fromkeys(path for path in known if path is not None and path.is_file()))


def config_files(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The files of the user and of the system, which need not exist."""
    from platformdirs import site_config_path, user_config_path

    user = environ.get("QUINCUNX_CONFIG_DIR")
    own = Path(user) if user else user_config_path("quincunx", appauthor=False)
    # Where services look on Linux; platformdirs names the place of desktop programs.
    site = Path("/etc/quincunx") if sys.platform == "linux" else site_config_path("quincunx", appauthor=False)
    return own / FILE, site / FILE


def _file(path: Path) -> Layer:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"this file cannot be read: {error}", where=str(path)) from error
    wrong = next((name for name in document if name != TABLE), None)
    if wrong is not None:
        raise BadInput(f"there is no table {wrong!r}{did_you_mean(wrong, [TABLE])}", where=str(path))
    values = document.get(TABLE, {})
    if not isinstance(values, dict):
        raise BadInput(f"{TABLE} is a table: write [{TABLE}]", where=str(path))
    return Layer(str(path), values, path.parent)
