"""W3C Trace Context out of a record's headers: which trace an event belongs to. It never decides a credit.

What is wrong with it is never an event's fault: a `traceparent` that is none, or that is there twice, is as good
as absent, and so is a `tracestate` beside it (https://www.w3.org/TR/trace-context/, sections 3.2 and 3.3).
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

# Of a version to come, all that is known is that these four fields come first. Version ff and zeros are not allowed.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-[\x20-\x7e]*)?",
    re.ASCII,
)
_KEY: Final = r"[a-z0-9][a-z0-9_*/@-]{0,255}"
_VALUE: Final = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER: Final = re.compile(rf"({_KEY})={_VALUE}", re.ASCII)
_MEMBERS_MAX: Final = 32
_CHARACTERS_MAX: Final = 512  # what everybody has to pass on; nobody has to pass on more


class TraceContext(NamedTuple):
    """Both headers, as text that can be handed on; `tracestate` is empty where there is none."""

    traceparent: str
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, by which traces are looked up."""
        return self.traceparent[3:35]

    def headers(self) -> dict[str, bytes]:
        """Return them as headers of a record."""
        given = {TRACEPARENT: self.traceparent, TRACESTATE: self.tracestate}
        return {name: text.encode() for name, text in given.items() if text}


def is_traceparent(given: object) -> bool:
    """Say whether it is a valid `traceparent`."""
    found = _TRACEPARENT.fullmatch(given) if isinstance(given, str) else None
    return found is not None and not (found["version"] == "00" and found["more"])


def trace_context(headers: Sequence[tuple[str, bytes | None]], prefix: str = "") -> TraceContext | None:
    """Return the trace context in headers whose names begin with the prefix, None where there is none that is valid."""
    parents = _texts(headers, prefix + TRACEPARENT)
    if len(parents) != 1 or not is_traceparent(parents[0]):
        return None
    return TraceContext(parents[0], _valid_state(",".join(_texts(headers, prefix + TRACESTATE))))


def _texts(headers: Sequence[tuple[str, bytes | None]], name: str) -> list[str]:
    return [(value or b"").decode(errors="replace") for each, value in headers if each == name]


def _valid_state(text: str) -> str:
    """Return a `tracestate`, empty where it is wrong: then none of it may be handed on."""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    found = [_MEMBER.fullmatch(member) for member in members]
    keys = {each[1] for each in found if each}
    is_valid = len(keys) == len(members) <= _MEMBERS_MAX
    joined = ",".join(members)
    return joined if is_valid and len(joined) <= _CHARACTERS_MAX else ""
