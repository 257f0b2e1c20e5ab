"""Redis scripts, run by a real Lua 5.1 as Redis runs them: alone, with `redis.call`, on bytes."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from lupa.lua51 import LuaRuntime, lua_type

Call = Callable[..., Any]
"""Executes one command, its name and arguments as bytes, and returns the reply: bytes, int, None or lists of them."""


class Scripts:
    """A Lua runtime with the scripts that were loaded into it."""

    def __init__(self) -> None:
        self._lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._call: Call = _nothing
        make = self._lua.eval(b"function(call) return {call = call} end")
        self._redis = make(lambda name, *arguments: self._to_lua(self._call(name, *arguments)))

    def run(self, source: str, keys: Sequence[bytes], arguments: Sequence[bytes], call: Call) -> Any:
        """Run a script; what it returns is turned into a reply as Redis does."""
        self._call = call
        try:
            answer = self._compiled(source)(self._table(keys), self._table(arguments), self._redis)
        finally:
            self._call = _nothing
        return self._to_reply(answer)

    def _compiled(self, source: str) -> Any:
        return _compile(self._lua, source)

    def _table(self, values: Sequence[Any]) -> Any:
        return self._lua.table_from(values)

    def _to_lua(self, reply: Any) -> Any:
        if reply is None:
            return False
        if isinstance(reply, list):
            return self._table([self._to_lua(each) for each in reply])
        return reply

    def _to_reply(self, value: Any) -> Any:
        if value is True:
            return 1
        if value is None or value is False:
            return None
        if isinstance(value, int | float):
            return int(value)
        if lua_type(value) == "table":
            return [self._to_reply(each) for each in _until_nil(value)]
        return value


@cache
def _compile(lua: LuaRuntime, source: str) -> Any:
    shebang, _, body = source.partition("\n")
    if not shebang.startswith("#!lua"):
        body = source
    return lua.eval(f"function(KEYS, ARGV, redis) {body}\nend".encode())


def _until_nil(table: Any) -> list[Any]:
    """Return a table's values up to its first hole: what comes after it, Redis does not send."""
    values: list[Any] = []
    while (value := table[len(values) + 1]) is not None:
        values.append(value)
    return values


def _nothing(*_: Any) -> Any:
    raise RuntimeError("no script is running")
