"""A redis-server of a test's own: with options, killed and started again at will."""

import shutil
import socket
import subprocess
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisProcess:
    """Append-only file, fsync every second, as the guide recommends for a test or a small installation."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        return Redis(port=self.port)

    def start(self, wait: bool = True) -> "RedisProcess":
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed"
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        durable = ["--appendonly", "yes", "--appendfsync", "everysec"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([program, *fixed, *durable, *self._options], stdout=log, stderr=log)
        if wait:
            patient = Retry(ConstantBackoff(0.02), 500, supported_errors=(RedisConnectionError,))
            Redis(port=self.port, retry=patient).ping()
        return self

    def kill(self) -> None:
        """Kill it as `kill -9` does; a second time is no error."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def commands_logged(self) -> bytes:
        """All bytes of the append-only files written so far."""
        return b"".join(file.read_bytes() for file in sorted((self.folder / "appendonlydir").glob("*.aof")))
