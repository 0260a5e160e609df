"""Share links: each for one reader or place, ended by itself, and blind where nobody may know whose run it is.

Invariant: a published run has no blind link, since the address is the same and its page would tell.
"""

from __future__ import annotations

import math
import uuid

from anonrun.core.messages import LinkInfo, LinkRequest, LinkUpdate
from anonrun.server.actors import NOBODY, Actor
from anonrun.server.policy import Action, can
from anonrun.server.problems import ProblemError
from anonrun.server.services.guard import found, hash_of_hex
from anonrun.server.services.views import link_info
from anonrun.server.settings import Settings
from anonrun.store import runs, tokens
from anonrun.store.records import Link, Run
from anonrun.store.transaction import Tx

__all__ = ["change", "make", "publish", "published", "unpublish"]

_MOST_LINKS = 100
_LONGEST_S = 10 * 366 * 86_400


def _check_label(label: str | None, settings: Settings) -> None:
    if label is not None and len(label) > settings.limits.text_chars:
        raise ProblemError("request_invalid", f"The label may have {settings.limits.text_chars} characters.")


def _listed(tx: Tx, run_id: uuid.UUID, link_id: str) -> Link | None:
    return next((link for link in tokens.links(tx, run_id) if link.link_id == link_id), None)


def make(tx: Tx, actor: Actor, run_id: uuid.UUID, wanted: LinkRequest, settings: Settings) -> LinkInfo:
    """Make a share link whose token the client has made; the same token again gives the same link.

    Raises:
        ProblemError: as `found`, `request_invalid`, `run_is_public`, `quota_exceeded`, `token_exists`, or
            `link_expired` where it was made before and has ended.
    """
    run = found(tx, actor, run_id, Action.SHARE)
    token_hash = hash_of_hex(wanted.token_hash)
    _check_label(wanted.label, settings)
    after_s = wanted.expires_in_s
    if after_s is not None and not (math.isfinite(after_s) and 0 < after_s <= _LONGEST_S):
        raise ProblemError("request_invalid", f"expires_in_s must be more than 0 and at most {_LONGEST_S}.")
    before = tokens.find(tx, token_hash)
    if before is None or before.kind != "s" or before.run_id != run_id:
        if wanted.blind and run.public:
            raise ProblemError("run_is_public")
        if len(tokens.links(tx, run_id)) >= _MOST_LINKS:
            raise ProblemError("quota_exceeded", f"A run has at most {_MOST_LINKS} links. Revoke one first.")
        made = tokens.add(
            tx,
            token_hash=token_hash,
            kind="s",
            scope="run",
            run_id=run_id,
            label=wanted.label,
            blind=wanted.blind,
            expires_at=None if after_s is None else tx.now_us + max(1, round(after_s * 1e6)),
        )
        if made is None:
            raise ProblemError("token_exists")
    else:
        made = before.public_id
    link = _listed(tx, run_id, made)
    if link is None:
        raise ProblemError("link_expired")
    return link_info(link)


def change(
    tx: Tx, actor: Actor, run_id: uuid.UUID, link_id: str, *, wanted: LinkUpdate, settings: Settings
) -> LinkInfo:
    """Change what a link is called, or whether it is blind; its address stays.

    Raises:
        ProblemError: as `found`, `request_invalid`, `run_is_public`, or `not_found`.
    """
    run = found(tx, actor, run_id, Action.SHARE)
    _check_label(wanted.label, settings)
    if wanted.blind and run.public:
        raise ProblemError("run_is_public")
    tokens.change_link(tx, link_id, run_id, label=wanted.label, blind=wanted.blind)
    link = _listed(tx, run_id, link_id)
    if link is None:
        raise ProblemError("not_found", "There is no such link.")
    return link_info(link)


def publish(tx: Tx, actor: Actor, run_id: uuid.UUID, *, embed: bool) -> Run:
    """Let anybody read a run; return it as it is then.

    Raises:
        ProblemError: as `found`, or `blind_links_stand`.
    """
    run = found(tx, actor, run_id, Action.PUBLISH)
    blind = sum(link.blind for link in tokens.links(tx, run_id))
    if blind:
        what = "1 blind link leads" if blind == 1 else f"{blind} blind links lead"
        raise ProblemError(
            "blind_links_stand",
            f"{what} to this run, and a published page would tell their readers whose it is. Revoke them, or have them "
            "show everything, first.",
        )
    runs.publish(tx, run, embed=embed)
    return found(tx, actor, run_id, Action.PUBLISH)


def published(tx: Tx, run_id: uuid.UUID) -> Run | None:
    """Return a run that anybody may read, whoever asks; None where there is none."""
    run = runs.find(tx, run_id)
    return run if run is not None and can(NOBODY, Action.READ, run) else None


def unpublish(tx: Tx, actor: Actor, run_id: uuid.UUID) -> None:
    """Let nobody read a run any more who was not let in.

    Raises:
        ProblemError: as `found`.
    """
    found(tx, actor, run_id, Action.PUBLISH)
    runs.unpublish(tx, run_id)
