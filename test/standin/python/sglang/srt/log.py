"""The log of the engine: one format for launcher and ranks, on standard error, never coloured."""

import logging
import sys
import time


def configure(prefix=""):
    """Log to standard error as `[date time PREFIX] message`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"[%(asctime)s{prefix}] %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    logger = logging.getLogger("sglang")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def native(text):
    """A line of PyTorch's C++ side: `[W1122 21:04:08.469012460 file.cpp:207] …`."""
    now = time.time()
    stamp = time.strftime("%m%d %H:%M:%S", time.localtime(now))
    print(text.replace("[W ", f"[W{stamp}.{int(now % 1 * 1e9):09d} "), file=sys.stderr, flush=True)


def uvicorn_config():
    """Uvicorn's two loggers in the engine's format."""
    date = "%Y-%m-%d %H:%M:%S"
    formatters = {
        "default": {
            "()": "uvicorn.logging.DefaultFormatter",
            "fmt": "[%(asctime)s] %(levelprefix)s %(message)s",
            "datefmt": date,
            "use_colors": False,
        },
        "access": {
            "()": "uvicorn.logging.AccessFormatter",
            "fmt": '[%(asctime)s] %(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s',
            "datefmt": date,
            "use_colors": False,
        },
    }
    handlers = {
        name: {"class": "logging.StreamHandler", "formatter": name, "stream": "ext://sys.stderr"} for name in formatters
    }
    loggers = {
        "uvicorn": {"handlers": ["default"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"level": "INFO"},
        "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "handlers": handlers,
        "loggers": loggers,
    }
