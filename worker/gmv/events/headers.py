"""Headers that were meant for CloudEvents' Kafka binding, and are spelt in another way: to be named, not guessed.

Kafka's header names are case-sensitive, and the binding writes `ce_id`; `ce-id` is HTTP's, `cloudEvents:id` AMQP's.
Taken for the same, two headers could say two things.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md#3-kafka-message-mapping
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

ATTRIBUTE_PREFIX: Final = "ce_"
CONTENT_TYPE: Final = "content-type"

_MEANT: Final = re.compile(r"[\W_]*(?:ce|cloudevents?)[\W_]*(specversion|type|source|id)[\W_]*", re.IGNORECASE)
_CONTENT_TYPE: Final = re.compile(r"[\W_]*content[\W_]*type[\W_]*", re.IGNORECASE)
_SHOWN_MAX: Final = 4
_SHOWN_CHARACTERS_MAX: Final = 32


def spelling_hint(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """Say which headers are spelt in another way, and how they should be; None where there are none."""
    there = {name for name, _ in headers}
    meant = {name: _meant_by(name, value or b"") for name, value in headers}
    misspelt = {name: wanted for name, wanted in meant.items() if wanted and wanted not in there}
    quoted = [name for name, value in headers if (meant[name] or name == CONTENT_TYPE) and _is_quoted(value or b"")]
    hints = []
    if misspelt:
        hints.append(f"there is {_listed(map(ascii, misspelt))}, but gmv reads {_listed(misspelt.values())}")
    if quoted:
        hints.append(f"the text of {_listed(map(ascii, quoted))} is in JSON's quotes; send it without them")
    return f"headers: {'; '.join(hints)}" if hints else None


def _meant_by(name: str, value: bytes) -> str | None:
    """Return the name that the binding has for a header that is needed; None where no such is meant."""
    if found := _MEANT.fullmatch(name):
        return ATTRIBUTE_PREFIX + found[1].lower()
    return CONTENT_TYPE if _CONTENT_TYPE.fullmatch(name) and b"cloudevents" in value.lower() else None


def _is_quoted(value: bytes) -> bool:
    return len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')


def _listed(names: Iterable[str]) -> str:
    shown = [name[:_SHOWN_CHARACTERS_MAX] for name in names]
    return ", ".join(shown[:_SHOWN_MAX]) + (" …" if len(shown) > _SHOWN_MAX else "")
