"""Who computes what right now, among the processes of one machine that share a cache.

A claim is a lock on one byte of an empty file, at the place that the signature names. The system takes it back when
its process dies, however it dies, so there is nothing to time out and nothing to clean up. Claims only save work:
where files cannot be locked everybody gets every claim, and what is computed twice is stored once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from quincunx_shared.names import Signature

#: So many digits of a signature are a place that every system can lock.
_DIGITS = 15

#: Everybody who may claim something holds this byte together with the others.
_PRESENCE = 16**_DIGITS


class Claims:
    """The claims of one process. Threads of it do not exclude each other; see `Flights`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._file: int | None = None
        self._usable = sys.platform != "win32"

    def take(self, signature: Signature) -> bool:
        """Claim a computation. False if another process has it now."""
        with self._guard:
            return self._lock(int(signature[:_DIGITS], 16))

    def give_back(self, signatures: Iterable[Signature]) -> None:
        """Let others have them."""
        with self._guard:
            for signature in signatures:
                self._unlock(int(signature[:_DIGITS], 16))

    def nobody_else(self) -> bool:
        """Whether this is the only process that has claimed anything since it began."""
        with self._guard:
            alone = self._lock(_PRESENCE)
            if alone:
                self._be_present()
        return alone

    def close(self) -> None:
        """Give everything back."""
        with self._guard:
            self._close()

    def _lock(self, place: int) -> bool:
        file = self._open()
        if file is None:
            return True
        import fcntl

        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            # A file system without locks.
            self._usable = False
            self._close()
        return True

    def _unlock(self, place: int) -> None:
        if self._file is not None:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _open(self) -> int | None:
        if self._usable and self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
                self._be_present()
            except OSError:
                self._usable = False
                self._close()
        return self._file

    def _be_present(self) -> None:
        if self._file is not None:
            import fcntl

            # Waits for as long as another process looks whether it is alone.
            fcntl.lockf(self._file, fcntl.LOCK_SH, 1, _PRESENCE)

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None
