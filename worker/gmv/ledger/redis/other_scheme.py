"""Whether a server that we cannot talk to speaks TLS where our URL does not, or none where it does.

Neither side says so by itself: a server that speaks TLS cuts off who does not, and one that does not waits for more.
"""

import socket
import ssl
from typing import Final

from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeout

from gmv.credentials import causes
from gmv.ledger.redis.address import Address

_PROBE_SECONDS: Final = 1.0
_REACHED: Final = (ConnectionResetError, BrokenPipeError, TimeoutError, RedisTimeout, ssl.SSLError, InvalidResponse)


def other_scheme(address: Address, error: Exception) -> str | None:
    """Return the scheme by which a server answers, if it is not the one of its URL.

    Args:
        address: of the server, or of some servers of a cluster.
        error: what became of talking to it. Nobody is asked where it says that nobody listens.
    """
    if not _was_reached(error):
        return None
    probe = _answers_in_the_clear if address.is_encrypted else _speaks_tls
    scheme = address.url.partition("://")[0]
    if any(probe(host, port) for host, port in address.hosts):
        return scheme.replace("rediss", "redis") if address.is_encrypted else scheme.replace("redis", "rediss")
    return None


def _was_reached(error: Exception) -> bool:
    return "closed by server" in str(error) or any(isinstance(each, _REACHED) for each in causes(error))


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is told to this server
    try:
        with socket.create_connection((host, port), _PROBE_SECONDS) as raw, context.wrap_socket(raw):
            return True
    except ssl.SSLError as refused:
        return "ALERT" in (refused.reason or "")  # it wants a certificate of us, or another version of TLS
    except OSError:
        return False


def _answers_in_the_clear(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _PROBE_SECONDS) as raw:
            raw.sendall(b"PING\r\n")
            return raw.recv(1) in (b"+", b"-")  # PONG, or that it wants a password
    except OSError:
        return False
