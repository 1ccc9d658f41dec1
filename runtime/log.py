"""Logs: one JSON object a line on standard error, the libraries' warnings and a crash's traceback too."""

import logging
import sys
import threading
from types import TracebackType

import structlog

ALREADY_TOLD = {("aiokafka", 'Unable connect to "%s:%s": %s')}
"""What a library logs and also raises; we say it with what to do about it (aiokafka 0.14.0, client.py)."""


def configure_log(level: str) -> None:
    """Log from this level on; of libraries, warnings and worse. What nobody catches becomes one line too."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    written: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *written],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # a line in one write: threads share the stream
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    handler.addFilter(lambda record: (record.name, record.msg) not in ALREADY_TOLD)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _unraisable


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    structlog.get_logger().critical(
        "crashed", error=f"{kind.__name__}: {error}", exc_info=(kind, error, trace)
    )


def _thread_crashed(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        _crashed(found.exc_type, found.exc_value, found.exc_traceback)


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    structlog.get_logger().error(
        "exception ignored",
        error=repr(found.exc_value),
        where=found.err_msg or repr(found.object),
    )
