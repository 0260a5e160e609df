"""What every service works with: the open store, the settings, and who must hear of changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from anonrun._version import __version__
from anonrun.core.messages import ServerInfo
from anonrun.core.times import from_us
from anonrun.server.oauth.ways import Ways
from anonrun.server.services.backoff import Backoff
from anonrun.server.services.compaction import Compactor
from anonrun.server.services.counters import Counters
from anonrun.server.services.files import objects_of
from anonrun.server.services.ingest import Admitted, may_ingest
from anonrun.server.services.live import Hub
from anonrun.server.services.passwords import Passwords
from anonrun.server.services.readiness import Probe
from anonrun.server.services.uploads import Uploads
from anonrun.server.settings import Settings
from anonrun.store.database import Database
from anonrun.store.ingest import Ingest
from anonrun.store.objects import Objects
from anonrun.store.room import Room

__all__ = ["Core"]


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of a running server.

    Attributes:
        vouch: the secret by which Jupyter's proxy vouches for a user; None where the server is not embedded.
        worker: number of this process among several; None where it is alone. Each counts what it did itself.
    """

    settings: Settings
    db: Database
    vouch: str | None = None
    worker: int | None = None
    hub: Hub = field(default_factory=Hub)
    passwords: Passwords = field(default_factory=Passwords)
    backoff: Backoff = field(default_factory=Backoff)
    counters: Counters = field(default_factory=Counters)
    room: Room = field(default_factory=Room)
    ingest: Ingest = field(init=False)
    compactor: Compactor = field(init=False)
    admitted: Admitted = field(default_factory=Admitted)
    probe: Probe = field(init=False)
    objects: Objects = field(init=False)
    uploads: Uploads = field(init=False)
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ingest", Ingest(may_ingest, self.room))
        object.__setattr__(self, "compactor", Compactor(self.db, shared=self.settings.workers > 1))
        object.__setattr__(self, "objects", objects_of(self.settings, self.db.instance))
        object.__setattr__(self, "uploads", Uploads(self.db, self.objects))
        object.__setattr__(self, "ways", Ways(self.settings.providers))
        object.__setattr__(self, "probe", Probe(self.db, None if self.db.shared else self.settings.server_dir))

    def publish(self, run_id: str) -> None:
        """Tell the readers of a run that there is news."""
        self.hub.publish(uuid.UUID(run_id))

    def server_info(self) -> ServerInfo:
        """Return what anyone may know of this server."""
        return ServerInfo(
            instance=self.db.instance,
            version=__version__,
            anonymous=self.settings.allow_anonymous,
            retention_days=self.settings.retention_days,
            embedded=self.settings.embedded,
            server_time=from_us(self.db.clock.now_us()),
            sign_up=self.settings.sign_up,
            moves=True,
        )
