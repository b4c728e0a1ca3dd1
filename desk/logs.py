"""Logs as logging.ini arranges them: lines for people, JSON for machines, secrets in neither.

Redaction is in the formatters' output and nowhere else: filters do not see the records of other
loggers, nor tracebacks.
"""

import logging
import logging.config
import logging.handlers
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import TextIO

import pythonjsonlogger.json

from desk import redact
from desk.usage import Misused
from domain.sessions import IST

logger = logging.getLogger(__name__)

_INI = Path(__file__).resolve().parent.parent / "logging.ini"
_FILE = Path("logs", "lockstep.log")
_ORDER = ("leader_order", "follower", "correlation_id")


def configure(folder: Path, trades: bool) -> None:
    """Log as logging.ini says, to the file `logs/lockstep.log` in `folder`, also what nobody
    caught. Only a process that `trades` rotates the file. Raises Misused for a logging.ini that
    is missing or maimed."""
    path = repr(str(folder.absolute() / _FILE)).replace("%", "%%")
    try:
        logging.config.fileConfig(
            _INI,
            defaults={"path": path, "rotates": str(trades)},
            disable_existing_loggers=False,
            encoding="utf-8",
        )
    except Exception as trouble:
        raise Misused(f"{_INI} cannot be used ({type(trouble).__name__}: {trouble})") from None
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class HumanFormatter(logging.Formatter):
    """A line for the terminal, with the order that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        return redact.scrub(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        at = datetime.fromtimestamp(record.created, IST)
        return at.strftime(datefmt or "%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        about = [str(value) for key in _ORDER if (value := getattr(record, key, None))]
        context = f" [{' '.join(about)}]" if about else ""
        when = self.formatTime(record, self.datefmt)
        return f"{when} {record.levelname:<8} {record.message}{context}"


class JsonFormatter(pythonjsonlogger.json.JsonFormatter):
    """One JSON document a line; what is passed as `extra` stands in it by its name."""

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: str = "%",
        *,
        defaults: dict[str, object] | None = None,
    ) -> None:
        super().__init__(
            fmt or "%(asctime)s %(levelname)s %(name)s %(threadName)s %(message)s",
            datefmt,
            style,
            rename_fields={
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
                "threadName": "thread",
                "exc_info": "exception",
            },
            json_ensure_ascii=False,
            defaults=defaults,
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, IST).isoformat(timespec="milliseconds")

    def process_log_record(self, log_data: dict[str, object]) -> dict[str, object]:
        """The fields that are known."""
        return {key: value for key, value in log_data.items() if value is not None}

    def jsonify_log_record(self, log_data: dict[str, object]) -> str:
        """The line without secrets. Looking at all of it first is much quicker than looking at
        each field for each of many tokens, and nearly always enough."""
        line = super().jsonify_log_record(log_data)
        if not redact.suspect(line):
            return line
        clean = {redact.scrub(key): _scrubbed(value) for key, value in log_data.items()}
        return super().jsonify_log_record(clean)


def _scrubbed(value: object) -> object:
    if isinstance(value, Mapping):
        return {redact.scrub(str(key)): _scrubbed(within) for key, within in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(within) for within in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    scrubbed = redact.scrub(text)
    return value if isinstance(value, int | float) and scrubbed == text else scrubbed


class _Discreet(logging.Handler):
    """Says, once for each kind of trouble, that a line could not be written; the standard
    library would show what was in it."""

    _complained: frozenset[str] = frozenset()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        kind = getattr(sys.exc_info()[0], "__name__", "trouble")
        if kind in self._complained:
            return
        self._complained |= {kind}
        with suppress(OSError, ValueError):
            where = f"{record.name}, line {record.lineno}"
            sys.stderr.write(f"{type(self).__name__}: no log line of {where}: {kind}\n")


class Terminal(_Discreet, logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class PrivateFile(_Discreet, logging.handlers.RotatingFileHandler):
    """A file that only its owner can read, made when the first line comes."""

    def __init__(self, path: str, most_bytes: int, keep: int, rotates: bool) -> None:
        super().__init__(
            path,
            maxBytes=most_bytes if rotates else 0,
            backupCount=keep,
            encoding="utf-8",
            delay=True,
        )

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802
        """Whether it is full. The standard library makes the line a second time to see whether it
        still fits, and asks the system of the file for each."""
        if not self.maxBytes:
            return False
        self.stream = self.stream or self._open()
        full = self.stream.tell() >= self.maxBytes
        return full and Path(self.baseFilename).is_file()

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with suppress(OSError):  # one of another owner stays as that one has it
            path.chmod(0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


def _uncaught(
    kind: type[BaseException], crash: BaseException, traceback: TracebackType | None
) -> None:
    logger.critical("Ended by an error that nobody foresaw", exc_info=(kind, crash, traceback))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread else "?"
    logger.critical(
        "The thread %s ended by an error that nobody foresaw",
        name,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )
