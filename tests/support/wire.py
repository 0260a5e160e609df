"""A network between a client and a server that counts what passes, byte for byte as it was sent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Forwarder:
    """Passes TCP connections on to a server.

    Attributes:
        url: address at which it listens.
        connections: how many were opened.
        sent: what clients sent, one buffer a connection.
    """

    def __init__(self, to: str, host: str) -> None:
        parts = urlsplit(to)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listening = socket.create_server((host, 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"
        self.sent: list[bytearray] = []
        self._start(self._accept)

    @property
    def connections(self) -> int:
        return len(self.sent)

    def requests(self, path: str) -> int:
        """Return how many requests had `path` in their first line."""
        heads = [line for sent in self.sent for line in bytes(sent).split(b"\r\n") if line.endswith(b" HTTP/1.1")]
        return sum(path.encode() in line for line in heads)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._to)
            self._open += [client, server]
            self.sent.append(bytearray())
            self._start(self._pass_on, client, server, self.sent[-1])
            self._start(self._pass_on, server, client, bytearray())

    def _pass_on(self, source: socket.socket, target: socket.socket, seen: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                seen += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def forwarding(to: str, host: str = "127.0.0.1") -> Iterator[Forwarder]:
    """Forward to a server until the block ends."""
    forwarder = Forwarder(to, host)
    try:
        yield forwarder
    finally:
        forwarder.close()
