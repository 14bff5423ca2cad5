"""The files of the voices on a worker's machine: by digest, fetched from the store when they are not there yet."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quincunx_shared.errors import BadVoicebank, BlobsLost
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore
from quincunx_shared.stores.machine_cache import MachineCache


@dataclass(frozen=True)
class BankFiles:
    """A folder of files named by their digest. Several processes share it; a file is whole or absent.

    Whoever reads a file holds it to its digest; one that is wrong is dropped (`changed`) and fetched anew.
    """

    folder: Path
    blobs: BlobStore
    #: Keeps what it fetches as files already.
    machine: MachineCache | None = None

    def path(self, digest: Digest) -> Path:
        """Return where the file lies, fetching it if need be. Raises `BadVoicebank` if the store does not have it."""
        try:
            return self._path(digest) if self.machine is None else self.machine.file(digest)
        except BlobsLost as error:
            raise BadVoicebank(
                f"a file of a voice is not in the store: {digest}",
                remedy="submit the song again, from a machine that has the voice",
            ) from error

    def changed(self, path: Path) -> None:
        """Drop a file that is not what its name says."""
        path.unlink(missing_ok=True)

    def _path(self, digest: Digest) -> Path:
        path = self.folder / digest[:2] / digest
        if path.exists():
            return path
        content = self.blobs.get(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)  # noqa: PTH105 - the name is a text
        return path
