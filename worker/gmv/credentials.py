"""How gmv shows a server who it is, and sees who the server is: password files, certificates, and their refusals.

Kafka and Redis share this. Secrets are read from files when a client is made, and again at the next start only.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gmv.errors import InvalidSettings
from gmv.settings import Guarded

_ADVICE: Final = {
    10: "renew it",  # X509_V_ERR_CERT_HAS_EXPIRED, as OpenSSL numbers them
    9: "see that both clocks are right",  # not yet valid
    62: "give the server's name as its certificate has it, or let the certificate name the server",
    64: "give the server's address as its certificate has it, or let the certificate name the address",
}
_UNKNOWN_AUTHORITY: Final = "name the certificates of the authority that signed it by {group}.ca_file"


def password_of(settings: Guarded, group: str) -> str | None:
    """Return the password that the settings name a file for, None where they name none.

    Args:
        settings: of the server.
        group: its group of settings, such as "ledger".

    Raises:
        InvalidSettings: the file cannot be read, or its first line is empty.
    """
    return None if settings.password_file is None else secret_in(settings.password_file, f"{group}.password_file")


def secret_in(path: Path, setting: str) -> str:
    """Return a file's first line. Raises as `password_of`, naming the setting."""
    try:
        secret = path.read_text(encoding="utf-8").split("\n", 1)[0].strip("\r")
    except OSError as error:
        raise InvalidSettings(f"{setting} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{setting} {path}: it is no UTF-8 text") from error
    if not secret:
        raise InvalidSettings(f"{setting} {path}: its first line is empty")
    return secret


def names_tls_files(settings: Guarded) -> bool:
    """Return whether any file is named that only an encrypted connection uses."""
    return any((settings.ca_file, settings.cert_file, settings.key_file))


def tls_context(settings: Guarded, group: str) -> ssl.SSLContext:
    """Return what an encrypted connection needs: TLS 1.2 or newer, certificates verified, host names checked.

    Args:
        settings: of the server; without `ca_file`, the authorities that this machine trusts.
        group: its group of settings.

    Raises:
        InvalidSettings: a file is missing, damaged or locked by a password, or a key is another certificate's.
    """
    if (settings.cert_file is None) != (settings.key_file is None):
        raise InvalidSettings(f"{group}.cert_file and {group}.key_file go together; one of them is missing")
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody yet
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with _naming(f"{group}.ca_file", settings.ca_file):
            context.load_verify_locations(settings.ca_file)
    if settings.cert_file is not None and settings.key_file is not None:
        with _naming(f"{group}.cert_file {settings.cert_file} with {group}.key_file", settings.key_file):
            # A password, though a wrong one: with none, OpenSSL would ask for it at the terminal.
            context.load_cert_chain(settings.cert_file, settings.key_file, password="")
    return context


def tls_trouble(error: BaseException, group: str) -> str | None:
    """Say what a TLS connection was refused for, if that is what an error, or a cause of it, says.

    Returns:
        What is wrong and what to do; None for any other error, such as a server that is away.
    """
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            advice = _ADVICE.get(cause.verify_code, _UNKNOWN_AUTHORITY.format(group=group))
            return f"the server's certificate is refused ({cause.verify_message.rstrip('.')}): {advice}"
        said = getattr(cause, "reason", None) or ""  # not every SSLError has one
        if isinstance(cause, ssl.SSLError) and "ALERT" in said:
            return (
                f"it refuses our certificate ({said.lower().replace('_', ' ')}): "
                f"{group}.cert_file and {group}.key_file must name one that is valid today and signed by an "
                "authority that the server trusts"
            )
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and what it was raised for, step by step."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def _naming(setting: str, path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into a refusal that names the setting."""
    try:
        yield
    except ssl.SSLError as error:
        raise InvalidSettings(f"{setting} {path}: it is no PEM that can be used ({error.reason or error})") from error
    except OSError as error:
        raise InvalidSettings(f"{setting} {path}: {error.strerror}") from error
