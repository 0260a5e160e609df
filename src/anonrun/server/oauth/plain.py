"""Providers that speak OAuth 2 and sign nothing: GitHub, and a JupyterHub.

Who somebody is, their own API tells whoever has the access token, which was sent to us for a code that only we can
exchange (PKCE and the client's secret). The token is used once and kept nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from authlib.integrations.httpx_client import AsyncOAuth2Client

from anonrun.server.oauth.belief import believing, subject_of
from anonrun.server.oauth.fetching import client_options
from anonrun.server.oauth.person import Departure, Person, ProviderError
from anonrun.server.providers import Provider
from anonrun.store.records import Visit

__all__ = ["GitHub", "Hub"]


class _Plain:
    """One provider; what differs between kinds is where things are, and what its API calls a person."""

    authorize_url: str
    token_url: str
    user_url: str
    scope: str | None = None
    anew: Mapping[str, str] = {}

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def person(self, told: Mapping[str, Any]) -> Person:
        """Return whom the API has told of.

        Raises:
            ProviderError: nobody.
        """
        raise NotImplementedError

    def _client(self, redirect_uri: str) -> Any:  # noqa: ANN401  Authlib has no types
        return AsyncOAuth2Client(
            client_id=self._provider.client_id,
            client_secret=self._provider.secret(),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106  the name of a method
            code_challenge_method="S256",
            scope=self._provider.scopes or self.scope,
            redirect_uri=redirect_uri,
            **client_options(unencrypted=(self._provider.api_url,) if self._provider.api_url else ()),
        )

    async def depart(self, redirect_uri: str, *, anew: bool) -> Departure:
        """Return where to send a browser; see `Way`. Nobody is asked, so this works while the provider is down."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with believing(self._provider):
            async with self._client(redirect_uri) as client:
                more = self.anew if anew else {}
                url, _ = client.create_authorization_url(
                    self.authorize_url, state=state, code_verifier=verifier, **more
                )
            return Departure(str(url), state, "", verifier)

    async def meet(self, visit: Visit, code: str, issuer: str | None) -> Person:
        """Return as whom a browser is back; see `Way`."""
        with believing(self._provider):
            if issuer not in (None, self._provider.issuer):
                raise ProviderError("somebody else's answer was brought", down=False)
            async with self._client(visit.redirect_uri) as client:
                await client.fetch_token(self.token_url, code=code, code_verifier=visit.verifier)
                answer = await client.get(self.user_url, headers={"Accept": "application/json"})
                answer.raise_for_status()
                told = answer.json()
            if not isinstance(told, dict):
                raise ProviderError("it tells of nobody", down=False)
            return self.person(told)


class GitHub(_Plain):
    """GitHub, or a GitHub Enterprise Server: no OpenID Connect for people, and no way to ask for a password anew."""

    anew = {"prompt": "select_account"}  # noqa: RUF012  never changed

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        self.authorize_url = f"{provider.issuer}/login/oauth/authorize"
        self.token_url = f"{provider.issuer}/login/oauth/access_token"
        public = provider.issuer == "https://github.com"
        self.user_url = "https://api.github.com/user" if public else f"{provider.issuer}/api/v3/user"

    def person(self, told: Mapping[str, Any]) -> Person:
        """Return whom GitHub has told of: by number, since names there can be changed and taken by others."""
        number, name = told.get("id"), told.get("login")
        if not isinstance(number, int) or isinstance(number, bool):
            raise ProviderError("it names nobody", down=False)
        return Person(self._provider.issuer, subject_of(str(number)), name if isinstance(name, str) else None)


class Hub(_Plain):
    """A JupyterHub, of which this server is a service: its users are known by their names there."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        api = (provider.api_url or f"{provider.issuer}/hub/api").rstrip("/")
        self.authorize_url = f"{provider.issuer}/hub/api/oauth2/authorize"
        self.token_url = f"{api}/oauth2/token"
        self.user_url = f"{api}/user"

    def person(self, told: Mapping[str, Any]) -> Person:
        """Return whom the hub has told of; another service that has a token is nobody."""
        if told.get("kind") != "user":
            raise ProviderError("it names no user", down=False)
        name = told.get("name")
        if not isinstance(name, str):
            raise ProviderError("it names nobody", down=False)
        return Person(self._provider.issuer, subject_of(quote(name, safe="@+ ")), name)
