"""What a blind link leaves out: everything that tells whose run it is.

Names, project, tags, notes, group and job type go whole. Of config and summary the numbers stay, which is what a
reviewer judges, and what may point at a person or a machine goes, by the rules of `blinded`: rather one harmless text
too many than one name too few. Names of metrics stay, since the points carry them; `docs/sharing.md` says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from anonrun.server.actors import Actor, TokenHolder, Visitor
from anonrun.store.records import Run

__all__ = ["HIDDEN", "blinded", "blinded_caption", "blinded_summary", "names_maker", "sees_blind"]

HIDDEN = "(hidden)"

_PERSONS = frozenset(
    [
        "account",
        "affiliation",
        "author",
        "authors",
        "contact",
        "email",
        "entity",
        "institute",
        "institution",
        "login",
        "mail",
        "organisation",
        "organization",
        "org",
        "owner",
        "person",
        "student",
        "supervisor",
        "team",
        "tenant",
        "uid",
        "university",
        "user",
        "userid",
        "username",
        "whoami",
    ]
)
"""Words in a key under which nothing stays, not even a number."""

_PLACES = frozenset(
    [
        "argv",
        "branch",
        "cluster",
        "cmd",
        "command",
        "commit",
        "comment",
        "company",
        "cwd",
        "description",
        "dir",
        "directory",
        "file",
        "filename",
        "folder",
        "git",
        "home",
        "host",
        "hostname",
        "ip",
        "lab",
        "link",
        "logdir",
        "machine",
        "node",
        "note",
        "notes",
        "partition",
        "password",
        "path",
        "paths",
        "project",
        "remote",
        "repo",
        "repository",
        "root",
        "secret",
        "server",
        "site",
        "tag",
        "tags",
        "token",
        "uri",
        "url",
        "wandb",
        "workdir",
        "workspace",
    ]
)
"""Words in a key under which no text stays."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LONGEST_TEXT = 200
_SHORTEST_NAME = 4
# A path, a mail address, a home folder; a dot before a letter: a file's name, a host, a module of somebody's.
_POINTS_SOMEWHERE = re.compile(r"[/\\@~]|\w\.[^\W\d]|\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-fA-F]*:[0-9a-fA-F]*:")
_PERSON = re.compile(r"[\w.+-]@[\w-]{1,64}\.\w|(?:/home/|/Users/|/home\\/|[A-Za-z]:\\{1,4}Users\\{1,4})\w")
_KEY_POINTS_SOMEWHERE = re.compile(r"@|^[/~\\]|^[A-Za-z]:[/\\]|\b\d{1,3}(?:\.\d{1,3}){3}\b")


def sees_blind(actor: Actor, run: Run) -> bool:
    """Whether an actor reads a run by nothing better than a link that hides who made it."""
    if run.public or actor.local or (actor.account and actor.account.account_id == run.account.account_id):
        return False
    reading = (
        [actor.token]
        if isinstance(actor, TokenHolder)
        else list(actor.tokens_of(run.run_id))
        if isinstance(actor, Visitor)
        else []
    )
    reading = [token for token in reading if token.kind in "vs" and token.ended is None]
    return bool(reading) and all(token.blind for token in reading)


class _Blind:
    """The rules, with the names of one run."""

    def __init__(self, run: Run) -> None:
        names = [run.account.name, run.project, run.id, run.name, run.group or ""]
        names += re.split(r"[^A-Za-z0-9]+", run.account.name)  # a person's first or last name alone
        self._names = [name.casefold() for name in names if len(name) >= _SHORTEST_NAME]

    def value(self, value: object, *, texts: bool) -> object:
        """Return a value without what identifies; `texts`: whether texts may stay."""
        if isinstance(value, str):
            return value if texts and not self._text_identifies(value) else HIDDEN
        if isinstance(value, list):
            return [self.value(item, texts=texts) for item in value]
        if isinstance(value, dict):
            return self.pairs(value.items(), texts=texts)
        return value

    def pairs(
        self, pairs: Iterable[tuple[str, object]], *, texts: bool = True, known: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return keys and values without what identifies; the keys in `known` stay, whatever they are."""
        result: dict[str, Any] = {}
        hidden = 0
        for key, value in pairs:
            words = {word.casefold() for word in _WORDS.findall(key)}
            if key in known:
                shown = key
            elif self.names_someone(key) or _KEY_POINTS_SOMEWHERE.search(key):
                hidden += 1
                shown = HIDDEN if hidden == 1 else f"{HIDDEN[:-1]} {hidden})"
            else:
                shown = key
            if words & _PERSONS and value is not None and not isinstance(value, bool):
                result[shown] = HIDDEN
            else:
                result[shown] = self.value(value, texts=texts and not words & _PLACES)
        return result

    def names_someone(self, text: str) -> bool:
        """Whether a text holds one of the run's names."""
        folded = text.casefold()
        return any(name in folded for name in self._names)

    def _text_identifies(self, text: str) -> bool:
        return len(text) > _LONGEST_TEXT or bool(_POINTS_SOMEWHERE.search(text)) or self.names_someone(text)


def blinded(run: Run) -> dict[str, Any]:
    """Return a run's config without what identifies.

    A text goes where it may be a path, an address, a file, a host or a module, where it holds the name of the account,
    project, group or run, where it is long, or where its key speaks of a place (`output_dir`, `hostname`,
    `git_commit`). Under a key that speaks of a person (`user`, `author`, `team`) numbers go too. A key goes where it
    holds such a name, a mail address or the beginning of a path. Keys count by their words: `hostName` and `HOST_NAME`
    as `host_name`.
    """
    return _Blind(run).pairs(run.config.items())


def blinded_caption(run: Run, caption: str) -> str:
    """Return what somebody wrote of an item of media, or that it is hidden, by the rules for a text in the config."""
    return str(_Blind(run).value(caption, texts=True))


def names_maker(run: Run, *texts: str) -> bool:
    """Whether texts of an item of media say who made a run.

    They do where they hold the name of the account, project, group or run, a mail address, or the home folder of
    somebody. Such an item is left out whole: what is in its table, figure or text cannot be hidden in part.
    """
    rules = _Blind(run)
    return any(rules.names_someone(text) or _PERSON.search(text) for text in texts)


def blinded_summary(run: Run, metrics: Mapping[str, object]) -> dict[str, Any]:
    """Return what the user set in the summary, without what identifies; the names of metrics stay."""
    return _Blind(run).pairs(run.summary.items(), known=metrics.keys())
