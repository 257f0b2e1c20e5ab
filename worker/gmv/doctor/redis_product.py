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
FIXED: Final = {
    "Redis": {(7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
    "Valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4},
}
"""By series, the release that fixes CVE-2025-49844: a user who may run scripts could run code in the server."""

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
    version, oldest, fixed = _version_in(product.version), OLDEST[product.name], FIXED[product.name]
    if version is None:
        return warning(check, f"it is {product.name}, and calls its version {product.version!r}", _TESTED)
    *series, patch = version
    if tuple(series) < oldest:
        return problem(check, f"it is {product}", f"gmv's scripts need {product.name} {oldest[0]}.{oldest[1]} or newer")
    enough = fixed.get((version[0], version[1]), 0 if version[:2] > max(fixed) else None)
    if enough is None or patch < enough:
        newest = ", ".join(f"{major}.{minor}.{release}" for (major, minor), release in fixed.items())
        return warning(
            check,
            f"it is {product}, and CVE-2025-49844 lets users who may run scripts run code in the server",
            f"{product.name} {newest} or newer; or see that your distribution has fixed its package",
        )
    if product.stage != "ga":
        return warning(check, f"it is {product} ({product.stage})", "a release that is meant for use")
    return fine(check, f"it is {product}")


def _version_in(text: str) -> Version | None:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
