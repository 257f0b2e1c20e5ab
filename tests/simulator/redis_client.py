"""What replaces redis-py's client: it reaches simulated servers over a network that loses things."""

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from redis.commands.core import Script
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from gmv.ledger.redis import server as gmv_redis_server

from .process import Haunted, Interrupted, Process
from .redis_server import Server

COMMIT = (Path(gmv_redis_server.__file__).with_name("commit.lua")).read_text()
COMMIT_DIGEST = hashlib.sha1(COMMIT.encode()).hexdigest()


@dataclass
class Primary:
    """Where a part of the ledger's keys is served.

    Attributes:
        server: who serves them by the address that all know.
        left_behind: after a failover, who still talks to which old server.
        floor: how many commands at the beginning of the server's file made the ledger.
        is_up: whether it answers.
        refusal: the error it answers every command with, "" for none.
    """

    server: Server
    floor: int = 0
    left_behind: dict[str, Server] = field(default_factory=dict)
    is_up: bool = True
    refusal: str = ""

    def reached_by(self, name: str) -> Server:
        """Return the server that a client's connection leads to."""
        return self.left_behind.get(name, self.server)


@dataclass
class Site:
    """All servers of a ledger. Books are spread over the primaries by their number."""

    primaries: list[Primary]
    fields_max: int
    violated: Callable[[str, str], None]
    seen: Callable[[str], None] = lambda _: None
    log: Callable[[str], None] = lambda _: None
    processes: dict[str, Process] = field(default_factory=dict)
    faults: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))

    def from_url(self, url: str, **_options: Any) -> "Client":
        """See `redis.Redis.from_url`; the URL's host is the name of the process."""
        return Client(self, url.removeprefix("redis://").partition(":")[0])

    def primary_of(self, key: bytes) -> Primary:
        """Return who serves a key `<namespace>:{<book>}`."""
        book = int(key.partition(b"{")[2].partition(b"}")[0])
        return self.primaries[book % len(self.primaries)]


class Client:
    """A `redis.Redis`, as far as gmv uses it."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self._name = name
        self._faults = site.faults[name]

    def close(self) -> None:
        """See `redis.Redis`."""

    def get_encoder(self) -> "Encoder":
        """See `redis.Redis`."""
        return Encoder()

    def register_script(self, source: str) -> Any:
        """See `redis.Redis`."""
        return Script(self, source)  # type: ignore[arg-type]

    def execute_command(self, *command: Any) -> Any:
        """Execute what is not a script."""
        arguments = [_as_bytes(each) for each in command]
        reply = self._server(arguments[1]).execute(*arguments)
        if arguments[0] == b"HSCAN":  # as redis-py parses it
            cursor, page = reply
            return int(cursor), dict(zip(page[::2], page[1::2], strict=True))
        return reply

    def script_load(self, source: str) -> str:
        """See `redis.Redis`; into every primary, as a cluster's client does."""
        digest: str = Script(self, source).sha  # type: ignore[arg-type]
        for primary in self.site.primaries:
            primary.reached_by(self._name).load(source, digest)
        self.site.seen("redis: script loaded")
        return digest

    def evalsha_ro(self, digest: str, keys: int, *arguments: Any) -> Any:
        """Run a script that only reads."""
        texts = [_as_bytes(each) for each in arguments]
        reply, effects = self._server(texts[0]).evaluate(digest, texts[:keys], texts[keys:])
        if effects:
            self.site.violated("I6", f"a reader wrote {effects}")
        return reply

    def evalsha(self, digest: str, keys: int, *arguments: Any) -> Any:
        """Run a script that writes, as far as the network lets it."""
        texts = [_as_bytes(each) for each in arguments]
        if any(isinstance(each, float) for each in arguments):
            self.site.violated("I10", f"a float reached the ledger: {arguments}")
        evaluate = partial(self._evaluate, digest, texts[:keys], texts[keys:])
        fault = self._faults.popleft() if self._faults and digest == COMMIT_DIGEST else ""
        self._suffer_before(fault, evaluate)
        reply = evaluate()
        self._suffer_after(fault)
        return reply

    def _evaluate(self, digest: str, keys: list[bytes], arguments: list[bytes]) -> Any:
        reply, effects = self._server(keys[0]).evaluate(digest, keys, arguments)
        if digest == COMMIT_DIGEST:
            before, after, said = arguments[0].decode(), arguments[1].decode(), b" ".join(reply[:2])
            self.site.log(f"{self._name}: commit {before} -> {after}: {said!r}")
            self._check(reply, effects)
        return reply

    def _suffer_before(self, fault: str, evaluate: Callable[[], object]) -> None:
        match fault:
            case "request lost":
                self.site.seen(f"fault: {fault}")
                raise Interrupted
            case "request late":
                self.site.seen(f"fault: {fault}")
                raise Haunted(partial(_late, evaluate))
            case "killed before the commit":
                self._kill(fault)
                raise Interrupted

    def _suffer_after(self, fault: str) -> None:
        match fault:
            case "reply lost":
                self.site.seen(f"fault: {fault}")
                raise Interrupted
            case "killed after the commit":
                self._kill(fault)

    def _kill(self, fault: str) -> None:
        self.site.seen(f"fault: {fault}")
        self.site.processes[self._name].kill()

    def _server(self, key: bytes) -> Server:
        primary = self.site.primary_of(key)
        process = self.site.processes.get(self._name)
        if process is not None and (not primary.is_up or primary.refusal):
            if not process.is_giving_up:
                raise Interrupted
            if not primary.is_up:
                raise RedisConnectionError("Connection refused")
            raise ResponseError(primary.refusal)
        return primary.reached_by(self._name)

    def _check(self, reply: Any, effects: Sequence[tuple[bytes, ...]]) -> None:
        is_committed = reply[0] == b"committed"
        if bool(effects) != is_committed:
            self.site.violated("I4", f"the script answered {reply} and wrote {effects}")
        fields = sum(len(command) // 2 - 1 for command in effects)
        if fields > self.site.fields_max:
            self.site.violated("I10", f"one commit wrote {fields} fields")


class Encoder:
    """See redis-py's."""

    def encode(self, value: Any) -> bytes:
        """Encode one argument."""
        return _as_bytes(value)


def _late(evaluate: Callable[[], object]) -> None:
    """Let a request arrive whose sender does not wait for it any more."""
    with suppress(Interrupted, RedisError):
        evaluate()


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return str(value).encode()
