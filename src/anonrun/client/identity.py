"""Whose run is it: the saved keys, and the order in which a key is chosen.

Keys are kept in `identity.json` (0600), one entry a server: the key of a login, and the key of the anonymous account
that this machine's runs go to. The client makes the anonymous key itself, so that no server is needed to have one.
A damaged file is moved aside, never overwritten.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from anonrun.client.notices import Notices
from anonrun.client.spool.folder import write_private
from anonrun.core.tokens import TokenKind, kind_of, mint
from anonrun.errors import AccountRequiredError, UsageError

__all__ = ["EMBEDDED", "Anonymous", "Credential", "IdentityStore", "Source", "checked_key", "choose"]

EMBEDDED = "embedded"
"""Stands for the embedded server, whose port may change, in `identity.json`."""

Anonymous = Literal["allow", "must", "never"]
Source = Literal["given", "login", "anonymous"]

_LOCK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Credential:
    """The key to use.

    Attributes:
        source: where it comes from.
        new: whether it was made just now, so that no server knows it.
    """

    key: str = field(repr=False)
    source: Source
    new: bool = False


def checked_key(key: str, origin: str) -> str:
    """Return an API key as it is.

    Raises:
        UsageError: it has not the form of one. The message does not repeat it.
    """
    key = key.strip()
    if kind_of(key) is not TokenKind.API_KEY:
        raise UsageError(
            f"{origin} is not an API key, or was cut off when it was copied: one begins with anr_u_ and has 42 "
            "characters, the last six of which are a checksum. Copy it again."
        )
    return key


class IdentityStore:
    """The saved keys of this user on this machine."""

    def __init__(self, path: Path, notices: Notices) -> None:
        self._path = path
        self._notices = notices

    def get(self, server: str, kind: Literal["login", "anonymous"]) -> str | None:
        """Return a saved key, or None."""
        key = self._load().get(server, {}).get(kind)
        return key if isinstance(key, str) and kind_of(key) is TokenKind.API_KEY else None

    def set_login(self, server: str, key: str | None) -> bool:
        """Save or, with None, forget the login for a server; return whether there was one."""
        with self._locked():
            servers = self._load()
            entry = servers.setdefault(server, {})
            before = entry.pop("login", None)
            if key is not None:
                entry["login"] = key
            self._save(servers)
        return before is not None

    def anonymous(self, server: str, *, instead_of: str | None = None) -> Credential:
        """Return the anonymous account for a server, with a new key where none is saved.

        Args:
            server: its address, or `EMBEDDED`.
            instead_of: a key that the server refused: another one is made, unless that has been done already.
        """
        with self._locked():
            servers = self._load()
            key = servers.get(server, {}).get("anonymous")
            if isinstance(key, str) and kind_of(key) is TokenKind.API_KEY and key != instead_of:
                return Credential(key, "anonymous")
            key = mint(TokenKind.API_KEY)
            servers.setdefault(server, {})["anonymous"] = key
            self._save(servers)
            return Credential(key, "anonymous", new=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        import filelock  # noqa: PLC0415  `import anonrun` does without it

        lock = filelock.FileLock(self._path.with_name(self._path.name + ".lock"), timeout=_LOCK_TIMEOUT_S, mode=0o600)
        try:
            lock.acquire()
        except (filelock.Timeout, OSError) as exc:
            self._notices.warn_once("identity lock", f"{self._path} could not be locked ({exc}); going on without.")
        try:
            yield
        finally:
            lock.release()

    def _load(self) -> dict[str, dict[str, str]]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as exc:
            return self._set_aside(str(exc))
        try:
            servers = json.loads(text)["servers"]
            if isinstance(servers, dict) and all(isinstance(entry, dict) for entry in servers.values()):
                return servers
        except (ValueError, KeyError, TypeError):
            pass
        return self._set_aside("it is not what anonrun writes")

    def _set_aside(self, reason: str) -> dict[str, dict[str, str]]:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        try:
            self._path.replace(aside)
            moved = f"It was moved to {aside}"
        except OSError:
            moved = "It could not be moved aside"
        self._notices.warn_once(
            "identity damaged",
            f"{self._path}, where keys are kept, cannot be read: {reason}. {moved}; a new one is made. "
            "Run `anonrun login` again if you were logged in.",
        )
        return {}

    def _save(self, servers: dict[str, dict[str, str]]) -> None:
        try:
            write_private(self._path, json.dumps({"version": 1, "servers": servers}, indent=1) + "\n")
        except OSError as exc:
            self._notices.warn_once(
                "identity unsaved", f"{self._path} could not be written ({exc}); the key is kept for this process only."
            )


def choose(
    store: IdentityStore,
    server: str,
    *,
    anonymous: Anonymous,
    api_key: str | None,
    environ: Mapping[str, str],
) -> Credential:
    """Return the key to use; the first that there is, in the order of docs/client.md.

    Raises:
        AccountRequiredError: `anonymous` is `never` and there is no account's key.
        UsageError: the key that was given has not the form of one.
    """
    if anonymous != "must":
        named = environ.get("ANONRUN_API_KEY")
        if api_key is not None:
            return Credential(checked_key(api_key, "api_key"), "given")
        if named:
            return Credential(checked_key(named, "ANONRUN_API_KEY"), "given")
        login = store.get(server, "login")
        if login is not None:
            return Credential(login, "login")
        if anonymous == "never":
            where = "this machine's own server" if server == EMBEDDED else server
            raise AccountRequiredError(
                f'No account was found for {where}, and anonymous="never" asks for one. Run `anonrun login` or set '
                'ANONRUN_API_KEY to a key of your account; or use anonymous="allow" to run without an account.'
            )
    return store.anonymous(server)
