"""What a process needs to answer clicks, whichever adapter it runs: its keys, its memory and its ways to a durable place."""

from dataclasses import dataclass
from pathlib import Path

from affiliate.settings import BadSettings, Settings
from affiliate.tracking import network
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.directory import POLL_SECONDS, Directory
from affiliate.tracking.keys import Keys
from affiliate.tracking.replay import Replay
from affiliate.tracking.snapshot import Snapshot
from affiliate.tracking.spool import Spool
from affiliate.tracking.together import Together
from affiliate.tracking.wire import Appender

SPOOL = "spool"
"""The folder below DATA_DIR: all processes of a machine share it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one process. Nothing runs in the background before `start`."""

    keys: Keys
    directory: Directory
    append: Appender
    breaker: Breaker
    spool: Spool
    replay: Replay

    @classmethod
    def of(cls, settings: Settings) -> "Parts":
        """The parts of an installation.

        Raises:
            BadSettings: a file of networks that cannot be read.
        """
        breaker = Breaker()
        alone = Appender(lambda: settings.stream_url)  # a replay's pieces are large: no click shall wait behind one
        spool = Spool(settings.data_dir / SPOOL, bytes_max=settings.spool_megabytes * 1_000_000)
        return cls(
            keys=Keys.of(settings.secret_key),
            directory=Directory(
                secret_key=settings.secret_key,
                poll_seconds=None if settings.env == "test" else POLL_SECONDS,
                networks=_networks(settings),
                snapshot=Snapshot(settings.data_dir, secret_key=settings.secret_key),
            ),
            append=Together(lambda: settings.stream_url),
            breaker=breaker,
            spool=spool,
            replay=Replay(spool, append=alone, ping=alone.ping, breaker=breaker),
        )


def _networks(settings: Settings) -> network.Networks:
    """What the operator's files say of addresses."""
    try:
        return network.load(
            lists_folder=Path(settings.network_lists) if settings.network_lists else None,
            geoip_file=Path(settings.geoip_file) if settings.geoip_file else None,
        )
    except network.BadNetworkFile as error:
        raise BadSettings(str(error)) from error
