"""`gmv ledger acl`: Redis users that may do what gmv does as them, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, load_settings


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One Redis user: its name, keys and commands, and the same as its line of an ACL file."""

    role: str
    keys: tuple[str, ...]
    commands: tuple[str, ...]
    line: str


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The Redis users of a ledger."""

    users: tuple[AccessRule, ...]


def acl(
    passwords: Annotated[
        Path | None,
        typer.Option(
            "--passwords",
            metavar="FOLDER",
            help="A file per role with its password, whose digest is printed. Without: users nobody can be yet.",
        ),
    ] = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print a Redis ACL file of the users that gmv needs for a ledger; asks no server.

    Append it to the server's `aclfile` and ACL LOAD it, and switch the default user off.
    """
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.output import render
    from gmv.credentials import secret_in
    from gmv.ledger.redis.acl import ROLES, rule_of

    users = []
    for role in ROLES:
        rule = rule_of(role, settings.ledger)
        secret = secret_in(passwords / role, "--passwords") if passwords else None
        users.append(AccessRule(role, rule.keys, rule.commands, rule.line(secret)))
    render(AccessRules(tuple(users)), json, _view)


def _view(rules: AccessRules) -> Iterator[str]:
    """Yield lines as Redis reads them: no table, no folding."""
    for user in rules.users:
        yield user.line
