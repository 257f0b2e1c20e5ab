"""Rules for Redis: what it must be for a ledger to keep what it acknowledged."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gmv.doctor.finding import Finding, fine, fine_unless, problem, warning
from gmv.ledger.redis.inspection import ServerFacts, UserFacts

OLDEST: Final = (7, 0)
FIXED: Final = {(7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2}
"""By series, the release that fixes CVE-2025-49844: a user who may run scripts could run code in the server."""

FULL_WARNING: Final = 0.75
FULL_PROBLEM: Final = 0.95

_SEE_LOG: Final = "see its log, and make space on its disk"

UNWANTED: Final = ("flushall", "del", "config|set", "keys")
"""Commands that no worker needs, and a thief of its password would like."""


def judge_server(facts: ServerFacts, address: str = "") -> list[Finding]:
    """Judge a server; one of several is called by its address."""
    info, name = facts.info, f"Redis {address}".strip()
    if info is None:
        found = "this user may not ask it how it is (INFO, CONFIG GET)"
        return [warning(name, found, "run this as the user `doctor` of `gmv ledger acl`, or as an administrator")]
    return [
        _version(str(info.get("redis_version", "")), f"{name} version"),
        *fine_unless(_role(info, role := f"{name} role"), role, "it is a primary"),
        *fine_unless(
            _persistence(info, facts.configs, kept := f"{name} persistence"),
            kept,
            "its append-only file keeps every commit",
        ),
        *fine_unless(_memory(info, memory := f"{name} memory"), memory, _use(info)),
    ]


def judge_user(facts: UserFacts, role: str) -> list[Finding]:
    """Judge a user's rights for a role, of which `UNWANTED` were asked about too."""
    check = "Redis rights"
    if facts.name is None:
        found = "this user may not ask what it may do (ACL WHOAMI, ACL DRYRUN)"
        return [warning(check, found, "run this as the user `doctor` of `gmv ledger acl`, with --user")]
    if lacking := [name for command in facts.refused if (name := "|".join(command)) not in UNWANTED]:
        return [
            problem(
                check,
                f"user {facts.name} may not run {', '.join(lacking)} on the ledger, which a {role} does",
                "`gmv ledger acl` prints what to allow",
            )
        ]
    if excess := [name for command in facts.allowed if (name := "|".join(command)) in UNWANTED]:
        return [
            warning(
                check,
                f"user {facts.name} may run {', '.join(excess)}, which gmv never does",
                "`gmv ledger acl` prints users that may do no more than they need",
            )
        ]
    return [fine(check, f"user {facts.name} may do what a {role} does, and none of {', '.join(UNWANTED)}")]


def _version(text: str, check: str) -> Finding:
    try:
        major, minor, patch = (int(part) for part in text.split(".")[:3])
    except ValueError:
        return warning(check, f"it calls itself {text!r}", "gmv is tested with Redis 7.0 and newer")
    if (major, minor) < OLDEST:
        return problem(check, f"it is {text}", "gmv's scripts need Redis 7.0 or newer")
    fixed = FIXED.get((major, minor), 0 if (major, minor) > max(FIXED) else None)
    if fixed is None or patch < fixed:
        newest = ", ".join(f"{series[0]}.{series[1]}.{release}" for series, release in FIXED.items())
        return warning(
            check,
            f"it is {text}, and CVE-2025-49844 lets users who may run scripts run code in the server",
            f"{newest} or newer; or see that your distribution has fixed its package",
        )
    return fine(check, f"it is {text}")


def _role(info: Mapping[str, Any], check: str) -> Iterator[Finding]:
    if info.get("role") not in ("master", None):
        yield problem(check, "it is a replica, and takes no writes", "let ledger.url name the primary")
    if int(info.get("loading", 0)):
        yield warning(check, "it is reading its data from disk", "wait")


def _persistence(info: Mapping[str, Any], configs: Mapping[str, str], check: str) -> Iterator[Finding]:
    if not int(info.get("aof_enabled", 0)):
        yield problem(
            check,
            "it keeps no append-only file: a restart goes back to its last snapshot, or to nothing",
            "appendonly yes, appendfsync always",
        )
        return
    if info.get("aof_last_write_status", "ok") != "ok":
        yield problem(check, "its last write to the append-only file failed", _SEE_LOG)
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        yield warning(
            check, "the last rewrite of its append-only file failed", "see its log, and make space on its disk"
        )
    match configs.get("appendfsync"):
        case "no":
            yield warning(check, "the operating system decides when commits reach the disk", "appendfsync always")
        case "everysec":
            yield warning(
                check,
                "a power failure takes up to a second or two of commits back, which workers then do again",
                "appendfsync always; it takes a tenth of the speed on a fast disk",
            )


def _memory(info: Mapping[str, Any], check: str) -> Iterator[Finding]:
    policy, limit = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", 0))
    if policy != "noeviction":
        yield problem(
            check,
            f"when it is full it drops keys ({policy}), and a ledger is one key",
            "maxmemory-policy noeviction",
        )
    size = limit or int(info.get("total_system_memory", 0))
    used = int(info.get("used_memory", 0))
    if size and used > FULL_WARNING * size:
        of = "maxmemory" if limit else "the machine's memory"
        found = f"it uses {used / size:.0%} of {of}; full, it refuses commits"
        yield (problem if used > FULL_PROBLEM * size else warning)(check, found, "give it more memory")


def _use(info: Mapping[str, Any]) -> str:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    return f"it uses {used / 2**20:,.0f} MiB" + (f" of {limit / 2**20:,.0f} MiB" if limit else ", with no limit set")
