"""What each of gmv's Redis users may do, and nothing else: the one place where the rules are put together.

The commands of a role stand beside the code that sends them; scripts run with the rights of whoever calls them.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from gmv.ledger import leaderboard, redis, redis_accounts, redis_inspection, redis_registry
from gmv.ledger.keys import keys_pattern, leaderboard_key
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


_ROLES: Final[Mapping[str, tuple[Callable[[str], tuple[str, ...]], Sequence[str]]]] = {
    "worker": (lambda namespace: (f"~{keys_pattern(namespace)}",), redis.COMMANDS),
    "reader": (lambda namespace: (f"%R~{keys_pattern(namespace)}",), redis_accounts.COMMANDS),
    "leaderboard": (
        lambda namespace: (f"%R~{keys_pattern(namespace)}", f"~{leaderboard_key(namespace)}*"),
        leaderboard.COMMANDS,
    ),
    "doctor": (
        lambda namespace: (f"%R~{keys_pattern(namespace)}",),
        (*redis_accounts.COMMANDS, *redis_inspection.COMMANDS),
    ),
    "administrator": (lambda namespace: (f"~{keys_pattern(namespace)}",), redis_registry.COMMANDS),
}

ROLES: Final = tuple(_ROLES)


def rule_of(role: str, settings: LedgerSettings) -> Rule:
    """Return a role's rule for the ledger that the settings name; SELECT goes with a database but 0."""
    keys, commands = _ROLES[role]
    database = urlsplit(settings.url).path.strip("/")
    extra = ("select",) if database not in ("", "0") else ()
    return Rule(role, keys(settings.namespace), (*commands, *extra))
