"""Stands before an S3 server and spoils some of what passes. `python -m tests.farm.fault_proxy HOST:PORT` runs alone.

error     an answer of 500 or 503; nothing was done
silence   no answer ever; nothing was done
reset     the connection breaks before the answer; nothing was done
lost      the server did it; the connection breaks before the answer
cut       the answer ends in the middle of its body
wrong     200, and a byte of the body is another one
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from random import Random

_ERROR = "<?xml version='1.0'?><Error><Code>{0}</Code><Message>{0}</Message></Error>"


@dataclass(frozen=True)
class Faults:
    """How likely each fault is; the rest passes."""

    error: float = 0.0
    silence: float = 0.0
    reset: float = 0.0
    lost: float = 0.0
    cut: float = 0.0
    wrong: float = 0.0


#: What the farm has to live with.
BAD_DAY = Faults(error=0.2, silence=0.05, cut=0.05, lost=0.05)


@dataclass
class FaultProxy:
    """A proxy that runs on a thread of its own. `faults` may be changed at any time; `seen` counts what was done."""

    upstream: str
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    endpoint: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, port: int = 0) -> asyncio.Server:
        """Begin to listen on the loopback."""
        server = await asyncio.start_server(self._serve_one, "127.0.0.1", port)
        self.endpoint = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._pass(*await _read_request(reader), reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _pass(self, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fate = self._draw(head)
        self.seen[fate] += 1
        if fate == "error":
            writer.write(_error(self._random))
        elif fate == "silence":
            await reader.read()
        elif fate != "reset":
            answer = await self._ask(head, body)
            if fate != "lost":
                writer.write(_spoilt(answer, fate, self._random))
        await writer.drain()

    def _draw(self, head: bytes) -> str:
        """Choose a fate. A body can only be spoilt where there is one that is read: in answers to GET."""
        has_body = head.startswith(b"GET ")
        chance = self._random.random()
        for name, share in asdict(self.faults).items():
            if name in ("cut", "wrong") and not has_body:
                continue
            if chance < share:
                return name
            chance -= share
        return "passed"

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        host, _, port = self.upstream.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(head + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def end(self) -> None:
        """Let go of those that wait for an answer that never comes."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines[1:]}
    body = await reader.readexactly(int(names.get(b"content-length", b"0")))
    kept = [line for line in lines[:-2] if not line.lower().startswith(b"connection:")]
    # One request a connection, so that the end of an answer is the end of the connection.
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]), body


def _error(random: Random) -> bytes:
    status, code = random.choice([("500 Internal Server Error", "InternalError"), ("503 Slow Down", "SlowDown")])
    body = _ERROR.format(code).encode()
    fields = ("Content-Type: application/xml", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode() + body


def _spoilt(answer: bytes, fate: str, random: Random) -> bytes:
    head, mark, body = answer.partition(b"\r\n\r\n")
    if fate == "cut" and body:
        body = body[: random.randrange(len(body))]
    if fate == "wrong" and body and b" 200 " in head[:20]:
        place = random.randrange(len(body))
        body = body[:place] + bytes([body[place] ^ (1 + random.randrange(255))]) + body[place + 1 :]
    return head + mark + body


@contextlib.contextmanager
def fault_proxy(upstream: str, faults: Faults | None = None, seed: int = 1) -> Iterator[FaultProxy]:
    """Yield a running proxy."""
    proxy = FaultProxy(upstream, faults or Faults(), seed)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(proxy.serve())
    thread = threading.Thread(target=loop.run_forever, name="fault-proxy")
    thread.start()
    try:
        yield proxy
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(proxy.end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _main(upstream: str, port: int, faults: Mapping[str, float], seed: int) -> None:
    proxy = FaultProxy(upstream, Faults(**faults), seed)
    server = await proxy.serve(port)
    print(f"ready on {proxy.endpoint}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=json.loads, default=asdict(BAD_DAY), help='such as {"error": 0.2}')
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(_main(**vars(parser.parse_args())))
