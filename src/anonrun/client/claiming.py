"""Claiming runs of this machine from the command line, by the claim tokens that were kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonrun.client.access import open_access, place
from anonrun.client.api import Api, ApiRun
from anonrun.client.browser import open_privately
from anonrun.client.links import claim_link
from anonrun.client.notices import Notices
from anonrun.client.receipts import Receipts
from anonrun.errors import AuthenticationError, NotFoundError

__all__ = ["Claimable", "claimable", "claimed_with_login", "offer_claim"]


@dataclass(frozen=True, slots=True)
class Claimable:
    """An anonymous run of this machine, and the token that claims it."""

    run: ApiRun
    token: str = field(repr=False)
    base: str
    folder: Path


def claimable(server: str | None, names: Sequence[str]) -> list[Claimable]:
    """Return the named runs of this machine's anonymous account, or all where none is named.

    Raises:
        AuthenticationError: this machine has no anonymous account on the server.
        NotFoundError: there is no such run, or its claim token is not on this machine.
    """
    where = place(os.environ, server)
    key = where.store.get(where.name, "anonymous")
    if key is None:
        raise AuthenticationError(
            "This machine has logged no anonymous run on that server, so there is nothing to claim."
        )
    api = Api(server, key)
    receipts = Receipts(where.data.root, Notices())
    found = [api.run(name) for name in names] if names else api.runs()
    wanted = []
    for run in found:
        token = receipts.claim_token(run.run_id, server=where.name)
        if token is None and names:
            raise NotFoundError(
                f"The claim token of run {run.id} is not on this machine; use its private link, or the page."
            )
        if token is not None and run.anonymous:
            wanted.append(Claimable(run, token, api.server, where.data.root))
    return wanted


def offer_claim(wanted: Claimable, *, open_browser: bool) -> dict[str, Any]:
    """Open the claim page of a run; where there is no browser, the answer has its link."""
    link = claim_link(wanted.base, wanted.token)
    opened = open_browser and open_privately(link, wanted.folder)
    return _answer(wanted.run, claimed=False, opened=opened, link=None if opened else link)


def claimed_with_login(server: str | None, wanted: Sequence[Claimable]) -> list[dict[str, Any]]:
    """Move runs into the account of the saved login.

    Raises:
        AuthenticationError: nobody is logged in, or the server refuses the login.
        ServerError: the server refuses a claim; those before it are done.
    """
    access = open_access(os.environ, server=server)
    if access.source == "anonymous":
        raise AuthenticationError("Nobody is logged in to that server; run `anonrun login`, or claim in the browser.")
    answers = []
    for one in wanted:
        with access.asking(f"Run {one.run.id} cannot be claimed") as remote:
            (info,) = remote.claim(access.key, one.token).runs
        answers.append({**_answer(one.run, claimed=True, opened=False, link=None), "account": info.account})
    return answers


def _answer(run: ApiRun, *, claimed: bool, opened: bool, link: str | None) -> dict[str, Any]:
    return {"run_id": run.run_id, "name": run.name, "account": None, "claimed": claimed, "opened": opened, "link": link}
