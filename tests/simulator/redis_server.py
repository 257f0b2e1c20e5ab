"""A Redis server: hashes, scripts, an append-only file that a crash may tear, and what a restart makes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from redis.exceptions import NoScriptError, ResponseError

from .lua import Scripts

Command = tuple[bytes, ...]
Hashes = dict[bytes, dict[bytes, bytes]]

MULTI, EXEC = (b"MULTI",), (b"EXEC",)

_SCRIPTS = Scripts()
_ALONE = Lock()  # the simulator has one thread; the contract tests of a ledger have several


@dataclass
class Server:
    """One process.

    Attributes:
        file: the append-only file, command by command.
        hashes: what is in memory.
        scripts: by digest; a restart forgets them.
        offsets: the newest offset written to each position's field, by this process.
        after_write: is called after each call that wrote, with what it wrote.
    """

    file: list[Command] = field(default_factory=list)
    hashes: Hashes = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    offsets: dict[bytes, int] = field(default_factory=dict)
    after_write: Callable[["Server", list[Command]], None] = lambda _server, _effects: None

    def execute(self, *command: bytes) -> Any:
        """Execute a command that is not a script."""
        effects: list[Command] = []
        with _ALONE:
            reply = self._apply(command, effects)
            self._append(effects)
        return reply

    def load(self, source: str, digest: str) -> None:
        """Keep a script in memory, until a restart or a flush."""
        self.scripts[digest] = source

    def evaluate(self, digest: str, keys: Sequence[bytes], arguments: Sequence[bytes]) -> tuple[Any, list[Command]]:
        """Run a script alone; return its reply, and what it wrote.

        Raises:
            NoScriptError: the server does not know it.
        """
        if digest not in self.scripts:
            raise NoScriptError("No matching script. Please use EVAL.")
        effects: list[Command] = []
        with _ALONE:
            reply = _SCRIPTS.run(
                self.scripts[digest], keys, arguments, lambda *command: self._apply(_as_bytes(command), effects)
            )
            self._append(effects)
        return reply, effects

    def boundaries(self) -> list[int]:
        """Return the places in the file between one call's effects and the next, the file's end last."""
        places, is_open = [0], False
        for number, command in enumerate(self.file, start=1):
            is_open = (is_open or command == MULTI) and command != EXEC
            if not is_open:
                places.append(number)
        return places

    def restarted(self, commands: int | None = None, is_torn: bool = False) -> "Server":
        """Return the server after a crash.

        Args:
            commands: how many of the file's commands are whole; None for all.
            is_torn: whether a part of the next one follows.
        """
        kept, hashes = load_file(self.file[:commands], is_torn)
        return Server(kept, hashes, after_write=self.after_write)

    def _append(self, effects: list[Command]) -> None:
        if effects:
            self.file += [MULTI, *effects, EXEC] if len(effects) > 1 else effects
            self.after_write(self, effects)

    def _apply(self, command: Command, effects: list[Command]) -> Any:
        name, key, *arguments = command
        fields = self.hashes.get(key, {})
        match name.upper():
            case b"HGET":
                return fields.get(arguments[0])
            case b"HMGET":
                return [fields.get(each) for each in arguments]
            case b"HLEN":
                return len(fields)
            case b"HSCAN":
                pattern = arguments[arguments.index(b"MATCH") + 1].decode("latin-1")
                found = [item for item in fields.items() if fnmatchcase(item[0].decode("latin-1"), pattern)]
                return [b"0", [text for item in found for text in item]]
            case b"HSET" | b"HINCRBY":
                effects.append(command)
                return write(self.hashes, command)
            case b"HSETNX":
                if arguments[0] in fields:
                    return 0
                effects.append((b"HSET", key, *arguments))
                return write(self.hashes, effects[-1])
        raise ResponseError(f"unknown command {name!r}")


def load_file(commands: Sequence[Command], is_torn: bool) -> tuple[list[Command], Hashes]:
    """Return what stays in the append-only file, and in memory, after Redis 7.0 loaded it.

    A file that ends inside a MULTI is cut back to before it. But where it ends in the middle of a command, it is cut
    back to the last whole one alone: memory is right, and a MULTI stays open in the file, which the next MULTI and
    EXEC close at the restart after this one (`loadSingleAppendOnlyFile`; fixed in Valkey by its #4342).
    """
    hashes: Hashes = {}
    queue: list[Command] | None = None
    opened_at = 0
    for place, command in enumerate(commands):
        if command == MULTI:
            if queue is None:
                queue, opened_at = [], place
        elif command == EXEC:
            for queued in queue or ():
                write(hashes, queued)
            queue = None
        elif queue is not None:
            queue.append(command)
        else:
            write(hashes, command)
    kept = commands if queue is None or is_torn else commands[:opened_at]
    return list(kept), hashes


def write(hashes: Hashes, command: Command) -> int:
    """Apply a command that writes; return the number of new fields."""
    name, key, *arguments = command
    fields = hashes.setdefault(key, {})
    before = len(fields)
    if name.upper() == b"HINCRBY":
        fields[arguments[0]] = str(int(fields.get(arguments[0], b"0")) + int(arguments[1])).encode()
    else:
        fields.update(zip(arguments[::2], arguments[1::2], strict=True))
    return len(fields) - before


def _as_bytes(command: Sequence[Any]) -> Command:
    """Lua gives numbers where a script computed them; Redis turns them into text."""
    return tuple(each if isinstance(each, bytes) else f"{each:.17g}".encode() for each in command)
