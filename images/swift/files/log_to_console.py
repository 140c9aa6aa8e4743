"""A handler hook of Swift's (`log_custom_handlers`), named in each of its configuration files.

Swift always logs to syslog, over UDP to the loopback address where there is no /dev/log. In a container the console,
which `--verbose` adds, is the one place for logs.
"""

import logging
from logging.handlers import SysLogHandler


def without_syslog(conf, name, log_to_console, log_route, fmt, logger: logging.Logger, adapted_logger) -> None:
    """Takes the handler for syslog off a logger."""
    for handler in [each for each in logger.handlers if isinstance(each, SysLogHandler)]:
        logger.removeHandler(handler)
        handler.close()
