"""HTTP connections that ask again: whole answers or an error, within a known time.

Every request through this pool may be repeated, because all that is sent through it is: blobs under their own digest,
documents of which the last wins, deletions, questions.
"""

from __future__ import annotations

import io
import random
import socket
import time
from collections.abc import Callable
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from quincunx_shared.stores.patience import CONNECT_SECONDS, NOT_NOW, Patience

_READ_BYTES = 1 << 20

#: A body is sent in pieces, each with its own time limit. In one piece, a large body on a slow line would have to be
#: through within the time that a connection may take.
_SENT_BYTES = 1 << 18


class _InPieces:
    """Sends a body piece by piece, and confirms the answer's packets at once."""

    sock: socket.socket | None

    def send(self, data: Any) -> None:
        if isinstance(data, bytes | bytearray | memoryview) and len(data) > _SENT_BYTES:
            view = memoryview(data)
            for at in range(0, len(view), _SENT_BYTES):
                super().send(view[at : at + _SENT_BYTES])  # type: ignore[misc]
        else:
            super().send(data)  # type: ignore[misc]
        if self.sock is not None and hasattr(socket, "TCP_QUICKACK"):
            # Servers that leave Nagle's algorithm on hold back the end of an answer until its beginning is confirmed,
            # which we would do 40 ms later: a small blob takes ten times as long. Sending resets it.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _Connection(_InPieces, HTTPConnection):
    """Plain."""


class _SecureConnection(_InPieces, HTTPSConnection):
    """With TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class PatientPool(urllib3.PoolManager):
    """Answers with the whole body, or raises what went wrong in the last try."""

    def __init__(
        self,
        patience: Patience,
        *,
        draw: Callable[[], float] = random.random,
        wait: Callable[[float], None] = time.sleep,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self._patience = patience
        self._draw = draw
        self._wait = wait

    def urlopen(  # type: ignore[override]
        self,
        method: str,
        url: str,
        redirect: bool = True,  # noqa: ARG002 - as in the class above; nothing here is redirected
        **request: Any,
    ) -> BaseHTTPResponse:
        """Ask until there is an answer that is not "not now", or until patience is over."""
        began, failures = time.monotonic(), 0
        while True:
            try:
                answer = self._ask(method, url, time.monotonic() - began, request)
                if not _is_not_now(answer):
                    return answer
                error = None
            except (HTTPError, OSError) as told:
                error = told
            failures += 1
            pause = self._patience.pause(failures, self._draw())
            if self._patience.is_over(failures, time.monotonic() - began + pause):
                if error is not None:
                    raise error
                return answer
            self._wait(pause)

    def _ask(self, method: str, url: str, spent: float, request: dict[str, Any]) -> BaseHTTPResponse:
        silence = self._patience.silence(spent)
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, silence), read=silence)
        told = {**request, "preload_content": False, "retries": False, "timeout": timeout, "decode_content": False}
        answer = super().urlopen(method, url, redirect=False, **told)
        try:
            body = b"" if method == "HEAD" else self._read(answer, url)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        told_body: Any = body or io.BytesIO()
        return urllib3.HTTPResponse(told_body, answer.headers, answer.status, reason=answer.reason)

    def _read(self, answer: BaseHTTPResponse, url: str) -> bytes:
        """Read a body whole; one that trickles is no better than one that does not come."""
        began, size = time.monotonic(), 0
        pieces = []
        while piece := answer.read1(_READ_BYTES, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() - began > self._patience.transfer(size):
                raise ReadTimeoutError(self.connection_from_url(url), url, "the answer trickles")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _is_not_now(answer: BaseHTTPResponse) -> bool:
    # S3 says "bad request" of a body that it did not hear to its end.
    unheard = answer.status == 400 and (b"RequestTimeout" in answer.data or b"IncompleteBody" in answer.data)
    return answer.status in NOT_NOW or unheard
