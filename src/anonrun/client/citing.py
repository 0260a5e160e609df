"""A run, and anonrun itself, as BibTeX entries for a paper. Pure; nothing in them is secret or says whose run it is."""

from __future__ import annotations

import re
from datetime import date

from anonrun._version import __version__
from anonrun.client.address import is_loopback
from anonrun.core.messages import RunInfo

__all__ = ["citation"]

_TITLE = "anonrun: run a published notebook and watch its metrics live, without an account"
_AUTHORS = "The anonrun authors"
_LICENSE = "Apache-2.0"
_RELEASED = date(2026, 11, 24)
_REPOSITORY = "https://github.com/anonrun/anonrun"

_IN_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "{}$&#_%"},
}


def _text(text: str) -> str:
    """Return a text as TeX prints it, whatever is in it, on one line."""
    return "".join(_IN_TEX.get(sign, sign) for sign in " ".join(text.split()))


def _entry(kind: str, key: str, fields: dict[str, str | None]) -> str:
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items() if text is not None]
    return "\n".join((f"@{kind}{{{key},", *lines, "}"))


def _of_run(info: RunInfo, url: str | None, today: date) -> str:
    hidden = url is None or is_loopback(url)
    until = info.expires_at
    kept = None
    if info.anonymous:
        kept = "Anonymous run, kept for a limited time unless claimed"
        if until is not None:
            kept = f"Anonymous run, kept until {until:%Y-%m-%d} unless claimed"
    entry = _entry(
        "misc",
        f"run-{re.sub(r'[^A-Za-z0-9.-]+', '-', info.id)}",
        {
            "key": "anonrun",  # by what styles sort an entry without an author
            "title": f"{{{_text(info.name)}}} ({_text(info.project)})",
            "howpublished": "Run recorded with anonrun",
            "date": f"{info.created_at:%Y-%m-%d}",
            "year": f"{info.created_at:%Y}",
            "url": None if hidden else url,
            "urldate": None if hidden else f"{today:%Y-%m-%d}",
            "note": kept,
        },
    )
    if not hidden:
        return entry
    return f"% This run is on one machine only, so there is no address that readers could open.\n{entry}"


def _of_software() -> str:
    return _entry(
        "software",
        "anonrun",
        {
            "title": f"{{{_TITLE}}}",
            "author": f"{{{_AUTHORS}}}",
            "version": __version__,
            "date": f"{_RELEASED:%Y-%m-%d}",
            "year": f"{_RELEASED:%Y}",
            "url": _REPOSITORY,
            "license": _LICENSE,
        },
    )


def citation(info: RunInfo, url: str | None, today: date) -> str:
    r"""Return BibTeX entries of a run and of anonrun.

    Args:
        info: the run.
        url: its page; None where no server is known.
        today: when the page was last seen.

    Example:
        >>> from datetime import datetime, timezone
        >>> from anonrun.core.messages import RunState
        >>> made = datetime(2026, 11, 24, tzinfo=timezone.utc)
        >>> run = RunInfo(
        ...     run_id="0192f7d0-0000-7000-8000-000000000001", account="", project="digits", id="k3x9p0wz",
        ...     name="50 % of data", state=RunState.FINISHED, anonymous=False, created_at=made, server_time=made,
        ...     url_path="r/0192f7d0-0000-7000-8000-000000000001",
        ... )
        >>> print(citation(run, "https://runs.example.org/r/0192f7d0", date(2026, 12, 1)).partition("\n\n")[0])
        @misc{run-k3x9p0wz,
          key = {anonrun},
          title = {{50 \% of data} (digits)},
          howpublished = {Run recorded with anonrun},
          date = {2026-11-24},
          year = {2026},
          url = {https://runs.example.org/r/0192f7d0},
          urldate = {2026-12-01},
        }
    """
    return f"{_of_run(info, url, today)}\n\n{_of_software()}\n"
