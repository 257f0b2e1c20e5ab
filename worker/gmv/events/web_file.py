"""Reads files over HTTP, from public addresses and those that the settings allow, checked where a connection is made.

The check is between the look-up of a name and the connection to one of its addresses, so a name that means another
address the next time (DNS rebinding) gains nothing. Redirects are not followed, nothing is decompressed on the way,
proxies of the environment are not used, and an answer has to be whole within 30 s.
"""

import asyncio
import socket
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from gmv.events.addresses import Network, refuse_private

if TYPE_CHECKING:
    import aiohttp

READ_SECONDS_MAX: Final = 30

_PERMANENT: Final = {401: PermissionError, 403: PermissionError, 404: FileNotFoundError, 410: FileNotFoundError}
"""Answers that another attempt would not change, as the errors that say so."""


class RedirectRefused(Exception):  # noqa: N818 - becomes a refusal
    """The server sends the reader elsewhere."""


class WebFiles:
    """Keeps its connections for the next file. Blocking; what is asynchronous runs in fsspec's thread for that."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._session: aiohttp.ClientSession | None = None

    def read(self, uri: str, bytes_max: int) -> bytes:
        """Read at most `bytes_max` bytes, with any size that the server states.

        Raises:
            AddressRefused: the host's address is not allowed.
            RedirectRefused: the answer is a redirect.
            FileNotFoundError, PermissionError: the server says so.
            Exception: what aiohttp raises.
        """
        from fsspec.asyn import get_loop, sync

        content: bytes = sync(get_loop(), self._read, uri, bytes_max)
        return content

    async def _read(self, uri: str, bytes_max: int) -> bytes:
        if self._session is None:
            self._session = self._open()
        async with self._session.get(uri, allow_redirects=False) as answer:
            if 300 <= answer.status < 400:
                raise RedirectRefused(f"it is a redirect (HTTP {answer.status}), and those are not followed")
            if answer.status in _PERMANENT:
                raise _PERMANENT[answer.status](f"HTTP {answer.status} {answer.reason}")
            answer.raise_for_status()
            content = bytearray()
            while len(content) < bytes_max and (chunk := await answer.content.read(bytes_max - len(content))):
                content += chunk
        return bytes(content)

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        networks = self._networks

        def guarded_socket(found: tuple[Any, ...]) -> socket.socket:
            family, kind, protocol, _, address = found
            refuse_private(address[0], networks)
            return socket.socket(family, kind, protocol)

        session = aiohttp.ClientSession(
            # One address after the other: raced against each other, a refusal would be taken for one that is away.
            connector=aiohttp.TCPConnector(socket_factory=guarded_socket, happy_eyeballs_delay=None),
            timeout=aiohttp.ClientTimeout(total=READ_SECONDS_MAX),
            auto_decompress=False,
        )
        weakref.finalize(self, _close, asyncio.get_running_loop(), session)
        return session


def _close(loop: asyncio.AbstractEventLoop, session: "aiohttp.ClientSession") -> None:
    asyncio.run_coroutine_threadsafe(session.close(), loop)
