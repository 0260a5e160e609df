"""OpenID Connect, by Authlib: the code flow with PKCE, state and nonce, and everything that is signed.

Authlib makes the way there, exchanges the code, and checks signature, issuer, audience, times and nonce. Ours is what
it leaves to its caller: which of a provider's statements about itself are used at all, which signatures count, and that
the answer came from whom it was asked of.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.base_client.sync_app import BaseApp
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from anonrun.server.oauth.belief import believing, subject_of
from anonrun.server.oauth.fetching import client_options, fetch_json
from anonrun.server.oauth.person import Departure, Person, ProviderError
from anonrun.server.providers import Provider, is_loopback
from anonrun.store.records import Visit

__all__ = ["OpenId"]

_SIGNED = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key that only the provider has; never `none`, and never by the secret that we have too."""
_KEPT_S = 3600.0
_LEEWAY_S = 60


class _App(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):  # type: ignore[misc]  # Authlib has no types
    client_cls = AsyncOAuth2Client

    async def fetch_jwk_set(self, force: bool = False) -> Any:  # noqa: ANN401  Authlib's signature
        """Return the provider's keys; those that cannot be read are not kept for an hour."""
        found = await super().fetch_jwk_set(force)
        try:
            KeySet.import_key_set(found)
        except BaseException:
            self.server_metadata.pop("jwks", None)
            raise
        return found

    def _get_session(self) -> httpx.AsyncClient:
        return AsyncOAuth2Client(**client_options())  # type: ignore[no-any-return]  # Authlib has no types

    def _get_oauth_client(self, **metadata: Any) -> Any:  # noqa: ANN401  Authlib has no types
        return super()._get_oauth_client(**metadata, **client_options())  # each closes its own transport


class OpenId:
    """One provider that speaks OpenID Connect."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._made: tuple[float, str, _App] | None = None
        self._making = asyncio.Lock()

    async def depart(self, redirect_uri: str, *, anew: bool) -> Departure:
        """Return where to send a browser; see `Way`."""
        state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        more = {"prompt": self._provider.prompt, "max_age": "0"} if anew else {}
        with believing(self._provider):
            app = await self._app()
            way = await app.create_authorization_url(
                redirect_uri, state=state, nonce=nonce, code_verifier=verifier, **more
            )
            return Departure(str(way["url"]), state, nonce, verifier)

    async def meet(self, visit: Visit, code: str, issuer: str | None) -> Person:
        """Return as whom a browser is back; see `Way`."""
        with believing(self._provider):
            app = await self._app()
            says_who = app.server_metadata["authorization_response_iss_parameter_supported"]
            if (issuer is None and says_who) or issuer not in (None, self._provider.issuer):
                raise ProviderError("somebody else's answer was brought", down=False)
            token = await app.fetch_access_token(visit.redirect_uri, code=code, code_verifier=visit.verifier)
            claims = await self._claims(app, token, visit.nonce)
            name = claims.get("preferred_username")
            if name is None and app.server_metadata["userinfo_endpoint"]:
                name = await self._name_of(app, token, claims["sub"])
            proven = claims.get("auth_time")
            return Person(
                self._provider.issuer,
                subject_of(claims.get("sub")),
                name if isinstance(name, str) else None,
                float(proven) if isinstance(proven, (int, float)) and not isinstance(proven, bool) else None,
            )

    async def _claims(self, app: _App, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        if not isinstance(token.get("id_token"), str):
            raise ProviderError("it sent no ID token", down=False)
        options = {
            "iss": {"essential": True, "values": [self._provider.issuer]},
            "aud": {"essential": True, "values": [self._provider.client_id]},
        }
        try:
            claims = await app.parse_id_token(token, nonce, options, leeway=_LEEWAY_S)
        except BadSignatureError:  # keys may change and keep their names, or have none
            await app.fetch_jwk_set(force=True)
            claims = await app.parse_id_token(token, nonce, options, leeway=_LEEWAY_S)
        # Authlib lets the ID token itself say that its nonce does not count.
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise ProviderError("its ID token has another nonce", down=False)
        return claims  # type: ignore[no-any-return]  # Authlib has no types

    async def _name_of(self, app: _App, token: Mapping[str, Any], subject: object) -> object:
        """Return what somebody is called, where that is told apart; it is only a suggestion, and may be missing."""
        try:
            told = await app.userinfo(token=token)
        except (httpx.HTTPError, AuthlibBaseError, ValueError, TypeError):
            return None
        return told.get("preferred_username") if told.get("sub") == subject else None

    async def _app(self) -> _App:
        """Return Authlib's client, with what the provider said of itself within the last hour."""
        secret = self._provider.secret()
        async with self._making:
            now_s = time.monotonic()
            if self._made is None or self._made[0] < now_s - _KEPT_S or self._made[1] != secret:
                self._made = now_s, secret, self._new_app(await self._metadata(), secret)
            return self._made[2]

    async def _metadata(self) -> Mapping[str, Any]:
        found = await fetch_json(self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._provider.issuer:
            raise ProviderError(f"it calls itself {found.get('issuer')!r}, which is not its issuer", down=False)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check_address(name, found.get(name))
        return found

    def _check_address(self, name: str, address: object) -> None:
        here = is_loopback(self._provider.issuer)
        if isinstance(address, str) and (address.startswith("https://") or (here and is_loopback(address))):
            return
        raise ProviderError(f"its {name} is {address!r}", down=False)

    def _new_app(self, found: Mapping[str, Any], secret: str) -> _App:
        """Return a client that knows of the provider only what is used here: Authlib would pass on all of it."""
        said = found.get("id_token_signing_alg_values_supported")
        signed = [alg for alg in _SIGNED if alg in said] if isinstance(said, list) else ["RS256"]
        if not signed:
            raise ProviderError("it signs by nothing that can be believed", down=False)
        accepts = found.get("token_endpoint_auth_methods_supported")
        basic = not isinstance(accepts, list) or "client_secret_basic" in accepts
        names = found.get("claims_supported")
        userinfo = found.get("userinfo_endpoint")
        tells_names = isinstance(names, list) and "preferred_username" in names and userinfo is not None
        if tells_names:
            self._check_address("userinfo_endpoint", userinfo)
        return _App(
            None,
            self._provider.name,
            client_id=self._provider.client_id,
            client_secret=secret or None,
            authorize_url=found["authorization_endpoint"],
            access_token_url=found["token_endpoint"],
            client_kwargs={
                "scope": "openid profile" if self._provider.scopes is None else self._provider.scopes,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": ("client_secret_basic" if basic else "client_secret_post")
                if secret
                else "none",
            },
            issuer=self._provider.issuer,
            jwks_uri=found["jwks_uri"],
            userinfo_endpoint=userinfo if tells_names else None,
            id_token_signing_alg_values_supported=signed,
            authorization_response_iss_parameter_supported=found.get("authorization_response_iss_parameter_supported")
            is True,
        )
