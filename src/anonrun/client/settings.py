"""What `init` was asked for: its arguments, completed by the environment and checked.

Pure: takes the environment as a mapping, asks nobody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from anonrun.client.address import checked_url
from anonrun.client.plain import plain
from anonrun.client.ranks import rank_of
from anonrun.client.sampler import EVERY_S, LEAST_S
from anonrun.client.spool.writer import LIMIT_BYTES
from anonrun.core.ids import DEFAULT_PROJECT, check_id, check_project
from anonrun.core.limits import DEFAULT_LIMITS
from anonrun.core.progress import total_of
from anonrun.errors import UsageError

if TYPE_CHECKING:
    from anonrun.client.identity import Anonymous

__all__ = ["Mode", "Reinit", "Resume", "Settings", "read_settings", "refuse_unknown", "spool_bytes"]

Mode = Literal["online", "offline", "disabled"]
Resume = Literal["never", "allow", "must"]
Reinit = Literal["finish_previous", "create_new"]

_LEAST_SPOOL_BYTES = 65_536
_MOST_PAUSE_S = 86_400.0
_SWITCH = {"": True, "true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The checked settings of one run.

    Attributes:
        server: None for the embedded one.
        rank: which of the training's processes this is; 0 for the first, and for one that is alone.
        spool_bytes: what the run may take on disk before the server has it.
        total: steps that the training will make; None where nobody said so, or nothing that can be.
        system_every_s: seconds between samples of the machine; None takes none.
        console: whether what the process prints is kept.
    """

    mode: Mode
    anonymous: Anonymous
    server: str | None
    api_key: str | None = field(repr=False)
    project: str
    name: str | None
    id: str | None
    resume: Resume
    reinit: Reinit
    config: dict[str, Any]
    tags: list[str]
    notes: str | None
    group: str | None
    job_type: str | None
    dir: str | None
    rank: int = 0
    spool_bytes: int = LIMIT_BYTES
    total: int | None = None
    system_every_s: float | None = None
    console: bool = False

    @property
    def assists(self) -> bool:
        """Whether this process adds to a run whose course and end are told by the training's first process."""
        return self.rank > 0 and self.id is not None and self.resume != "never"


