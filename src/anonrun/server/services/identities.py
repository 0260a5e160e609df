"""Signing in by a provider: a browser leaves with a state of its own, comes back, and is somebody.

An identity lets in to the account that it was linked to and to no other: names and addresses of e-mail link nothing. It
is linked when an account is made with it, or from the settings by whoever is signed in and has just proven it. What the
browser brings back counts once, and only in the browser that left (R22).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from anonrun.core.times import from_us
from anonrun.server.actors import Actor
from anonrun.server.messages import IdentityInfo, NewcomerInfo, ProviderAnswer, ProviderVisit, VisitEnded, WaysIn
from anonrun.server.networks import address_group
from anonrun.server.oauth.person import Person, ProviderError, Way
from anonrun.server.policy import Action
from anonrun.server.problems import ProblemError
from anonrun.server.services.accounts import check_username, new_user
from anonrun.server.services.core import Core
from anonrun.server.services.guard import require
from anonrun.server.services.invitations import known as known_invitation
from anonrun.server.services.limits import admit_sign_up, too_many
from anonrun.server.services.sessions import Entry, ensure, require_confirmed, session_of, sign_in
from anonrun.server.services.views import account_info
from anonrun.server.settings import Settings
from anonrun.store import accounts, identities, rates, sessions
from anonrun.store.records import Account, Identity, Newcomer, Visit
from anonrun.store.transaction import Tx

__all__ = [
    "VISITS_PER_HOUR",
    "Ended",
    "come_back",
    "identities_of",
    "newcomer",
    "set_out",
    "unlink",
    "ways_in",
    "welcome",
]

VISITS_PER_HOUR = 600
"""How often one address may set out: each time costs a row, and may cost the provider a request."""

_LEEWAY_S = 60
_LONGEST_PATH = 1024
_LONGEST_BROUGHT = 4096
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a visit, and the browser's session, where that has changed."""

    message: VisitEnded
    entry: Entry | None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _local(path: str) -> str:
    """Return a path on this server; the start page for anything that a browser could take for another place (R17)."""
    return path if len(path) <= _LONGEST_PATH and _LOCAL.fullmatch(path) else "/"


def _way(core: Core, name: str) -> Way:
    way = core.ways.of(name)
    if way is None:
        raise ProblemError("provider_unknown")
    return way


def _label(settings: Settings, name: str) -> str:
    provider = settings.provider(name)
    return provider.label if provider else name


def _problem(settings: Settings, name: str, failure: ProviderError) -> ProblemError:
    label = _label(settings, name)
    if failure.down:
        return ProblemError(
            "provider_unavailable", f"{label} does not answer now. Try again in a while, or sign in another way."
        )
    return ProblemError(
        "provider_refused",
        f"What {label} answered was not good enough to sign anybody in. Try again; if it stays so, tell the operator "
        "of this server.",
    )


def _open_to_all(settings: Settings, name: str) -> bool:
    provider = settings.provider(name)
    own = provider.sign_up if provider else None
    return settings.sign_up if own is None else own


async def set_out(
    core: Core, actor: Actor, wanted: ProviderVisit, *, redirect_uri: str, address: str
) -> tuple[Entry, str]:
    """Return the browser's session, and where at the provider to send it.

    Args:
        core: the server's parts.
        actor: who asks, in a browser.
        wanted: to which provider, and what for.
        redirect_uri: to where the provider is to send it back.
        address: whence it asks.

    Raises:
        ProblemError: `provider_unknown`, `provider_unavailable`, `provider_refused`, `too_many_requests`,
            `invitation_invalid`; to link or confirm, also what `require` raises, and `confirm_needed`.
    """
    way = _way(core, wanted.provider)
    if wanted.purpose != "sign-in":
        require(actor, Action.CHANGE_ACCOUNT)
    invitation = None if wanted.invitation is None else await known_invitation(core.db, wanted.invitation)

    def admit(tx: Tx) -> None:
        if wanted.purpose == "link":
            require_confirmed(tx, actor)
        if wait_us := rates.take(tx, "visits", address_group(address), VISITS_PER_HOUR):
            raise too_many(f"This address may set out {VISITS_PER_HOUR} times an hour.", wait_us)

    await core.db.write(admit)
    try:
        departure = await way.depart(redirect_uri, anew=wanted.purpose == "confirm")
    except ProviderError as failure:
        raise _problem(core.settings, wanted.provider, failure) from None

    def note(tx: Tx) -> Entry:
        entry = ensure(tx, actor)
        identities.set_out(
            tx,
            _hash(departure.state),
            entry.session_hash,
            provider=wanted.provider,
            purpose=wanted.purpose,
            account_id=actor.account.account_id if actor.account else None,
            nonce=departure.nonce,
            verifier=departure.verifier,
            redirect_uri=redirect_uri,
            next_path=_local(wanted.next),
            invitation_hash=invitation,
        )
        return entry

    return await core.db.write(note), departure.url


