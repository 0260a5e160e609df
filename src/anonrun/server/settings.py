"""The server's settings: one frozen value, from flags, the environment and a file, in this order.

Each field says in its metadata what it means; `anonrun server --help` prints them, and a test compares.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from anonrun.core.limits import DEFAULT_LIMITS, Limits
from anonrun.core.retention import RetentionPolicy
from anonrun.errors import UsageError
from anonrun.server.networks import Networks, networks
from anonrun.server.providers import Provider, providers_from, providers_in
from anonrun.server.settings_file import read_settings

__all__ = ["Chosen", "Settings", "explain", "settings_and_sources", "settings_from", "settings_help"]

_MEGABYTE = 2**20
_MOST_COUNTED = 1 << 40
_LONGEST_RETENTION_DAYS = 36_500
_MOST_WORKERS = 256
_MOST_READERS = 64
_POSTGRES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_OTHERS = frozenset(
    {
        "ANONRUN_API_KEY", "ANONRUN_ANONYMOUS", "ANONRUN_CONFIG", "ANONRUN_CONSOLE", "ANONRUN_MODE",
        "ANONRUN_NOTEBOOK_HOST", "ANONRUN_NO_BROWSER", "ANONRUN_PROJECT", "ANONRUN_SERVER", "ANONRUN_SPOOL_BYTES",
        "ANONRUN_SYSTEM_METRICS",
    }
)  # fmt: skip
"""Variables that are not the server's."""
_SITE = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::(?:\d{1,5}|\*))?")
_PREFIX = re.compile(r"/?(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?/?")
_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _setting(default: Any, about: str, *, shown: bool = True) -> Any:  # noqa: ANN401  dataclasses.field has no narrower type
    return field(default=default, repr=shown, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may choose. Every field but `limits` has an environment variable `ANONRUN_<NAME>`."""

    data_dir: Path = field(metadata={"about": "folder of the database and the log; default: the user's data folder"})
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8765, "port to listen on; 0 chooses a free one")
    database_url: str = _setting(
        "", "postgresql://user:password@host/name to keep runs in; if empty, SQLite in the data folder", shown=False
    )
    workers: int = _setting(1, "processes that serve; more than 1 needs PostgreSQL")
    readers: int = _setting(4, "database connections that read, for each worker; two more write and listen")
    embedded: bool = _setting(default=False, about="one person's own server: remembers its port, exits when idle")
    allow_anonymous: bool = _setting(default=True, about="whether anonymous accounts and runs may be made")
    retention_days: float = _setting(7.0, "days that an unclaimed run lives")
    sign_up: bool = _setting(default=True, about="whether anyone may make an account; else by invitation")
    passwords: bool = _setting(default=True, about="whether accounts have passwords; else providers alone let in")
    providers: tuple[Provider, ...] = _setting(
        (), "who else may say who somebody is, as TOML: a table for each, as docs/sign-in.md has them"
    )
    anonymous_from: str = _setting(
        "", "networks, separated by commas, from which anonymous accounts and runs may be made; if empty, from anywhere"
    )
    runs_per_hour: int = _setting(120, "anonymous runs that one address may make in an hour; 0 for no limit")
    all_runs_per_hour: int = _setting(
        5_000, "anonymous runs that all addresses together may make in an hour; 0 for no limit"
    )
    live_runs_per_address: int = _setting(
        500, "anonymous runs of the last seven days that one address may have at a time; 0 for no limit"
    )
    metrics_per_run: int = _setting(DEFAULT_LIMITS.metrics, "metrics that an anonymous run may have")
    points_per_run: int = _setting(DEFAULT_LIMITS.points, "points that an anonymous run may have")
    megabytes_per_run: int = _setting(
        DEFAULT_LIMITS.stored_bytes // _MEGABYTE, "megabytes of history and media that an anonymous run may have"
    )
    media_per_run: int = _setting(
        DEFAULT_LIMITS.media, "items of media (pictures, tables and the like) that an anonymous run may have"
    )
    flushes_per_second: int = _setting(
        DEFAULT_LIMITS.flushes_per_s, "deliveries that an anonymous run may make in a second; 0 for no limit"
    )
    anonymous_megabytes: int = _setting(
        10_240, "megabytes of history and media that all anonymous runs together may have; 0 for no limit"
    )
    artifact_megabytes_per_file: int = _setting(10_240, "megabytes that a file of an artifact may have; 0 for no limit")
    artifact_megabytes_per_account: int = _setting(
        51_200, "megabytes of files that an account may keep; 0 for no limit"
    )
    artifact_megabytes: int = _setting(0, "megabytes of files that all accounts together may keep; 0 for no limit")
    s3_bucket: str = _setting(
        "", "bucket that keeps the files of artifacts, of any service that speaks S3; if empty, a folder beside the log"
    )
    s3_prefix: str = _setting("", "begins the keys of files in the bucket")
    s3_endpoint: str = _setting("", "address of the service; if empty, Amazon's")
    s3_region: str = _setting("", "region of the bucket; if empty, what AWS_REGION says")
    s3_access_key_id: str = _setting(
        "", "whose bucket it is; if empty, what AWS's variables or the machine say", shown=False
    )
    s3_secret_access_key: str = _setting("", "secret that belongs to the access key", shown=False)
    sign_ups_per_hour: int = _setting(60, "accounts that one address may make in an hour; 0 for no limit")
    sweep_interval_s: float = _setting(60.0, "seconds between two removals of what has expired")
    idle_exit_s: float = _setting(3600.0, "seconds without a request after which an embedded server exits; 0: never")
    trusted_proxies: str = _setting(
        "", "addresses and networks, separated by commas, whose X-Forwarded-For and -Proto count"
    )
    embed_sites: str = _setting(
        "*", "sites, separated by spaces, whose pages may show a chart of a published run; none for no site"
    )
    cross_origin_reads: bool = _setting(
        default=False,
        about="whether pages of other sites may read runs that are public or whose view token they have",
    )
    public_url: str = _setting("", "address under which browsers know the server, if the Host header differs")
    log_level: str = _setting("info", "debug, info, warning or error")
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if not 0 < self.retention_days <= _LONGEST_RETENTION_DAYS:
            raise UsageError(
                f"ANONRUN_RETENTION_DAYS={self.retention_days} cannot be used: give days, more than 0 and at most "
                f"{_LONGEST_RETENTION_DAYS}."
            )
        if self.sweep_interval_s <= 0:
            raise UsageError(
                f"ANONRUN_SWEEP_INTERVAL_S={self.sweep_interval_s} cannot be used: give more than 0 seconds."
            )
        if not 1 <= self.workers <= _MOST_WORKERS:
            raise UsageError(f"{self.workers} workers cannot be used: give 1 … {_MOST_WORKERS}.")
        if self.database_url and self.database_url.partition("://")[0] not in _POSTGRES:
            raise UsageError(
                "ANONRUN_DATABASE_URL cannot be used: write postgresql://user:password@host:5432/name. SQLite needs no "
                "URL; --data-dir names its folder."
            )
        if self.workers > 1 and (self.embedded or not self.database_url):
            raise UsageError(
                f"{self.workers} workers cannot share SQLite: name a PostgreSQL database by --database-url or "
                "ANONRUN_DATABASE_URL, or leave out --workers."
            )
        if not 1 <= self.readers <= _MOST_READERS:
            raise UsageError(f"ANONRUN_READERS={self.readers} cannot be used: give 1 … {_MOST_READERS}.")
        if not 0 <= self.port < 1 << 16:
            raise UsageError(f"Port {self.port} cannot be used: give 0 … 65535.")
        self._check_limits()
        self._check_bucket()
        if not self.passwords and not self.providers:
            raise UsageError(
                "ANONRUN_PASSWORDS=false leaves no way to sign in: name a provider in ANONRUN_PROVIDERS too, or leave "
                "passwords on."
            )
        if self.log_level not in {"debug", "info", "warning", "error"}:
            raise UsageError(f"ANONRUN_LOG_LEVEL={self.log_level!r} cannot be used: debug, info, warning or error.")

    def _check_bucket(self) -> None:
        if bool(self.s3_access_key_id) != bool(self.s3_secret_access_key):
            raise UsageError(
                "ANONRUN_S3_ACCESS_KEY_ID and ANONRUN_S3_SECRET_ACCESS_KEY belong together: give both or neither."
            )
        if self.s3_endpoint and not self.s3_endpoint.startswith(("http://", "https://")):
            raise UsageError(
                f"ANONRUN_S3_ENDPOINT={self.s3_endpoint!r} cannot be used: write https://s3.example or with http://."
            )
        if "@" in self.s3_endpoint:
            raise UsageError("ANONRUN_S3_ENDPOINT cannot hold credentials: give them by ANONRUN_S3_ACCESS_KEY_ID.")
        if not _PREFIX.fullmatch(self.s3_prefix):
            raise UsageError(
                f"ANONRUN_S3_PREFIX={self.s3_prefix!r} cannot be used: letters, digits, . _ - and / between them."
            )

    def _check_limits(self) -> None:
        for name in (
            "runs_per_hour", "all_runs_per_hour", "live_runs_per_address", "sign_ups_per_hour", "metrics_per_run",
            "points_per_run", "megabytes_per_run", "media_per_run", "flushes_per_second", "anonymous_megabytes",
            "artifact_megabytes_per_file", "artifact_megabytes_per_account", "artifact_megabytes",
        ):  # fmt: skip
            if not 0 <= getattr(self, name) <= _MOST_COUNTED:
                raise UsageError(f"ANONRUN_{name.upper()}={getattr(self, name)} cannot be used: give 0 … 2^40.")
        networks(self.trusted_proxies, name="ANONRUN_TRUSTED_PROXIES")
        networks(self.anonymous_from, name="ANONRUN_ANONYMOUS_FROM")
        for site in self.embed_sites.split():
            if site not in {"*", "none"} and not _SITE.fullmatch(site):
                raise UsageError(
                    f"ANONRUN_EMBED_SITES has {site!r}, which is no site; write https://lab.example, "
                    "https://*.lab.example, * or none."
                )

    @property
    def retention(self) -> RetentionPolicy:
        """How long anonymous runs are kept."""
        return RetentionPolicy(timedelta(days=self.retention_days))

    @property
    def database(self) -> Path | str:
        """Path or URL of the database. An embedded server is one person's: always SQLite, in its folder."""
        return self.server_dir / "anonrun.db" if self.embedded or not self.database_url else self.database_url

    @property
    def run_limits(self) -> Limits:
        """What one anonymous run may hold. One person's own server does not count deliveries."""
        return dataclasses.replace(
            self.limits,
            metrics=self.metrics_per_run,
            points=self.points_per_run,
            stored_bytes=self.megabytes_per_run * _MEGABYTE,
            media=self.media_per_run,
            flushes_per_s=0 if self.embedded else self.flushes_per_second,
        )

    @property
    def anonymous_networks(self) -> Networks:
        """Whence anonymous runs may be made; empty for from anywhere."""
        return networks(self.anonymous_from, name="ANONRUN_ANONYMOUS_FROM")

    def provider(self, name: str) -> Provider | None:
        """Return the provider with this name, or None."""
        return next((provider for provider in self.providers if provider.name == name), None)

    @property
    def proxies(self) -> Networks:
        """Whose word counts about who asks."""
        return networks(self.trusted_proxies, name="ANONRUN_TRUSTED_PROXIES")

    @property
    def framed_by(self) -> str:
        """Sites that may show a chart in a frame, as a content policy names them; empty for none."""
        sites = self.embed_sites.split()
        return "" if "none" in sites else " ".join(sites)

    @property
    def server_dir(self) -> Path:
        """Where database, state, lock and log are."""
        return self.data_dir / "server"

    @property
    def ledger(self) -> Path:
        """Where deletions are noted, so that a restored backup does not undo them."""
        return self.server_dir / "deleted.ledger"


def _named(f: dataclasses.Field[Any]) -> str:
    return f"ANONRUN_{f.name.upper()}"


def _chosen() -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(Settings) if "about" in f.metadata]


