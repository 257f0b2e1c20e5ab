"""A small web server with answers that a kind one would not give."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.events.samples import png

ENDLESS_BYTES = 50 * 2**20


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "WebServer"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        if self.path == "/image.png":
            self._send(200, png(), with_body)
        elif self.path == "/moved":
            self._send(302, b"", with_body, Location="/image.png")
        elif self.path == "/packed":
            self._send(200, gzip.compress(png()), with_body, **{"Content-Encoding": "gzip"})
        elif self.path == "/endless":
            self._send_endless(with_body)
        elif self.path == "/broken":
            self._send(500, b"", with_body)
        else:
            self._send(404, b"", with_body)

    def _send(self, status: int, body: bytes, with_body: bool, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _send_endless(self, with_body: bool) -> None:
        """Say that the answer is the range that was asked for, and send more."""
        self.send_response(206)
        self.send_header("Connection", "close")
        self.send_header("Content-Range", "bytes 0-9/10")
        self.end_headers()
        self.close_connection = True
        if with_body:
            try:
                for _ in range(ENDLESS_BYTES // 2**16):
                    self.wfile.write(bytes(2**16))
                    self.server.bytes_sent += 2**16
            except OSError:  # the reader has had enough
                return

    def log_message(self, *_: object) -> None: ...


class WebServer(ThreadingHTTPServer):
    """Notes what was got from it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.bytes_sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def web_server() -> Iterator[WebServer]:
    with WebServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
