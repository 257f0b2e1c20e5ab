"""The section `ledger`."""

from pydantic import Field

from gmv.settings.section import NAMESPACE_PATTERN, Seconds
from gmv.settings.server import Guarded


class LedgerSettings(Guarded):
    """Where credits are kept."""

    url: str = Field(
        "sqlite:///gmv-ledger.db",
        description="Where the ledger is: `sqlite:///path/to/file.db`, `redis://host:port/database` or "
        "`redis+cluster://host:port,host:port`, of a Redis or a Valkey; `rediss` in place of `redis` encrypts the "
        "connection.",
    )
    namespace: str = Field(
        "gmv",
        pattern=NAMESPACE_PATTERN,
        description="First part of the name of every Redis key, so that several ledgers can share a server.",
    )
    retry_seconds: Seconds = Field(
        30.0, gt=0, description="How long a server that does not answer, or a locked file, is tried before gmv stops."
    )
