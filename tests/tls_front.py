"""A TLS front before plain-http servers: it decrypts and forwards bytes, and adds nothing, not even a header.

What stands behind has to know its public address from its own settings. Run as a process of its own:

    python -m tests.tls_front CERTIFICATE.pem KEY.pem TLS_PORT:PLAIN_PORT...
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping


async def serve(context: ssl.SSLContext, forward: Mapping[int, int]) -> None:
    """Listen with TLS on the loopback ports that key `forward`, each passed on to the port it maps to."""
    servers = [
        await asyncio.start_server(_forwarder(behind), "127.0.0.1", port, ssl=context)
        for port, behind in forward.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _forwarder(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A handler that answers each TLS connection by one plain connection to `port`."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))

    return forward


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    certificate, key, *pairs = sys.argv[1:]
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    ports = [pair.split(":") for pair in pairs]
    asyncio.run(serve(server_side, {int(tls): int(plain) for tls, plain in ports}))
