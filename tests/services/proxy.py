"""A TCP proxy in front of a server: it loses answers, strikes at a chosen commit, delays, cuts, is turned elsewhere."""

import random
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal

from tests.services.server import HOST, free_port

Moment = Literal["request", "reply"]

_CHUNK_BYTES = 2**16
_COMMIT = re.compile(rb"EVALSHA", re.IGNORECASE)
_ANYTHING = re.compile(b"")


class Proxy:
    """Forwards what comes to `port`.

    Attributes:
        port: where it listens.
        target_port: where new connections go.
        cut_chance: of a connection to be cut at each answer.
        delay_seconds: before each answer.
        kept_back: what ends a connection when a request holds it.
        strikes: how often a request or its answer was struck.
    """

    def __init__(self, target_port: int, port: int | None = None) -> None:
        self.port = port or free_port()
        self.target_port = target_port
        self.cut_chance = 0.0
        self.delay_seconds = 0.0
        self.kept_back: re.Pattern[bytes] | None = None
        self.strikes = 0
        self._guard = threading.Lock()
        self._planned: tuple[Moment, Callable[[], None]] | None = None
        self._struck = _ANYTHING
        self._requests_left = 0
        self._listener = socket.create_server((HOST, self.port))
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of a Redis, through here."""
        return f"redis://{HOST}:{self.port}/0"

    def at_commit(self, number: int, moment: Moment, strike: Callable[[], None]) -> None:
        """Plan to call `strike` once, at the so many-th commit from now; its request or reply goes no further."""
        self._plan(_COMMIT, number, moment, strike)

    def lose_next_answer(self) -> None:
        """Plan to cut the connection of the next request once the server has answered it."""
        self._plan(_ANYTHING, 1, "reply", lambda: None)

    def _plan(self, struck: re.Pattern[bytes], number: int, moment: Moment, strike: Callable[[], None]) -> None:
        with self._guard:
            self._struck, self._requests_left, self._planned = struck, number, (moment, strike)

    def turn_to(self, target_port: int) -> None:
        """Cut all connections, and let new ones go elsewhere."""
        self.target_port = target_port
        self.cut()

    def cut(self) -> None:
        """Cut all connections."""
        for each in list(self._sockets):
            self._close(each)

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self.target_port))
            except OSError:
                client.close()
                continue
            self._sockets |= {client, server}
            is_struck = threading.Event()
            for arguments in ((client, server, False, is_struck), (server, client, True, is_struck)):
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_reply: bool, is_struck: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if is_reply:
                    time.sleep(self.delay_seconds)
                    if is_struck.is_set():
                        self._strike()
                        break
                    if random.random() < self.cut_chance:
                        break
                elif self.kept_back and self.kept_back.search(data):
                    break
                elif moment := self._moment_of_strike(data):
                    if moment == "request":
                        self._strike()
                        break
                    is_struck.set()
                sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _moment_of_strike(self, data: bytes) -> Moment | None:
        """Count requests of the planned kind; tell whether this one is to be struck, and at which moment."""
        with self._guard:
            if not self._planned or not self._struck.search(data):
                return None
            self._requests_left -= 1
            return self._planned[0] if self._requests_left == 0 else None

    def _strike(self) -> None:
        with self._guard:
            planned, self._planned = self._planned, None
        self.strikes += 1
        if planned:
            planned[1]()

    def _close(self, each: socket.socket) -> None:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
        self._sockets.discard(each)
