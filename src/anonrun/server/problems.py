"""Refusals, each with a stable `code`, as RFC 9457 has them; no HTTP beside the status.

A refusal is raised as `ProblemError` anywhere below a route. The texts never carry a secret, and a failure
of our own says only that it happened: what it was stands in the log.
"""

from __future__ import annotations

from typing import Any, Final

from anonrun.core.tokens import redact

__all__ = ["CODES", "ProblemError"]

CODES: Final[dict[str, tuple[int, str, str]]] = {
    "access_denied": (400, "Turned away", "Somebody looked at this login in the browser and turned it away."),
    "account_required": (403, "Account required", "This is for real accounts. Sign in or sign up first."),
    "already_claimed": (409, "Already claimed", "This run has been claimed into an account already."),
    "anonymous_artifacts_forbidden": (
        403,
        "No artifacts in anonymous runs",
        ("An anonymous run cannot hold artifacts. Log in to an account to log them; the file stays where it is."),
    ),
    "anonymous_not_public": (
        403,
        "Anonymous runs are not published",
        "Nobody answers for an anonymous run, so it is not published. Claim it first, or share it by a link.",
    ),
    "anonymous_disabled": (403, "No anonymous runs here", "This server makes no anonymous runs. Log in to an account."),
    "artifact_exists": (409, "Artifact id is taken", "There is or was another version with this id. Make a new id."),
    "artifact_incomplete": (409, "Files are missing", "Upload what `missing` names, then commit again."),
    "artifact_not_found": (
        404,
        "No such artifact",
        "There is no such version of an artifact, or it has been deleted, or it is not yours.",
    ),
    "artifact_quota_exceeded": (
        507,
        "The account's room for files is full",
        "The account may keep no more files. Delete some versions of artifacts, or runs with them.",
    ),
    "artifact_storage_full": (
        507,
        "No room for files",
        "This server has no room for more files. Nothing of this request was stored; its operator can give more.",
    ),
    "artifact_too_large": (413, "File too large", "The file is larger than this server takes. It stays where it is."),
    "artifact_type": (409, "Artifact of another type", "All versions of an artifact have the same type."),
    "authorization_pending": (
        400,
        "Not decided yet",
        "Nobody has approved this login yet. Ask again after the interval.",
    ),
    "blind_links_stand": (
        409,
        "Blind links stand",
        "A published page would tell their readers whose run it is. Revoke them, or have them show everything, first.",
    ),
    "body_too_slow": (408, "Body too slow", "The body came too slowly. Go on where the file has arrived."),
    "body_too_large": (413, "Body too large", "The body is larger than one request may be. Send less at once."),
    "claim_not_found": (
        404,
        "No claim begun",
        "No claim has been begun in this browser, or its ten minutes are over. Press Claim again.",
    ),
    "confirm_needed": (
        403,
        "Password needed",
        "This asks once more who you are. Give your password, or sign in again; it then counts for ten minutes.",
    ),
    "cross_site": (
        403,
        "Request from another site",
        "A browser may change things here only from this server's own pages.",
    ),
    "digest_mismatch": (
        422,
        "File differs from its digest",
        "What arrived is not what was announced: the file has changed, or was damaged on its way. Send it again.",
    ),
    "expired_token": (
        400,
        "Login is over",
        "This login was not approved within its ten minutes, its code was mistyped too often, or it has been used.",
    ),
    "files_unavailable": (
        503,
        "Files cannot be reached",
        "The server cannot reach the folder or bucket of its files now. Try again later.",
    ),
    "forbidden": (403, "Not allowed", "This token or account may not do that with this run."),
    "identity_taken": (
        409,
        "Somebody else's",
        "Another account here is signed in to by that identity. Sign in with it, or choose another one.",
    ),
    "internal": (500, "The server failed", "Something went wrong in the server. It is in the log; try again."),
    "invitation_invalid": (
        403,
        "Invitation does not count",
        "This invitation was used, was revoked, or is over. Ask who sent it for a new one.",
    ),
    "key_scope": (
        403,
        "Key made for less",
        "This API key was made for logging or for reading only. Use another one, or make one in the settings.",
    ),
    "last_way_in": (409, "Last way in", "Without it nobody could sign in to this account. Add another way first."),
    "link_expired": (410, "Link has expired", "This link has ended. Ask whoever sent it for a new one."),
    "media_invalid": (
        422,
        "Media item cannot be stored",
        "An item of the batch is not what its kind asks for; nothing of the batch was stored. Leave out `item`.",
    ),
    "media_not_found": (404, "No such item", "The run has no item of media with this id, or it is not shown to you."),
    "media_type": (415, "Not JSON", "Send the body as Content-Type: application/json."),
    "method_not_allowed": (405, "Method not allowed", "This address does not take that method."),
    "not_found": (404, "Not found", "There is nothing at this address."),
    "operator_required": (403, "For operators", "Only an operator of this server may do that, signed in in a browser."),
    "part_too_small": (
        422,
        "Part too small",
        "A part of a file has at least a megabyte, unless it is the last one. Send more at once.",
    ),
    "password_weak": (422, "Weak password", "Choose another password."),
    "range_invalid": (416, "No such part", "The file has no byte in the range that is asked for."),
    "passwords_off": (403, "No passwords here", "Nobody signs in to this server by a password. Use a provider."),
    "provider_refused": (
        403,
        "Answer not believed",
        "The provider's answer was not good enough to sign anybody in. Try again; if it stays, tell the operator.",
    ),
    "provider_unavailable": (
        424,
        "Provider does not answer",
        "The provider does not answer now. Try again in a while, or sign in another way.",
    ),
    "provider_unknown": (404, "No such provider", "This server does not know that provider."),
    "quota_exceeded": (403, "Quota exceeded", "An anonymous run holds no more than that. Claim it, or begin another."),
    "recovery_failed": (
        401,
        "Not recovered",
        "The user name or the recovery code is wrong, or the code was used before.",
    ),
    "request_invalid": (422, "Request cannot be read", "The request has another form than is asked for."),
    "run_claimed": (
        410,
        "Run was claimed",
        "The run was claimed into an account, and this link or token ended with that. Its owner can share it.",
    ),
    "run_deleted": (410, "Run was deleted", "The run was deleted by someone who may."),
    "run_changed": (
        409,
        "Run has changed",
        "Something of this run has changed since it was read. Read it again; nothing was removed.",
    ),
    "run_exists": (409, "Run exists", "There is a run with this id. Choose another id, or resume it."),
    "run_expired": (410, "Run has expired", "The run was not claimed in time and no longer exists."),
    "run_is_public": (
        409,
        "Run is published",
        "Anybody reads all of a published run, so no link to it can be blind. Take it back first.",
    ),
    "run_has_artifacts": (
        409,
        "Run has artifacts",
        "Artifacts do not move to another server with their run, and would go with it here. Delete them first.",
    ),
    "run_moved": (
        410,
        "Run was moved",
        "The run was moved to another server, into an account there. Ask its owner for a link to it.",
    ),
    "run_not_found": (
        404,
        "No such run",
        "There is no such run, or it has expired or been deleted, or it is not yours.",
    ),
    "segment_damaged": (422, "Damaged segment", "The segment is damaged. Send it again."),
    "segment_gap": (409, "Rows are missing", "The segment does not continue its writer's stream. Go on at `next`."),
    "sign_in_denied": (403, "Turned away", "The provider did not let you through, or you thought better of it."),
    "sign_in_failed": (401, "Sign-in failed", "The user name or the password is wrong."),
    "sign_in_needed": (401, "Sign in first", "Sign in to an account first."),
    "sign_up_closed": (403, "By invitation only", "An account here needs an invitation, or is made by the operator."),
    "slow_down": (400, "Asked too soon", "That was before the interval was over, which is now longer."),
    "storage_full": (
        503,
        "No room for anonymous runs",
        (
            "All anonymous runs together take the room that this server has for them. Nothing of this request was "
            "stored; there is room again when some expire, or the operator gives more."
        ),
    ),
    "store_unavailable": (
        503,
        "Store unavailable",
        (
            "The server cannot write now: its disk is full or its database is locked. Nothing of this request was"
            " stored; try again later."
        ),
    ),
    "token_exists": (409, "Token exists", "A token with this hash exists. Make a new one."),
    "token_invalid": (401, "Token invalid", "The token is malformed, unknown or revoked."),
    "too_many_requests": (429, "Too many requests", "That was too often. Wait, then try again."),
    "upload_offset": (409, "File goes on elsewhere", "Send the file from the byte that `offset` names."),
    "user_code_unknown": (
        404,
        "No such code",
        "No program waits with this code: it was mistyped, or its ten minutes are over. Compare it, or begin again.",
    ),
    "username_invalid": (422, "User name cannot be used", "Choose another user name."),
    "username_taken": (409, "User name taken", "Another account has this name. Choose another one."),
    "visit_over": (
        403,
        "Not begun here",
        "This sign-in was begun in another browser, was ended before, or took more than ten minutes. Begin again.",
    ),
}
"""Status, title and default detail of each code."""


class ProblemError(Exception):
    """A refusal that the route answers with.

    Attributes:
        status: HTTP status.
        body: what is sent as JSON.
        headers: sent beside it.
    """

    def __init__(
        self, code: str, detail: str | None = None, *, headers: dict[str, str] | None = None, **more: object
    ) -> None:
        status, title, default = CODES[code]
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "code": code,
            "detail": redact(detail or default),
            **more,
        }
