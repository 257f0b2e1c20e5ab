"""Logs: one JSON object per line, ours and our libraries' alike, without secrets.

Events are named in the past tense (`run_finished`), and their facts are fields, never parts of the sentence.
"""

import logging
import logging.config
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gmv.monitoring.repeats import Repeats
from gmv.printable import encodable, printable, printable_json, printable_lines
from gmv.settings import redact

# At INFO aiokafka reports every connection, Faust and mode of every service they start and stop. kafka-python writes
# four lines for each try at a broker that is away, mode one for each timer that waits for a server; what that means is
# said by us, in one sentence.
_NOISY: Final = ("aiokafka", "faust", "mode")
_FOR_DEBUGGING: Final = ("kafka", "mode.timers")
_SECRET_WORDS: Final = ("password", "secret", "credential", "authorization")
_BLOT: Final = "***"


def configure(
    log_format: Literal["json", "console"], log_level: str, stream: Literal["stdout", "stderr"] = "stdout"
) -> None:
    """Set up logging for this process.

    Args:
        log_format: "json", or "console" for a person's eyes.
        log_level: of our own loggers, and of libraries that are not noisy. At DEBUG no line is held back.
        stream: where lines go.
    """
    logging.raiseExceptions = False  # else a line that cannot be written goes to stderr, secrets and all
    logging.config.dictConfig(_stdlib_config(log_format, log_level, stream))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_facts(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def say_held_back() -> None:
    """Write what was held back of lines that came again and again; for the end of a process."""
    for handler in logging.getLogger().handlers:
        for each in handler.filters:
            if isinstance(each, Repeats):
                each.say_rest()


def _stdlib_config(log_format: Literal["json", "console"], log_level: str, stream: str) -> dict[str, Any]:
    """Return what the standard library is given: one handler, whose formatter renders its lines and structlog's."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "gmv": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_facts(), structlog.stdlib.ExtraAdder()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    blot_out_secrets,
                    *([_escape] if log_format == "console" else []),
                    _renderer(log_format, coloured=getattr(sys, stream).isatty()),
                ],
            }
        },
        "handlers": {
            "gmv": {
                "class": "logging.StreamHandler",
                "stream": f"ext://sys.{stream}",
                "formatter": "gmv",
                "filters": [] if level <= logging.DEBUG else [Repeats()],
            }
        },
        "loggers": {
            **{name: {"level": max(level, logging.WARNING)} for name in _NOISY},
            **{
                name: {"level": logging.WARNING if level <= logging.DEBUG else logging.CRITICAL}
                for name in _FOR_DEBUGGING
            },
        },
        "root": {"handlers": ["gmv"], "level": level},
    }


def _facts() -> list[Processor]:
    """What every line says: where it is from, how bad it is, and when, in UTC."""
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]


def _renderer(log_format: Literal["json", "console"], coloured: bool) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_to_json)
    return structlog.dev.ConsoleRenderer(
        colors=coloured, timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
    )


def _to_json(line: Any, **_: Any) -> str:
    written = orjson.dumps(line, default=lambda value: encodable(str(value)), option=orjson.OPT_NON_STR_KEYS)
    return printable_json(written).decode()


def _escape(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Escape what a terminal would obey; a traceback keeps its lines."""
    return {
        name: (printable_lines if name == "exception" else printable)(value) if isinstance(value, str) else value
        for name, value in line.items()
    }


def blot_out_secrets(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Blot out passwords in URLs, wherever they are, and every field whose name says that it is secret.

    Texts are `encodable` after that: a line with one that is not would be lost.
    """
    return {name: _blot(name, value) for name, value in line.items()}


def _blot(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _blot(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_blot(name, inner) for inner in value]
    if any(word in name.lower() for word in _SECRET_WORDS) and not name.endswith("_file"):
        return _BLOT if value is not None else None
    return redact(encodable(value)) if isinstance(value, str) else value
