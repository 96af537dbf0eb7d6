"""How a log line looks: a sentence that never changes, and its values behind it as `key=value`."""

import logging

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """`2026-03-31 18:00:00,123 INFO imsys.fleet.keeper run ended router='rt-1' duration_ms=41`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        values = [f"{name}={value!r}" for name, value in vars(record).items() if name not in _OWN]
        return " ".join([super().formatMessage(record), *values])