def settings_help() -> list[tuple[str, str, str]]:
    """Return for each setting its variable, its default as text, and what it means."""
    return [
        (_named(f), "" if f.default is dataclasses.MISSING else _as_text(f.default), f.metadata["about"])
        for f in _chosen()
    ]


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{provider.name} ({provider.issuer})" for provider in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(f: dataclasses.Field[Any], raw: str) -> object:
    default: object = f.default
    if isinstance(default, tuple):
        return providers_in(raw, where=_named(f))
    if isinstance(default, bool):
        if raw.strip().lower() not in _TRUTH:
            raise UsageError(f"{_named(f)}={raw!r} cannot be read: use true or false.")
        return _TRUTH[raw.strip().lower()]
    if isinstance(default, (int, float)):
        try:
            return int(raw) if isinstance(default, int) else float(raw)
        except ValueError:
            raise UsageError(f"{_named(f)}={raw!r} cannot be read: it must be a number.") from None
    return Path(raw).expanduser() if f.name == "data_dir" else raw


@dataclass(frozen=True, slots=True)
class Chosen:
    """One setting as it is in force.

    Attributes:
        name: of the field.
        text: its value; of a secret only whether there is one.
        source: where it comes from: a flag, a variable, a file, or `default`.
    """

    name: str
    text: str
    source: str


