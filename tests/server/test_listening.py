from __future__ import annotations

import asyncio
import contextlib
import socket

from anonrun.server.process import _bind


async def _without_delay() -> int:
    """Return TCP_NODELAY of a connection that asyncio accepted for the server."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[int] = loop.create_future()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        await writer.wait_closed()

    with contextlib.closing(_bind("127.0.0.1", 0)) as sock:
        server = await asyncio.start_server(accepted, sock=sock)
        async with server:
            _, writer = await asyncio.open_connection(*sock.getsockname())
            value = await asyncio.wait_for(found, 10)
            writer.close()
            await writer.wait_closed()
    return value


def test_an_answer_is_not_held_back_until_the_other_end_has_acknowledged_its_head() -> None:
    assert asyncio.run(_without_delay())
