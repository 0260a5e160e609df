"""A reverse proxy as Jupyter's: takes a prefix away, names it in a header, passes streams on unbuffered."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


def _handler(target: str, prefix: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _pass_on(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            headers["X-ProxyContextPath"] = prefix
            upstream = http.client.HTTPConnection(urlsplit(target).netloc, timeout=30)
            try:
                upstream.request(self.command, self.path.removeprefix(prefix), body or None, headers)
                answer = upstream.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP_BY_HOP | {"date", "server"}:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while part := answer.read1(65_536):
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                self.close_connection = True  # the browser has left a stream
            finally:
                upstream.close()

        do_GET = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815  http.server's names

    return Handler


@contextlib.contextmanager
def prefix_proxy(target: str, prefix: str) -> Iterator[str]:
    """Show the server at `target` below `prefix` and yield the address there."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(target, prefix))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
