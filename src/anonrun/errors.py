"""The exceptions that anonrun raises.

A caller's own mistake raises one of these at the call. Trouble with the network, the disk or the
server never does: training goes on, and the trouble is shown by the run's status.

```
AnonrunError
├── UsageError                  the call itself is wrong (also a ValueError)
├── AccountRequiredError        anonymous="never", and no account was found
├── AuthenticationError         the server refused the key that was given
├── NotFoundError               no such run, or it has expired, or it is not yours
├── ServerError                 the server answered with another refusal; has .code and .status
├── ServerUnavailableError      no answer from the server
└── DamagedDataError            stored or sent bytes fail their checksum or break the format
```
"""

from __future__ import annotations

__all__ = [
    "AccountRequiredError",
    "AnonrunError",
    "AuthenticationError",
    "DamagedDataError",
    "NotFoundError",
    "ServerError",
    "ServerUnavailableError",
    "UsageError",
]


class AnonrunError(Exception):
    """Base of every exception that anonrun raises on purpose."""


class UsageError(AnonrunError, ValueError):
    """The call itself is wrong; the message names the rule and the next step."""


class AccountRequiredError(AnonrunError):
    """`anonymous="never"` was asked for and no account was found."""


class AuthenticationError(AnonrunError):
    """The server refused the API key that was given."""


class NotFoundError(AnonrunError):
    """There is no such run for this key: unknown, foreign and expired look alike."""


class ServerError(AnonrunError):
    """The server refused a request.

    Attributes:
        status: HTTP status of the answer.
        code: the stable word for the reason, such as `quota_exceeded`.
    """

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ServerUnavailableError(AnonrunError):
    """The server could not be reached or did not answer in time."""


class DamagedDataError(AnonrunError):
    """Bytes fail their checksum or break the format that they claim to have."""
