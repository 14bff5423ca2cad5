"""Passes connections on, so that a server of the loopback can be reached from its network.

python -m tests.farm.forward HOST:PORT TO_PORT
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress


async def main(address: str, port: int) -> None:
    """Listen at an address, and pass on to a port of the loopback."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, back), copy(near, writer))

    host, _, own = address.partition(":")
    server = await asyncio.start_server(serve, host, int(own))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
