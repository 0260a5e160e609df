"""Capability tokens: secrets that grant one thing each.

A token reads `anr_<kind>_<30 base62 characters><6 base62 characters of CRC-32>`. The prefix makes a
leaked token easy to find, the checksum lets a client or scanner reject a typing error without asking
a server, and the underscores keep it selectable by a double click. 30 base62 characters carry 178
random bits. Servers store `token_hash(token)` and never the token.

The form follows GitHub's (https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/).
"""

from __future__ import annotations

import enum
import hashlib
import re
import secrets
import zlib
from collections.abc import Callable

__all__ = ["REDACTED", "TOKEN_PATTERN", "TokenKind", "kind_of", "mask", "mint", "redact", "token_hash"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_CHARS = 30
_CHECKSUM_CHARS = 6

TOKEN_PATTERN = re.compile(r"anr_[a-z]_[0-9A-Za-z]{36}")
"""Matches every well-formed token; published so that secret scanners can use it."""

_LEAK_PATTERN = re.compile(r"anr_[a-z]_[0-9A-Za-z]+")
REDACTED = "anr_*_[redacted]"


class TokenKind(enum.Enum):
    """What a token grants; the value is the letter inside the token."""

    API_KEY = "u"
    WRITE = "w"
    VIEW = "v"
    CLAIM = "c"
    SHARE = "s"
    DEVICE = "d"
    INVITATION = "i"


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(head: str) -> str:
    return _base62(zlib.crc32(head.encode("ascii")), _CHECKSUM_CHARS)


def mint(kind: TokenKind, choose: Callable[[str], str] = secrets.choice) -> str:
    """Make a new token.

    Args:
        kind: what the token grants.
        choose: picks one character of an alphabet at random; replaced only by tests.

    Example:
        >>> token = mint(TokenKind.VIEW)
        >>> kind_of(token)
        <TokenKind.VIEW: 'v'>
    """
    head = f"anr_{kind.value}_" + "".join(choose(_ALPHABET) for _ in range(_RANDOM_CHARS))
    return head + _checksum(head)


def kind_of(token: str) -> TokenKind | None:
    """Return what `token` grants, or None where it is no well-formed token (wrong form or checksum)."""
    if not TOKEN_PATTERN.fullmatch(token) or not token.isascii():
        return None
    if _checksum(token[:-_CHECKSUM_CHARS]) != token[-_CHECKSUM_CHARS:]:
        return None
    try:
        return TokenKind(token[4])
    except ValueError:
        return None


def token_hash(token: str) -> bytes:
    """Return the 32-byte SHA-256 of `token`: all that a server stores (ASVS 6.5.2)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def mask(token: str) -> str:
    """Return a form that is safe to show: kind and last two characters (`anr_u_…x9`)."""
    return f"{token[:6]}…{token[-2:]}" if kind_of(token) else "(not a token)"


def redact(text: str) -> str:
    """Return `text` with every token, or what looks like the beginning of one, replaced.

    Example:
        >>> redact("GET /claim anr_c_abc")
        'GET /claim anr_*_[redacted]'
    """
    return _LEAK_PATTERN.sub(REDACTED, text)
