"""`gmv ledger acl`: Redis users that may do what gmv does as them, and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, load_settings


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
    from gmv.cli.output import print_result
    from gmv.credentials import secret_in
    from gmv.ledger.redis.acl import ROLES, rule_of

    rules = {role: rule_of(role, settings.ledger) for role in ROLES}
    secrets = {role: secret_in(passwords / role, "--passwords") if passwords else None for role in ROLES}
    lines = {role: rule.line(secrets[role]) for role, rule in rules.items()}
    if not json:
        typer.echo("\n".join(lines.values()))  # as Redis reads it: no table, no folding
        return
    told = [
        {"role": role, "keys": rule.keys, "commands": rule.commands, "line": lines[role]}
        for role, rule in rules.items()
    ]
    print_result({"users": told}, json, str)
