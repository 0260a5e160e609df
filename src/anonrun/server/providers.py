"""Providers: who else may say who somebody is, as the operator has named them. No network here.

A client secret is read when it is needed, shown to nobody, and may stand in a file, which can be replaced while the
server runs.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anonrun.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["KINDS", "Provider", "check_installed", "is_loopback", "providers_from", "providers_in"]

KINDS = ("oidc", "github", "jupyterhub")
_GITHUB = "https://github.com"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOST = 12
_LONGEST_TEXT = 255
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_FOR_HUBS = "api_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider.

    Attributes:
        name: stands in the address to which browsers come back.
        kind: `oidc` (OpenID Connect), `github` (GitHub's own OAuth 2) or `jupyterhub`.
        label: what people call it.
        issuer: its address: with OpenID Connect the issuer identifier, of a JupyterHub where its users see it.
        client_id: who we are to it.
        client_secret: how it knows that it is us; empty where a file has it, or where there is none.
        client_secret_file: file whose only content is the secret.
        scopes: what it is asked to tell, separated by spaces; None for as little as its kind needs.
        prompt: what it is asked for, as OpenID Connect has it, so that somebody proves anew who they are.
        sign_up: whether whom it knows may make an account without an invitation; None for as everyone else.
        api_url: of a JupyterHub: where this server reaches its API, if not below `issuer`.
    """

    name: str
    kind: str = "oidc"
    label: str = ""
    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    client_secret_file: str = ""
    scopes: str | None = None
    prompt: str = "login"
    sign_up: bool | None = None
    api_url: str = ""

    def __post_init__(self) -> None:
        self._refuse(not _NAME.fullmatch(self.name), "a name has small letters, digits and -, 32 at most")
        self._refuse(self.kind not in KINDS, f"kind is {self.kind!r}; write {', '.join(KINDS)}")
        if self.kind == "github" and not self.issuer:
            object.__setattr__(self, "issuer", _GITHUB)
        if not self.label:
            object.__setattr__(
                self, "label", {"github": "GitHub", "jupyterhub": "JupyterHub"}.get(self.kind, self.name)
            )
        self._refuse(not self.client_id, "client_id is missing")
        self._refuse(not self.issuer, "issuer is missing")
        self._check_address("issuer", self.issuer)
        if self.kind != "oidc":
            object.__setattr__(self, "issuer", self.issuer.rstrip("/"))
        self._refuse(bool(self.api_url) and self.kind != "jupyterhub", 'api_url is for kind = "jupyterhub" only')
        if self.api_url:
            self._check_address("api_url", self.api_url)
        both = bool(self.client_secret) and bool(self.client_secret_file)
        self._refuse(both, "give client_secret or client_secret_file, not both")
        neither = not self.client_secret and not self.client_secret_file
        self._refuse(neither and self.kind != "oidc", "client_secret or client_secret_file is missing")
        for name in ("label", "issuer", "client_id"):
            self._refuse(len(getattr(self, name)) > _LONGEST_TEXT, f"{name} has more than {_LONGEST_TEXT} characters")

    def _refuse(self, wrong: bool, what: str) -> None:
        if wrong:
            raise UsageError(f"Provider {self.name!r} cannot be used: {what}.")

    def _check_address(self, name: str, address: str) -> None:
        self._refuse("@" in address, f"{name} has a user or password in it")
        parts = urlsplit(address)
        self._refuse(
            parts.scheme not in {"http", "https"} or not parts.netloc or bool(parts.query or parts.fragment),
            f"{name} = {address!r} is no address; write https://accounts.example.org",
        )
        inside = name == _FOR_HUBS or is_loopback(address)
        self._refuse(parts.scheme == "http" and not inside, f"{name} = {address!r} is not encrypted; write https://")

    def secret(self) -> str:
        """Return the client's secret; empty where it has none.

        Raises:
            UsageError: its file cannot be read or is empty.
        """
        if not self.client_secret_file:
            return self.client_secret
        path = Path(self.client_secret_file).expanduser()
        try:
            secret = path.read_text("utf-8").strip()
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no text"
            raise UsageError(f"The client secret of provider {self.name!r} cannot be read from {path}: {why}.") from exc
        if not secret:
            raise UsageError(f"The client secret of provider {self.name!r} is to stand in {path}, which is empty.")
        return secret


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine, so that nobody is between it and us."""
    try:
        return urlsplit(address).hostname in _LOOPBACK
    except ValueError:
        return False


def providers_in(text: str, *, where: str) -> tuple[Provider, ...]:
    """Return the providers that a TOML text has, a table for each.

    Raises:
        UsageError: it is none, or as `providers_from`.
    """
    try:
        tables = tomllib.loads(text)
    except ValueError as exc:
        raise UsageError(f"{where} is no TOML: {exc}. docs/sign-in.md has examples.") from None
    return providers_from(tables, where=where)


def providers_from(tables: Mapping[str, Any], *, where: str) -> tuple[Provider, ...]:
    """Return the providers that tables describe, in their order.

    Raises:
        UsageError: what cannot be used, never with a secret in it.
    """
    if len(tables) > _MOST:
        raise UsageError(f"{where} has {len(tables)} providers; {_MOST} are the most.")
    found = tuple(_provider(name, table, where) for name, table in tables.items())
    issuers = [provider.issuer for provider in found]
    for provider in found:
        if issuers.count(provider.issuer) > 1:
            raise UsageError(f"{where}: two providers have the issuer {provider.issuer}. Whose word is which?")
    return found


def _provider(name: str, table: object, where: str) -> Provider:
    if not isinstance(table, dict):
        raise UsageError(f"{where}: {name!r} is no table; write [{name}] and its settings below it.")
    known = {f.name: f for f in fields(Provider) if f.name != "name"}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
            raise UsageError(f"{where}: provider {name!r} has {key!r}, which is no setting. {hint}")
        wanted = bool if key == "sign_up" else str
        if not isinstance(value, wanted):
            words = "true or false" if wanted is bool else 'a text in "quotes"'
            raise UsageError(f"{where}: {key} of provider {name!r} cannot be used; write {words}.")
    return Provider(name=name, **table)


def check_installed(providers: Iterable[Provider]) -> None:
    """Refuse to serve with providers that could let nobody in.

    Raises:
        UsageError: the libraries are missing, or the file of a secret.
    """
    for provider in providers:
        if importlib.util.find_spec("authlib") is None or importlib.util.find_spec("httpx2") is None:
            raise UsageError(
                f"Signing in by {provider.label} needs Authlib: pip install 'anonrun[oidc]', or take the provider out."
            )
        provider.secret()
