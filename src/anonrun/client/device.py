"""Login by device code: this program shows a code, its user approves it in whatever browser is at hand.

The code may be shown anywhere, also in a saved notebook: it grants nothing by itself, and is over after ten minutes.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

from anonrun._version import __version__
from anonrun.client.remote import Refusal, Remote, as_public_error
from anonrun.core.messages import DeviceCodes, DeviceRequest
from anonrun.errors import AuthenticationError, ServerUnavailableError

__all__ = ["begin", "wait"]

_MARGIN_S = 0.25
"""Waited beyond the interval, so that a request which travels faster than the one before is not too soon."""


def begin(remote: Remote) -> DeviceCodes:
    """Have the server expect this program's user.

    The machine's name goes along, since whoever approves the login is shown who asks; it is sent at no other time.

    Raises:
        AnonrunError: the server refuses, or does not answer.
    """
    request = DeviceRequest(client=f"anonrun {__version__}", host=platform.node())
    try:
        return remote.begin_device_login(request)
    except Refusal as exc:
        raise as_public_error(exc, "The login cannot begin") from exc


def wait(
    remote: Remote,
    codes: DeviceCodes,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock_s: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until the login is approved, and return the API key; a server that does not answer is asked again.

    Raises:
        AuthenticationError: it was turned away, or not approved in time.
        AnonrunError: the server refuses otherwise.
    """
    ends_s = clock_s() + codes.expires_in
    interval_s = float(codes.interval)
    while clock_s() < ends_s:
        sleep(interval_s + _MARGIN_S)
        try:
            return remote.finish_device_login(codes.device_code).access_token
        except ServerUnavailableError:
            continue
        except Refusal as exc:
            if exc.code in {"authorization_pending", "slow_down"}:
                interval_s = max(interval_s, float(exc.problem.get("interval", interval_s)))
            elif exc.retry_after_s is not None:
                interval_s = max(interval_s, exc.retry_after_s)
            elif exc.code in {"access_denied", "expired_token"}:
                raise AuthenticationError(f"{exc.detail} Run `anonrun login` again to begin another one.") from exc
            else:
                raise as_public_error(exc, "The login did not end well") from exc
    raise AuthenticationError("Nobody approved this login within its ten minutes. Run `anonrun login` again.")
