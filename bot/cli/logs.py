"""Where the log goes: standard error, for people or as JSON; results go to standard output."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Logs:
    """What the command line said about logging."""

    debug: bool = False
    as_json: bool = False

    def start(self, quiet: bool = False) -> None:
        """Set structlog up; `quiet`: warnings and errors only. Tracebacks show no local variables: a key may be one."""
        import logging

        import structlog

        level = logging.DEBUG if self.debug else logging.WARNING if quiet else logging.INFO
        if self.as_json:
            shape: list[structlog.typing.Processor] = [
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ]
        else:
            plain = structlog.dev.plain_traceback
            shape = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                *shape,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
            cache_logger_on_first_use=False,
        )
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
