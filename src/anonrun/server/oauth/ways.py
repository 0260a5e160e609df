"""The providers of a running server, made when they are first asked: an idle server does without their libraries."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from anonrun.server.oauth.person import Way
from anonrun.server.providers import Provider

__all__ = ["Ways"]

_KINDS = {"oidc": ("openid", "OpenId"), "github": ("plain", "GitHub"), "jupyterhub": ("plain", "Hub")}


class Ways:
    """The providers by name.

    Args:
        providers: as the operator named them.
    """

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._made: dict[str, Way] = {}

    def of(self, name: str) -> Way | None:
        """Return the provider with this name; None where there is none."""
        provider = self._providers.get(name)
        if provider is None:
            return None
        if name not in self._made:
            module, kind = _KINDS[provider.kind]
            self._made[name] = getattr(importlib.import_module(f"anonrun.server.oauth.{module}"), kind)(provider)
        return self._made[name]
