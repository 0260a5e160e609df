"""What is made of a provider's answer that is not as it should be: one kind of error, and a line in the log."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator

import httpx2 as httpx
from authlib.common.errors import AuthlibBaseError
from joserfc.errors import JoseError

from anonrun.errors import UsageError
from anonrun.server.oauth.person import ProviderError
from anonrun.server.providers import Provider

__all__ = ["believing", "subject_of"]

_log = logging.getLogger("anonrun.server.oauth")

_LONGEST = 255
_LONGEST_SAID = 200
_SUBJECT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@contextlib.contextmanager
def believing(provider: Provider) -> Iterator[None]:
    """Make one error of whatever a provider's answer leads to, and say in the log what it was."""
    try:
        yield
    except ProviderError as exc:
        _log.warning("provider %s: %s", provider.name, str(exc)[:_LONGEST_SAID])
        raise
    except UsageError as exc:  # the file of its secret is gone
        raise _told(provider, str(exc), down=True) from None
    except httpx.HTTPStatusError as exc:
        down = exc.response.is_server_error
        raise _told(provider, f"it answered {exc.response.status_code}", down=down) from None
    except httpx.HTTPError as exc:
        raise _told(provider, f"{type(exc).__name__}: {exc}", down=True) from None
    except (AuthlibBaseError, JoseError) as exc:
        # Not its description, in which a provider may repeat what it was sent.
        raise _told(provider, f"{type(exc).__name__}: {exc.error}", down=False) from None
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, RecursionError, OverflowError) as exc:
        # What the libraries make of an answer of another form than any that they know.
        raise _told(provider, f"its answer cannot be read ({type(exc).__name__})", down=False) from None


def _told(provider: Provider, why: str, *, down: bool) -> ProviderError:
    _log.warning("provider %s: %s", provider.name, why[:_LONGEST_SAID])
    return ProviderError(why, down=down)


def subject_of(value: object) -> str:
    """Return whom a provider names.

    Raises:
        ProviderError: it is no text of 1 to 255 printable ASCII characters, as OpenID Connect has it.
    """
    if not isinstance(value, str) or len(value) > _LONGEST or not _SUBJECT.fullmatch(value):
        raise ProviderError("it names nobody", down=False)
    return value