def explain(settings: Settings, sources: Mapping[str, str]) -> list[Chosen]:
    """Return every setting with its value and where that comes from; secrets are not shown.

    Args:
        settings: what is in force.
        sources: as `settings_and_sources` returned them.
    """
    found = []
    for f in _chosen():
        value = getattr(settings, f.name)
        text = _as_text(value) if f.repr else "(set, not shown)" if value else ""
        found.append(Chosen(f.name, text, sources.get(f.name, "default")))
    return found


def settings_from(
    environment: Mapping[str, str], *, default_data_dir: Path, config: Path | None = None, **flags: object
) -> Settings:
    """Return the settings that an environment, a file and flags give; see `settings_and_sources`."""
    return settings_and_sources(environment, default_data_dir=default_data_dir, config=config, **flags)[0]


def settings_and_sources(
    environment: Mapping[str, str], *, default_data_dir: Path, config: Path | None = None, **flags: object
) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and of each that is not at its default where it comes from.

    Flags come before the environment, the environment before the file.

    Args:
        environment: such as `os.environ`.
        default_data_dir: used where nothing names another.
        config: a file of settings; None for the one that `ANONRUN_CONFIG` names, if any.
        flags: by field name; None counts as not given.

    Raises:
        UsageError: a value cannot be read or used, or a name is none of a setting.
    """
    values: dict[str, Any] = {"data_dir": default_data_dir}
    sources: dict[str, str] = {}
    fields = {f.name: f for f in _chosen()}
    named = environment.get("ANONRUN_CONFIG", "").strip()
    path = config or (Path(named).expanduser() if named else None)
    if path is not None:
        for name, value in read_settings(path, {name: f.default for name, f in fields.items()}).items():
            read = providers_from(value, where=f"{path}: {name}") if isinstance(value, dict) else value
            values[name], sources[name] = read, str(path)
    for name, f in fields.items():
        raw = environment.get(_named(f), "")
        if raw.strip():
            values[name], sources[name] = _read(f, raw), _named(f)
    for name, value in flags.items():
        if value is not None:
            values[name], sources[name] = value, f"--{name.replace('_', '-')}"
    if not values.get("embedded"):  # a reader's own server must start whatever stands in their environment
        _refuse_misspelled(environment, {_named(f) for f in fields.values()})
    return Settings(**values), sources


def _refuse_misspelled(environment: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse a variable that is nearly one of ours: a server that ignores it does what nobody asked for."""
    for name in sorted(environment):
        if name.startswith("ANONRUN_") and name not in known and name not in _OTHERS:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            if near:
                raise UsageError(f"{name} is no setting of the server. Did you mean {near[0]}?")
