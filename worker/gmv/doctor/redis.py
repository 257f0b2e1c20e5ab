"""Rules for Redis: what it must be for a ledger to keep what it acknowledged."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from gmv.doctor.finding import Finding, fine, fine_unless, problem, warning
from gmv.doctor.redis_product import judge_product
from gmv.ledger.redis.inspection import ServerFacts, UserFacts

FULL_WARNING: Final = 0.75
FULL_PROBLEM: Final = 0.95

_SEE_LOG: Final = "see its log, and make space on its disk"

UNWANTED: Final = ("flushall", "del", "config|set", "keys")
"""Commands that no worker needs, and a thief of its password would like."""


_ASK_AS_DOCTOR: Final = "run this as the user `doctor` of `gmv ledger acl`, or as an administrator"


def judge_server(facts: ServerFacts, address: str = "") -> list[Finding]:
    """Judge a server by what it tells; one of several is called by its address."""
    info, configs, name = facts.info or {}, facts.configs, f"Redis {address}".strip()
    if "sentinel" in (info.get("redis_mode"), info.get("server_mode")):
        return [problem(name, "it is a Sentinel, which keeps no data", "let ledger.url name the primary, or a proxy")]
    findings = []
    if facts.info is None:
        unseen = "INFO" if configs else "INFO, CONFIG GET"
        findings += [warning(name, f"this user may not ask it how it is ({unseen})", _ASK_AS_DOCTOR)]
        if not configs:
            return findings
    else:
        findings += [judge_product(info, f"{name} version")]
        findings += fine_unless(_role(info, role := f"{name} role"), role, "it is a primary")
    kept, memory = f"{name} persistence", f"{name} memory"
    findings += fine_unless(_persistence(info, configs, kept), kept, "its append-only file keeps every commit")
    findings += fine_unless(_memory(info, configs, memory), memory, _use(info))
    return findings


def judge_user(facts: UserFacts, role: str, writing: Collection[str] = ()) -> list[Finding]:
    """Judge a user's rights for a role.

    Args:
        facts: what the user may do of what the role does, and of `UNWANTED`.
        role: as `gmv ledger acl` calls it.
        writing: commands of the role that write. Who may run none of them is nobody of this role, but somebody who
            looks; empty where the user was named by hand, and is meant to be of the role.
    """
    check = "Redis rights"
    if facts.name is None:
        found = "this user may not ask what it may do (ACL WHOAMI, ACL DRYRUN)"
        return [warning(check, found, "run this as the user `doctor` of `gmv ledger acl`, with --user")]
    if not facts.exists:
        return [problem(check, f"there is no user {facts.name}", "`gmv ledger acl` prints users; ACL LIST shows all")]
    lacking = [name for command in facts.refused if (name := "|".join(command)) not in UNWANTED]
    if writing and set(writing) <= set(lacking):
        found = f"user {facts.name} may look at the ledger and write nothing; what a {role} may do was not looked at"
        return [warning(check, found, f"name the user of the {role}s, such as --user {role}")]
    if lacking:
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


def _role(info: Mapping[str, Any], check: str) -> Iterator[Finding]:
    if info.get("role") not in ("master", None):
        yield problem(check, "it is a replica, and takes no writes", "let ledger.url name the primary")
    if int(info.get("loading", 0)):
        yield warning(check, "it is reading its data from disk", "wait")


def _persistence(info: Mapping[str, Any], configs: Mapping[str, str], check: str) -> Iterator[Finding]:
    enabled = info.get("aof_enabled", {"yes": 1, "no": 0}.get(configs.get("appendonly", "")))
    if enabled is None:
        found = "it does not say whether it keeps an append-only file"
        yield warning(check, found, "see that it does, and that a restart loses nothing it acknowledged")
        return
    if not int(enabled):
        yield problem(
            check,
            "it keeps no append-only file: a restart goes back to its last snapshot, or to nothing",
            "appendonly yes, appendfsync always",
        )
        return
    if info.get("aof_last_write_status", "ok") != "ok":
        yield problem(check, "its last write to the append-only file failed", _SEE_LOG)
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        yield warning(check, "the last rewrite of its append-only file failed", _SEE_LOG)
    match configs.get("appendfsync"):
        case "no":
            yield warning(check, "the operating system decides when commits reach the disk", "appendfsync always")
        case "everysec":
            yield warning(
                check,
                "a power failure takes up to a second or two of commits back, which workers then do again",
                "appendfsync always; it takes a tenth of the speed on a fast disk",
            )
        case None:
            yield warning(
                check,
                "it keeps an append-only file; when that reaches the disk cannot be seen (CONFIG GET appendfsync)",
                "see that it is always; with everysec a power failure takes a second of commits back",
            )


def _memory(info: Mapping[str, Any], configs: Mapping[str, str], check: str) -> Iterator[Finding]:
    policy = info.get("maxmemory_policy") or configs.get("maxmemory-policy")
    limit = int(info.get("maxmemory") or configs.get("maxmemory") or 0)
    if policy is None:
        yield warning(check, "it does not say what it does when it is full", "see that it is noeviction")
    elif policy != "noeviction":
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
    if "used_memory" not in info:
        return "when it is full it refuses commits and drops nothing"
    used, limit = int(info["used_memory"]), int(info.get("maxmemory", 0))
    return f"it uses {used / 2**20:,.0f} MiB" + (f" of {limit / 2**20:,.0f} MiB" if limit else ", with no limit set")
