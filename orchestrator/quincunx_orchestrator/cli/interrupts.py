"""How a command that stays is ended: by Ctrl-C, and where nobody sits at a keyboard, by `kill`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_kill() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, by KeyboardInterrupt, so that it says goodbye and closes its files."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to whoever owns the process
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def how_to_end() -> str:
    """Say what ends this process: a shell that starts it in the background may have it ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return f"`kill {os.getpid()}` ends"
    return "Ctrl-C ends"