def refuse_unknown(unknown: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise for keywords that do not exist.

    Raises:
        TypeError: there is one; the message offers the nearest that does.
    """
    for name in unknown:
        import difflib  # noqa: PLC0415  only for who mistypes

        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else f" It takes {', '.join(sorted(known))}."
        raise TypeError(f"{where} has no argument {name!r}.{hint}")


def _one_of(value: object, options: tuple[str, ...], name: str) -> str:
    if value not in options:
        *others, last = [repr(option) for option in options]
        raise UsageError(f"{name}={value!r} is not known; use {', '.join(others)} or {last}.")
    return str(value)


def _resume(value: object) -> Resume:
    if value is None or value is False:
        return "never"
    if value is True or value == "auto":
        return "allow"
    return cast("Resume", _one_of(value, ("never", "allow", "must"), "resume"))


def _reinit(value: object) -> Reinit:
    if value is None or isinstance(value, bool):
        return "finish_previous"
    return cast("Reinit", _one_of(value, ("finish_previous", "create_new"), "reinit"))


def _mode(asked: object, environ: Mapping[str, str]) -> Mode:
    value = asked if asked is not None else environ.get("ANONRUN_MODE") or None
    if value is None:
        return "disabled" if rank_of(environ) else "online"
    return cast("Mode", _one_of(value, ("online", "offline", "disabled"), "mode"))


def spool_bytes(environ: Mapping[str, str]) -> int:
    """Return what one run may take on disk before a server has it.

    Raises:
        UsageError: ANONRUN_SPOOL_BYTES is no such number.
    """
    text = environ.get("ANONRUN_SPOOL_BYTES")
    if not text:
        return LIMIT_BYTES
    if not text.isdecimal() or int(text) < _LEAST_SPOOL_BYTES:
        raise UsageError(
            f"ANONRUN_SPOOL_BYTES={text!r} is no number of bytes from {_LEAST_SPOOL_BYTES:,} on; give one such as "
            f"{LIMIT_BYTES}, or leave it out."
        )
    return int(text)


def _system_every_s(asked: object, environ: Mapping[str, str]) -> float | None:
    """Return the seconds between samples of the machine; None for no samples."""
    text = environ.get("ANONRUN_SYSTEM_METRICS", "").strip().lower()
    value = asked if asked is not None else _SWITCH.get(text, text)
    try:
        seconds = EVERY_S if value is True else float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        seconds = math.nan
    if seconds == 0:
        return None
    if not LEAST_S <= seconds <= _MOST_PAUSE_S:
        name = f"ANONRUN_SYSTEM_METRICS={text!r}" if asked is None else f"system_metrics={asked!r}"
        raise UsageError(
            f"{name} is no number of seconds from {LEAST_S:g} to {_MOST_PAUSE_S:g}; give one such as 30, or 0 for no "
            "metrics of the machine."
        )
    return seconds


def _switch(asked: object, said: str | None, name: str) -> bool:
    if asked is not None:
        return bool(asked)
    value = (said or "").strip().lower()
    if value in ("", "0", "no", "false", "off"):
        return False
    if value in ("1", "yes", "true", "on"):
        return True
    raise UsageError(f"{name}={said!r} is not known; use 1 or 0.")


def _config(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    entries = plain(value)
    if not isinstance(entries, dict):
        raise UsageError(f"config got {type(value).__name__}; give a dict, an argparse.Namespace or a dataclass.")
    return entries


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    text = str(value)
    if len(text) > DEFAULT_LIMITS.text_chars:
        raise UsageError(f"{name} has {len(text)} characters; use at most {DEFAULT_LIMITS.text_chars}.")
    return text


def _tags(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable):
        raise UsageError(f"tags={value!r} is no list of texts.")
    return [str(tag) for tag in value]


def read_settings(environ: Mapping[str, str], **asked: Any) -> Settings:  # noqa: ANN401  what the user gave
    """Return the settings of one run.

    Args:
        environ: the process's environment.
        asked: the arguments of `init`.

    Raises:
        UsageError: a value cannot be used; the message names the rule.
    """
    anonymous = asked.get("anonymous")
    server = asked.get("server") or environ.get("ANONRUN_SERVER") or None
    resume = _resume(asked.get("resume"))
    if resume == "must" and asked.get("id") is None:
        raise UsageError("resume='must' needs the id of the run to go on with: init(id=..., resume='must').")
    settings = Settings(
        mode=_mode(asked.get("mode"), environ),
        anonymous=cast(
            "Anonymous",
            _one_of(
                anonymous if anonymous is not None else environ.get("ANONRUN_ANONYMOUS") or "allow",
                ("allow", "must", "never"),
                "anonymous" if anonymous is not None else "ANONRUN_ANONYMOUS",
            ),
        ),
        server=None if server is None else checked_url(server),
        api_key=asked.get("api_key"),
        project=check_project(asked.get("project") or environ.get("ANONRUN_PROJECT") or DEFAULT_PROJECT),
        name=_text(asked.get("name"), "name"),
        id=None if asked.get("id") is None else check_id(asked["id"]),
        resume=resume,
        reinit=_reinit(asked.get("reinit")),
        config=_config(asked.get("config")),
        tags=_tags(asked.get("tags")),
        notes=_text(asked.get("notes"), "notes"),
        group=_text(asked.get("group"), "group"),
        job_type=_text(asked.get("job_type"), "job_type"),
        dir=asked.get("dir"),
        rank=rank_of(environ),
        spool_bytes=spool_bytes(environ),
        total=total_of(asked.get("total")),
        system_every_s=_system_every_s(asked.get("system_metrics"), environ),
        console=_switch(asked.get("console"), environ.get("ANONRUN_CONSOLE"), "ANONRUN_CONSOLE"),
    )
    # The processes of one machine would all tell the same of it.
    unasked = settings.assists and asked.get("system_metrics") is None
    return replace(settings, system_every_s=None) if unasked else settings
