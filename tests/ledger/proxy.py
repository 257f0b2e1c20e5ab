"""A TCP proxy that can lose a reply: the server has done what it was asked, and nobody is told."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

from tests.services.server import free_port

_CHUNK_BYTES = 2**16


class LosingProxy:
    """Forwards to a port. `lose_next_reply` closes the connection in place of passing the next reply on."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.lost = 0
        self._target_port = target_port
        self._losing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_next_reply(self) -> None:
        self._losing.set()

    def __enter__(self) -> "LosingProxy":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in (self._listener, *self._sockets):
            _shut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target_port))
            self._sockets += [client, server]
            for source, sink, replies in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=(source, sink, replies), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, replies: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if replies and self._losing.is_set():
                    self._losing.clear()
                    self.lost += 1
                    break
                sink.sendall(data)
        _shut(source)
        _shut(sink)


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
