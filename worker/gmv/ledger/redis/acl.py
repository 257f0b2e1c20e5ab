"""What each of gmv's Redis users may do, and nothing else: the one place where the rules are put together.

The commands of a role are listed beside the code that sends them; scripts run with the rights of their caller.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from gmv.ledger.redis import accounts, cluster, inspection, janitor, leaderboard, ledger, registry
from gmv.ledger.redis.address import database_of, is_cluster_url
from gmv.ledger.redis.keys import keys_pattern, leaderboard_key
from gmv.settings import LedgerSettings


class Rule(NamedTuple):
    """One user's rights.

    Attributes:
        role: what the user is for, and its name unless somebody renames it.
        keys: Redis's own patterns; `~` lets it read and write, `%R~` read.
        commands: all that it may run.
    """

    role: str
    keys: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The rights as ACL SETUSER takes them, nothing being granted before."""
        return ("resetchannels", *self.keys, "-@all", *(f"+{command}" for command in self.commands))

    def line(self, password: str | None) -> str:
        """Return the user's line of an ACL file; without a password nobody can be this user yet."""
        secret = () if password is None else (f"#{hashlib.sha256(password.encode()).hexdigest()}",)
        return " ".join(("user", self.role, "on", *secret, *self.tokens))


def _each_once(*commands: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain(*commands)))


_ROLES: Final[Mapping[str, tuple[Callable[[str], tuple[str, ...]], Sequence[str]]]] = {
    "worker": (
        lambda namespace: (f"~{keys_pattern(namespace)}",),
        _each_once(ledger.COMMANDS, janitor.COMMANDS),
    ),
    "reader": (lambda namespace: (f"%R~{keys_pattern(namespace)}",), accounts.COMMANDS),
    "leaderboard": (
        lambda namespace: (f"%R~{keys_pattern(namespace)}", f"~{leaderboard_key(namespace)}*"),
        leaderboard.COMMANDS,
    ),
    "doctor": (
        lambda namespace: (f"%R~{keys_pattern(namespace)}",),
        (*accounts.COMMANDS, *inspection.COMMANDS),
    ),
    "administrator": (
        lambda namespace: (f"~{keys_pattern(namespace)}",),
        _each_once(registry.COMMANDS, janitor.COMMANDS),
    ),
}

ROLES: Final = tuple(_ROLES)


def rule_of(role: str, settings: LedgerSettings) -> Rule:
    """Return a role's rule for the ledger that the settings name.

    SELECT goes with a database but 0, and what redis-py asks a cluster with a cluster.
    """
    keys, commands = _ROLES[role]
    select = ("select",) if database_of(settings.url) else ()
    finding_its_way = cluster.COMMANDS if is_cluster_url(settings.url) else ()
    return Rule(role, keys(settings.namespace), (*commands, *select, *finding_its_way))