async def come_back(core: Core, actor: Actor, brought: ProviderAnswer, *, agent: str | None) -> Ended:
    """Have a browser be whom the provider names.

    Raises:
        ProblemError: `visit_over` for what was not begun in this browser, or was ended; `sign_in_denied`;
            `provider_unavailable`; `provider_refused`; `sign_up_closed`; `identity_taken`.
    """
    session = session_of(actor)
    too_long = any(len(text or "") > _LONGEST_BROUGHT for text in (brought.state, brought.code, brought.iss))
    if session is None or too_long:
        raise ProblemError("visit_over")
    visit = await core.db.write(lambda tx: identities.come_back(tx, _hash(brought.state), session.session_hash))
    if visit is None or visit.provider != brought.provider:
        raise ProblemError("visit_over")
    if brought.code is None:
        raise ProblemError("sign_in_denied" if brought.error in {None, "access_denied"} else "provider_refused")
    try:
        person = await _way(core, visit.provider).meet(visit, brought.code, brought.iss)
    except ProviderError as failure:
        raise _problem(core.settings, visit.provider, failure) from None
    return await core.db.write(lambda tx: _settle(tx, core.settings, actor, visit, person, agent=agent))


def _is_fresh(visit: Visit, person: Person) -> bool:
    return person.proven_at_s is not None and person.proven_at_s >= visit.began_at / 1e6 - _LEEWAY_S


def _settle(tx: Tx, settings: Settings, actor: Actor, visit: Visit, person: Person, *, agent: str | None) -> Ended:
    known = identities.account_with(tx, person.issuer, person.subject)
    if visit.purpose != "sign-in":
        return _settle_own(tx, settings, actor, visit, person, known=known)
    if known is None:
        return _settle_newcomer(tx, settings, actor, visit, person)
    identities.used(tx, person.issuer, person.subject)
    entry = sign_in(tx, actor, known, agent=agent, confirmed=_is_fresh(visit, person))
    return Ended(VisitEnded(purpose="sign-in", next=visit.next_path, account=account_info(known), newcomer=None), entry)


def _must_say_when(settings: Settings, name: str) -> bool:
    """Whether a provider tells when it last asked who somebody is, as it must where it was asked for `max_age`.

    What it was asked stands in an address, from which whoever sits at the browser could take it away.
    """
    provider = settings.provider(name)
    return provider is not None and provider.kind == "oidc" and provider.prompt == "login"


def _settle_own(
    tx: Tx, settings: Settings, actor: Actor, visit: Visit, person: Person, *, known: Account | None
) -> Ended:
    """Link an identity to the account that is signed in, or take it as a proof of who that is."""
    session = session_of(actor)
    there = sessions.find(tx, session.session_hash) if session else None
    account = there.account if there else None
    if session is None or account is None or account.account_id != visit.account_id:
        raise ProblemError("visit_over")
    if visit.purpose == "link":
        if not identities.link(tx, account.account_id, person.issuer, person.subject):
            raise ProblemError("identity_taken")
    else:
        if known is None or known.account_id != account.account_id:
            raise ProblemError(
                "provider_refused", f"That was somebody else than {account.name}. Sign in there as yourself."
            )
        if not _is_fresh(visit, person) and (
            person.proven_at_s is not None or _must_say_when(settings, visit.provider)
        ):
            raise ProblemError(
                "provider_refused", "The provider did not ask who you are. Sign out there, and try again."
            )
        sessions.confirm(tx, session.session_hash)
    identities.used(tx, person.issuer, person.subject)
    purpose = "link" if visit.purpose == "link" else "confirm"
    return Ended(VisitEnded(purpose=purpose, next=visit.next_path, account=account_info(account), newcomer=None), None)  # type: ignore[arg-type]  # one of two texts


def _settle_newcomer(tx: Tx, settings: Settings, actor: Actor, visit: Visit, person: Person) -> Ended:
    if visit.invitation_hash is None and not _open_to_all(settings, visit.provider):
        raise ProblemError("sign_up_closed")
    entry = ensure(tx, actor)
    who = Newcomer(
        visit.provider,
        person.issuer,
        person.subject,
        _is_fresh(visit, person),
        _suggested(tx, person.name),
        visit.next_path,
        visit.invitation_hash,
    )
    identities.arrive(tx, entry.session_hash, who)
    info = _newcomer_info(settings, who)
    return Ended(VisitEnded(purpose="sign-in", next=visit.next_path, account=None, newcomer=info), entry)


