"""Certificates for servers and clients, by an authority of a test's own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SINCE_OVER = datetime(2021, 1, 1, tzinfo=UTC)


class Certificate(NamedTuple):
    """Where one lies, as PEM.

    Attributes:
        file: the certificate.
        key: its private key, in PKCS#8, the one form that Kafka reads.
        both: key and certificate in one file, as Kafka wants them.
    """

    file: Path
    key: Path
    both: Path


class Authority:
    """One that signs; `file` is what clients and servers have to trust."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *hosts: str, expired: bool = False) -> Certificate:
        """Sign a certificate.

        Args:
            name: its common name, and that of its files.
            hosts: names and addresses it is valid for.
            expired: whether its time is over.
        """
        period: dict[str, Any] = {"not_before": LONG_AGO, "not_after": SINCE_OVER} if expired else {}
        issued = self._authority.issue_cert(*(hosts or (f"{name}.invalid",)), common_name=name, **period)
        private = load_pem_private_key(issued.private_key_pem.bytes(), None)
        key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        files = Certificate(*(self._folder / f"{name}.{part}.pem" for part in ("certificate", "key", "both")))
        for file, content in zip(files, (chain, key, key + chain), strict=True):
            file.write_bytes(content)
        return files
