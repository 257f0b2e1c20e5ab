"""The simulated server against a real one, where the ledger's contract does not look: torn append-only files.

That it answers as a server does, in all that the ledger asks of it, is shown by tests/contract.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.services.redis import RedisServer

from .redis_server import EXEC, MULTI, Command, Server

ONE_WRITE = "redis.call('HSET', KEYS[1], 'position', ARGV[1], 'total', ARGV[1])"
SEVERAL_WRITES = (
    "redis.call('HSET', KEYS[1], 'position', ARGV[1]) redis.call('HINCRBY', KEYS[1], 'total', 1) return {'done'}"
)
BOOK = "book"

pytestmark = pytest.mark.servers


@pytest.fixture
def real() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.mark.parametrize(
    ("script", "whole", "is_torn", "total"),
    [
        pytest.param(ONE_WRITE, 1, False, b"3", id="nothing lost"),
        pytest.param(ONE_WRITE, 0, True, b"3", id="one write, torn"),
        pytest.param(SEVERAL_WRITES, 1, True, b"2", id="several writes, the first torn"),
        pytest.param(SEVERAL_WRITES, 2, False, b"2", id="several writes, cut between them"),
        pytest.param(SEVERAL_WRITES, 3, True, b"3", id="several writes, EXEC torn: counted twice"),
    ],
)
def test_two_restarts_after_a_torn_write_leave_what_redis_leaves(
    real: RedisServer, script: str, whole: int, is_torn: bool, total: bytes
) -> None:
    """The script runs twice, its second run is lost but for a part, and after a restart it runs once more."""
    simulated = Server()
    _run(real, simulated, script, 1)
    before = len(simulated.file)
    _run(real, simulated, script, 2)
    real.kill()
    _cut(_log(real), before + whole, is_torn)
    real.start()
    simulated = simulated.restarted(before + whole, is_torn)
    assert _real(real) == _simulated(simulated)
    _run(real, simulated, script, 3)
    for _ in range(2):
        real.kill()
        real.start()
        simulated = simulated.restarted()
        assert _real(real) == _simulated(simulated)
    assert _real(real)[b"total"] == total


def _run(real: RedisServer, simulated: Server, script: str, number: int) -> None:
    with Redis(port=real.port) as client:
        client.eval(script, 1, BOOK, number)
    simulated.load(script, "digest")
    simulated.evaluate("digest", [BOOK.encode()], [str(number).encode()])


def _real(server: RedisServer) -> dict[bytes, bytes]:
    with Redis(port=server.port) as client:
        found: dict[bytes, bytes] = client.hgetall(BOOK)
        return found


def _simulated(server: Server) -> dict[bytes, bytes]:
    return server.hashes.get(BOOK.encode(), {})


def _log(server: RedisServer) -> Path:
    return next((server.folder / "appendonlydir").glob("*.incr.aof"))


def _cut(file: Path, commands: int, is_torn: bool) -> None:
    """Leave so many of the file's commands, and half of the next one."""
    content = file.read_bytes()
    ends = [end for end, command in _commands(content) if command[0] != b"SELECT"]
    end = (
        ends[commands - 1] if commands else next(end for end, command in _commands(content) if command[0] == b"SELECT")
    )
    if is_torn:
        end += (ends[commands] - end) // 2
    file.write_bytes(content[:end])


def _commands(content: bytes) -> Iterator[tuple[int, Command]]:
    """Yield each command of an append-only file, and where it ends."""
    place = 0
    while place < len(content):
        place, count = _number(content, place)
        words = []
        for _ in range(count):
            place, length = _number(content, place)
            words.append(content[place : place + length])
            place += length + 2
        yield place, tuple(words)


def _number(content: bytes, place: int) -> tuple[int, int]:
    end = content.index(b"\r\n", place)
    return end + 2, int(content[place + 1 : end])


def test_a_file_is_one_commit_after_another() -> None:
    server = Server([(b"HSET", b"k", b"a", b"1"), MULTI, (b"HSET", b"k", b"a", b"2"), EXEC])
    assert server.boundaries() == [0, 1, 4]
