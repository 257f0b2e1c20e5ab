"""The AsyncAPI 3 document of gmv's three topics, generated from the models, the headers' names and the settings."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from gmv.errors import Reason
from gmv.events.cloudevents import JSON_CONTENT, STRUCTURED_CONTENT
from gmv.events.headers import ATTRIBUTE_PREFIX, CONTENT_TYPE
from gmv.events.trace_context import TRACEPARENT, TRACESTATE
from gmv.events.wire import WireAttributes
from gmv.kafka import headers
from gmv.kafka.topics import Topic, planned
from gmv.settings import Settings

VERSION: Final = "1.0.0"
"""Of what is promised to other programs; not of gmv."""

_BINDING: Final = "0.5.0"
_JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"

_DEAD_LETTER_HEADERS: Final = {
    headers.DLQ_TOPIC: "topic that the record came from",
    headers.DLQ_PARTITION: "its partition there, as text",
    headers.DLQ_OFFSET: "its offset there, as text",
    headers.DLQ_GROUP: "consumer group of the worker",
    headers.DLQ_MESSAGE: "what is wrong, in words",
    headers.DLQ_REASON: "what is wrong, one of a closed set",
    headers.DLQ_WORKER_VERSION: "of the worker that gave it up",
    headers.DLQ_PAYLOAD_SHA256: "of the record's value, in hexadecimal",
}

_TRACE_HEADERS: Final = {
    TRACEPARENT: "W3C trace context that the record belongs to; one that is invalid is ignored",
    TRACESTATE: "of the same, beside a valid traceparent",
}


def document() -> dict[str, Any]:
    """Return the document, for topics with the names and sizes of the default settings."""
    settings = Settings()
    events, receipts, dead_letters = planned(settings, partitions=1, retention_days=1.0)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:gmv:asyncapi:v1",
        "info": {
            "title": "gmv",
            "version": VERSION,
            "description": (
                "Generated images in, receipts for their owners' credits out. As a worker sees it: it receives events, "
                "and sends receipts and dead letters."
            ),
        },
        "defaultContentType": JSON_CONTENT,
        "channels": {
            "events": _channel(
                settings,
                events,
                "One record per generated image. The key is the event id. Names of headers are case-sensitive; "
                "batch mode is refused.",
                {"binary": "generatedImageBinary", "structured": "generatedImageStructured"},
            ),
            "receipts": _channel(
                settings,
                receipts,
                "One record per credited event, and per correction of the ledger, which has `correction` in its value. "
                "The key is the id of the event or of the correction.",
                {"receipt": "receipt", "correctionReceipt": "correctionReceipt"},
            ),
            "deadLetters": _channel(
                settings, dead_letters, "Records that cannot be credited, byte for byte.", {"deadLetter": "deadLetter"}
            ),
        },
        "operations": {
            "credit": _operation("receive", "events", settings.kafka.group),
            "explain": _operation("send", "receipts"),
            "giveUp": _operation("send", "deadLetters"),
        },
        "components": {"messages": _messages()},
    }


def _channel(settings: Settings, topic: Topic, description: str, messages: Mapping[str, str]) -> dict[str, Any]:
    """Describe one topic, whose name begins with that of the events' topic."""
    configs = {
        name: _config(name, value) for name, value in topic.configs.items() if not _is_for_operators(name, value)
    }
    return {
        "address": topic.name.replace(settings.kafka.topic, "{topic}", 1),
        "description": description,
        "parameters": {"topic": {"description": "kafka.topic of the settings", "default": settings.kafka.topic}},
        "messages": {name: {"$ref": f"#/components/messages/{message}"} for name, message in messages.items()},
        "bindings": {"kafka": {"topicConfiguration": configs, "bindingVersion": _BINDING}},
    }


def _is_for_operators(name: str, value: str) -> bool:
    """Say whether a setting is no promise: how long events are kept is for those who run the workers to say."""
    return name.startswith("retention.") and value != "-1"


def _config(name: str, value: str) -> Any:
    if name == "cleanup.policy":
        return [value]
    return int(value) if value.lstrip("-").isdecimal() else value


def _operation(action: str, channel: str, group: str | None = None) -> dict[str, Any]:
    described: dict[str, Any] = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
    if group:
        described["bindings"] = {"kafka": {"groupId": {"type": "string", "default": group}, "bindingVersion": _BINDING}}
    return described


def _messages() -> dict[str, Any]:
    return {
        "generatedImageBinary": _message(
            "A generated image: CloudEvents in Kafka's binary mode, attributes as headers and data as value",
            JSON_CONTENT,
            "generated-image-data",
            _attribute_headers(),
        ),
        "generatedImageStructured": _message(
            "A generated image: CloudEvents in structured mode, all of it one JSON object",
            STRUCTURED_CONTENT,
            "generated-image-event",
            _headers({CONTENT_TYPE: _constant(STRUCTURED_CONTENT), **_texts(_TRACE_HEADERS)}, required=[CONTENT_TYPE]),
        ),
        "receipt": _message(
            "Who was credited what for an event, and why; in headers, the trace context of the event's record",
            JSON_CONTENT,
            "receipt",
            _headers({CONTENT_TYPE: _constant(JSON_CONTENT), **_texts(_TRACE_HEADERS)}, required=[CONTENT_TYPE]),
        ),
        "correctionReceipt": _message(
            "What was taken from an owner by `gmv ledger correct`, to whom it was given, and why",
            JSON_CONTENT,
            "correction-receipt",
            _headers({CONTENT_TYPE: _constant(JSON_CONTENT)}, required=[CONTENT_TYPE]),
            key="the id of the correction",
        ),
        "deadLetter": {
            "summary": "A record that cannot be credited: its key, value and headers as they were, and why",
            "headers": _dead_letter_headers(),
            "payload": {"description": "the record's value as it was, of any content"},
        },
    }


def _message(
    summary: str, content_type: str, schema: str, described_headers: Mapping[str, Any], key: str = "the event id"
) -> dict[str, Any]:
    return {
        "summary": summary,
        "contentType": content_type,
        "headers": described_headers,
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"$ref": f"./{schema}.schema.json"}},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
    }


def _attribute_headers() -> dict[str, Any]:
    """Describe the headers of the binary mode: the event's attributes, each behind a prefix."""
    described = TypeAdapter(WireAttributes).json_schema()
    described_headers = {f"{ATTRIBUTE_PREFIX}{name}": schema for name, schema in described["properties"].items()}
    described_headers |= {CONTENT_TYPE: _constant(JSON_CONTENT), **_texts(_TRACE_HEADERS)}
    return _headers(described_headers, required=[f"{ATTRIBUTE_PREFIX}{name}" for name in described["required"]])


def _dead_letter_headers() -> dict[str, Any]:
    described_headers = _texts(_DEAD_LETTER_HEADERS)
    described_headers[headers.DLQ_REASON]["enum"] = [reason.value for reason in Reason]
    described_headers[headers.DLQ_NO_KEY] = {
        "type": "string",
        "description": "there if the key is made up: the record had none",
    }
    return _headers(described_headers, required=list(_DEAD_LETTER_HEADERS))


def _texts(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"type": "string", "description": meaning} for name, meaning in meanings.items()}


def _constant(text: str) -> dict[str, Any]:
    return {"type": "string", "const": text}


def _headers(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": required}
