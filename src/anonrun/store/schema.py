"""The tables, the same on every database.

Times are BIGINT microseconds since the Unix epoch. Every primary key on run data begins with `run_id`,
which is what a distributed database would shard by. What a run's readers see is never deleted in place:
`live.py` decides what is still there.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

__all__ = [
    "ACCOUNT",
    "ADDRESS_KEY",
    "ALIAS",
    "ARTIFACT",
    "ARTIFACT_FILE",
    "ARTIFACT_NAME",
    "ATTEMPT",
    "AXIS",
    "BLOB",
    "BLOB_PART",
    "CHUNK",
    "DEVICE_LOGIN",
    "EVENT",
    "GONE",
    "GRANT",
    "IDENTITY",
    "LEASE",
    "MEDIA",
    "META",
    "METRIC",
    "MOVED",
    "NEWCOMER",
    "PENDING_CLAIM",
    "RATE",
    "RECOVERY_CODE",
    "RUN",
    "SCHEMA_VERSION",
    "SEG",
    "SESSION",
    "TAIL",
    "TOKEN",
    "USE",
    "VISIT",
    "WRITER",
    "metadata",
]

SCHEMA_VERSION = "0011"
"""Revision that this code reads and writes: the newest in `migrations/versions`."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class RunKey(TypeDecorator[uuid.UUID]):
    """A run id as its 16 bytes, which sort by time of creation."""

    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002  SQLAlchemy's signature
        """Return what the database stores."""
        return None if value is None else value.bytes

    def process_result_value(self, value: Any | None, dialect: Dialect) -> uuid.UUID | None:  # noqa: ANN401, ARG002  SQLAlchemy's signature
        """Return what the program sees."""
        return None if value is None else uuid.UUID(bytes=bytes(value))


_HASH = LargeBinary(32)
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER only

