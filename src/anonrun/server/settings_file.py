"""A file of settings: TOML, one `name = value` a line, by the names that the variables have without their prefix.

Providers are tables: `[providers.NAME]`.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path

from anonrun.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_settings"]


def read_settings(path: Path, known: Mapping[str, object]) -> dict[str, object]:
    """Return the settings of a file.

    Args:
        path: the file.
        known: by name the default of each setting, whose type its value must have.

    Raises:
        UsageError: it cannot be read, has a name that is none of a setting, or a value of another type.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise UsageError(f"The settings in {path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:  # TOMLDecodeError is one, and so is a wrong encoding
        raise UsageError(f"The settings in {path} are no TOML: {exc}.") from exc
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(name.lower().removeprefix("anonrun_"), known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "`anonrun server config` lists all there are."
            raise UsageError(f"{path}: {name!r} is no setting. {hint}")
    return {name: _checked(path, name, value, known[name]) for name, value in found.items()}


def _checked(path: Path, name: str, value: object, default: object) -> object:
    """Return a value as the setting has it."""
    if isinstance(default, bool):
        right = isinstance(value, bool)
        wanted = "true or false"
    elif isinstance(default, int):
        right = isinstance(value, int) and not isinstance(value, bool)
        wanted = "a whole number"
    elif isinstance(default, float):
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        wanted = "a number"
    elif isinstance(default, tuple):
        if not isinstance(value, dict):  # which is not shown, since it may hold a secret
            raise UsageError(f"{path}: {name} cannot be used; write tables, [{name}.NAME].")
        return value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    else:
        right = isinstance(value, str)
        wanted = 'a text in "quotes"'
    if not right:
        raise UsageError(f"{path}: {name} = {value!r} cannot be used; write {wanted}.")
    return Path(str(value)).expanduser() if name == "data_dir" else value
