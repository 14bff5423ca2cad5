"""What every command needs from the machine: the cache, the installed voices, the number of threads.

Precedence: flag, environment, built-in default. The environment is read here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from quincunx_orchestrator.song.voices import Catalogue, find_voices
from quincunx_shared.stores.cache_folder import Cache, open_cache

if TYPE_CHECKING:
    from quincunx_orchestrator.banks.install import Roots
    from quincunx_shared.isolation import Isolation
    from quincunx_shared.model_limits import ModelLimits


@dataclass(frozen=True)
class Workspace:
    """The flags that several commands share."""

    cache_dir: Path | None = None
    vocoder_dirs: tuple[Path, ...] = ()
    threads: int = 0
    device: Literal["cpu", "cuda"] | None = None
    #: Packages whose steps run apart, and the seconds and gigabytes one call may take.
    apart: tuple[tuple[str, ...], float, float] = ((), 300.0, 4.0)
    #: The seconds one run of a model may take and the gigabytes of all of them; 0 for the default.
    models: tuple[float, float] = (0.0, 0.0)
    #: How large the cache may grow; None where it is not grown.
    cache_bytes: float | None = None

    @property
    def limits(self) -> ModelLimits:
        """What the models of a bank may take."""
        from quincunx_orchestrator.cli.model_options import limits_of

        return limits_of(*self.models)

    @property
    def isolation(self) -> Isolation:
        """Which packages' steps run in processes of their own."""
        from quincunx_shared.isolation import Isolation

        packages, seconds, gigabytes = self.apart
        return Isolation(frozenset(packages), seconds, round(gigabytes * 1e9))

    @property
    def thread_count(self) -> int:
        """As many threads as cores, unless told otherwise."""
        return self.threads or os.cpu_count() or 1

    @property
    def cache_root(self) -> Path:
        """Where results are kept."""
        if self.cache_dir is not None:
            return self.cache_dir
        from platformdirs import user_cache_path

        return user_cache_path("quincunx", appauthor=False)

    @property
    def voice_roots(self) -> tuple[Path, ...]:
        """The folders in which installed banks lie, one folder a bank."""
        return (*self._named_roots(), self._own_data() / "voicebanks")

    @property
    def vocoder_roots(self) -> tuple[Path, ...]:
        """The folders in which vocoders are looked for that a bank names and does not hold, one folder a vocoder."""
        return (*self.vocoder_dirs, *self._named_roots(), self._own_data() / "vocoders")

    def catalogue(self, cache: Cache | None = None) -> Catalogue:
        """The voices that are installed. With a cache, the files of their banks are read when they have changed."""
        found = find_voices(self.voice_roots, vocoder_dirs=self.vocoder_roots)
        return found if cache is None else replace(found, digest_of=cache.file_digests.digest_of)

    def install_roots(self, chosen: Path | None) -> Roots:
        """Where to install: the folder chosen, else the first that QUINCUNX_VOICES names, else the user's own."""
        from quincunx_orchestrator.banks.install import Roots

        named = chosen or next(iter(self._named_roots()), None)
        own = self._own_data()
        banks, vocoders = (named, named) if named else (own / "voicebanks", own / "vocoders")
        return Roots(banks, vocoders, (vocoders, *self.vocoder_roots))

    def _named_roots(self) -> tuple[Path, ...]:
        named = os.environ.get("QUINCUNX_VOICES", "")
        return tuple(Path(part) for part in named.split(os.pathsep) if part)

    def _own_data(self) -> Path:
        from platformdirs import user_data_path

        return user_data_path("quincunx", appauthor=False)

    @contextmanager
    def cache(self) -> Iterator[Cache]:
        """Open the cache, and close it again."""
        cache = open_cache(self.cache_root)
        try:
            yield cache
        finally:
            cache.close()

    @contextmanager
    def cache_to_render_on(self) -> Iterator[Cache]:
        """Open the cache; where it may only be read, recall from it, and keep nothing beyond this process."""
        if self.cache_root.is_dir() and not os.access(self.cache_root, os.W_OK):
            from quincunx_shared.stores.borrowed import may_only_be_read

            if may_only_be_read(self.cache_root):
                with self._borrowed() as cache:
                    yield cache
                return
        with self.cache() as cache:
            yield cache

    @contextmanager
    def _borrowed(self) -> Iterator[Cache]:
        from tempfile import TemporaryDirectory

        from quincunx_shared.stores.borrowed import borrow_cache

        click.echo(f"Note: {self.cache_root} can only be read: what is rendered now is not kept.", err=True)
        with (
            TemporaryDirectory(prefix="quincunx-", ignore_cleanup_errors=True) as folder,
            closing(borrow_cache(self.cache_root, Path(folder))) as cache,
        ):
            yield cache


isolate_options = (
    click.option(
        "--isolate",
        multiple=True,
        metavar="PACKAGE|all",
        envvar="QUINCUNX_ISOLATE",
        help="Run the steps of this package in processes of their own.  [env: QUINCUNX_ISOLATE]",
    ),
    click.option(
        "--isolate-seconds",
        type=click.FloatRange(0.1, 86400),
        default=300.0,
        help="How long such a step may take.  [default: 300]",
    ),
    click.option(
        "--isolate-memory",
        type=click.FloatRange(0.3, 4096),
        default=4.0,
        help="Gigabytes such a step may use.  [default: 4]",
    ),
)

cache_dir_option = click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="QUINCUNX_CACHE_DIR",
    help="Where results are kept.  [env: QUINCUNX_CACHE_DIR; default: the user's cache directory]",
)
