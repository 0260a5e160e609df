"""The run's config and summary, as mappings that write through to the spool."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from anonrun.client.notices import Notices
from anonrun.client.plain import fit, plain
from anonrun.errors import UsageError

__all__ = ["Config", "Summary"]


class Config(MutableMapping[str, Any]):
    """Inputs of a run. Entries can also be read and set as attributes; every change is saved.

    Args:
        entries: what it begins with, as JSON takes it.
        save: takes what changed, as fields of `RunUpdate`: other processes may have set other entries of the same run.
        notices: where warnings go.
    """

    __slots__ = ("_entries", "_lock", "_notices", "_save")

    def __init__(self, entries: dict[str, Any], save: Callable[[dict[str, Any]], object], notices: Notices) -> None:
        object.__setattr__(self, "_entries", entries)
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_notices", notices)
        object.__setattr__(self, "_save", save)

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  an input may be anything
        return self._entries[key]

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        with self._lock:
            del self._entries[key]
            self._save({"config_removed": [key]})

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  an input may be anything
        try:
            return self._entries[name]
        except KeyError:
            raise AttributeError(f"The config has no entry {name!r}.") from None

    def __setattr__(self, name: str, value: object) -> None:
        self.update({name: value})

    def update(self, *others: Any, allow_val_change: bool = True, **entries: Any) -> None:  # noqa: ANN401, ARG002  wandb's signature
        """Set several entries at once.

        Args:
            others: a mapping, an argparse.Namespace or a dataclass.
            allow_val_change: accepted as in wandb; entries can always be changed.
            entries: more of them.
        """
        new: dict[str, Any] = {}
        for other in (*others, entries):
            values = plain(other)
            if not isinstance(values, dict):
                raise UsageError(f"config.update() got {type(other).__name__}; give a dict.")
            new.update(values)
        with self._lock:
            merged, left_out = fit({**self._entries, **new})
            if left_out:
                self._notices.warn_once(
                    f"config {left_out}",
                    f"The config may hold 64 kB; left out: {', '.join(sorted(left_out))}. Log large things elsewhere.",
                )
            removed = [key for key in self._entries if key not in merged]
            self._entries.clear()
            self._entries.update(merged)
            changed = {key: merged[key] for key in new if key in merged}
            self._save({"config": changed} | ({"config_removed": removed} if removed else {}))

    def begin_with(self, entries: Mapping[str, Any]) -> None:
        """Show what the run had before this process, under what was set here; it is saved already."""
        with self._lock:
            mine = dict(self._entries)
            self._entries.clear()
            self._entries.update({**entries, **mine})

    def _after_fork_in_child(self) -> None:
        """Have a lock of its own: another thread of the parent may have held the one before."""
        object.__setattr__(self, "_lock", threading.Lock())

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of all entries."""
        return dict(self._entries)

    def __repr__(self) -> str:
        return f"Config({self._entries!r})"


class Summary(Mapping[str, Any]):
    """One value per metric: the last that was logged, or what was set here by hand.

    Args:
        latest: gives the last value of each metric.
        save: takes the entries that were set by hand.
    """

    __slots__ = ("_before", "_latest", "_save", "_set")

    def __init__(self, latest: Callable[[], dict[str, float]], save: Callable[[dict[str, Any]], object]) -> None:
        self._latest = latest
        self._save = save
        self._before: dict[str, Any] = {}
        self._set: dict[str, Any] = {}

    def begin_with(self, entries: Mapping[str, Any]) -> None:
        """Show what the run had before this process, until it is logged or set anew."""
        self._before = dict(entries)

    def _all(self) -> dict[str, Any]:
        return {**self._before, **self._latest(), **self._set}

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  a summary may be anything
        return self._all()[key]

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def update(self, *others: Mapping[str, Any], **entries: Any) -> None:  # noqa: ANN401  a summary may be anything
        """Set several entries at once; they stand before what is logged."""
        new: dict[str, Any] = {}
        for other in (*others, entries):
            new.update(plain(other))
        self._set.update(new)
        self._save(new)

    def __repr__(self) -> str:
        return f"Summary({self._all()!r})"