META = Table(
    "meta",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

ACCOUNT = Table(
    "account",
    metadata,
    Column("account_id", _SERIAL, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("folded_name", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("password_hash", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("role", String(16), nullable=False, server_default=text("'member'")),
)

# One row a way back into an account whose password is lost; it goes when it is used.
RECOVERY_CODE = Table(
    "recovery_code",
    metadata,
    Column("code_hash", _HASH, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "account_id"),
)

# One row a secret. A run's tokens outlive the run for a while, so that their holder can be told what became of it.
TOKEN = Table(
    "token",
    metadata,
    Column("token_hash", _HASH, primary_key=True),
    Column("public_id", String(32), nullable=False, unique=True),
    Column("kind", String(1), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE")),
    Column("run_id", RunKey),
    Column("label", Text),
    Column("blind", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("ended_by", String(16)),
    Index(None, "run_id", "kind"),
    Index(None, "account_id", "kind"),
)

SESSION = Table(
    "session",
    metadata,
    Column("session_hash", _HASH, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE")),
    Column("local", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("agent", String(64)),  # which browser, in a few words of ours
    Column("confirmed_at", BigInteger),  # when its user last gave the password
    Index(None, "account_id"),
    Index(None, "seen_at"),
)

# Who somebody is to a provider, and which account that lets in to. An account may have several.
IDENTITY = Table(
    "identity",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Index(None, "account_id"),
)

# A browser that was sent to a provider, and what it must come back with.
VISIT = Table(
    "visit",
    metadata,
    Column("state_hash", _HASH, primary_key=True),
    Column("session_hash", _HASH, ForeignKey("session.session_hash", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE")),  # who was signed in
    Column("nonce", String(128), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("next_path", Text, nullable=False),
    Column("invitation_hash", _HASH),
    Column("began_at", BigInteger, nullable=False),
    Index(None, "session_hash"),
    Index(None, "account_id"),
    Index(None, "began_at"),
)

# A browser that came back as somebody who has no account yet, and is to choose its name.
NEWCOMER = Table(
    "newcomer",
    metadata,
    Column("session_hash", _HASH, ForeignKey("session.session_hash", ondelete="CASCADE"), primary_key=True),
    Column("provider", String(40), nullable=False),
    Column("issuer", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("suggested_name", String(64)),
    Column("next_path", Text, nullable=False),
    Column("invitation_hash", _HASH),
    Column("came_at", BigInteger, nullable=False),
    Index(None, "came_at"),
)

# A program that asks to be let in to whatever account approves it (RFC 8628). A user code is found by its first half
# and proven by its hash, so that wrong tries at a code count against that code.
DEVICE_LOGIN = Table(
    "device_login",
    metadata,
    Column("device_hash", _HASH, primary_key=True),
    Column("handle", String(4), nullable=False, unique=True),
    Column("user_hash", _HASH, nullable=False),
    Column("client", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("interval_s", Integer, nullable=False),
    Column("polled_at", BigInteger),
    Column("wrong_tries", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("session_hash", _HASH),  # the browser that was shown who asks, and may decide
    Column("account_id", BigInteger, ForeignKey("account.account_id", ondelete="CASCADE")),
    Index(None, "expires_at"),
    Index(None, "account_id"),
)

# When one place tried something of which only so much is allowed; exact with many workers, unlike a count in memory.
ATTEMPT = Table(
    "attempt",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("place_hash", _HASH, primary_key=True),
    Column("times", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index(None, "last_at"),
)

# What a browser was let in to by a link. It lasts as long as the token that gave it.
GRANT = Table(
    "session_grant",
    metadata,
    Column("session_hash", _HASH, ForeignKey("session.session_hash", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", _HASH, ForeignKey("token.token_hash", ondelete="CASCADE"), primary_key=True),
    Index(None, "token_hash"),
)

PENDING_CLAIM = Table(
    "pending_claim",
    metadata,
    Column("session_hash", _HASH, ForeignKey("session.session_hash", ondelete="CASCADE"), primary_key=True),
    Column("run_id", RunKey, primary_key=True),
    Column("token_hash", _HASH),  # null: by who may claim without a token
    Column("expires_at", BigInteger, nullable=False),
)

RUN = Table(
    "run",
    metadata,
    Column("run_id", RunKey, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.account_id"), nullable=False),
    Column("project", String(128), nullable=False),
    Column("id", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),  # null: kept
    Column("extended", Boolean, nullable=False),  # whether a claim that was begun has used its extension
    Column("deleted_at", BigInteger),
    Column("deleted_by", String(16)),
    Column("claimed_at", BigInteger),
    Column("heartbeat_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("exit_code", BigInteger),
    Column("config", Text, nullable=False),
    Column("summary", Text, nullable=False),  # what the user set; each metric's own stands in `metric`
    Column("tags", Text, nullable=False),
    Column("notes", Text),
    Column("group_name", Text),
    Column("job_type", Text),
    Column("metrics", Integer, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),  # of the segment that arrived last; they count from 1
    Column("compacted", BigInteger, nullable=False, server_default=text("0")),  # position up to which chunks hold it
    Column("compacted_points", BigInteger, nullable=False, server_default=text("0")),
    Column("published_at", BigInteger),  # null: only for who was let in
    Column("embed", Boolean, nullable=False, server_default=text("false")),  # whether other sites may show a chart
    Column("origin", LargeBinary(16)),  # whence it was made, under a key that is soon gone; null once it is kept
    Column("flushes_until", BigInteger, nullable=False, server_default=text("0")),  # by when all flushes are paid for
    Column("error", String(80)),  # type of the exception that ended it
    Column("total_steps", BigInteger),  # that it will make; null: nobody said so
    Column("media", BigInteger, nullable=False, server_default=text("0")),  # items, and the last one's position
    Index("uq_run_place", "account_id", "project", "id", unique=True, sqlite_where=text("deleted_at IS NULL"),
          postgresql_where=text("deleted_at IS NULL")),
    Index(None, "account_id", "created_at", "run_id"),
    Index(None, "created_at", "run_id"),
    Index("ix_run_listing", "account_id", "project", "created_at", "run_id", "expires_at",
          sqlite_where=text("deleted_at IS NULL"), postgresql_where=text("deleted_at IS NULL")),
    Index("ix_run_expires_at", "expires_at", sqlite_where=text("expires_at IS NOT NULL"),
          postgresql_where=text("expires_at IS NOT NULL")),
    Index("ix_run_deleted_at", "deleted_at", sqlite_where=text("deleted_at IS NOT NULL"),
          postgresql_where=text("deleted_at IS NOT NULL")),
    Index("ix_run_origin", "origin", sqlite_where=text("origin IS NOT NULL"),
          postgresql_where=text("origin IS NOT NULL")),
)  # fmt: skip

WRITER = Table(
    "writer",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("writer", BigInteger, primary_key=True),  # the u64 as a signed number of the same bits
    Column("next_seq", BigInteger, nullable=False),
)

METRIC = Table(
    "metric",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("metric_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(256), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("last", Double),  # null: NaN, which SQLite cannot hold
    Column("min", Double),
    Column("max", Double),
    UniqueConstraint("run_id", "name"),
)

# The tail of a run: what arrived and is not in chunks yet. Keyed by position and not by (writer, seq): readers walk a
# run in order of arrival and continue after a position, while repeats are found by the one row in `writer`.
SEG = Table(
    "seg",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("points", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the segment as it was received, header and checksum included
)

# Runs that have a tail, for who makes chunks of it.
TAIL = Table(
    "tail",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("since", BigInteger, nullable=False),
)

# A stretch of rows: steps, times, and the positions at which they arrived. Metrics that were logged together share
# it. The bytes of columns are `columns.py`'s; the large ones stand last, so that SQLite can leave them unread.
AXIS = Table(
    "axis",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("axis_id", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("step_min", BigInteger, nullable=False),
    Column("step_max", BigInteger, nullable=False),
    Column("time_min", BigInteger, nullable=False),
    Column("time_max", BigInteger, nullable=False),
    Column("steps_rise", Boolean, nullable=False),  # whether no step is below the one before
    Column("times_rise", Boolean, nullable=False),
    Column("rollup", LargeBinary, nullable=False),
    Column("steps", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("positions", LargeBinary, nullable=False),
)

# One metric's values of a stretch of rows; `no` counts from 0, and all but the last hold the same number of points.
CHUNK = Table(
    "chunk",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("metric_id", Integer, primary_key=True, autoincrement=False),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("axis_id", Integer, nullable=False),
    Column("rollup", LargeBinary, nullable=False),
    Column("vals", LargeBinary, nullable=False),
    Index(None, "run_id", "axis_id"),
)

# What was logged at a step and is no number. The content is the bytes themselves, of a picture too; it stands last, so
# that SQLite can leave it unread.
MEDIA = Table(
    "media",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # in order of arrival, from 1 on
    Column("media_id", LargeBinary(16), nullable=False),  # its client's, so that the same item sent again is found
    Column("kind", String(32), nullable=False),
    Column("key", String(256), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),  # among the items that one call logged under this key
    Column("time_us", BigInteger, nullable=False),
    Column("type", String(64), nullable=False),
    Column("caption", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("digest", _HASH, nullable=False),  # of the content
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("run_id", "media_id"),
)

# The names of artifacts in an account's projects: what number the next version gets, so that none is given twice.
ARTIFACT_NAME = Table(
    "artifact_name",
    metadata,
    Column("account_id", BigInteger, primary_key=True),
    Column("project", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("type", String(128), nullable=False),
    Column("next_version", Integer, nullable=False),
)

# One row a version. It belongs to the run that logged it, and goes with that.
ARTIFACT = Table(
    "artifact",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("artifact_id", RunKey, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("project", String(128), nullable=False),
    Column("name", String(128), nullable=False),
    Column("type", String(128), nullable=False),
    Column("version", Integer),  # null: not all of its files are there
    Column("digest", _HASH, nullable=False),
    Column("file_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("wanted_aliases", Text, nullable=False),  # what it will be called once it is committed
    Column("description", Text),
    Column("meta", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),  # when something of it arrived last
    Column("deleted_at", BigInteger),
    Index("uq_artifact_id", "artifact_id", unique=True),
    Index(None, "account_id", "project", "name", "version"),
    Index("ix_artifact_deleted_at", "deleted_at", sqlite_where=text("deleted_at IS NOT NULL"),
          postgresql_where=text("deleted_at IS NOT NULL")),
    Index("ix_artifact_touched_at", "touched_at", sqlite_where=text("version IS NULL"),
          postgresql_where=text("version IS NULL")),
)  # fmt: skip

# What is in a version, numbered in the order of its paths. As long as there is such a row, the account keeps the bytes.
ARTIFACT_FILE = Table(
    "artifact_file",
    metadata,
    Column("run_id", RunKey, primary_key=True),
    Column("artifact_id", RunKey, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("digest", _HASH, nullable=False),
    Index(None, "account_id", "digest"),
)

# Names that people gave to versions; `latest` and `v3` need no row.
ALIAS = Table(
    "artifact_alias",
    metadata,
    Column("account_id", BigInteger, primary_key=True),
    Column("project", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("alias", String(128), primary_key=True),
    Column("artifact_id", RunKey, nullable=False),
    Index(None, "artifact_id"),
)

# Which versions a run took.
USE = Table(
    "artifact_use",
    metadata,
    Column("run_id", RunKey, ForeignKey("run.run_id"), primary_key=True),
    Column("artifact_id", RunKey, primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    Index(None, "artifact_id"),
)

# Bytes that an account keeps or is sending, by their SHA-256. Accounts share none: that a file is there already must
# tell nobody that somebody else has it.
BLOB = Table(
    "blob",
    metadata,
    Column("account_id", BigInteger, ForeignKey("account.account_id"), primary_key=True),
    Column("digest", _HASH, primary_key=True),
    Column("blob_id", RunKey, nullable=False, unique=True),  # the same bytes, sent again after a deletion, get another
    Column("size_bytes", BigInteger, nullable=False),
    Column("arrived", BigInteger, nullable=False),  # bytes that are there, from the first on
    Column("stored_at", BigInteger),  # null until all of it was verified
    Column("loose_at", BigInteger),  # since when perhaps no file refers to it
    Index("ix_blob_loose_at", "loose_at", sqlite_where=text("loose_at IS NOT NULL"),
          postgresql_where=text("loose_at IS NOT NULL")),
)  # fmt: skip

# One row an object in the folder or bucket, made before the object is and removed after it: so none is ever forgotten.
BLOB_PART = Table(
    "blob_part",
    metadata,
    Column("blob_id", RunKey, primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("first", BigInteger, nullable=False),  # place of its first byte in the file
    Column("size_bytes", BigInteger),  # null while it arrives
    Column("begun_at", BigInteger, nullable=False),
    Column("doomed", Boolean, nullable=False),  # whether its object is to be removed
    Index("ix_blob_part_doomed", "begun_at", sqlite_where=text("doomed"), postgresql_where=text("doomed")),
    Index("ix_blob_part_arriving", "begun_at", sqlite_where=text("size_bytes IS NULL"),
          postgresql_where=text("size_bytes IS NULL")),
)  # fmt: skip

# What is left of a run after its purge: that it was, and why it is not. No content, no owner.
GONE = Table(
    "gone",
    metadata,
    Column("run_id", RunKey, primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
)

# Where a run is that was moved to another server, for who still holds a secret of it. Goes with the memory of the run.
MOVED = Table(
    "moved",
    metadata,
    Column("run_id", RunKey, primary_key=True),
    Column("server", Text),  # null: its address is not told
    Column("at", BigInteger, nullable=False),
)

# Which process does what only one may do at a time, and until when.
LEASE = Table(
    "lease",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# How much of a rate is used up: the time at which all of it is free again. A row is removed an hour after that.
RATE = Table(
    "rate",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Index(None, "until"),
)

# The secret under which a day's addresses are stored; with it goes what they were.
ADDRESS_KEY = Table(
    "address_key",
    metadata,
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary(32), nullable=False),
)

EVENT = Table(
    "event",
    metadata,
    Column("event_id", _SERIAL, primary_key=True),
    Column("run_hash", _HASH),
    Column("kind", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", String(32)),
    Column("counts", Text, nullable=False),
    Index(None, "at"),
)
