"""Reading a file of a voicebank that a plan knows by its digest."""

from __future__ import annotations

from pathlib import Path

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest


class BankFileChanged(BadVoicebank):
    """A file of a bank is not the one that the plan was made for."""


def read_held(path: Path, digest: Digest) -> bytes:
    """Return the file's content, if it is still what the plan was made for.

    A bank that is replaced in place would otherwise sing with new models under the signatures of the old ones.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadVoicebank(f"cannot be read: {error.strerror}", where=str(path)) from error
    if digest_of_bytes(content) != digest:
        raise BankFileChanged("has changed since the bank was read", where=str(path), remedy="render again")
    return content
