"""Where a ledger in Redis is: its URL taken apart, and refused in words where it says what it must not."""

import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from gmv.credentials import names_tls_files, tls_context
from gmv.errors import InvalidSettings
from gmv.settings import LedgerSettings

SCHEMES: Final = ("redis", "rediss", "redis+cluster", "rediss+cluster")

_PORT = 6379
_LIKE_REDIS: Final = ("redis", "valkey", "keydb")


class Address(NamedTuple):
    """A server, or some of the servers of a cluster.

    Attributes:
        url: as it was given.
        hosts: host and port of each server named; one, but for a cluster.
        is_cluster: whether there may be more servers than those.
        is_encrypted: whether they speak TLS.
    """

    url: str
    hosts: tuple[tuple[str, int], ...]
    is_cluster: bool
    is_encrypted: bool

    @property
    def form(self) -> str:
        """How such a URL is written."""
        return "redis+cluster://host:port,host:port" if self.is_cluster else "redis://host:port/database"


def address_of(settings: LedgerSettings) -> Address:
    """Take the URL apart.

    Raises:
        InvalidSettings: it names no server, a secret, or an option that we do not know; or a file of TLS is named and
            cannot be used, or would not be.
    """
    parts = urlsplit(settings.url)
    if "@" in parts.netloc:
        raise InvalidSettings(
            "ledger.url holds a user or a password, and URLs end in logs: "
            "give them by ledger.username and a file named by ledger.password_file"
        )
    if unknown := parse_qs(parts.query, keep_blank_values=True):
        raise InvalidSettings(
            f"ledger.url {settings.url}: unknown option {min(unknown)!r}; users, passwords and certificates have "
            "settings of their own"
        )
    address = Address(settings.url, (), is_cluster_url(settings.url), parts.scheme.startswith("rediss"))
    address = address._replace(hosts=_hosts(parts, address))
    _refuse_files(address, settings)
    return address


def scheme_refusal(url: str) -> str | None:
    """Say why a URL that means a server like Redis names none that gmv can reach; None where it means no such server.

    The URL is not repeated: nobody has looked for a password in it.
    """
    if "://" not in url:
        return None
    written = url.partition("://")[0]
    said, scheme = f"ledger.url begins with {written}://", written.lower()
    if "sentinel" in scheme:
        return (
            f"{said}, and gmv asks no Sentinel: give the address of a proxy that leads to the primary, as "
            "redis://host:port/database; docs/guarantees.md shows one"
        )
    if "unix" in scheme or "socket" in scheme:
        return f"{said}, and gmv reaches servers by TCP alone: give redis://host:port/database"
    if any(name in scheme for name in _LIKE_REDIS):
        is_encrypted = any(part.endswith(("s", "ssl")) for part in re.split("[+-]", scheme) if part != "redis")
        meant = ("rediss" if is_encrypted else "redis") + ("+cluster" if "cluster" in scheme else "")
        return f"{said}: give {meant}://host:port, which is for Valkey, too"
    return None


def is_cluster_url(url: str) -> bool:
    """Return whether a URL names a cluster."""
    return urlsplit(url).scheme.endswith("+cluster")


def database_of(url: str) -> int:
    """Return the number of the database that a valid URL names; a cluster has none but 0, as what is no Redis."""
    parts = urlsplit(url)
    return int(parts.path.strip("/") or 0) if parts.scheme.startswith("redis") else 0


def _hosts(parts: SplitResult, address: Address) -> tuple[tuple[str, int], ...]:
    each = [urlsplit(f"//{host}") for host in (parts.netloc.split(",") if address.is_cluster else [parts.netloc])]
    try:
        hosts = [(host.hostname, host.port or _PORT) for host in each]
    except ValueError as error:
        raise InvalidSettings(f"ledger.url {address.url}: {error}; give {address.form}") from error
    named = tuple((host, port) for host, port in hosts if host)
    if len(named) < len(hosts) or not re.fullmatch(r"/?\d*", parts.path):
        raise InvalidSettings(f"ledger.url {address.url}: give {address.form}; a database is a number")
    if address.is_cluster and database_of(address.url):
        raise InvalidSettings(f"ledger.url {address.url}: a cluster has no database but 0; give {address.form}")
    return named


def _refuse_files(address: Address, settings: LedgerSettings) -> None:
    if address.is_encrypted:
        tls_context(settings, "ledger")
    elif names_tls_files(settings):
        raise InvalidSettings(
            f"ledger.ca_file, ledger.cert_file or ledger.key_file is given, and ledger.url {settings.url} uses none: "
            "make it rediss://… or rediss+cluster://…"
        )
