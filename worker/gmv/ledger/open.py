"""From a ledger's URL to the ledger. What a scheme needs is imported with it: redis only for Redis."""

from collections.abc import Callable
from pathlib import Path

from gmv.errors import InvalidSettings
from gmv.ledger.administration import Janitor, Registry
from gmv.ledger.port import Accounts, Ledger
from gmv.ledger.redis.address import SCHEMES, scheme_refusal
from gmv.ledger.sqlite.accounts import SqliteAccounts
from gmv.ledger.sqlite.file import SqliteFile
from gmv.ledger.sqlite.janitor import SqliteJanitor
from gmv.ledger.sqlite.ledger import SqliteLedger
from gmv.ledger.sqlite.registry import SqliteRegistry
from gmv.ledger.tidy import TidyLedger
from gmv.settings import LedgerSettings, redact


def open_ledger(settings: LedgerSettings, tell: Callable[[str], None] = lambda _: None) -> Ledger:
    """Return the worker's side of the ledger, with a janitor beside it; nothing is read or connected yet.

    Args:
        settings: its address.
        tell: is told of each failed try of a server that is made again, and why it failed.

    Raises:
        InvalidSettings: the URL is not one we know.
    """
    if (file := _sqlite_file(settings)) is not None:
        return TidyLedger(SqliteLedger(file), SqliteJanitor(file.another()))
    from gmv.ledger.redis.janitor import RedisJanitor
    from gmv.ledger.redis.ledger import RedisLedger

    return TidyLedger(RedisLedger(settings, tell), RedisJanitor(settings, tell))


def open_accounts(settings: LedgerSettings) -> Accounts:
    """Return the reader's side. Raises as `open_ledger`."""
    if (file := _sqlite_file(settings)) is not None:
        return SqliteAccounts(file)
    from gmv.ledger.redis.accounts import RedisAccounts

    return RedisAccounts(settings)


def open_registry(settings: LedgerSettings) -> Registry:
    """Return the administrator's side. Raises as `open_ledger`."""
    if (file := _sqlite_file(settings)) is not None:
        return SqliteRegistry(file)
    from gmv.ledger.redis.registry import RedisRegistry

    return RedisRegistry(settings)


def open_janitor(settings: LedgerSettings) -> Janitor:
    """Return the janitor's side. Raises as `open_ledger`."""
    if (file := _sqlite_file(settings)) is not None:
        return SqliteJanitor(file)
    from gmv.ledger.redis.janitor import RedisJanitor

    return RedisJanitor(settings)


def _sqlite_file(settings: LedgerSettings) -> SqliteFile | None:
    """Return the file that the URL names, None where it names a Redis server.

    All after `sqlite:///` is the path as it is: `sqlite:///ledger.db` is relative, `sqlite:////var/ledger.db` not.
    """
    scheme, separator, rest = settings.url.partition("://")
    if separator and scheme in SCHEMES:
        return None
    if scheme == "sqlite" and rest.startswith("/") and rest not in ("/", "/:memory:"):
        return SqliteFile(Path(rest[1:]), settings.retry_seconds)
    raise InvalidSettings(
        scheme_refusal(settings.url)
        or f"ledger.url {redact(settings.url)!r} is not one of sqlite:///path/to/file.db, redis://host:port/database, "
        "rediss://host:port/database, redis+cluster://host:port and rediss+cluster://host:port"
    )