def _suggested(tx: Tx, name: str | None) -> str | None:
    """Return a name if it can be an account's and none has it; it is shown, and chosen by its user."""
    try:
        usable = None if name is None else check_username(name)
    except ProblemError:
        return None
    return usable if usable and accounts.is_free(tx, usable) else None


def _newcomer_info(settings: Settings, who: Newcomer) -> NewcomerInfo:
    label = _label(settings, who.provider)
    return NewcomerInfo(provider=who.provider, label=label, suggested_name=who.suggested_name, next=who.next_path)


def newcomer(tx: Tx, settings: Settings, actor: Actor) -> NewcomerInfo:
    """Return as whom a browser came back that has no account yet.

    Raises:
        ProblemError: `visit_over` where it did not, or is not in time.
    """
    session = session_of(actor)
    who = identities.newcomer(tx, session.session_hash) if session else None
    if who is None:
        raise ProblemError("visit_over")
    return _newcomer_info(settings, who)


async def welcome(core: Core, actor: Actor, username: str, *, agent: str | None, address: str) -> tuple[Account, Entry]:
    """Make the account of a browser that came back as somebody who has none, and sign it in.

    Raises:
        ProblemError: `visit_over`, `username_invalid`, `username_taken`, `sign_up_closed`, `invitation_invalid`,
            `identity_taken`, `too_many_requests`. A refusal keeps the newcomer, who may try again.
    """
    check_username(username)
    session = session_of(actor)
    if session is None:
        raise ProblemError("visit_over")
    settings = core.settings

    def make(tx: Tx) -> tuple[Account, Entry]:
        who = identities.newcomer(tx, session.session_hash)
        if who is None:
            raise ProblemError("visit_over")
        open_to_all = _open_to_all(settings, who.provider)
        if not open_to_all and who.invitation_hash is None:
            raise ProblemError("sign_up_closed")
        invitation = None if open_to_all else who.invitation_hash
        account = new_user(tx, settings, username, password_hash=None, invitation=invitation)
        if not identities.link(tx, account.account_id, who.issuer, who.subject):
            raise ProblemError("identity_taken")
        identities.welcome(tx, session.session_hash)
        return account, sign_in(tx, actor, account, agent=agent, confirmed=who.fresh)

    await core.db.read(lambda tx: newcomer(tx, settings, actor))
    await core.db.write(lambda tx: admit_sign_up(tx, address, settings))
    return await core.db.write(make)


def _identity_id(identity: Identity) -> str:
    return hashlib.sha256(f"{identity.issuer}\0{identity.subject}".encode()).hexdigest()[:16]


def identities_of(tx: Tx, account: Account, settings: Settings) -> list[IdentityInfo]:
    """Return an account's identities as its user sees them."""
    by_issuer = {provider.issuer: provider for provider in settings.providers}
    found = []
    for identity in identities.of_account(tx, account.account_id):
        provider = by_issuer.get(identity.issuer)
        found.append(
            IdentityInfo(
                identity_id=_identity_id(identity),
                provider=provider.name if provider else None,
                label=provider.label if provider else identity.issuer,
                issuer=identity.issuer,
                subject=identity.subject,
                created_at=from_us(identity.created_at),
                used_at=from_us(identity.used_at),
            )
        )
    return found


def ways_in(tx: Tx, account: Account, settings: Settings) -> WaysIn:
    """Return how one signs in to an account."""
    has_password = settings.passwords and accounts.password_hash(tx, account.account_id) is not None
    return WaysIn(password=has_password, identities=identities_of(tx, account, settings))


def unlink(tx: Tx, account: Account, identity_id: str, settings: Settings) -> None:
    """Have an identity let in to an account no more.

    Raises:
        ProblemError: `not_found`, or `last_way_in` where nothing that this server accepts would be left.
    """
    identities.hold(tx, account.account_id)
    found = [one for one in identities.of_account(tx, account.account_id) if _identity_id(one) == identity_id]
    if not found:
        raise ProblemError("not_found", "There is no such identity, or it is unlinked already.")
    ways = ways_in(tx, account, settings)
    others = [one for one in ways.identities if one.provider is not None and one.identity_id != identity_id]
    if not ways.password and not others:
        raise ProblemError("last_way_in")
    identities.unlink(tx, account.account_id, found[0])
