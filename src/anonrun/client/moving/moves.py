"""Claims into another server: which run, from where, into whose account, and what is said when that cannot be."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anonrun.client.access import Access, Place, open_access, place
from anonrun.client.api import Api
from anonrun.client.leftovers import run_folders
from anonrun.client.links import page_link
from anonrun.client.moving.carry import Carrier, MoveError, still_going
from anonrun.client.moving.journal import Journal, Move, journals
from anonrun.client.moving.upload import Patience, UnwillingError
from anonrun.client.notices import Notices
from anonrun.client.receipts import Receipts
from anonrun.client.remote import as_public_error
from anonrun.client.syncing import sync_folders
from anonrun.core.ids import parse_run_id
from anonrun.core.messages import RunInfo, RunState, ServerInfo, to_json
from anonrun.core.tokens import TokenKind, mint, token_hash
from anonrun.core.words import counted
from anonrun.errors import (
    AnonrunError,
    AuthenticationError,
    DamagedDataError,
    NotFoundError,
    ServerError,
    ServerUnavailableError,
    UsageError,
)

__all__ = ["Moved", "destination", "has_login", "movable", "move_run"]

_FOLDER = "moving"


@dataclass(frozen=True, slots=True)
class Moved:
    """A run that is on its new server, and no longer on the one before.

    Attributes:
        info: what the new server says of it.
        source: address of the one before.
        to: address of the new one.
    """

    info: RunInfo
    source: str
    to: str

    @property
    def url(self) -> str:
        """Its page, without a secret."""
        return page_link(self.to, self.info.run_id)

    def as_json(self) -> dict[str, Any]:
        """Return what the command line answers."""
        return {
            "run_id": self.info.run_id,
            "id": self.info.id,
            "name": self.info.name,
            "account": self.info.account,
            "claimed": True,
            "points": self.info.points,
            "media": self.info.media,
            "url": self.url,
            "from": self.source,
        }


def has_login(environ: Mapping[str, str], to: str) -> bool:
    """Return whether there is a key of an account for a server, in the environment or saved."""
    return _account_key(environ, place(environ, to)) is not None


def destination(environ: Mapping[str, str], to: str) -> Access:
    """Return access to the account that a run is claimed into.

    Raises:
        AuthenticationError: nobody is logged in there, or the key is refused.
        ServerUnavailableError: the server does not answer.
        UsageError: `to` is no address, or the key is an anonymous account's.
        ServerError: it is no anonrun server, or one of a version that takes no runs from elsewhere.
    """
    where = place(environ, to)
    key = _account_key(environ, where)
    if key is None:
        raise AuthenticationError(
            f"Nobody is logged in to {where.name}. Run `anonrun login --server {where.name}`, or in a notebook "
            f'anonrun.login(server="{where.name}"); then ask again.'
        )
    access = open_access(environ, server=to, api_key=key)
    _check_moves(access.url, _server_info(access))
    if access.account().kind != "user":
        raise UsageError(
            f"The key for {access.url} is that of an anonymous account, which keeps nothing. Log in to an account: "
            f"`anonrun login --server {access.url}`."
        )
    return access


def movable(environ: Mapping[str, str], server: str | None) -> list[str]:
    """Return the UUIDs of this machine's anonymous runs on a server, and of those whose move has begun.

    Raises:
        ServerUnavailableError: the server does not answer.
    """
    where = place(environ, server)
    begun = [move.run_id for _, move in _begun(where) if move.source == where.url]
    key = where.store.get(where.name, "anonymous")
    if key is None:
        return begun
    url = open_access(environ, server=server, api_key=key).url
    return list(dict.fromkeys([*begun, *(run.run_id for run in Api(url, key).runs() if run.anonymous)]))


def move_run(
    environ: Mapping[str, str],
    name: str,
    *,
    to: str,
    server: str | None = None,
    say: Callable[[str], object] = lambda _text: None,
    sleep: Callable[[float], object] = time.sleep,
) -> Moved:
    """Move a run into the account that is logged in on another server, or go on with that.

    Args:
        environ: the environment, for servers and keys.
        name: the run: its id, `project/id`, or UUID.
        to: address of the other server.
        server: where the run is; None means `ANONRUN_SERVER`, or the server on this machine.
        say: shows what happens now.
        sleep: waits; replaced only by tests.

    Raises:
        AuthenticationError: nobody is logged in there, or a key is refused.
        NotFoundError: there is no such run for the keys of this machine.
        ServerUnavailableError: one of the servers does not answer.
        ServerError: one of them refuses.
        UsageError: the run is still going, on that server already, or on its way to yet another.
        AnonrunError: it cannot be read in full, or is not the same there.
    """
    there = destination(environ, to)
    where = place(environ, server)
    folder, move = next(((folder, move) for folder, move in _begun(where) if move.is_of(name, where.url)), (None, None))
    if folder is None or move is None:
        source, info = _source(environ, where, server, name)
        _check_beginning(environ, where, source, there, info)
        folder = Journal(where.data.root / _FOLDER / info.run_id)
    else:
        info = move.info
        source = _source_again(environ, where, server, move)
    with folder.owned():
        carrier = Carrier(
            journal=folder,
            move=_taken_up(folder.load() or _new(where, source, there, info), folder, there),
            source=source,
            there=there,
            here_asks=Patience(source.url, sleep),
            there_asks=Patience(there.url, sleep),
            claim=Receipts(where.data.root, Notices()).claim_token(info.run_id, server=where.name),
            say=say,
        )
        with _telling(carrier):
            return Moved(carrier.carry(), source.url, there.url)


def _begun(where: Place) -> Iterator[tuple[Journal, Move]]:
    for journal in journals(where.data.root / _FOLDER):
        move = journal.load()
        if move is not None:
            yield journal, move


def _server_info(access: Access) -> ServerInfo:
    with access.asking(f"{access.url} cannot be used") as remote:
        return remote.server()


def _check_moves(url: str, info: ServerInfo) -> None:
    if not info.moves:
        raise ServerError(
            f"{url} runs anonrun {info.version}, which cannot move runs between servers; it is to be updated first.",
            status=501,
            code="moves_unknown",
        )


def _account_key(environ: Mapping[str, str], where: Place) -> str | None:
    """Return the key of an account for the server that a run goes to.

    `ANONRUN_API_KEY` is for the server that `ANONRUN_SERVER` names, and is not shown to any other.
    """
    named = environ.get("ANONRUN_SERVER")
    if environ.get("ANONRUN_API_KEY") and (not named or place(environ, None).url == where.url):
        return environ["ANONRUN_API_KEY"]
    return where.store.get(where.name, "login")


def _keys(environ: Mapping[str, str], where: Place) -> list[str]:
    """Return the keys that may own a run where it is: of the saved login, the anonymous account, the environment."""
    keys = [where.store.get(where.name, "login"), where.store.get(where.name, "anonymous")]
    if environ.get("ANONRUN_SERVER") and place(environ, None).url == where.url:
        keys.append(environ.get("ANONRUN_API_KEY"))
    return list(dict.fromkeys(key for key in keys if key))


def _source(environ: Mapping[str, str], where: Place, server: str | None, name: str) -> tuple[Access, RunInfo]:
    """Return access to a run by the key that owns it, and what its server says of it.

    Raises:
        NotFoundError: no key of this machine does.
    """
    for key in _keys(environ, where):
        access = open_access(environ, server=server, api_key=key)
        with contextlib.suppress(NotFoundError, AuthenticationError):
            info = Api(access.url, key).run(name).info
            if parse_run_id(info.run_id) is not None:  # it names a folder
                return access, info
    raise NotFoundError(
        f"There is no run {name!r} on {where.url or 'the server on this machine'} for the keys of this machine: it is "
        "unknown, expired, moved already, or claimed into an account that is not logged in here."
    )


def _source_again(environ: Mapping[str, str], where: Place, server: str | None, move: Move) -> Access:
    """Return access by the very key by which a move was begun.

    Raises:
        AuthenticationError: it is not on this machine any more.
    """
    for key in _keys(environ, where):
        if token_hash(key).hex() == move.key_hash:
            return open_access(environ, server=server, api_key=key)
    raise AuthenticationError(
        f"The key by which run {move.info.id} was read on {where.url or 'the server on this machine'} is not on this "
        "machine any more. Log in there again with that key; what has been read is kept."
    )


def _check_beginning(environ: Mapping[str, str], where: Place, source: Access, there: Access, info: RunInfo) -> None:
    """Refuse to begin a move that cannot end well, and deliver first what is on this disk only.

    Raises:
        ServerError: the source cannot let runs go.
        UsageError: the run is still going, on that server already, or has artifacts.
        MoveError: some of it is on this disk only.
    """
    here = _server_info(source)
    if here.instance == _server_info(there).instance:
        raise UsageError(
            f"Run {info.id} is on {there.url} already; `anonrun claim {info.id}` claims it there. --server says where "
            "the run is that is to go to another one."
        )
    _check_moves(source.url, here)
    _deliver_rest(environ, where, info)
    with source.asking(f"Run {info.id}") as remote:
        if remote.run(source.key, info.run_id).state is RunState.RUNNING:
            raise UsageError(still_going(info))
        logged = remote.run_artifacts(source.key, info.run_id).logged
    if logged:
        raise UsageError(
            f"Run {info.id} has logged {counted(len(logged), 'artifact')}, which would not move with it. Take a copy "
            "and delete them first, or leave the run where it is."
        )


def _deliver_rest(environ: Mapping[str, str], where: Place, info: RunInfo) -> None:
    """Deliver what a program that is over has left of the run on this disk, such as how it ended.

    Raises:
        UsageError: the program is not over.
        MoveError: it cannot be delivered.
    """
    folders = []
    for folder in run_folders(where.data.spool):
        with contextlib.suppress(OSError, ValueError):
            file = folder.load()
            if file.server == where.url and info.run_id in (file.run_id, file.server_run_id):
                folders.append(folder.path)
    for outcome in sync_folders(environ, folders) if folders else ():
        if outcome.live:
            raise UsageError(still_going(info))
        if not outcome.delivered:
            raise MoveError(
                f"Some of run {info.id} is on this disk only, in {outcome.folder}. {outcome.trouble or ''} Run "
                "`anonrun sync`, then ask again."
            )


def _new(where: Place, source: Access, there: Access, info: RunInfo) -> Move:
    return Move(
        run_id=info.run_id,
        source=where.url,
        key_hash=token_hash(source.key).hex(),
        to=there.url,
        instance=_server_info(there).instance,
        run=to_json(info),
        write=mint(TokenKind.WRITE),
        view=mint(TokenKind.VIEW),
    )


def _taken_up(move: Move, folder: Journal, there: Access) -> Move:
    """Return a move that goes on; on a server that was set up anew it begins again with what was read.

    Raises:
        UsageError: it goes to yet another server.
    """
    if move.to != there.url:
        raise UsageError(
            f"Run {move.info.id} is on its way to {move.to}: `anonrun claim {move.info.id} --to {move.to}` goes on "
            f"with that. To send it elsewhere, remove {folder.path} first; what has arrived there stays there."
        )
    instance = _server_info(there).instance
    if move.instance != instance:
        move.instance, move.verified = instance, False
    folder.save(move)
    return move


@contextlib.contextmanager
def _telling(carrier: Carrier) -> Iterator[None]:
    """Say with every end of a move before its time where the run is."""
    try:
        yield
    except UnwillingError as exc:
        raise _refused(carrier, exc) from None
    except MoveError as exc:
        raise MoveError(f"{exc} {_standing(carrier)}") from None
    except ServerUnavailableError as exc:
        raise ServerUnavailableError(f"{exc} {_standing(carrier)}") from None
    except (DamagedDataError, OSError) as exc:
        raise MoveError(f"Run {carrier.move.info.id} cannot be moved: {exc}. {_standing(carrier)}") from None


def _refused(carrier: Carrier, unwilling: UnwillingError) -> AnonrunError:
    """Return what to raise where a server refuses for good."""
    info, refusal = carrier.move.info, unwilling.refusal
    takes = "take" if unwilling.url == carrier.there.url else "give"
    what = f"{unwilling.url} does not {takes} run {info.id}"
    if refusal.code == "run_exists":
        text = f"{what}: it has a run of the same address already, or had one ({info.run_id}): none is given twice."
        return ServerError(f"{text} {_standing(carrier)}", status=refusal.status, code=refusal.code)
    public = as_public_error(refusal, what)
    text = f"{public} {_standing(carrier)}"
    if isinstance(public, ServerError):
        return ServerError(text, status=public.status, code=public.code)
    return type(public)(text)


def _standing(carrier: Carrier) -> str:
    here, to = carrier.source.url, carrier.there.url
    if carrier.move.verified:
        return f"All of it is on {to} by now; ask again to have it removed from {here}."
    return f"Nothing was removed from {here}; asked again, this goes on where it stopped."
