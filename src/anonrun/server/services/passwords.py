"""Passwords: which ones are good enough, and their argon2id hashes.

Hashing takes about 0.1 s and 64 MiB, so no more than two run at once, on threads of their own. Checking an
unknown user's password takes as long as a known one's (R20).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["Passwords", "password_problem"]

T = TypeVar("T")

_SHORTEST = 8
_LONGEST = 1024


@cache
def _common() -> frozenset[str]:
    text = resources.files("anonrun.server.services").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def password_problem(password: str, *, username: str) -> str | None:
    """Return why a password is refused, or None where it is good enough."""
    if len(password) < _SHORTEST:
        return f"A password needs at least {_SHORTEST} characters; a few words are easy to remember."
    if len(password) > _LONGEST:
        return f"A password may have at most {_LONGEST} characters."
    folded = password.casefold()
    if folded in _common() or len(set(folded)) <= 2:  # noqa: PLR2004  one or two characters, repeated
        return "This password is among those that are tried first. Choose another one."
    if folded == username.casefold():
        return "The password is the user name. Choose another one."
    return None


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415  an idle server does without

    return PasswordHasher()


@cache
def _hash_of_nothing() -> str:
    return _hasher().hash("no account has this password")


class Passwords:
    """Hashes and checks passwords on its own threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="anonrun-argon2")

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        return await self._run(lambda: _hasher().hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password is right; None for `stored` takes as long and is never right."""
        return await self._run(lambda: _verify(stored, password))

    async def outdated(self, stored: str) -> bool:
        """Whether a hash was made with weaker parameters than are used now."""
        return await self._run(lambda: _hasher().check_needs_rehash(stored))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _verify(stored: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415  an idle server does without

    try:
        _hasher().verify(stored or _hash_of_nothing(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
