"""How gmv identifies itself to a server: what the ledger's section and Kafka's have in common."""

from pathlib import Path

from pydantic import Field

from gmv.settings.section import Section


class Guarded(Section):
    """Who we are to a server, and how we know it; secrets are files, whose first line counts."""

    username: str | None = Field(None, description="User name to log in with.")
    password_file: Path | None = Field(
        None, description="File whose first line is the password to log in with. It is read once, at the start."
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file of the certificate authorities that may sign the server's certificate. "
        "Without it, those that the machine trusts.",
    )
    cert_file: Path | None = Field(
        None,
        description="PEM file of the certificate that gmv shows to a server that asks for one; needs its private key.",
    )
    key_file: Path | None = Field(
        None, description="PEM file of the private key of the certificate that gmv shows. It must not have a password."
    )
