"""Which server it is that answers as Redis, of which version, and whether a ledger can be trusted to it.

Others than Redis give a version of Redis, too, for the sake of old clients, Valkey always 7.2.4, and their own
elsewhere.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gmv.doctor.finding import Finding, fine, problem, warning

Version = tuple[int, int, int]

OLDEST: Final = {"Redis": (7, 0), "Valkey": (7, 2)}


class Vulnerability(NamedTuple):
    """One through which a user could run code in the server.

    Attributes:
        name: its CVE.
        effect: what it lets users do.
        fixed: by product and series, the release that fixes it; None where the series ended without one. A series
            above the last one named has the fix from its beginning.
        is_in_others: whether a series that is older and not named is known to have it.
    """

    name: str
    effect: str
    fixed: Mapping[str, Mapping[tuple[int, int], int | None]]
    is_in_others: bool

    def is_in(self, product: str, version: Version) -> bool:
        """Return whether a version is known to have it."""
        fixed, series, patch = self.fixed[product], version[:2], version[2]
        if series not in fixed:
            return self.is_in_others and series < max(fixed)
        enough = fixed[series]
        return enough is None or patch < enough


VULNERABILITIES: Final = (
    Vulnerability(
        "CVE-2025-49844",
        "lets users who may run scripts run code in the server",
        {
            "Redis": {(7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
            "Valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4},
        },
        is_in_others=True,
    ),
    Vulnerability(
        "CVE-2026-23479",
        "lets users who may wait for keys (BLPOP) run code in the server",
        {
            "Redis": {(7, 2): 14, (7, 4): 9, (8, 0): None, (8, 2): 6, (8, 4): 3, (8, 6): 3},
            "Valkey": {(8, 1): 7, (9, 0): 4},
        },
        is_in_others=False,
    ),
)

_OTHERS: Final = {
    "dragonfly_version": "Dragonfly",
    "keydb_version": "KeyDB",
    "mvcc_depth": "KeyDB",  # which gives no other version than Redis's; its release is numbered alike
    "kvrocks_version": "Kvrocks",
    "garnet_version": "Garnet",
    "pika_version": "Pika",
    "valkey_version": "Valkey",
}
"""Fields of INFO by which a server is known that does not give its name."""

_TESTED: Final = "gmv is tested with Redis 7.0 and newer, and with Valkey"


class Product(NamedTuple):
    """A server's maker and version.

    Attributes:
        name: such as "Valkey".
        version: its own, as it gives it; "" where it gives none.
        stage: of its release: "ga" for one that is meant for use, and where it does not say.
    """

    name: str
    version: str
    stage: str = "ga"

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


def product_of(info: Mapping[str, Any]) -> Product:
    """Return which server it is, by its INFO."""
    named, redis_version = str(info.get("server_name", "")).lower(), str(info.get("redis_version", ""))
    if named and named != "redis":
        stage = str(info.get(f"{named}_release_stage", "ga"))
        return Product(named.capitalize(), str(info.get(f"{named}_version", "")), stage)
    for field, name in _OTHERS.items():
        if field in info:
            own = str(info[field]) if field.endswith("_version") else redis_version
            return Product(name, own.removeprefix("df-").removeprefix("v"))
    if "keydb" in str(info.get("executable", "")):
        return Product("KeyDB", redis_version)
    return Product("Redis", redis_version)


def judge_product(info: Mapping[str, Any], check: str) -> Finding:
    """Judge a server by what it is and by its age."""
    product = product_of(info)
    if product.name == "Dragonfly":
        return problem(
            check,
            f"it is {product}, which keeps no append-only file: after a crash it is back at its last snapshot",
            "keep the ledger in Redis 7.0 or newer, or in Valkey",
        )
    if product.name in OLDEST:
        return _judge_version(product, check)
    commands = _version_in(str(info.get("redis_version", "")))
    if commands and commands[:2] < OLDEST["Redis"]:
        found = f"it is {product} and knows the commands of Redis {commands[0]}.{commands[1]}"
        return problem(check, found, f"gmv's scripts need Redis 7.0 or newer, or Valkey; {_TESTED}")
    return warning(check, f"it is {product}", _TESTED)


def _judge_version(product: Product, check: str) -> Finding:
    version, oldest = _version_in(product.version), OLDEST[product.name]
    if version is None:
        return warning(check, f"it is {product.name}, and calls its version {product.version!r}", _TESTED)
    if version[:2] < oldest:
        return problem(check, f"it is {product}", f"gmv's scripts need {product.name} {oldest[0]}.{oldest[1]} or newer")
    open_here = [each for each in VULNERABILITIES if each.is_in(product.name, version)]
    if open_here:
        fixed = open_here[-1].fixed[product.name]
        newest = ", ".join(f"{major}.{minor}.{patch}" for (major, minor), patch in fixed.items() if patch is not None)
        return warning(
            check,
            f"it is {product}, and " + ", and ".join(f"{each.name} {each.effect}" for each in open_here),
            f"{product.name} {newest} or newer; or see that your distribution has fixed its package",
        )
    if product.stage != "ga":
        return warning(check, f"it is {product} ({product.stage})", "a release that is meant for use")
    return fine(check, f"it is {product}")


def _version_in(text: str) -> Version | None:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
