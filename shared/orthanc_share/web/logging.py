"""Log lines as JSON, one a line, that never hold a token, a password or a query."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from typing_extensions import override

SECRETS = re.compile(
    # A JSON Web Token, or the beginning of one. No dot is asked for: looking for it
    # again from each "eyJ" of a long path would take seconds.
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}"
    r"|(?i:\b(?:basic|bearer)(?:\s|\\t)+[\w+/=.~-]{4,})"
    r"|(?<=://)[^/\s@]+(?=@)"  # user name and password in an address
    r"|(?<=\?)\S+"  # a query string
)
"""What is blacked out wherever it appears: a second net, no excuse to log it."""

# What occurs in everything that SECRETS finds, in capitals.
_MARKS = ("EYJ", "BASIC", "BEARER", "://", "?")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",  # of uvicorn, the message again
}
_PLAIN = (str, int, float, type(None))
_encode = msgspec.json.Encoder().encode
# Loggers of libraries that show addresses with their queries, or what is written in
# images, below this level.
_TALKATIVE = ("httpx", "httpcore", "hpack", "PIL", "pydicom")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message and what `extra` holds."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            entry["exception"] = _trace(record.exc_info)
        return _line(entry)


def _line(entry: dict[str, Any]) -> str:
    if not all(isinstance(value, _PLAIN) for value in entry.values()):
        return json.dumps(_cleaned(entry))
    try:
        line = _encode(entry).decode("ascii")
    except (TypeError, ValueError):
        return json.dumps(_cleaned(entry))
    # Nearly every line is clean, and to see that takes a fraction of the cleaning.
    shouted = line.upper()
    if any(mark in shouted for mark in _MARKS):
        return json.dumps(_cleaned(entry))
    return line


def _cleaned(value: Any) -> Any:
    # Text by text and before it becomes JSON, or what is removed could take a quote
    # with it and let a path write members of its own into the line.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_cleaned(str(k)): _cleaned(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return SECRETS.sub("[removed]", str(value))


def _trace(
    exc_info: tuple[type[BaseException], BaseException, Any] | tuple[None, None, None],
) -> str:
    # The exception's own text is left out: it may quote what somebody sent.
    kind, error, _ = exc_info
    frames = [] if error is None else traceback.extract_tb(error.__traceback__)
    places = (f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    name = "" if kind is None else f"{kind.__module__}.{kind.__qualname__}"
    return " > ".join((*places, name))


def configure_logging(level: str) -> None:
    """Send every log line of this process to standard error, as JSON.

    Args:
        level: debug, info, warning or error.
    """
    # What no line shows need not be found out for every line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
