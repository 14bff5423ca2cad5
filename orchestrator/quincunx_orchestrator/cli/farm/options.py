"""Which farm a command speaks to: the flags that say so, and the settings that come of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from quincunx_shared.farm.settings import FarmSettings
    from quincunx_shared.farm.settings_layers import Loaded

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: Flags of every command that speaks to a farm, named as the settings are.
FLAGS = ("redis_url", "store", "namespace")

_OPTIONS = (
    click.option("--redis-url", metavar="URL", help="The farm's Redis.  [env: QUINCUNX_FARM_REDIS_URL]"),
    click.option("--store", metavar="URL", help="The farm's store of results.  [env: QUINCUNX_FARM_STORE]"),
    click.option("--namespace", metavar="NAME", help="The farm's name.  [env: QUINCUNX_FARM_NAMESPACE; default: qx]"),
)


def farm_options(command: Decorated) -> Decorated:
    """Add the flags that name a farm."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class SettingOption(click.Option):
    """A flag that stands for a setting, and for no more."""

    section = "Settings of this process"


def setting_options(command: Decorated) -> Decorated:
    """Add a flag for every setting of a farm: those that name it, and how a process of it is set up."""
    from quincunx_shared.farm.settings import FarmSettings

    for name, field in reversed(FarmSettings.model_fields.items()):
        if name not in FLAGS:
            default = f"  [default: {field.default}]" if field.default not in (None, "") else ""
            unit = name.rpartition("_")[2].upper()
            told = f"{field.description}{default}"
            command = click.option(_flag(name), metavar=unit, help=told, cls=SettingOption)(command)
    return farm_options(command)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def load(**flags: str | None) -> Loaded:
    """Read the settings: what the flags say, then the environment, files, and a private farm that runs here."""
    from quincunx_orchestrator.farm.private import settings_file
    from quincunx_shared.farm.settings_layers import load_settings

    return load_settings(flags, fallback=settings_file())


def named_farm(**flags: str | None) -> FarmSettings:
    """The same, refusing when no farm is named."""
    settings = load(**flags).settings
    if settings.named:
        return settings
    from quincunx_shared.errors import FarmUnreachable

    missing = " and ".join(name for name in ("redis_url", "store") if not getattr(settings, name))
    raise FarmUnreachable(
        f"no farm is named: nothing sets {missing}",
        remedy="`quincunx dev` starts one on this machine; `quincunx config show --origin` says what is set where",
    )
