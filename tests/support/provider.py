"""An OpenID provider as a process of its own: Authlib's server side, which checks client, redirect, code and PKCE.

It can be told to misbehave (`Provider.behave`). The same people are behind GitHub's addresses, which speak OAuth 2.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx

CLIENT_ID = "anonrun-test"
CLIENT_SECRET = "the secret that nobody must see"
_PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Sign in at the provider</title>
<h1>Who are you?</h1><p id="asked">{asked}</p>
<form method="post"><label>Name <input name="user" value="ada"></label>
<button name="action" value="allow">Allow</button> <button name="action" value="deny">Deny</button></form>"""


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    url: str

    def settings(self, name: str = "lab", **more: str) -> dict[str, str]:
        """Return what an operator would write to have it let people in."""
        table = {"issuer": self.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "label": "the lab"} | more
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        return {"ANONRUN_PROVIDERS": f"[{name}]\n{lines}"}

    def behave(self, **how: Any) -> None:
        """Have it misbehave, and without arguments behave.

        Args:
            how: `claims` (over what it signs), `drop` (claims it leaves out), `alg`, `sign_with` ("other" key or
                "secret"), `discovery` (over what it says of itself), `at` (path that gets an odd answer) with
                `delay_s`, `bytes`, `status`, `body`, `location`, `packed` or `drip`.
        """
        httpx.post(f"{self.url}/behave", json=how).raise_for_status()

    def rotate(self, *, kid: str | None = "next") -> None:
        """Have it sign with another key from now on, and forget the old one."""
        httpx.post(f"{self.url}/rotate", json={"kid": kid}).raise_for_status()

    def asked(self) -> list[str]:
        """Return the paths that it was asked for, in order."""
        found: list[str] = httpx.get(f"{self.url}/asked").json()
        return found

    def answer(self, url: str, user: str = "ada", *, allow: bool = True) -> dict[str, str]:
        """Answer as somebody whose browser was sent there; return what the browser is sent back with."""
        sent = httpx.post(url, data={"user": user, "action": "allow" if allow else "deny"})
        assert sent.status_code == 302, sent.text
        return dict(parse_qsl(urlsplit(sent.headers["location"]).query))


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """Start one and end it."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdout=subprocess.PIPE,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().decode().strip()
        assert port.isdecimal(), "it did not start"
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@dataclass
class _Code:
    """What a code stands for, as Authlib asks for it."""

    code: str
    user: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


def _serve() -> None:  # noqa: C901, PLR0915  one program
    import socket

    import uvicorn
    from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, grants
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
    from authlib.oauth2.rfc6750 import BearerTokenGenerator
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core import OpenIDCode
    from joserfc import jwk, jwt
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    state: dict[str, Any] = {"key": jwk.RSAKey.generate_key(2048, {"kid": "first"}), "how": {}, "asked": []}
    other_key = jwk.RSAKey.generate_key(2048, {"kid": "first"})
    codes: dict[str, _Code] = {}
    holders: dict[str, str] = {}
    issuer = ""

    class Client(ClientMixin):
        client_id = CLIENT_ID

        def get_client_id(self) -> str:
            return CLIENT_ID

        def get_default_redirect_uri(self) -> None:
            return None

        def get_allowed_scope(self, scope: str | None) -> str:
            return scope or ""

        def check_redirect_uri(self, redirect_uri: str) -> bool:
            return urlsplit(redirect_uri).path.endswith("/return")

        def check_client_secret(self, client_secret: str) -> bool:
            return secrets.compare_digest(client_secret, CLIENT_SECRET)

        def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  Authlib's signature
            return method in {"client_secret_basic", "client_secret_post"}

        def check_response_type(self, response_type: str) -> bool:
            return response_type == "code"

        def check_grant_type(self, grant_type: str) -> bool:
            return grant_type == "authorization_code"

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            codes[code] = _Code(
                code, request.user, CLIENT_ID, data["redirect_uri"], data.get("scope", ""), data.get("nonce"),
                data.get("code_challenge"), data.get("code_challenge_method"),
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: Any) -> _Code | None:  # noqa: ARG002  Authlib's signature
            return codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            codes.pop(authorization_code.code)

        def authenticate_user(self, authorization_code: _Code) -> str:
            return authorization_code.user

    class Signed(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
        def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ARG002  Authlib's signature
            return any(code.nonce == nonce for code in codes.values())

        def generate_user_info(self, user: str, scope: str) -> dict[str, Any]:  # noqa: ARG002  Authlib's signature
            return {"sub": f"subject-{user}", "preferred_username": user, "email": f"{user}@lab.example"}

        def encode_id_token(self, token: Any, request: Any) -> str:
            how = state["how"]
            now_s = int(time.time())
            claims = {"iss": issuer, "aud": [CLIENT_ID], "iat": now_s, "exp": now_s + 600}
            claims |= self.get_authorization_code_claims(request.authorization_code)
            claims |= self.generate_user_info(request.user, token["scope"]) | how.get("claims", {})
            claims = {name: value for name, value in claims.items() if name not in how.get("drop", ())}
            alg = how.get("alg", "RS256")
            key = {"other": other_key, "secret": jwk.OctKey.import_key(CLIENT_SECRET)}.get(
                how.get("sign_with", ""), state["key"]
            )
            header = {"alg": alg} | ({"kid": key.kid} if key.kid else {})
            if alg == "none":
                packed = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
                return b".".join([*packed, b""]).decode()
            return jwt.encode(header, claims, key, [alg])

    class Asked(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
        @property
        def form(self) -> Any:
            return self.payload.data

    class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
        def query_client(self, client_id: str) -> Client | None:
            return Client() if client_id == CLIENT_ID else None

        def save_token(self, token: dict[str, Any], request: Any) -> None:
            holders[token["access_token"]] = request.user

        def create_oauth2_request(self, request: Any) -> Any:
            method, uri, headers, data = request
            made = Asked(method, uri, headers=headers)
            made.payload = BasicOAuth2Payload(data)
            return made

        def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
            """Tell nobody."""

        def handle_response(self, status: int, body: Any, headers: Any) -> Response:
            content = json.dumps(body) if isinstance(body, dict) else body
            return Response(content, status, dict(headers))

    server = Server()
    server.register_token_generator("default", BearerTokenGenerator(lambda **_: secrets.token_urlsafe(16)))
    server.register_grant(CodeGrant, [CodeChallenge(required=True), Signed(require_nonce=False)])

    async def parts(request: Request) -> tuple[str, str, Any, dict[str, str]]:
        body = (await request.body()).decode()
        form = dict(parse_qsl(body)) if request.url.path.endswith("token") else {}
        return request.method, str(request.url), request.headers, dict(request.query_params) | form

    async def authorize(request: Request) -> Response:
        asked = await parts(request)
        try:
            grant = server.get_consent_grant(asked)
        except OAuth2Error as error:
            return JSONResponse(dict(error.get_body()), 400)
        if request.method == "GET":
            what = {name: request.query_params.get(name) for name in ("prompt", "max_age", "scope")}
            return HTMLResponse(_PAGE.format(asked=json.dumps(what)))
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        user = form["user"] if form.get("action") == "allow" else None
        answer: Response = server.create_authorization_response(("POST", *asked[1:]), grant_user=user, grant=grant)
        return answer

    async def token(request: Request) -> Response:
        answer: Response = server.create_token_response(await parts(request))
        return answer

    async def discovery(request: Request) -> Response:
        found = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return JSONResponse(found | state["how"].get("discovery", {}))

    async def keys(request: Request) -> Response:
        return JSONResponse({"keys": [state["key"].as_dict(private=False)]})

    async def github_user(request: Request) -> Response:
        name = holders.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if name is None:
            return JSONResponse({"message": "Bad credentials"}, 401)
        return JSONResponse({"id": sum(name.encode()), "login": name, "email": f"{name}@lab.example"})

    async def userinfo(request: Request) -> Response:
        name = holders.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        return JSONResponse({"sub": f"subject-{name}", "preferred_username": name}, 200 if name else 401)

    async def behave(request: Request) -> Response:
        state["how"] = await request.json()
        return JSONResponse({})

    async def rotate(request: Request) -> Response:
        kid = (await request.json())["kid"]
        state["key"] = jwk.RSAKey.generate_key(2048, {"kid": kid} if kid else None, auto_kid=False)
        return JSONResponse({})

    async def asked(request: Request) -> Response:
        return JSONResponse(state["asked"])

    async def odd(how: dict[str, Any]) -> Response:
        if "drip" in how:

            async def dripping() -> Any:
                while True:
                    yield b" "
                    await asyncio.sleep(0.05)

            return StreamingResponse(dripping(), media_type="application/json")
        await asyncio.sleep(how.get("delay_s", 0))
        headers = {"location": how["location"]} if "location" in how else {}
        if how.get("packed"):
            headers["content-encoding"] = "gzip"
        body = how.get("body", "{}") if "bytes" not in how else " " * how["bytes"]
        return Response(body, how.get("status", 200), headers, media_type="application/json")

    routes = [
        Route("/authorize", authorize, methods=["GET", "POST"]),
        Route("/login/oauth/authorize", authorize, methods=["GET", "POST"]),
        Route("/token", token, methods=["POST"]),
        Route("/login/oauth/access_token", token, methods=["POST"]),
        Route("/.well-known/openid-configuration", discovery),
        Route("/keys", keys),
        Route("/userinfo", userinfo),
        Route("/api/v3/user", github_user),
        Route("/behave", behave, methods=["POST"]),
        Route("/rotate", rotate, methods=["POST"]),
        Route("/asked", asked),
    ]
    app = Starlette(routes=routes)

    async def around(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            state["asked"].append(scope["path"])
            if scope["path"] == state["how"].get("at"):
                answer = await odd(state["how"])
                await answer(scope, receive, send)
                return
        await app(scope, receive, send)

    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    issuer = f"http://127.0.0.1:{sock.getsockname()[1]}"
    sock.listen(64)
    print(sock.getsockname()[1], flush=True)  # noqa: T201  for who started it
    uvicorn.Server(uvicorn.Config(around, log_level="warning")).run(sockets=[sock])


if __name__ == "__main__":
    _serve()

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Provider", "provider"]
