"""How a record becomes one line of the log: never an address, a token or what somebody wrote.

Our own messages hold names of errors and codes only. Those of libraries may quote a path, a header or a row,
and so may the text of any exception: of these the line says where in the program it was, and nothing else.
"""

import logging
import re
import time
import traceback
from types import TracebackType

OWN = ("network", "messaging", "forum")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
FRAMES_MOST = 12

ExceptionInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class OneLine(logging.Formatter):
    """Writes one line for each record, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = self.formatTime(record)
        parts = [f"{at} {record.levelname} {record.name} {self._message(record)}"]
        if isinstance(record.exc_info, tuple) and record.exc_info[0]:
            parts.append(self.formatException(record.exc_info))
        return CONTROL.sub(" ", " ".join(parts))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return the time in ISO 8601."""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{record.msecs:03.0f}Z"

    def _message(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] in OWN:
            return record.getMessage()
        said = f"at {record.module}.{record.funcName}:{record.lineno}"
        if status := getattr(record, "status_code", None):
            said += f" status={status}"
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        return f"{said} route={match.route}" if match else said

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        """Return the kinds of the exceptions and where they were raised, without their texts."""
        kind, error, place = ei
        said = f"[{kind.__name__ if kind else ''}"
        frames = traceback.extract_tb(place)[-FRAMES_MOST:]
        said += "".join(f" < {frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        cause = error and (error.__cause__ or error.__context__)
        return f"{said}; after {type(cause).__name__}]" if cause else f"{said}]"
