"""A JupyterHub as a process of its own, with a service that signs in by it; anybody is let in by name alone.

Browsers ask the hub itself: the proxy before it only leads to single users' servers, of which there are none here.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from support.jupyter import free_port

CLIENT_ID = "service-anonrun"
SECRET = "a-token-of-sixty-four-characters-that-nobody-else-has-00000000"
_CONFIG = """
from jupyterhub.auth import DummyAuthenticator
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data):
        pass
    async def delete_route(self, routespec):
        pass
    async def get_all_routes(self):
        return {{}}

c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = DummyAuthenticator
c.Authenticator.allow_all = True
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.bind_url = "http://127.0.0.1:{other}"
c.JupyterHub.services = [
    {{
        "name": "anonrun",
        "oauth_client_id": "{client_id}",
        "api_token": "{secret}",
        "oauth_redirect_uri": "{redirect_uri}",
        "oauth_no_confirm": True,
    }}
]
c.JupyterHub.load_roles = [{{"name": "user", "scopes": ["self", "access:services!service=anonrun"]}}]
"""


@dataclass(frozen=True)
class Hub:
    """A running hub: `url` without a trailing slash."""

    url: str

    def settings(self) -> str:
        """Return what an operator would write."""
        return (
            f'[hub]\nkind = "jupyterhub"\nissuer = "{self.url}"\nclient_id = "{CLIENT_ID}"\nclient_secret = "{SECRET}"'
        )

    def answer(self, url: str, user: str) -> dict[str, str]:
        """Sign in at the hub as its login page does, and return with what it sends the browser back."""
        with httpx.Client() as browser:
            page = browser.get(url, follow_redirects=True)
            found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
            assert found, page.text
            form = {"username": user, "password": "x", "_xsrf": found[1]}
            answer = browser.post(page.url, data=form)
            while answer.is_redirect:
                place = urljoin(str(answer.url), answer.headers["location"])
                if "/return" in urlsplit(place).path:
                    return dict(parse_qsl(urlsplit(place).query))
                answer = browser.get(place)
        raise AssertionError(answer.text)


@contextlib.contextmanager
def jupyterhub(folder: Path, redirect_uri: str) -> Iterator[Hub]:
    """Start one and end it."""
    port = free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(
        _CONFIG.format(port=port, other=free_port(), client_id=CLIENT_ID, secret=SECRET, redirect_uri=redirect_uri)
    )
    log = folder / "hub.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)], cwd=folder, stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/hub/health"):
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.05)
        yield Hub(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False
